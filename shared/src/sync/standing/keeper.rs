//! Looks at a brand's account when that is due, and releases what was held once something is over.

use jiff::{SignedDuration, Timestamp};

use super::account_of;
use crate::account::Account;
use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::Channel;
use crate::consent::standing::{Access, Findings, Grant, Reply, Standing, Trial};
use crate::ledger::{Ledger, LedgerError};
use crate::queue::Queues;
use crate::registry::{Registry, RegistryError};

/// How often an account is looked at where nothing is barred.
const CALM: SignedDuration = SignedDuration::from_hours(1);
/// How often a channel is asked about that is known to be open.
const DAILY: SignedDuration = SignedDuration::from_hours(24);

/// Keeps one brand's standing.
pub struct Keeper<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The queues.
    pub queues: &'a Queues,
    /// The brand.
    pub brand: &'a Brand,
    /// What the registry says of the brand itself.
    pub account: &'a dyn Account,
    /// Where its consents are registered, without a guard: a trial is made in spite of what is known.
    pub registry: &'a dyn Registry,
    /// The clock.
    pub clock: &'a Clock,
    /// When the sweep looks after released work.
    pub grace: SignedDuration,
    /// How long what is barred is left alone between two looks.
    pub pause: SignedDuration,
}

/// Why the account may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// In passing: only where something is barred.
    Passing,
    /// By the schedule: also to see whether all is well.
    Scheduled,
    /// Because a person asks: whenever the last look was.
    Asked,
}

/// What keeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tended {
    /// Whether the account was looked at.
    pub looked: bool,
    /// Keys whose held work was released.
    pub released: usize,
}

impl Keeper<'_> {
    /// Compares the brand's document, looks at the account if that is due, and goes on with a release.
    /// Where there is nothing to do it costs one read of the ledger. What the registry refuses is no error
    /// but a finding.
    pub async fn tend(&self, occasion: Occasion) -> Result<Tended, LedgerError> {
        let mut standing = self.ledger.standing(&self.brand.name).await?;
        let (account, now) = (account_of(self.brand), (self.clock)());
        let iys = &self.brand.iys;
        let note = |standing: &mut Standing| standing.note_document(&iys.channels, iys.mutabakat, &account, now);
        if note(&mut standing.clone()) {
            standing = self.ledger.change_standing(&self.brand.name, note).await?.0;
        }
        let mut tended = Tended::default();
        if self.is_due(&standing, occasion, now)
            && let Some(claimed) = self.claim(occasion, now).await?
        {
            standing = self.look(claimed, now).await?;
            tended.looked = true;
        }
        if let Some(since) = standing.release {
            tended.released = self.release(since).await?;
        }
        Ok(tended)
    }

    fn is_due(&self, standing: &Standing, occasion: Occasion, now: Timestamp) -> bool {
        let due = standing.look_is_due(now, self.pause, CALM);
        match occasion {
            Occasion::Passing => standing.needs_a_look() && due,
            Occasion::Scheduled => due,
            Occasion::Asked => true,
        }
    }

    /// Takes the look upon oneself, unless somebody else has just done so.
    async fn claim(&self, occasion: Occasion, now: Timestamp) -> Result<Option<Standing>, LedgerError> {
        let claim = |standing: &mut Standing| {
            let due = self.is_due(standing, occasion, now);
            if due {
                standing.claim(now, self.pause);
            }
            due
        };
        let (standing, is_ours) = self.ledger.change_standing(&self.brand.name, claim).await?;
        Ok(is_ours.then_some(standing))
    }

    /// Looks at the account, and writes down what was found.
    async fn look(&self, before: Standing, now: Timestamp) -> Result<Standing, LedgerError> {
        let mut findings = Findings::begun(now);
        match self.account.package().await {
            Ok(package) => (findings.package, findings.package_reply) = (package, Reply::Open),
            Err(error) => findings.package_reply = reply(Err(error), "the subscription"),
        }
        // While the subscription is not in force, everything else would be refused.
        if findings.stop().is_none() {
            self.ask(&before, &mut findings).await;
            for trial in before.trials(&findings) {
                if let Some(reply) = self.try_record(&before, trial).await {
                    findings.trials.insert(trial, reply);
                }
            }
        }
        let found = |standing: &mut Standing| {
            standing.found(&findings, (self.clock)());
            true
        };
        let standing = self.ledger.change_standing(&self.brand.name, found).await?.0;
        self.tell(&before, &standing);
        Ok(standing)
    }

    /// Asks what a brand may do, as far as it is not known from a short while ago.
    async fn ask(&self, before: &Standing, findings: &mut Findings) {
        match self.account.listing().await {
            Ok(listing) => findings.listing = listing,
            Err(error) => {
                reply(Err(error), "the partner's list");
            }
        }
        let is_recent = |grant: Option<&Grant>| {
            let asked_at = grant.filter(|grant| grant.access == Access::Granted).and_then(|grant| grant.asked_at);
            asked_at.is_some_and(|asked_at| findings.begun.duration_since(asked_at) < DAILY)
        };
        let listed = findings.listing.is_some();
        // What the brand is stopped or suspected for shows on the channels, also where they are listed.
        let all = before.bar_of_calls().is_some() || before.suspicion.is_some();
        let asks = |channel: &Channel| all || !(listed || is_recent(before.channels.get(channel)));
        let mutabakat = self.brand.iys.mutabakat && (listed || !is_recent(before.mutabakat.as_ref()));
        let (first, rest): (Vec<Channel>, Vec<Channel>) = self.brand.iys.channels.iter().partition(|channel| asks(channel));
        if !self.ask_channels(&first, findings).await {
            return;
        }
        if findings.nothing_is_open() && !self.ask_channels(&rest, findings).await {
            return;
        }
        if mutabakat {
            // A partner's authority is listed: nothing need be asked.
            let answer = if listed { Reply::Silent } else { reply(self.account.ask_mutabakat().await, "mutabakat") };
            findings.mutabakat = Some(answer);
        }
    }

    /// Asks on channels. `false` when it turns out that the same would be said of the others.
    async fn ask_channels(&self, channels: &[Channel], findings: &mut Findings) -> bool {
        for channel in channels {
            let reply = reply(self.account.ask(*channel).await, "a channel");
            let stops = reply.stops_the_brand();
            findings.channels.insert(*channel, reply);
            if stops {
                return false;
            }
        }
        true
    }

    fn tell(&self, before: &Standing, after: &Standing) {
        let brand = &self.brand.name;
        match (&before.stop, &after.stop) {
            (before, Some(stop)) if before.as_ref().is_none_or(|before| before.why != stop.why) => {
                tracing::error!(%brand, why = ?stop.why, code = stop.code, "the brand is stopped at the registry: its work is held");
            }
            (Some(_), None) => tracing::info!(%brand, "the brand is not stopped any more: its work is released"),
            _ => {}
        }
        for (channel, grant) in &after.channels {
            if before.channels.get(channel).map(|grant| grant.access) != Some(grant.access) {
                tracing::info!(%brand, %channel, access = ?grant.access, how = ?grant.how, code = grant.code, "a channel's authority");
            }
        }
    }

    async fn try_record(&self, standing: &Standing, trial: Trial) -> Option<Reply> {
        // What the trial itself cannot tell is left as it is.
        match self.trial(standing, trial).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(%error, brand = %self.brand.name, "no record was tried");
                Some(Reply::Silent)
            }
        }
    }
}

/// What an answer says about authority.
fn reply(answer: Result<(), RegistryError>, what: &'static str) -> Reply {
    match answer {
        Ok(()) => Reply::Open,
        Err(RegistryError::Held { why, code }) => Reply::Closed { why, code },
        Err(error) => {
            tracing::warn!(%error, what, "the registry did not say what the brand may do");
            Reply::Silent
        }
    }
}
