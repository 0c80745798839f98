//! `POST /v1/{brand}/integrator/events`: the callbacks of the integrator by whom the brand reaches İYS.
//!
//! What became of the brand's own records goes to `iys-push` by a message, because settling it may need the
//! registry. What people did becomes a movement. A refusal counts at once. A consent that nothing vouches for is
//! kept as a notice, which counts once the registry confirms it ([`Origin::Notice`]).

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::brand::Brand;
use shared::consent::{ConsentKey, EventId, Movement, Origin, Recipient, Status};
use shared::door::Door;
use shared::integrators::{Notice, NoticeError, Outcome, read_notices};
use shared::ledger::LedgerError;
use shared::problem::{self, Problem};
use shared::queue::{KeyRef, PushMessage};
use shared::registry::{Change, Verdict};
use shared::sync;

use crate::take;

#[derive(Default, Serialize)]
struct Answer {
    received: usize,
    /// What became of the brand's own records.
    outcomes: usize,
    accepted: usize,
    duplicates: usize,
    superseded: usize,
    /// Consents that wait for the registry to confirm them, among those that were taken.
    unconfirmed: usize,
    /// Lines about another brand, and notes that there is something to read, which the pull does anyway.
    ignored: usize,
    unreadable: usize,
}

pub(crate) async fn handle(door: &Door, brand: &Brand, request: &Request) -> Result<Response<Body>, Problem> {
    let body = problem::body(request)?;
    let read = |brand: &Brand| read_notices(brand, request.uri().query().unwrap_or_default(), body);
    // What the brand has left may still call back, of what was under way.
    let of_former = |error| match brand.former().map(|former| read(&former)) {
        Some(taken @ Ok(_)) => taken,
        Some(told) if error == NoticeError::NotTaken => told,
        _ => Err(error),
    };
    let (proof, notices) = read(brand).or_else(of_former).map_err(|error| match error {
        NoticeError::NotTaken => Problem::not_found("The brand takes no callbacks of an integrator"),
        NoticeError::Unproved => {
            tracing::warn!(brand = %brand.name, registry = brand.registry.name(), "a callback did not prove that it comes from the integrator");
            Problem::unauthorised("integrator")
        }
        NoticeError::Form => Problem::malformed(error.to_string()),
    })?;
    let now = (door.clock)();
    let mut answer = Answer { received: notices.len(), ..Answer::default() };
    let (mut outcomes, mut movements) = (Vec::new(), Vec::new());
    for notice in notices {
        match notice {
            Notice::Outcome(outcome) => outcomes.push(message(brand, outcome)),
            Notice::Change(change) => {
                if is_known(door, brand, &change).await? {
                    continue;
                }
                let vouched = proof.vouches_for_consents() || change.holding.status == Status::Ret;
                let movement = sync::pull::movement(brand, change, now);
                answer.unconfirmed += usize::from(!vouched);
                movements.push(if vouched { movement } else { as_notice(movement) });
            }
            Notice::Pointer | Notice::OfAnother => answer.ignored += 1,
            Notice::Unreadable(field) => {
                tracing::warn!(brand = %brand.name, field, "a line of a callback could not be read");
                answer.unreadable += 1;
            }
        }
    }
    answer.outcomes = outcomes.len();
    door.intake.queues().push_as_is(&outcomes).await.map_err(|error| {
        tracing::error!(%error, "the outcomes of a callback were not handed on");
        Problem::unavailable()
    })?;
    let taken = take(door, movements, body).await?;
    (answer.accepted, answer.duplicates, answer.superseded) = (taken.accepted, taken.duplicates, taken.superseded);
    tracing::info!(
        brand = %brand.name, registry = brand.registry.name(), received = answer.received, outcomes = answer.outcomes,
        accepted = answer.accepted, unconfirmed = answer.unconfirmed, "callback taken"
    );
    Ok(problem::json(StatusCode::OK, &answer))
}

fn key(brand: &Brand, recipient: &Recipient, change: (shared::consent::Channel, shared::consent::RecipientType)) -> ConsentKey {
    let recipient_id = recipient.id(&brand.recipient_id_key, &brand.name);
    ConsentKey { brand: brand.name.clone(), recipient_id, channel: change.0, recipient_type: change.1 }
}

fn message(brand: &Brand, outcome: Outcome) -> PushMessage {
    let key = key(brand, &outcome.recipient, (outcome.channel, outcome.recipient_type));
    let code = match outcome.verdict {
        Verdict::Recorded { .. } => None,
        Verdict::Refused(code) => Some(code),
    };
    PushMessage::Verdict {
        brand: brand.name.clone(),
        key: KeyRef::of(&key),
        status: outcome.status,
        consent_date: outcome.consent_date,
        reference: outcome.reference,
        code,
    }
}

/// Whether the change is what the ledger holds of the key: the brand's own record, whose outcome is told beside
/// it, or a repetition.
async fn is_known(door: &Door, brand: &Brand, change: &Change) -> Result<bool, Problem> {
    let key = key(brand, &change.recipient, (change.channel, change.recipient_type));
    let state = match door.ledger.state(&key).await {
        Ok(state) => state,
        // What comes is kept all the same, and the state is somebody's work already.
        Err(LedgerError::Item { .. }) => None,
        Err(error) => {
            tracing::error!(%error, "a callback's key was not looked up");
            return Err(Problem::unavailable());
        }
    };
    Ok(state.is_some_and(|state| {
        let holding = &change.holding;
        holding.status == state.head.status && holding.consent_date == Some(state.head.consent_date)
    }))
}

/// The movement as a notice that is still to be confirmed.
fn as_notice(movement: Movement) -> Movement {
    let head = movement.head;
    let event_id = EventId::derive("notice", [head.status.as_str(), &head.consent_date.to_string(), head.source.as_str()]);
    Movement { head: shared::consent::Head { origin: Origin::Notice, event_id, ..head }, ..movement }
}
