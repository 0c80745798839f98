//! Whether a brand's Insider side is right: each key is proved by the calls that it is for, with an address
//! that the operator names.
//!
//! These calls change what Insider holds for the address, so each walk over a channel brings that back
//! ([`walk`]) and its last line tells what Insider holds then. Only what needs a refused key is passed over.

mod calls;
mod end;
mod walk;

use jiff::SignedDuration;
use serde::Deserialize;
use shared::answers::Check;
use shared::brand::{Attribute, AttributeMeaning, Brand, WebhookAuth};
use shared::clock::Clock;
use shared::consent::{Channel, RawRecipient, Recipient};
use shared::insider::{Client, Profile};
use shared::ledger::Ledger;
use shared::queue::Queues;
use url::Url;

use crate::findings::Finding;
use calls::Became;
use walk::{Heard, Walk};

/// Samples one brand's Insider account.
pub struct SampleInsider<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The queues.
    pub queues: &'a Queues,
    /// Insider.
    pub insider: &'a Client,
    /// The brand.
    pub brand: &'a Brand,
    /// Base address of the HTTP API.
    pub api: &'a Url,
    /// The clock.
    pub clock: &'a Clock,
    /// When the sweep looks after an address that this leaves open, and for how long a call that was not
    /// answered may still land.
    pub grace: SignedDuration,
}

/// The addresses to sample with, as somebody sent them. No `Debug`, no `Serialize`.
#[derive(Deserialize)]
pub struct Addresses {
    /// An e-mail address.
    #[serde(default)]
    pub email: Option<RawRecipient>,
    /// A phone number.
    #[serde(default)]
    pub phone: Option<RawRecipient>,
}

/// What was found with one address.
#[derive(Default)]
struct Sampled {
    lines: Vec<Check>,
    left: Vec<Check>,
    heard: Heard,
}

impl SampleInsider<'_> {
    /// Makes every call that the addresses are good for.
    pub async fn run(&self, addresses: &Addresses) -> Vec<Check> {
        let read = |raw: &Option<RawRecipient>, channel| raw.as_ref().map(|raw| Recipient::parse(raw.expose(), channel)).transpose();
        let (email, phone) = match (read(&addresses.email, Channel::Eposta), read(&addresses.phone, Channel::Mesaj)) {
            (Ok(None), Ok(None)) => return vec![Finding::SampleWithoutAddress.of("address", &[])],
            (Ok(email), Ok(phone)) => (email, phone),
            (email, phone) => {
                let email = email.is_err().then(|| Finding::EmailUnusable.of("email", &[]));
                let phone = phone.is_err().then(|| Finding::PhoneUnusable.of("phone", &[]));
                return email.into_iter().chain(phone).collect();
            }
        };
        // Side by side, so that even silence on every call ends before the function must.
        let (email, phone) = tokio::join!(Box::pin(self.sample("email", email.as_ref())), Box::pin(self.sample("phone", phone.as_ref())));
        let mut heard = email.heard;
        heard.add(phone.heard);
        let partner = match (heard.let_in, heard.refused) {
            (true, _) => Some(Finding::PartnerKnown),
            (false, true) => Some(Finding::PartnerRefused),
            (false, false) => None,
        };
        let partner = partner.map(|finding| finding.of("partner", &[&self.brand.insider.partner]));
        let lines = email.lines.into_iter().chain(phone.lines);
        lines.chain(partner).chain([self.webhook()]).chain(email.left).chain(phone.left).collect()
    }

    async fn sample(&self, name: &str, recipient: Option<&Recipient>) -> Sampled {
        let mut sampled = Sampled::default();
        let Some(recipient) = recipient else { return sampled };
        let channels: Vec<(Channel, &str)> = Channel::ALL
            .iter()
            .filter(|channel| recipient.fits(**channel))
            .filter_map(|channel| Some((*channel, self.brand.insider.flag_for(*channel)?)))
            .collect();
        let check = format!("key.ucd.read.{name}");
        let profile = match calls::read(self.insider, &check, recipient).await {
            Ok(profile) => {
                sampled.heard.note(Became::Taken);
                sampled.lines.push(found(&check, profile.as_ref(), &channels));
                profile
            }
            Err(call) => {
                sampled.heard.note(call.became);
                sampled.lines.push(call.line);
                None
            }
        };
        sampled.lines.extend(self.attributes(recipient, profile.as_ref(), &channels));
        for (channel, flag) in channels {
            let before = profile.as_ref().and_then(|profile| profile.flags.get(&channel).copied());
            let walked = Box::pin(Walk::new(self, recipient, channel, flag, before).run()).await;
            sampled.lines.extend(walked.lines);
            sampled.left.push(walked.left);
            sampled.heard.add(walked.heard);
        }
        sampled
    }

    /// The mapping of attributes to channels, against the profile as it was before the calls.
    fn attributes(&self, recipient: &Recipient, profile: Option<&Profile>, channels: &[(Channel, &str)]) -> Vec<Check> {
        let flags = channels.iter().map(|(channel, flag)| {
            let check = format!("attribute.{flag}");
            let value = profile.and_then(|profile| profile.flags.get(channel));
            let meaning = match self.brand.insider.attribute(flag) {
                Attribute::Consent(meaning) => Some(meaning),
                Attribute::NoMeaning | Attribute::Unknown => None,
            };
            match (meaning, profile, value) {
                (None, ..) => Finding::AttributeUnmapped.of(check, &[flag]),
                (Some(meaning), ..) if meaning.channel != *channel => {
                    Finding::AttributeOfAnother.of(check, &[flag, meaning.channel.as_str(), channel.as_str()])
                }
                (Some(_), None, _) => Finding::AttributeUnseen.of(check, &[]),
                (Some(_), Some(profile), None) if profile.not_boolean.contains(channel) => Finding::AttributeNotBoolean.of(check, &[flag]),
                (Some(_), Some(_), None) => Finding::AttributeMissing.of(check, &[flag]),
                (Some(_), Some(_), Some(value)) => Finding::AttributeSeen.of(check, &[&value.to_string(), channel.as_str()]),
            }
        });
        let is_flag = |name: &str| Channel::ALL.iter().filter_map(|channel| self.brand.insider.flag_for(*channel)).any(|flag| flag == name);
        let concerns = |meaning: &Option<AttributeMeaning>| meaning.as_ref().is_some_and(|meaning| recipient.fits(meaning.channel));
        let others = self.brand.insider.attributes.iter().filter(|(name, meaning)| concerns(meaning) && !is_flag(name));
        let others = others.map(|(name, _)| Finding::AttributeNotRead.of(format!("attribute.{name}"), &[]));
        flags.chain(others).collect()
    }

    /// What Insider's panel must be given for the other direction.
    fn webhook(&self) -> Check {
        let modes: Vec<String> = self.brand.insider.webhook_auth.iter().map(mode).collect();
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["v1", self.brand.name.as_str(), "insider", "events"]);
        }
        Finding::WebhookAccepts.of("webhook", &[url.as_str(), &modes.join(", ")])
    }
}

/// What was read, by the names of the flags.
fn found(check: &str, profile: Option<&Profile>, channels: &[(Channel, &str)]) -> Check {
    let Some(profile) = profile else { return Finding::ProfileOfNobody.of(check, &[]) };
    let value = |channel: &Channel| profile.flags.get(channel).map_or_else(|| "–".to_owned(), bool::to_string);
    let flags: Vec<String> = channels.iter().map(|(channel, flag)| format!("{flag}={}", value(channel))).collect();
    Finding::ProfileFound.of(check, &[&flags.join(", ")])
}

/// A way to prove where a webhook comes from, without its secret.
fn mode(auth: &WebhookAuth) -> String {
    match auth {
        WebhookAuth::Header { name, .. } | WebhookAuth::Query { name, .. } => format!("{} {name}", auth.name()),
        _ => auth.name().to_owned(),
    }
}
