//! Whether a brand's İYS side is right: what a person runs after setting it up, and when something is held.
//!
//! Every check is made, whatever became of the others; only what needs an access token is passed over
//! when there is none, so that refused credentials cost one request and not ten. Nothing is changed at
//! İYS: all calls are questions, a question about consents names nobody's address, and each takes its
//! turn in the allowance like every other call.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::account::{Account, Connections};
use shared::answers::{Check, Outcome};
use shared::brand::Brand;
use shared::clock::Clock;
use shared::consent::code::Code;
use shared::consent::standing::Access;
use shared::consent::{Channel, ConsentDate};
use shared::iys::{AllowanceUse, ChannelAccess, Client, IysAccount, PartnerBrand, Subscription, SubscriptionStatus, Used};
use shared::ledger::token::{AccountId, PauseReason};
use shared::ledger::{Ledger, LedgerError};
use shared::registry::RegistryError;
use url::Url;

use crate::egress::{Egress, NoAddress};
use crate::findings::{BARE_REFUSAL, Finding, time, unanswered};
use crate::push_service::own_url;

/// A subscription that ends this soon is worth a warning.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The same for a quota or an allowance of which so much is used, in percent.
const NEARLY_USED_UP: u64 = 90;
/// İYS's time has whole seconds and travels, so less than this means nothing.
const CLOCK_WARNING: SignedDuration = SignedDuration::from_secs(5);
/// A clock ahead by this much makes dates that İYS refuses.
const CLOCK_WRONG: SignedDuration = SignedDuration::from_secs(60);

/// Checks one brand.
pub struct CheckBrand<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// İYS.
    pub iys: &'a Client,
    /// The brand.
    pub brand: &'a Arc<Brand>,
    /// Base address of the HTTP API.
    pub api: &'a Url,
    /// Who tells the address that calls come from.
    pub egress: &'a Egress,
    /// The clock.
    pub clock: &'a Clock,
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    checks: Vec<Check>,
    /// Whether İYS refused without a code, as for an address that it does not list.
    refused_bare: bool,
}

impl Found {
    fn note(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Notes a call that was not answered.
    fn fault(&mut self, check: impl Into<String>, error: &RegistryError) {
        self.refused_bare |= matches!(error, RegistryError::Held { code, .. } if code == BARE_REFUSAL);
        self.checks.push(unanswered(check, error));
    }
}

impl CheckBrand<'_> {
    /// Makes every check, in the order in which a person would set things right.
    pub async fn run(&self) -> Vec<Check> {
        let mut found = Found::default();
        found.note(self.document());
        let has_token = self.token(&mut found).await;
        if has_token {
            self.listed_brand(&mut found).await;
            self.subscription(&mut found).await;
            self.authority(&mut found).await;
            self.push(&mut found).await;
        } else {
            let channels = &self.brand.iys.channels;
            let authority = channels.iter().map(|channel| of_channel("authority", *channel));
            let push = channels.iter().map(|channel| of_channel("push", *channel)).filter(|_| self.uses_push());
            let fixed = ["brand", "subscription", "quota"].map(str::to_owned);
            let mutabakat = self.brand.iys.mutabakat.then(|| "mutabakat".to_owned());
            let unasked = fixed.into_iter().chain(authority).chain(mutabakat).chain(push);
            found.checks.extend(unasked.map(|check| Finding::NeedsToken.of(check, &[])));
        }
        self.egress(&mut found).await;
        found.note(self.clock());
        self.allowances(&mut found).await;
        found.checks
    }

    fn document(&self) -> Check {
        let channels: Vec<&str> = self.brand.iys.channels.iter().map(|channel| channel.as_str()).collect();
        match channels.as_slice() {
            [] => Finding::DocumentWithoutChannels.of("document", &[]),
            channels => Finding::DocumentRead.of("document", &[&channels.join(", ")]),
        }
    }

    /// Whether calls can be made.
    async fn token(&self, found: &mut Found) -> bool {
        const CHECK: &str = "token";
        let ends = match self.iys.token_ends(&self.brand.iys).await {
            Ok(ends) => time(ends),
            Err(error) => {
                found.fault(CHECK, &error);
                return false;
            }
        };
        // A token that stands says nothing about how the last request for another went.
        let check = match self.state_of_token().await {
            Ok((Some((_, PauseReason::Credentials)), _, _)) => Finding::TokenRefused.of(CHECK, &[&ends]),
            Ok((_, _, Some(until))) => Finding::TokenStopped.with_code(CHECK, &[&ends, &time(until)], Code::TOKENS_STOPPED),
            Ok((Some((_, PauseReason::Fault)), failures, None)) => Finding::TokenFaults.of(CHECK, &[&ends, &failures.to_string()]),
            Ok((None, _, None)) => Finding::TokenStands.of(CHECK, &[&ends]),
            Err(_) => Finding::LedgerAway.of(CHECK, &[]),
        };
        found.note(check);
        true
    }

    /// The pause of the account's token requests, how many failed in a row, and until when nobody may ask.
    async fn state_of_token(&self) -> Result<(Option<(Timestamp, PauseReason)>, u32, Option<Timestamp>), LedgerError> {
        let now = (self.clock)();
        let account = self.ledger.account(&AccountId::of(&self.brand.iys.username)).await?;
        let (_, stopped_until) = self.ledger.token_requests(now).await?;
        Ok((account.pause.filter(|(until, _)| *until > now), account.failures, stopped_until.filter(|until| *until > now)))
    }

    async fn listed_brand(&self, found: &mut Found) {
        const CHECK: &str = "brand";
        let (iys_code, brand_code) = (self.brand.iys.iys_code, self.brand.iys.brand_code);
        let (provider, number) = (iys_code.to_string(), brand_code.to_string());
        let brands = match self.iys.brands(&self.brand.iys).await {
            Ok(brands) => brands,
            Err(error) => return found.fault(CHECK, &error),
        };
        let ours = brands.iter().find(|listed| listed.brand_code == brand_code);
        found.note(match ours {
            Some(ours) if ours.master == (brand_code == iys_code) => Finding::BrandListed.of(CHECK, &[&number, &provider]),
            Some(_) => Finding::MainBrandElsewhere.of(CHECK, &[&number]),
            None => {
                let mut others: Vec<String> = brands.iter().map(|listed| listed.brand_code.to_string()).collect();
                if others.is_empty() {
                    others.push("–".to_owned());
                }
                Finding::BrandNotListed.of(CHECK, &[&number, &provider, &others.join(", ")])
            }
        });
    }

    async fn subscription(&self, found: &mut Found) {
        let account = &self.brand.iys;
        let now = ConsentDate::at((self.clock)());
        match self.iys.subscription(account).await {
            Ok(subscription) => {
                found.note(in_force("subscription", subscription.as_ref(), now));
                found.note(subscription.as_ref().map_or_else(|| Finding::QuotaNotShown.of("quota", &[]), quota));
            }
            // Not every API user may ask for it, and nothing else depends on being allowed to.
            Err(RegistryError::Held { code, .. }) if code.parse() == Ok(Code::NOT_ENTITLED) => {
                found.note(Finding::SubscriptionHidden.of("subscription", &[]));
                found.note(Finding::QuotaNotShown.of("quota", &[]));
            }
            Err(error) => {
                found.fault("subscription", &error);
                found.fault("quota", &error);
            }
        }
        if let Some(integrator_code) = account.integrator_code {
            match self.iys.partner_subscription(account, integrator_code).await {
                Ok(subscription) => found.note(in_force("subscription.partner", subscription.as_ref(), now)),
                Err(error) => found.fault("subscription.partner", &error),
            }
        }
    }

    /// Channels and reconciliation: what İYS lists for a business partner, else whether a harmless
    /// question is answered.
    async fn authority(&self, found: &mut Found) {
        match self.brand.iys.integrator_code {
            Some(integrator_code) => self.authority_of_partner(integrator_code, found).await,
            None => self.authority_of_own_user(found).await,
        }
        if !self.brand.iys.mutabakat {
            found.note(Finding::MutabakatOff.of("mutabakat", &[]));
        }
    }

    async fn authority_of_partner(&self, integrator_code: u64, found: &mut Found) {
        let partner = integrator_code.to_string();
        let brands = match self.iys.partner_brands(&self.brand.iys, integrator_code).await {
            Ok(brands) => brands,
            Err(error) => {
                for channel in &self.brand.iys.channels {
                    found.fault(of_channel("authority", *channel), &error);
                }
                if self.brand.iys.mutabakat {
                    found.fault("mutabakat", &error);
                }
                return;
            }
        };
        let brand_code = self.brand.iys.brand_code;
        let Some(PartnerBrand { channels, agreement_control, .. }) = brands.into_iter().find(|listed| listed.brand_code == brand_code)
        else {
            return found.note(Finding::PartnerBrandNotListed.of("authority", &[&brand_code.to_string(), &partner]));
        };
        for channel in &self.brand.iys.channels {
            let writes = channels.get(channel) == Some(&ChannelAccess::Write);
            let finding = if writes { Finding::PartnerListed } else { Finding::PartnerNotListed };
            found.note(finding.of(of_channel("authority", *channel), &[&partner]));
        }
        if self.brand.iys.mutabakat {
            let finding = if agreement_control { Finding::PartnerListed } else { Finding::MutabakatNotListed };
            found.note(finding.of("mutabakat", &[&partner]));
        }
    }

    async fn authority_of_own_user(&self, found: &mut Found) {
        let account = IysAccount::new(self.iys.clone(), self.brand.clone());
        // A question may be answered where a record was refused, and only the record's answer counts.
        let standing = self.ledger.standing(&self.brand.name).await.unwrap_or_default();
        for channel in &self.brand.iys.channels {
            let check = of_channel("authority", *channel);
            let refused = standing.channels.get(channel).filter(|grant| grant.access == Access::Denied && grant.by_record);
            match (account.ask(*channel).await, refused) {
                (Err(error), _) => found.fault(check, &error),
                (Ok(()), None) => found.note(Finding::ChannelAnswered.of(check, &[])),
                (Ok(()), Some(grant)) => {
                    let refused = Finding::ChannelRecordRefused.of(check, &[&time(grant.since)]);
                    let reason = refused.reason.map(|reason| shared::answers::Reason { code: grant.code.clone(), ..reason });
                    found.note(Check { reason, ..refused });
                }
            }
        }
        if self.brand.iys.mutabakat {
            match account.ask_mutabakat().await {
                Ok(()) => found.note(Finding::MutabakatAnswered.of("mutabakat", &[])),
                Err(error) => found.fault("mutabakat", &error),
            }
        }
    }

    fn uses_push(&self) -> bool {
        self.brand.iys.push_service || self.brand.iys.push.is_some()
    }

    async fn push(&self, found: &mut Found) {
        if !self.uses_push() {
            return found.note(Finding::PushUnused.of("push", &[]));
        }
        let account = IysAccount::new(self.iys.clone(), self.brand.clone());
        let connections = match account.list().await {
            Ok(connections) => connections,
            Err(error) => {
                for channel in &self.brand.iys.channels {
                    found.fault(of_channel("push", *channel), &error);
                }
                return;
            }
        };
        let keys = match self.ledger.push_keys(&self.brand.name).await {
            Ok(keys) => keys,
            Err(error) => return found.fault("push", &error.into()),
        };
        let own = own_url(self.api, self.brand);
        for channel in &self.brand.iys.channels {
            let check = of_channel("push", *channel);
            let registered = keys.get(channel).map(|key| key.url.as_str());
            let on_channel = connections.iter().filter(|connection| connection.channel == Some(*channel));
            let (ours, others): (Vec<_>, Vec<_>) =
                on_channel.partition(|connection| connection.url == own.as_str() || Some(connection.url.as_str()) == registered);
            let authority = of_channel("authority", *channel);
            let denied = found.checks.iter().any(|line| line.check == authority && line.outcome == Outcome::Failed);
            found.note(match (ours.iter().any(|connection| !connection.has_failed), ours.len(), others.len()) {
                (true, ..) => Finding::PushStands.of(check, &[]),
                (false, 0, _) if denied => Finding::PushWithoutAuthority.of(check, &[]),
                (false, 1.., _) => Finding::PushFailed.of(check, &[]),
                (false, 0, 1..) => Finding::PushElsewhere.of(check, &[&others.len().to_string()]),
                (false, 0, 0) => Finding::PushMissing.of(check, &[]),
            });
        }
    }

    async fn egress(&self, found: &mut Found) {
        const CHECK: &str = "egress";
        let listed = &self.brand.iys.egress_addresses;
        let address = self.egress.address().await;
        let shown = match &address {
            Ok(Some(address)) => address.to_string(),
            Ok(None) | Err(NoAddress) => String::new(),
        };
        let check = match address {
            // İYS's own answer says more than any comparison.
            _ if found.refused_bare => {
                let from = if shown.is_empty() { shown } else { format!(" ({shown})") };
                Finding::EgressRefused.of(CHECK, &[&from])
            }
            Ok(None) => Finding::EgressOff.of(CHECK, &[]),
            Err(NoAddress) => Finding::EgressUnknown.of(CHECK, &[]),
            Ok(Some(_)) if listed.is_empty() => Finding::EgressNotCompared.of(CHECK, &[&shown]),
            Ok(Some(address)) if listed.contains(&address) => Finding::EgressListed.of(CHECK, &[&shown]),
            Ok(Some(_)) => Finding::EgressOther.of(CHECK, &[&shown]),
        };
        found.note(check);
    }

    fn clock(&self) -> Check {
        const CHECK: &str = "clock";
        let Some(offset) = self.iys.clock_offset() else { return Finding::ClockUnknown.of(CHECK, &[]) };
        let finding = match offset.abs() {
            far if far > CLOCK_WRONG => Finding::ClockWrong,
            far if far > CLOCK_WARNING => Finding::ClockOff,
            _ => Finding::ClockRight,
        };
        finding.of(CHECK, &[&format!("{:+}", -offset.as_secs())])
    }

    async fn allowances(&self, found: &mut Found) {
        let usage = match AllowanceUse::read(self.ledger, &self.iys.settings().limits, (self.clock)()).await {
            Ok(usage) => usage,
            Err(_) => return found.note(Finding::LedgerAway.of("allowance", &[])),
        };
        for (name, Used { used, limit }) in
            [("tokens", usage.token_requests), ("single_status", usage.single_status), ("history", usage.history)]
        {
            let near = is_nearly_used_up(used.into(), limit.into());
            let finding = if near { Finding::AllowanceNear } else { Finding::AllowanceLeft };
            found.note(finding.of(format!("allowance.{name}"), &[&used.to_string(), &limit.to_string()]));
        }
        let (requests, failed, pace) = (usage.quality.requests, usage.quality.failed, usage.quality.calls_per_second);
        let slowed = pace < self.iys.settings().limits.calls_per_second;
        let finding = match requests {
            0 => Finding::QualityUnknown,
            _ if slowed => Finding::QualitySlowed,
            _ => Finding::QualityFine,
        };
        found.note(finding.of("quality", &[&requests.saturating_sub(failed).to_string(), &requests.to_string(), &pace.to_string()]));
    }
}

fn of_channel(check: &str, channel: Channel) -> String {
    format!("{check}.{channel}")
}

fn is_nearly_used_up(used: u64, limit: u64) -> bool {
    used.saturating_mul(100) > limit.saturating_mul(NEARLY_USED_UP)
}

/// Whether a subscription is in force, and for how long.
fn in_force(check: &str, subscription: Option<&Subscription>, now: ConsentDate) -> Check {
    let Some(subscription) = subscription else { return Finding::SubscriptionMissing.with_code(check, &[], Code::NO_SUBSCRIPTION) };
    let end = subscription.expiration_date;
    let shown = end.map(|end| end.to_string()).unwrap_or_default();
    match (subscription.status, end.map(|end| end.seconds_since(now))) {
        (SubscriptionStatus::Paused, _) => Finding::SubscriptionPaused.with_code(check, &[], Code::PAUSED),
        (SubscriptionStatus::Closed, _) => Finding::SubscriptionClosed.with_code(check, &[], Code::CLOSED),
        (SubscriptionStatus::Expired, None) => Finding::SubscriptionEnded.with_code(check, &["–"], Code::PAUSED),
        (SubscriptionStatus::Expired, Some(_)) => Finding::SubscriptionEnded.with_code(check, &[&shown], Code::PAUSED),
        (_, Some(left)) if left <= 0 => Finding::SubscriptionEnded.with_code(check, &[&shown], Code::PAUSED),
        (SubscriptionStatus::Unknown, _) => Finding::SubscriptionUnclear.of(check, &[]),
        (SubscriptionStatus::Active, None) => Finding::SubscriptionActiveOpen.of(check, &[]),
        (SubscriptionStatus::Active, Some(left)) if left <= ENDS_SOON.as_secs() => {
            Finding::SubscriptionEnds.of(check, &[&shown, &(left / (24 * 3600)).to_string()])
        }
        (SubscriptionStatus::Active, Some(_)) => Finding::SubscriptionActive.of(check, &[&shown]),
    }
}

fn quota(subscription: &Subscription) -> Check {
    const CHECK: &str = "quota";
    let Some((used, limit)) = subscription.used_consent_limit.zip(subscription.consent_limit) else {
        return Finding::QuotaNotShown.of(CHECK, &[]);
    };
    let values = [used.to_string(), limit.to_string()];
    let values = [values[0].as_str(), values[1].as_str()];
    match () {
        () if subscription.is_full() => Finding::QuotaFull.with_code(CHECK, &values, Code::QUOTA_USED_UP),
        () if used >= limit => Finding::QuotaExceeded.of(CHECK, &values),
        () if is_nearly_used_up(used, limit) => Finding::QuotaNear.of(CHECK, &values),
        () => Finding::QuotaLeft.of(CHECK, &values),
    }
}
