//! What became of records that were queued at a registry which has no results to be asked for.
//!
//! Two things tell: the registry calls back, and its word comes here as a queue's message
//! ([`crate::queue::PushMessage::Verdict`]); or it is asked what it holds. Until one of them does, what was
//! taken is under way and nothing more.

use std::collections::HashMap;

use super::push::Push;
use super::question::{Part, Question};
use super::road::Taker;
use crate::consent::code::Code;
use crate::consent::{Channel, ConsentDate, ConsentKey, ConsentState, RecipientType, Status, Sync};
use crate::ledger::Submission;
use crate::registry::{Authority, Registry, RegistryError, ResultLine, Verdict};

/// What a callback says of a record that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The key.
    pub key: ConsentKey,
    /// The status that was handed in.
    pub status: Status,
    /// Its date.
    pub consent_date: ConsentDate,
    /// What the registry calls the list that it was in, where the callback names it and that proves something.
    pub reference: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Push<'_> {
    /// Takes a callback's word on a record. `false` when it must come again: the list's own answer is not
    /// noted yet.
    pub async fn hear(&self, told: &Told) -> bool {
        match self.try_hear(told).await {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(%error, recipient = %told.key.recipient_id, "a callback was not heeded");
                false
            }
        }
    }

    async fn try_hear(&self, told: &Told) -> Result<bool, RegistryError> {
        let Some(state) = self.ledger.state(&told.key).await? else { return Ok(true) };
        let under_way = match &state.registry {
            Sync::Submitted { submission, .. } => Some(submission.clone()),
            _ => state.behind.clone(),
        };
        let Some(id) = under_way else { return Ok(true) };
        let Some(submission) = self.ledger.submission(&self.brand.name, &id).await? else { return Ok(true) };
        if submission.request_id.is_none() {
            return Ok(false);
        }
        // What names another list, or another act, is no word on this one: the holdings will tell.
        let request_id = submission.request_id.as_deref().and_then(|stored| Taker::of(self.brand, self.former, stored).request_id());
        let is_its = told.reference.is_none() || told.reference.as_deref() == request_id;
        let position = submission.members.iter().position(|member| {
            member.key == told.key && (member.sent.status, member.sent.consent_date) == (told.status, told.consent_date)
        });
        let Some(position) = position.filter(|_| is_its) else {
            tracing::info!(submission = id, "a callback names no record of the list: the registry is asked in time");
            return Ok(true);
        };
        let line = ResultLine { record_id: None, position: Some(position), verdict: Some(told.verdict.clone()) };
        self.judge_line(&submission, line).await?;
        Ok(true)
    }

    /// What the registry holds says of a submission's records. What it says nothing of has no line. Where it cannot
    /// be asked, the one that the brand has left is.
    pub(super) async fn results_by_holdings(&self, submission: &Submission) -> Result<Vec<ResultLine>, RegistryError> {
        let asked = [Some(self.registry), self.former.map(|former| former.registry)];
        let can_be_asked = |registry: &&dyn Registry| registry.capabilities().onays_recipients > 0;
        let Some(registry) = asked.into_iter().flatten().find(can_be_asked) else { return Ok(Vec::new()) };
        // A copy may lag behind: that it shows no consent does not tell that a refusal has arrived, or has nothing to lift.
        let tells_absence = registry.capabilities().authority == Authority::Iys;
        let mut groups = HashMap::<(Channel, RecipientType), Vec<(usize, ConsentState)>>::new();
        for (position, state) in self.still_under_way(submission).await? {
            groups.entry((state.key.channel, state.key.recipient_type)).or_default().push((position, state));
        }
        let mut lines = Vec::new();
        let mut failed = None;
        for (place, asked) in groups {
            let mut question = Question::new(registry, place, asked, |(_, state)| &state.recipient);
            while let Some(part) = question.next(|| self.is_over()).await {
                match part {
                    Part::Answered { told, .. } => {
                        lines.extend(told.into_iter().filter(|(_, held)| *held || tells_absence).filter_map(|((position, state), held)| {
                            let verdict = verdict_of(submission.members.get(position)?.sent.status, &state, held)?;
                            Some(ResultLine { record_id: None, position: Some(position), verdict: Some(verdict) })
                        }))
                    }
                    Part::Failed(_, error) => failed = Some(error),
                }
            }
        }
        match failed {
            Some(error) if lines.is_empty() => Err(error),
            _ => Ok(lines),
        }
    }
}

/// What it means for a record under way that the registry holds an ONAY or does not.
fn verdict_of(sent: Status, state: &ConsentState, holds_onay: bool) -> Option<Verdict> {
    match (sent, holds_onay) {
        (Status::Onay, true) => Some(Verdict::Recorded { transaction_id: None }),
        // No record is ever removed: where a consent stood before, the refusal stands now.
        (Status::Ret, false) if state.registry_holds_onay() => Some(Verdict::Recorded { transaction_id: None }),
        (Status::Ret, false) => Some(Verdict::Refused(Code::NOTHING_TO_LIFT)),
        // Not there yet, or never.
        (Status::Onay, false) | (Status::Ret, true) => None,
    }
}
