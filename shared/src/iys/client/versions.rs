//! Whether İYS offers the second version of add, bulk add and bulk results.
//!
//! The second version recognises what is sent again unchanged, so it is used wherever it is there. It
//! came in August 2025, and a business partner or another environment may lack it. When a path of it
//! is answered with 404 or 405 and no code of İYS's table, or with İYS's code for a method that the
//! caller may not use, the same is asked of the first version at once; when that one is there, the
//! API user is remembered as lacking the second for [`FIRST_ONLY_FOR`], in this process.
//!
//! What the first version lacks: what was stored and is sent again comes back as a refusal, `H174` or
//! `H178`, instead of with its first id. Both are told to the caller as they are: the one means that
//! the record is already there, the other has İYS's movement fetched, which is then the same one. So
//! nothing is stored twice, only the id of the movement is learnt later.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;

use super::Client;
use crate::brand;
use crate::consent::code::Code;
use crate::iys::answer::Reply;
use crate::iys::call::Call;
use crate::iys::operation::{self, Operation};
use crate::ledger::token::AccountId;
use crate::registry::RegistryError;

/// How long the second version is not tried again.
const FIRST_ONLY_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A method in both versions.
pub(super) struct Versioned {
    second: Operation,
    first: Operation,
}

pub(super) const ADD: Versioned = Versioned { second: operation::ADD, first: operation::ADD_V1 };
pub(super) const BULK_ADD: Versioned = Versioned { second: operation::BULK_ADD, first: operation::BULK_ADD_V1 };
pub(super) const BULK_STATUS: Versioned = Versioned { second: operation::BULK_STATUS, first: operation::BULK_STATUS_V1 };

/// The API users that lack the second version, and until when that is believed.
#[derive(Debug, Default)]
pub(super) struct Versions(Mutex<HashMap<AccountId, Timestamp>>);

impl Versions {
    fn lacks_second(&self, id: &AccountId, now: Timestamp) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).is_some_and(|until| *until > now)
    }

    fn remember(&self, id: AccountId, until: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, until);
    }
}

/// An answer with the call that it belongs to. No `Debug`: both may carry addresses.
pub(super) struct Answer {
    pub(super) call: Call,
    pub(super) reply: Reply,
}

impl Client {
    /// Whether İYS recognises a record that is sent again unchanged, as far as this process knows. When
    /// not, the second sending is refused with `H174` or `H178`; it is never stored twice.
    pub fn recognises_resends(&self, account: &brand::Iys) -> bool {
        !self.versions().lacks_second(&AccountId::of(&account.username), self.now())
    }

    /// Asks by the second version, or by the first where İYS lacks the second.
    pub(super) async fn versioned(
        &self,
        account: &brand::Iys,
        method: &Versioned,
        values: &[&str],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, RegistryError> {
        let mut proved = false;
        if self.recognises_resends(account) {
            let call = Call { body: body.clone(), ..Call::new(&method.second, values)? };
            let reply = self.exchange(account, &call).await?;
            if !lacks_method(&reply) {
                return Ok(Answer { call, reply });
            }
            // A request id that İYS does not know may be answered so as well.
            proved = method.second.stores || reply.status != StatusCode::NOT_FOUND;
        }
        let call = Call { body, ..Call::new(&method.first, values)? };
        let answered = self.exchange(account, &call).await;
        let first_is_there = match &answered {
            Ok(reply) => !lacks_method(reply),
            Err(error) => matches!(error, RegistryError::Unanswered { .. }),
        };
        if proved && first_is_there {
            tracing::warn!(call = call.name, "İYS lacks the second version of its methods; the first is used");
            self.versions().remember(AccountId::of(&account.username), self.after(FIRST_ONLY_FOR));
        }
        Ok(Answer { reply: answered?, call })
    }
}

/// Whether an answer says that there is no such method, or none for this API user. A code of İYS's
/// table says that something else is wrong, such as a number in the path.
fn lacks_method(reply: &Reply) -> bool {
    let codes = || reply.problems().into_iter().filter_map(|problem| problem.code);
    match reply.status {
        status if status.is_success() => false,
        _ if codes().any(|code| code == Code::NOT_ENTITLED) => true,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => codes().all(|code| code.entry().is_none()),
        _ => false,
    }
}
