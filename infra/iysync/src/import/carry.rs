//! Carries one chunk to the function of jobs, until every row of it is done. The same rows may come twice:
//! they are the same events there.

use std::time::Duration;

use serde_json::{Map, Value, json};
use shared::answers::{ImportAnswer, ImportCounts, RefusedRow, Words};

use super::book::Chunk;
use crate::failure::Failure;
use crate::invoke::Function;
use crate::progress::Progress;

/// How often a chunk is sent that is not answered.
const TRIES: u32 = 8;
/// How often one is sent of which no row is done, though it is answered.
const ROUNDS: u32 = 60;
/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What a row with more columns than the first is refused by.
const COLUMNS: &str = "columns";

/// What is said with each chunk.
pub(crate) struct Manner {
    pub(crate) brand: String,
    pub(crate) dry_run: bool,
    pub(crate) tell_insider: bool,
}

/// What became of a chunk.
pub(crate) struct Carried {
    pub(crate) chunk: Chunk,
    pub(crate) counts: ImportCounts,
    /// By their places in the chunk.
    pub(crate) refused: Vec<RefusedRow>,
}

/// Carries a chunk.
pub(crate) async fn carry(function: &Function, manner: &Manner, chunk: Chunk, progress: &Progress) -> Result<Carried, Failure> {
    let mut counts = ImportCounts::default();
    let mut refused = Vec::new();
    // Places of the rows that are still to be done.
    let mut open = Vec::with_capacity(chunk.rows.len());
    for (at, row) in chunk.rows.iter().enumerate() {
        if row.item.is_some() {
            open.push(at);
        } else {
            counts.rows += 1;
            *counts.rejected.entry(COLUMNS.to_owned()).or_default() += 1;
            refused.push(too_many_columns(at));
        }
    }
    let mut rounds = 0;
    while !open.is_empty() {
        let items: Vec<&Map<String, Value>> = open.iter().filter_map(|at| chunk.rows.get(*at)?.item.as_ref()).collect();
        let question = json!({
            "job": "import", "brand": manner.brand, "dryRun": manner.dry_run, "tellInsider": manner.tell_insider, "rows": items,
        });
        let answer = ask(function, &question, progress).await?;
        if let Some(check) = answer.failed {
            return Err(Failure::Unfinished(check.reason.map_or(check.detail, |reason| reason.cause)));
        }
        counts.add(&answer.counts);
        // An answer names places in what was asked.
        let place = |at: usize| open.get(at).copied();
        refused.extend(answer.refused.into_iter().filter_map(|row| Some(RefusedRow { row: place(row.row)?, ..row })));
        let left: Vec<usize> = answer.unfinished.rows.iter().filter_map(|at| place(*at)).collect();
        rounds = if left.len() < open.len() { 0 } else { rounds + 1 };
        if rounds > ROUNDS {
            let why = answer.unfinished.why;
            return Err(Failure::Unfinished(Words { en: why.clone(), tr: why }));
        }
        open = left;
        if !open.is_empty() {
            progress.waits(answer.unfinished.seconds);
            tokio::time::sleep(Duration::from_secs(answer.unfinished.seconds)).await;
        }
    }
    refused.sort_by_key(|row| row.row);
    Ok(Carried { chunk, counts, refused })
}

/// Asks until there is an answer. One that was lost, or came too late, does no harm.
async fn ask(function: &Function, question: &Value, progress: &Progress) -> Result<ImportAnswer, Failure> {
    let mut wait = FIRST_WAIT;
    for attempt in 1.. {
        let failure = match function.call(question).await {
            Ok(json) => {
                let place = |error: serde_json::Error| Failure::Unreadable(format!("line {}, column {}", error.line(), error.column()));
                return serde_json::from_slice(&json).map_err(place);
            }
            Err(failure) => failure,
        };
        if !failure.may_pass() || attempt == TRIES {
            return Err(failure);
        }
        progress.waits(wait.as_secs());
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    Err(Failure::TooLong)
}

fn too_many_columns(row: usize) -> RefusedRow {
    let rule = Words {
        en: "the row has more columns than the first: is a separator within a field not quoted?".to_owned(),
        tr: "satırda ilk satırdakinden çok sütun var: alan içindeki ayırıcı tırnaksız mı?".to_owned(),
    };
    RefusedRow { row, code: COLUMNS.to_owned(), field: String::new(), rule, kept: false }
}
