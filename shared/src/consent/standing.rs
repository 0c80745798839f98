//! A brand's standing at the registry: which channels it may use, and whether it is stopped as a whole.
//!
//! Two things are told apart. A **channel** is denied when the API user lacks the authority for it; the
//! others go on. The **brand** is stopped when nothing it sends is taken: its subscription, its API
//! user's credentials, its numbers, or the package's places. Both are learnt from refused calls
//! ([`Standing::refused`]) and from looking at the account ([`Standing::found`]); both end only by a look.
//! What ends is released, so a change of standing is also an instruction to whoever keeps the held work.
//!
//! What may be called is the brand document's word first: a channel that it does not list is never
//! called, whatever is known here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::code::{Code, Hold};
use super::{Channel, ConsentDate, Status};

/// Whether something may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It may.
    Granted,
    /// It may not.
    Denied,
    /// Nobody has asked yet; it is used until it is refused.
    Unknown,
}

/// How that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By the brand's document alone.
    Configured,
    /// The registry lists it for the business partner.
    Listed,
    /// A harmless question was answered, or refused.
    Probed,
    /// A call of the brand's work was refused.
    Refused,
}

/// What is known of one channel, or of the reconciliation service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whether it may be used.
    pub access: Access,
    /// How that is known.
    pub how: How,
    /// Since when it is so.
    pub since: Timestamp,
    /// The registry's code, where it refused with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When the registry was last asked about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Whether a record was refused. An answered question does not end that: asking may be allowed
    /// where adding is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_record: bool,
}

/// Why nothing of the brand is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// What a person has to change.
    pub why: Hold,
    /// The registry's code or HTTP status.
    pub code: String,
    /// Since when.
    pub since: Timestamp,
    /// For [`Hold::Quota`]: whether refusals were not taken either. They need no place of their own, so
    /// they go on until one is refused for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refusals_too: bool,
}

/// A subscription, as far as work depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// Whether it is in force.
    pub status: PackageStatus,
    /// When it ends, Turkish time.
    #[serde(default)]
    pub expiration_date: Option<ConsentDate>,
    /// Whether it has no place for another address; `None` where that is not shown.
    #[serde(default)]
    pub full: Option<bool>,
}

/// Whether a subscription is in force, in İYS's words (İYS documentation, `get-subscription`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PackageStatus {
    /// In force.
    Active,
    /// Paused.
    Paused,
    /// At its end.
    Expired,
    /// Closed.
    Closed,
    /// Not stated.
    Unknown,
}

/// What a business partner may do for a brand, as the registry lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The channels that it may add on.
    pub channels: BTreeSet<Channel>,
    /// Whether it may call the reconciliation service.
    pub mutabakat: bool,
}

/// What a question says about authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It was answered.
    Open,
    /// It was refused.
    Closed {
        /// What a person has to change.
        why: Hold,
        /// The registry's code or HTTP status.
        code: String,
    },
    /// No answer, or one that says nothing about authority.
    Silent,
}

impl Reply {
    /// Whether it is refused to the brand as a whole, whatever the channel.
    pub fn stops_the_brand(&self) -> bool {
        matches!(self, Reply::Closed { why, code } if !is_of_one_channel(*why, code))
    }
}

/// What a real record has to show, because no question can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trial {
    /// Whether records of a channel are taken again.
    Channel(Channel),
    /// Whether there is a place for another address again.
    Quota,
}

/// What one look at the account found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// When it began: what was learnt since is newer.
    pub begun: Timestamp,
    /// How the question for the subscription went.
    pub package_reply: Reply,
    /// The subscription, where there is one.
    pub package: Option<Package>,
    /// What is listed for a business partner.
    pub listing: Option<Listing>,
    /// How a harmless question went, by channel.
    pub channels: BTreeMap<Channel, Reply>,
    /// How a harmless question to the reconciliation service went.
    pub mutabakat: Option<Reply>,
    /// How records went that had to be tried; what found no record to try is missing.
    pub trials: BTreeMap<Trial, Reply>,
}

impl Findings {
    /// A look of this moment that has found nothing yet.
    pub fn begun(now: Timestamp) -> Self {
        Self {
            begun: now,
            package_reply: Reply::Silent,
            package: None,
            listing: None,
            channels: BTreeMap::new(),
            mutabakat: None,
            trials: BTreeMap::new(),
        }
    }

    /// Whether nothing that was asked is open to this API user.
    pub fn nothing_is_open(&self) -> bool {
        let closed = |reply: &Reply| matches!(reply, Reply::Closed { .. });
        closed(&self.package_reply) && !self.channels.is_empty() && self.channels.values().all(closed)
    }

    /// Whether the brand is stopped as a whole, and why. What [`Findings::nothing_is_open`] means is
    /// known only once every configured channel was asked.
    pub fn stop(&self) -> Option<(Hold, String)> {
        match self.package.map(|package| package.status) {
            Some(PackageStatus::Paused | PackageStatus::Expired) => return Some((Hold::Subscription, Code::PAUSED.to_string())),
            Some(PackageStatus::Closed) => return Some((Hold::Subscription, Code::CLOSED.to_string())),
            Some(PackageStatus::Active | PackageStatus::Unknown) | None => {}
        }
        let closed = |reply: &Reply| match reply {
            Reply::Closed { why, code } => Some((*why, code.clone())),
            Reply::Open | Reply::Silent => None,
        };
        // Not every API user may ask for the subscription, so being refused that alone says nothing.
        let of_package = closed(&self.package_reply).filter(|(why, _)| *why != Hold::Authority || self.nothing_is_open());
        of_package.or_else(|| self.channels.values().find(|reply| reply.stops_the_brand()).and_then(closed))
    }

    /// Whether a stop is over, as far as this look could tell.
    fn ends(&self, stop: &Stop) -> bool {
        if stop.why == Hold::Quota {
            return match (self.package.and_then(|package| package.full), self.trials.get(&Trial::Quota)) {
                (Some(full), _) => !full,
                (None, trial) => matches!(trial, None | Some(Reply::Open)),
            };
        }
        // A stop refuses everything but the question for the subscription: whatever else is answered, or
        // refused for the channel's sake, shows that it is over.
        match self.channels.is_empty() {
            true => self.package_reply == Reply::Open,
            false => self.channels.values().any(|reply| *reply != Reply::Silent),
        }
    }

    /// What was found about a channel: whether it may be used, how that is known, and by which code.
    fn says(&self, channel: Channel) -> Option<(bool, How, Option<String>)> {
        if let Some(listing) = &self.listing {
            return Some((listing.channels.contains(&channel), How::Listed, None));
        }
        match self.channels.get(&channel)? {
            Reply::Open => Some((true, How::Probed, None)),
            Reply::Closed { why, code } if is_of_one_channel(*why, code) => Some((false, How::Probed, Some(code.clone()))),
            Reply::Closed { .. } | Reply::Silent => None,
        }
    }
}

/// What a refused call was about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct About {
    /// Its channel, if it was one channel's call.
    pub channel: Option<Channel>,
    /// The status of the record that it carried, if it carried one.
    pub record: Option<Status>,
}

/// Why work is not to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What a person has to change.
    pub why: Hold,
    /// The registry's code, where it refused with one.
    pub code: Option<String>,
}

/// What is known of a brand at the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// The configured channels of which something is known.
    pub channels: BTreeMap<Channel, Grant>,
    /// The reconciliation service, where it is configured and something is known.
    pub mutabakat: Option<Grant>,
    /// Why nothing of the brand is taken.
    pub stop: Option<Stop>,
    /// A refusal of a call that no channel names: a look has to say what it means.
    pub suspicion: Option<String>,
    /// The subscription, when it was last shown.
    pub package: Option<Package>,
    /// The channels of the brand's document when it was last compared.
    pub configured: BTreeSet<Channel>,
    /// The account in that document, unreadable.
    pub account: String,
    /// When the account was last looked at.
    pub checked_at: Option<Timestamp>,
    /// When it is to be looked at again while something is barred.
    pub look_at: Option<Timestamp>,
    /// When a look last found that something is over.
    pub lifted_at: Option<Timestamp>,
    /// Since when held work is to be released, until all of it is.
    pub release: Option<Timestamp>,
    /// Counts the releases.
    pub epoch: u64,
}

/// Whether a refusal may be about one channel and not about the brand. A refusal without a code is read
/// so as well: the narrower reading stops less, and if the others are refused too, each says so.
fn is_of_one_channel(why: Hold, code: &str) -> bool {
    why == Hold::Authority && code.parse::<Code>().map_or(true, Code::may_be_about_one_channel)
}

impl Standing {
    /// Why records of a channel and status are not to be sent now. `configured` says whether the brand's
    /// document lists the channel.
    pub fn bar(&self, channel: Channel, status: Status, configured: bool) -> Option<Bar> {
        if !configured {
            return Some(Bar { why: Hold::Authority, code: None });
        }
        if let Some(stop) = self.stop.as_ref().filter(|stop| stop.why != Hold::Quota || stop.refusals_too || status == Status::Onay) {
            return Some(Bar { why: stop.why, code: Some(stop.code.clone()) });
        }
        let grant = self.channels.get(&channel).filter(|grant| grant.access == Access::Denied)?;
        Some(Bar { why: Hold::Authority, code: grant.code.clone() })
    }

    /// Why questions about a channel are not to be asked now: they take no place of the package.
    pub fn bar_of_questions(&self, channel: Channel, configured: bool) -> Option<Bar> {
        let without_quota = Self { stop: self.stop.clone().filter(|stop| stop.why != Hold::Quota), ..self.clone() };
        without_quota.bar(channel, Status::Ret, configured)
    }

    /// Why the brand's calls that name no channel and store nothing are not to be made now.
    pub fn bar_of_calls(&self) -> Option<Bar> {
        let stop = self.stop.as_ref().filter(|stop| stop.why != Hold::Quota)?;
        Some(Bar { why: stop.why, code: Some(stop.code.clone()) })
    }

    /// Whether the reconciliation service may be called. `configured` is the document's word.
    pub fn may_reconcile(&self, configured: bool) -> bool {
        let denied = self.mutabakat.as_ref().is_some_and(|grant| grant.access == Access::Denied);
        configured && !denied && self.bar_of_calls().is_none()
    }

    /// Whether anything is held up, or may be, until the account is looked at.
    pub fn needs_a_look(&self) -> bool {
        let denied = |grant: &Grant| grant.access == Access::Denied;
        self.stop.is_some() || self.suspicion.is_some() || self.channels.values().chain(&self.mutabakat).any(denied)
    }

    /// Whether it is time to look at the account: every `pause` while something is barred, every `calm`
    /// otherwise. What was lifted in vain is not looked at again before another `pause`.
    pub fn look_is_due(&self, now: Timestamp, pause: SignedDuration, calm: SignedDuration) -> bool {
        let Some(checked_at) = self.checked_at else { return true };
        if !self.needs_a_look() {
            return now.duration_since(checked_at) >= calm;
        }
        let paused = self.lifted_at.is_some_and(|lifted| now.duration_since(lifted) < pause);
        !paused && self.look_at.is_none_or(|look_at| look_at <= now)
    }

    /// Takes the look at the account upon oneself: nobody else's is due before another `pause`.
    pub fn claim(&mut self, now: Timestamp, pause: SignedDuration) {
        self.checked_at = Some(now);
        self.look_at = Some(now.saturating_add(pause).unwrap_or(now));
    }

    /// Takes note of the brand's document. Whether anything changed by it.
    pub fn note_document(&mut self, channels: &BTreeSet<Channel>, mutabakat: bool, account: &str, now: Timestamp) -> bool {
        let before = self.clone();
        let is_first = self.account.is_empty();
        if self.account != account {
            account.clone_into(&mut self.account);
            // Whoever corrects the account waits for the effect.
            if !is_first && self.needs_a_look() {
                self.look_at = Some(now);
                self.lifted_at = None;
            }
        }
        let added = channels.difference(&self.configured).next().is_some();
        self.configured.clone_from(channels);
        // What is known of a channel that is not used any more grows old.
        self.channels.retain(|channel, _| channels.contains(channel));
        self.mutabakat = self.mutabakat.take().filter(|_| mutabakat);
        if added && !is_first {
            self.open(now);
        }
        *self != before
    }

    /// Takes note of a refused call of the brand's work. Whether that was news.
    pub fn refused(&mut self, about: About, why: Hold, code: &str, now: Timestamp) -> bool {
        let before = self.clone();
        let is_new = if !is_of_one_channel(why, code) {
            self.halt(why, code, about.record == Some(Status::Ret), now)
        } else if let Some(channel) = about.channel {
            self.deny(channel, How::Refused, Some(code.to_owned()), about.record.is_some(), now)
        } else {
            let is_new = self.suspicion.is_none();
            self.suspicion.get_or_insert_with(|| code.to_owned());
            is_new
        };
        if is_new {
            // What it means is looked into at once.
            self.look_at = Some(now);
        }
        *self != before
    }

    /// What a look must still try with a record before it can say what `findings` means.
    pub fn trials(&self, findings: &Findings) -> Vec<Trial> {
        if findings.stop().is_some() {
            return Vec::new();
        }
        let of_quota =
            self.stop.as_ref().is_some_and(|stop| stop.why == Hold::Quota) && findings.package.and_then(|found| found.full).is_none();
        let of_channel = |(channel, grant): (&Channel, &Grant)| {
            let opens = findings.says(*channel).is_some_and(|(open, ..)| open);
            (grant.access == Access::Denied && grant.by_record && opens).then_some(Trial::Channel(*channel))
        };
        self.channels.iter().filter_map(of_channel).chain(of_quota.then_some(Trial::Quota)).collect()
    }

    /// Takes note of what a look found. What is over is released.
    pub fn found(&mut self, findings: &Findings, now: Timestamp) {
        let mut lifted = false;
        // A refusal that came after the look began is newer than what the look saw.
        let older = |since: Timestamp| since <= findings.begun;
        if findings.package.is_some() || findings.package_reply == Reply::Open {
            self.package = findings.package;
        }
        if let Some((why, code)) = findings.stop() {
            self.halt(why, &code, false, now);
        } else if self.stop.as_ref().is_some_and(|stop| older(stop.since) && findings.ends(stop)) {
            self.stop = None;
            lifted = true;
        }
        for channel in self.configured.clone() {
            let Some((open, how, code)) = findings.says(channel) else { continue };
            let tried = findings.trials.get(&Trial::Channel(channel));
            let before = self.channels.get(&channel).filter(|grant| grant.access == Access::Denied);
            let stays = before.is_some_and(|grant| !older(grant.since) || (grant.by_record && !matches!(tried, None | Some(Reply::Open))));
            if !open {
                self.deny(channel, how, code, false, now);
            } else if !stays {
                lifted |= before.is_some();
                allow(self.channels.entry(channel).or_insert_with(|| unknown(now)), how, now);
            }
            if let Some(grant) = self.channels.get_mut(&channel) {
                grant.asked_at = Some(findings.begun);
            }
        }
        self.found_of_mutabakat(findings, now);
        if self.suspicion.take().is_some() {
            // Should the call be refused again, the account is not looked at again at once.
            self.lifted_at = Some(now);
        }
        if lifted {
            self.lifted_at = Some(now);
            self.open(now);
        }
    }

    fn found_of_mutabakat(&mut self, findings: &Findings, now: Timestamp) {
        let said = match (&findings.listing, &findings.mutabakat) {
            (Some(listing), Some(_)) => Some((listing.mutabakat, How::Listed, None)),
            (None, Some(Reply::Open)) => Some((true, How::Probed, None)),
            (None, Some(Reply::Closed { why: Hold::Authority, code })) => Some((false, How::Probed, Some(code.clone()))),
            _ => None,
        };
        let Some((open, how, code)) = said else { return };
        let grant = self.mutabakat.get_or_insert_with(|| unknown(now));
        match open {
            true => allow(grant, how, now),
            false => forbid(grant, how, code, false, now),
        }
        grant.asked_at = Some(findings.begun);
    }

    /// A release has gone through everything that was held.
    pub fn released(&mut self, since: Timestamp) {
        if self.release == Some(since) {
            self.release = None;
        }
    }

    fn open(&mut self, now: Timestamp) {
        self.epoch += 1;
        self.release = Some(now);
    }

    /// Whether the brand was not stopped for this before.
    fn halt(&mut self, why: Hold, code: &str, refusal: bool, now: Timestamp) -> bool {
        let same = self.stop.as_ref().filter(|stop| stop.why == why);
        let is_new = same.is_none();
        let refusals_too = why == Hold::Quota && (refusal || same.is_some_and(|stop| stop.refusals_too));
        let since = same.map_or(now, |stop| stop.since);
        // A code says more than what was told without one.
        let told_before = same.filter(|_| code.parse::<Code>().is_err()).map(|stop| stop.code.clone());
        self.stop = Some(Stop { why, code: told_before.unwrap_or_else(|| code.to_owned()), since, refusals_too });
        is_new
    }

    /// Whether the channel was not denied before.
    fn deny(&mut self, channel: Channel, how: How, code: Option<String>, by_record: bool, now: Timestamp) -> bool {
        let grant = self.channels.entry(channel).or_insert_with(|| unknown(now));
        let is_new = grant.access != Access::Denied;
        forbid(grant, how, code, by_record, now);
        is_new
    }
}

fn unknown(now: Timestamp) -> Grant {
    Grant { access: Access::Unknown, how: How::Configured, since: now, code: None, asked_at: None, by_record: false }
}

fn allow(grant: &mut Grant, how: How, now: Timestamp) {
    let since = if grant.access == Access::Granted { grant.since } else { now };
    *grant = Grant { access: Access::Granted, how, since, code: None, asked_at: grant.asked_at, by_record: false };
}

/// How a denial was first learnt stays told; that a record met it is added.
fn forbid(grant: &mut Grant, how: How, code: Option<String>, by_record: bool, now: Timestamp) {
    if grant.access == Access::Denied {
        grant.by_record |= by_record;
        return;
    }
    *grant = Grant { access: Access::Denied, how, since: now, code, asked_at: grant.asked_at, by_record };
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAUSE: SignedDuration = SignedDuration::from_mins(30);
    const CALM: SignedDuration = SignedDuration::from_hours(1);
    const ONAY: Status = Status::Onay;
    const RET: Status = Status::Ret;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + minute * 60).expect("in range")
    }

    fn adding(channel: Channel, status: Status) -> About {
        About { channel: Some(channel), record: Some(status) }
    }

    fn asking(channel: Channel) -> About {
        About { channel: Some(channel), record: None }
    }

    fn closed(why: Hold, code: &str) -> Reply {
        Reply::Closed { why, code: code.into() }
    }

    fn package(status: PackageStatus, full: Option<bool>) -> Option<Package> {
        Some(Package { status, expiration_date: None, full })
    }

    /// A look of a minute at which every configured channel was asked, with one answer.
    fn asked(minute: i64, reply: Reply) -> Findings {
        let channels = Channel::ALL.iter().map(|channel| (*channel, reply.clone())).collect();
        Findings { channels, package_reply: Reply::Open, package: package(PackageStatus::Active, None), ..Findings::begun(at(minute)) }
    }

    /// A brand whose document lists every channel.
    fn standing() -> Standing {
        let mut standing = Standing::default();
        standing.note_document(&Channel::ALL.iter().copied().collect(), true, "account", at(0));
        standing
    }

    fn barred(standing: &Standing) -> Vec<(Channel, Status)> {
        let all = Channel::ALL.iter().flat_map(|channel| [(*channel, ONAY), (*channel, RET)]);
        all.filter(|(channel, status)| standing.bar(*channel, *status, true).is_some()).collect()
    }

    #[test]
    fn a_refusal_on_one_channel_holds_that_channel_only() {
        for code in ["H353", "H355", "HTTP 403"] {
            let mut standing = standing();
            assert!(standing.refused(adding(Channel::Mesaj, ONAY), Hold::Authority, code, at(1)));
            assert!(!standing.refused(adding(Channel::Mesaj, RET), Hold::Authority, code, at(2)), "it is no news");
            assert_eq!(barred(&standing), [(Channel::Mesaj, ONAY), (Channel::Mesaj, RET)]);
            let bar = standing.bar(Channel::Mesaj, RET, true).expect("barred");
            assert_eq!((bar.why, bar.code.as_deref()), (Hold::Authority, Some(code)));
            assert_eq!((standing.bar_of_calls(), standing.channels[&Channel::Mesaj].since), (None, at(1)));
        }
    }

    #[test]
    fn what_concerns_the_brand_stops_all_of_it() {
        for (why, code) in [
            (Hold::Subscription, "H520"),
            (Hold::Subscription, "H586"),
            (Hold::Credentials, "H251"),
            (Hold::Configuration, "H001"),
            (Hold::Authority, "H195"),
        ] {
            let mut standing = standing();
            standing.refused(asking(Channel::Eposta), why, code, at(1));
            assert_eq!(barred(&standing).len(), 6, "{code}");
            assert_eq!(standing.bar_of_calls(), Some(Bar { why, code: Some(code.into()) }));
            assert!(!standing.may_reconcile(true));
        }
    }

    #[test]
    fn a_full_package_holds_consents_and_lets_refusals_go_on_until_one_is_refused_for_it() {
        let mut standing = standing();
        standing.refused(adding(Channel::Eposta, ONAY), Hold::Quota, "H525", at(1));
        assert!(barred(&standing).iter().all(|(_, status)| *status == ONAY));
        assert_eq!((barred(&standing).len(), standing.bar_of_calls()), (3, None));
        assert!(standing.refused(adding(Channel::Eposta, RET), Hold::Quota, "H525", at(2)));
        assert_eq!(barred(&standing).len(), 6);
        assert_eq!(standing.stop.as_ref().map(|stop| stop.since), Some(at(1)));
    }

    #[test]
    fn invariant_8_what_the_document_does_not_list_is_barred_whatever_is_known() {
        let mut standing = standing();
        standing.found(&asked(1, Reply::Open), at(1));
        assert_eq!(standing.channels[&Channel::Arama].access, Access::Granted);
        for channel in Channel::ALL {
            assert_eq!(standing.bar(*channel, ONAY, false), Some(Bar { why: Hold::Authority, code: None }));
        }
        assert!(!standing.may_reconcile(false));
    }

    #[test]
    fn a_subscription_that_is_not_in_force_stops_the_brand_before_any_call_is_refused() {
        for (status, code) in [(PackageStatus::Paused, "H520"), (PackageStatus::Expired, "H520"), (PackageStatus::Closed, "H521")] {
            let mut standing = standing();
            let findings = Findings { package: package(status, None), ..asked(1, Reply::Silent) };
            standing.found(&findings, at(1));
            assert_eq!(standing.bar_of_calls(), Some(Bar { why: Hold::Subscription, code: Some(code.into()) }));
            standing.found(&asked(2, Reply::Open), at(2));
            assert_eq!((barred(&standing).len(), standing.release, standing.epoch), (0, Some(at(2)), 1));
        }
    }

    #[test]
    fn being_refused_the_subscription_alone_says_nothing() {
        let mut standing = standing();
        let findings = Findings { package_reply: closed(Hold::Authority, "H363"), package: None, ..asked(1, Reply::Open) };
        standing.found(&findings, at(1));
        assert_eq!((barred(&standing).len(), standing.needs_a_look()), (0, false));
        // Nothing else answers either: these are not the brand's numbers.
        let findings =
            Findings { package_reply: closed(Hold::Authority, "H353"), package: None, ..asked(2, closed(Hold::Authority, "H353")) };
        standing.found(&findings, at(2));
        assert_eq!(standing.bar_of_calls().and_then(|bar| bar.code).as_deref(), Some("H353"));
        standing.found(&asked(3, Reply::Open), at(3));
        assert_eq!((barred(&standing).len(), standing.release), (0, Some(at(3))));
    }

    #[test]
    fn a_stop_lasts_while_nothing_shows_that_it_is_over() {
        let mut standing = standing();
        standing.refused(adding(Channel::Eposta, ONAY), Hold::Subscription, "H520", at(1));
        // The subscription is said to be in force, but no call was answered.
        standing.found(&asked(2, Reply::Silent), at(2));
        standing.found(&asked(3, closed(Hold::Subscription, "H520")), at(3));
        assert_eq!((barred(&standing).len(), standing.release, standing.stop.as_ref().map(|stop| stop.since)), (6, None, Some(at(1))));
        // A channel that is refused for its own sake shows that the brand is heard again.
        let mut findings = asked(4, Reply::Silent);
        findings.channels.insert(Channel::Arama, closed(Hold::Authority, "H355"));
        standing.found(&findings, at(4));
        assert_eq!(barred(&standing), [(Channel::Arama, ONAY), (Channel::Arama, RET)]);
    }

    #[test]
    fn what_was_refused_after_a_look_began_is_not_ended_by_it() {
        let mut standing = standing();
        standing.refused(adding(Channel::Eposta, ONAY), Hold::Subscription, "H520", at(5));
        standing.refused(asking(Channel::Mesaj), Hold::Authority, "H355", at(5));
        standing.found(&asked(4, Reply::Open), at(6));
        assert_eq!((barred(&standing).len(), standing.release), (6, None));
        standing.found(&asked(7, Reply::Open), at(8));
        assert_eq!((barred(&standing).len(), standing.release), (0, Some(at(8))));
    }

    #[test]
    fn a_denial_that_a_record_met_ends_only_by_a_record_or_where_there_is_none_to_try() {
        let mut standing = standing();
        standing.refused(adding(Channel::Mesaj, RET), Hold::Authority, "H355", at(1));
        let mut findings = asked(2, Reply::Open);
        assert_eq!(standing.trials(&findings), [Trial::Channel(Channel::Mesaj)]);
        for reply in [closed(Hold::Authority, "H355"), Reply::Silent] {
            findings.trials = BTreeMap::from([(Trial::Channel(Channel::Mesaj), reply)]);
            standing.found(&findings, at(2));
            assert_eq!(barred(&standing).len(), 2);
        }
        for trials in [BTreeMap::new(), BTreeMap::from([(Trial::Channel(Channel::Mesaj), Reply::Open)])] {
            let mut standing = standing.clone();
            standing.found(&Findings { trials, ..findings.clone() }, at(3));
            assert_eq!((barred(&standing).len(), standing.release), (0, Some(at(3))));
            let grant = &standing.channels[&Channel::Mesaj];
            assert_eq!((grant.access, grant.how, grant.since), (Access::Granted, How::Probed, at(3)));
        }
        // One that only a question met needs no record.
        let mut asked_only = super::tests::standing();
        asked_only.refused(asking(Channel::Mesaj), Hold::Authority, "H355", at(1));
        assert!(asked_only.trials(&asked(2, Reply::Open)).is_empty());
    }

    #[test]
    fn a_full_package_ends_when_it_is_shown_to_have_room_or_a_record_is_taken() {
        let full = || {
            let mut standing = standing();
            standing.refused(adding(Channel::Eposta, ONAY), Hold::Quota, "H525", at(1));
            standing
        };
        for (shown, trial, over) in [
            (Some(true), None, false),
            (Some(false), None, true),
            (None, None, true),
            (None, Some(Reply::Open), true),
            (None, Some(closed(Hold::Quota, "H525")), false),
            (None, Some(Reply::Silent), false),
        ] {
            let mut standing = full();
            let mut findings = Findings { package: package(PackageStatus::Active, shown), ..asked(2, Reply::Open) };
            assert_eq!(standing.trials(&findings) == [Trial::Quota], shown.is_none());
            findings.trials.extend(trial.map(|trial| (Trial::Quota, trial)));
            standing.found(&findings, at(2));
            assert_eq!(standing.stop.is_none(), over, "{findings:?}");
        }
    }

    #[test]
    fn what_is_listed_for_a_partner_is_what_it_may_do() {
        let mut standing = standing();
        let listing = Listing { channels: BTreeSet::from([Channel::Eposta]), mutabakat: false };
        let findings = Findings { listing: Some(listing), mutabakat: Some(Reply::Silent), ..Findings::begun(at(1)) };
        standing.found(&findings, at(1));
        assert_eq!(barred(&standing).len(), 4);
        assert_eq!(standing.channels[&Channel::Eposta].how, How::Listed);
        assert!(!standing.may_reconcile(true));
        let listing = Listing { channels: Channel::ALL.iter().copied().collect(), mutabakat: true };
        standing.found(&Findings { listing: Some(listing), mutabakat: Some(Reply::Silent), ..Findings::begun(at(2)) }, at(2));
        assert!(standing.may_reconcile(true));
        assert_eq!((barred(&standing).len(), standing.release), (0, Some(at(2))));
    }

    #[test]
    fn one_look_is_due_for_each_pause_while_something_is_barred_and_at_once_when_it_begins() {
        let mut standing = standing();
        assert!(standing.look_is_due(at(0), PAUSE, CALM), "nobody has looked yet");
        standing.claim(at(0), PAUSE);
        assert!(!standing.look_is_due(at(59), PAUSE, CALM));
        assert!(standing.look_is_due(at(60), PAUSE, CALM));
        standing.refused(adding(Channel::Eposta, ONAY), Hold::Subscription, "H520", at(10));
        assert!(standing.look_is_due(at(10), PAUSE, CALM));
        standing.claim(at(10), PAUSE);
        for minute in 10..40 {
            standing.refused(adding(Channel::Mesaj, RET), Hold::Subscription, "H520", at(minute));
            assert!(!standing.look_is_due(at(minute), PAUSE, CALM), "{minute}");
        }
        assert!(standing.look_is_due(at(40), PAUSE, CALM));
        // Lifted in vain: not before another pause, whoever is refused.
        standing.claim(at(40), PAUSE);
        standing.found(&asked(40, Reply::Open), at(40));
        standing.refused(adding(Channel::Eposta, ONAY), Hold::Subscription, "H520", at(41));
        assert!(!standing.look_is_due(at(69), PAUSE, CALM));
        assert!(standing.look_is_due(at(70), PAUSE, CALM));
    }

    #[test]
    fn a_refused_call_without_a_channel_asks_for_a_look_and_holds_nothing() {
        let mut standing = standing();
        standing.claim(at(0), PAUSE);
        assert!(standing.refused(About::default(), Hold::Authority, "H353", at(5)));
        assert!(standing.look_is_due(at(5), PAUSE, CALM) && barred(&standing).is_empty());
        standing.claim(at(5), PAUSE);
        standing.found(&asked(5, Reply::Open), at(5));
        standing.refused(About::default(), Hold::Authority, "H353", at(10));
        assert!(!standing.look_is_due(at(34), PAUSE, CALM), "the account was looked at for it a short while ago");
        assert!(standing.look_is_due(at(35), PAUSE, CALM));
    }

    #[test]
    fn a_channel_that_the_document_adds_is_released_and_a_corrected_account_is_looked_at() {
        let mut standing = Standing::default();
        assert!(standing.note_document(&BTreeSet::from([Channel::Eposta]), false, "account", at(0)));
        assert_eq!(standing.release, None, "nothing was held before the first document");
        assert!(!standing.note_document(&BTreeSet::from([Channel::Eposta]), false, "account", at(1)));
        standing.note_document(&BTreeSet::from([Channel::Eposta, Channel::Mesaj]), false, "account", at(2));
        assert_eq!((standing.release, standing.epoch), (Some(at(2)), 1));
        standing.released(at(1));
        assert_eq!(standing.release, Some(at(2)), "another release is under way");
        standing.released(at(2));
        assert_eq!(standing.release, None);
        standing.refused(asking(Channel::Eposta), Hold::Credentials, "H251", at(3));
        standing.claim(at(3), PAUSE);
        standing.note_document(&BTreeSet::from([Channel::Eposta]), false, "another", at(4));
        assert!(standing.look_is_due(at(4), PAUSE, CALM));
        assert_eq!(standing.release, None);
    }

    #[test]
    fn a_standing_reads_back_as_it_was_written_and_an_empty_one_is_readable() {
        let mut standing = standing();
        standing.refused(adding(Channel::Mesaj, RET), Hold::Authority, "H355", at(1));
        standing.refused(adding(Channel::Mesaj, RET), Hold::Quota, "H525", at(1));
        standing.found(&asked(2, Reply::Open), at(2));
        let text = serde_json::to_string(&standing).expect("a text");
        assert_eq!(serde_json::from_str::<Standing>(&text).expect("a standing"), standing);
        assert_eq!(serde_json::from_str::<Standing>("{}").expect("a standing"), Standing::default());
    }

    fn some_reply() -> impl Strategy<Value = Reply> {
        prop_oneof![Just(Reply::Open), Just(Reply::Silent), Just(closed(Hold::Authority, "H355")), Just(closed(Hold::Subscription, "H520")),]
    }

    proptest! {
        /// Whatever is refused and found, in any order: no refusal is forgotten while nothing was
        /// answered, and whatever ends is released.
        #[test]
        fn nothing_that_was_barred_opens_without_a_release(steps in prop::collection::vec((0_usize..3, some_reply(), any::<bool>()), 1..12)) {
            let mut standing = standing();
            for (minute, (channel, reply, is_look)) in (1..).zip(steps) {
                let before = standing.clone();
                if is_look {
                    standing.found(&asked(minute, reply), at(minute));
                } else if let Reply::Closed { why, code } = reply {
                    standing.refused(adding(Channel::ALL[channel], ONAY), why, &code, at(minute));
                }
                let opened = barred(&before).iter().any(|one| !barred(&standing).contains(one));
                prop_assert_eq!(opened && standing.epoch == before.epoch, false);
                prop_assert!(!opened || standing.release == Some(at(minute)));
                prop_assert_eq!(standing.needs_a_look(), !barred(&standing).is_empty() || standing.mutabakat.is_some());
            }
        }
    }
}
