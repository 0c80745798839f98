//! Between the ways and the registry: no call that is known to be refused, and no refusal unheard.

use std::collections::HashSet;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::brand::Brand;
use crate::clock::Clock;
use crate::consent::code::{self, Code, Disposition, Hold};
use crate::consent::standing::{About, Bar, Standing};
use crate::consent::{Channel, Recipient, RecipientType, Status};
use crate::ledger::{Ledger, LedgerError};
use crate::registry::{Barred, Capabilities, Feed, Holding, Page, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};
use crate::sync::patience::{BARRED_LOOK, SHORT_WAIT, later};

/// A registry as one run of a function may use it. It reads the brand's standing once, at its first
/// call, and learns of what is refused to itself; so it is made anew for each run.
pub struct Guard<'a> {
    registry: &'a dyn Registry,
    ledger: &'a Ledger,
    brand: &'a Brand,
    clock: &'a Clock,
    seen: Mutex<Option<Standing>>,
}

impl<'a> Guard<'a> {
    /// Guards one brand's registry.
    pub fn new(registry: &'a dyn Registry, ledger: &'a Ledger, brand: &'a Brand, clock: &'a Clock) -> Self {
        Self { registry, ledger, brand, clock, seen: Mutex::new(None) }
    }

    async fn seen<T>(&self, look: impl FnOnce(&Standing) -> T) -> Result<T, LedgerError> {
        let mut seen = self.seen.lock().await;
        let standing = match seen.take() {
            Some(standing) => standing,
            None => self.ledger.standing(&self.brand.name).await?,
        };
        Ok(look(seen.insert(standing)))
    }

    /// Refuses a call of a channel that would be refused.
    async fn admit(&self, channel: Channel, status: Option<Status>) -> Result<(), RegistryError> {
        let configured = self.brand.authorises(channel);
        let bar = self.seen(|standing| match status {
            Some(status) => standing.bar(channel, status, configured),
            None => standing.bar_of_questions(channel, configured),
        });
        refuse(bar.await?)
    }

    async fn admit_any(&self) -> Result<(), RegistryError> {
        refuse(self.seen(Standing::bar_of_calls).await?)
    }

    /// Hands an answer on and takes note of the refusal in it.
    async fn heed<T>(&self, about: About, answer: Result<T, RegistryError>) -> Result<T, RegistryError> {
        if let Err(RegistryError::Held { why, code }) = &answer {
            self.note(about, *why, code).await;
        }
        answer
    }

    async fn note(&self, about: About, why: Hold, code: &str) {
        // One refusal at a time: what runs beside it then knows, and has no news to write.
        let mut seen = self.seen.lock().await;
        let now = (self.clock)();
        if seen.clone().is_some_and(|mut standing| !standing.refused(about, why, code, now)) {
            return;
        }
        match self.ledger.change_standing(&self.brand.name, |standing| standing.refused(about, why, code, now)).await {
            Ok((standing, is_news)) => {
                if is_news {
                    tracing::warn!(brand = %self.brand.name, ?why, code, channel = about.channel.map(Channel::as_str), "the registry refuses the brand");
                }
                // The epoch that this run has seen stays: what was released since is to be noticed.
                let epoch = seen.as_ref().map_or(standing.epoch, |before| before.epoch);
                *seen = Some(Standing { epoch, ..standing });
            }
            // The next call is refused again, and tries again to say so.
            Err(error) => tracing::warn!(%error, brand = %self.brand.name, "a refusal was not noted"),
        }
    }

    /// Takes note of what single records of a list were refused for.
    async fn note_codes(&self, refused: impl Iterator<Item = (About, Code)>) {
        let mut told = HashSet::new();
        for (about, code) in refused {
            let told_now = told.insert((about.channel, about.record, code));
            if let (true, Disposition::Held(why)) = (told_now, code::disposition(Some(&code.to_string()), 422)) {
                self.note(about, why, &code.to_string()).await;
            }
        }
    }
}

fn refuse(bar: Option<Bar>) -> Result<(), RegistryError> {
    match bar {
        None => Ok(()),
        Some(Bar { why, code }) => {
            let code = code.unwrap_or_else(|| "known without a call".to_owned());
            Err(RegistryError::Held { why, code })
        }
    }
}

/// What a list was about: its channel and status, where all its records share them.
fn about(records: &[Record]) -> About {
    let first = records.first();
    let channel = first.map(|record| record.channel).filter(|channel| records.iter().all(|record| record.channel == *channel));
    // A refusal among others is not known to be what was refused.
    let all_refuse = !records.is_empty() && records.iter().all(|record| record.status == Status::Ret);
    About { channel, record: Some(if all_refuse { Status::Ret } else { Status::Onay }) }
}

/// Whether a refusal of a list says nothing yet of any channel in it.
fn is_mixed(records: &[Record]) -> bool {
    about(records).channel.is_none()
}

#[async_trait]
impl Registry for Guard<'_> {
    fn capabilities(&self) -> Capabilities {
        self.registry.capabilities()
    }

    async fn add(&self, record: &Record) -> Result<Verdict, RegistryError> {
        self.admit(record.channel, Some(record.status)).await?;
        self.heed(about(std::slice::from_ref(record)), self.registry.add(record).await).await
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        for (channel, status) in records.iter().map(|record| (record.channel, record.status)).collect::<HashSet<_>>() {
            self.admit(channel, Some(status)).await?;
        }
        let answer = self.registry.submit(records).await;
        if let Ok(Submitted::Refused(refused) | Submitted::Taken { refused, .. }) = &answer {
            let of = |(at, code): &(usize, Code)| Some((about(std::slice::from_ref(records.get(*at)?)), *code));
            self.note_codes(refused.iter().filter_map(of)).await;
        }
        match answer {
            // Which of the channels it was about shows when they are handed in apart.
            Err(RegistryError::Held { why: Hold::Authority, .. }) if is_mixed(records) => answer,
            answer => self.heed(about(records), answer).await,
        }
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        self.admit_any().await?;
        let lines = self.heed(About::default(), self.registry.results(request_id).await).await?;
        // The lines name no channel, so what is refused for a channel's sake is learnt when it is sent again.
        let refused = lines.iter().filter_map(|line| match line.verdict {
            Some(Verdict::Refused(code)) if !code.may_be_about_one_channel() => {
                Some((About { channel: None, record: Some(Status::Onay) }, code))
            }
            _ => None,
        });
        self.note_codes(refused).await;
        Ok(lines)
    }

    async fn onays(
        &self,
        channel: Channel,
        recipient_type: RecipientType,
        recipients: &[Recipient],
    ) -> Result<HashSet<Recipient>, RegistryError> {
        self.admit(channel, None).await?;
        let answer = self.registry.onays(channel, recipient_type, recipients).await;
        self.heed(About { channel: Some(channel), record: None }, answer).await
    }

    async fn holding(
        &self,
        channel: Channel,
        recipient_type: RecipientType,
        recipient: &Recipient,
    ) -> Result<Option<Holding>, RegistryError> {
        self.admit(channel, None).await?;
        let answer = self.registry.holding(channel, recipient_type, recipient).await;
        self.heed(About { channel: Some(channel), record: None }, answer).await
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        self.admit_any().await?;
        self.heed(About::default(), self.registry.changes(feed, cursor).await).await
    }

    async fn barred(&self, channel: Channel, status: Status) -> Result<Option<Barred>, RegistryError> {
        let configured = self.brand.authorises(channel);
        let seen = self.seen(|standing| (standing.bar(channel, status, configured), standing.configured.contains(&channel))).await?;
        let (Some(Bar { why, code }), listed) = seen else { return Ok(None) };
        // This process may still hold the document from before a channel was added.
        let due = later((self.clock)(), if listed && !configured { SHORT_WAIT } else { BARRED_LOOK });
        // A status or a sentence of ours in its place is for the log.
        let code = code.filter(|code| code.parse::<Code>().is_ok());
        Ok(Some(Barred { why, code, due }))
    }

    async fn has_reopened(&self) -> Result<bool, RegistryError> {
        let mut seen = self.seen.lock().await;
        let now = self.ledger.standing(&self.brand.name).await?;
        let reopened = seen.as_ref().is_some_and(|before| before.epoch < now.epoch);
        *seen = Some(now);
        Ok(reopened)
    }
}
