//! Imports a brand's existing book of consents: reads it as a stream, carries it chunk by chunk to the
//! function of jobs, and keeps what had no effect in a file of its own. No address is shown.

mod book;
mod carry;
mod columns;
mod journal;
mod lines;
mod options;
mod rejects;
mod scan;
mod summary;
mod value;

use std::time::Instant;

use futures::StreamExt;
use shared::answers::ImportCounts;

use crate::cli::Place;
use crate::commands::{Told, View};
use crate::failure::Failure;
use crate::invoke::Function;
use crate::place::brand_name;
use crate::progress::Progress;

use book::Book;
use carry::{Carried, Manner, carry};
use journal::{About, Journal};
pub(crate) use options::Options;
use rejects::{Reason, Rejects};
use scan::Scan;
use summary::Summary;

/// Imports a book.
pub(crate) async fn run(place: &Place, options: Options, view: View) -> Result<Told, Failure> {
    let begun = Instant::now();
    let brand = brand_name(&options.brand, !place.aws)?;
    let function = Function::of(place).await?;
    let unusable = |error: std::io::Error| Failure::File { name: options.file.to_string_lossy().into_owned(), why: error.to_string() };
    let scan = Scan::of(&options.file, options.encoding.map(options::Letters::encoding), options.separator).map_err(unusable)?;
    let mut book = Book::open(&options.file, &scan, &options)?;
    let (columns, header) = (book.columns.clone(), book.header.clone());
    let about = About::new(scan.digest.clone(), brand.clone(), function.address(), manner_of(&options, &scan));
    let open_rejects = |from: Option<u64>| Rejects::open(options.rejects.as_deref(), scan.separator, &columns, &header, from);
    let goes_on = options.resume && Journal::path_of(&options.file).exists();
    let (mut journal, mut rejects) = match (options.dry_run, goes_on) {
        (true, _) => (None, open_rejects(None)?),
        (false, true) => {
            let journal = Journal::open(&options.file, &about, true)?;
            let from = journal.is_continued.then_some(journal.rejects);
            (Some(journal), open_rejects(from)?)
        }
        // A file that is there already is found before anything is said to have begun.
        (false, false) => {
            let rejects = open_rejects(None)?;
            (Some(Journal::open(&options.file, &about, false)?), rejects)
        }
    };
    let mut counts = journal.as_ref().map_or_else(ImportCounts::default, |journal| journal.counts.clone());
    let resumed = counts.rows;
    let progress = Progress::over(scan.size, view.language);
    let manner = Manner { brand: brand.clone(), dry_run: options.dry_run, tell_insider: options.tell_insider };
    let is_done = {
        let done: std::collections::HashSet<u64> = journal.iter().flat_map(Journal::done).collect();
        move |chunk: u64| done.contains(&chunk)
    };
    let chunks = std::iter::from_fn(|| book.find(|chunk| !matches!(chunk, Ok(chunk) if is_done(chunk.number))));
    let (to, with, shown) = (&function, &manner, &progress);
    let mut carried = futures::stream::iter(chunks)
        .map(|chunk| async move { carry(to, with, chunk?, shown).await })
        .buffer_unordered(usize::from(options.at_once));
    while let Some(done) = carried.next().await {
        let noted = done.and_then(|Carried { chunk, counts: own, refused }| {
            let rows = refused.iter().filter_map(|refused| Some((chunk.rows.get(refused.row)?, refused)));
            rejects.add(
                &columns,
                rows.map(|(row, refused)| {
                    let rule = view.language.of(&refused.rule);
                    (Reason { line: row.line, code: &refused.code, field: &refused.field, rule }, &row.fields)
                }),
            )?;
            if let Some(journal) = &mut journal {
                journal.note(chunk.number, &own, rejects.length())?;
            }
            counts.add(&own);
            progress.is_at(chunk.seen, counts.rows - resumed);
            Ok(())
        });
        if let Err(cause) = noted {
            let rows = counts.rows;
            return Err(if rows == 0 { cause } else { Failure::BrokenOff { rows, cause: Box::new(cause) } });
        }
    }
    drop(carried);
    drop(progress);
    if let Some(journal) = journal {
        journal.end();
    }
    let summary = Summary {
        brand,
        dry_run: options.dry_run,
        book: scan.digest,
        unknown_columns: columns.unknown,
        seconds: begun.elapsed().as_secs(),
        resumed_rows: resumed,
        counts,
    };
    let json = serde_json::to_vec(&summary).map_err(|error| Failure::Machine(error.to_string()))?;
    Ok(Told { text: summary.text(view), json, private: None, exit: summary.exit() })
}

/// Everything that changes what a row says or what becomes of it, and where refused rows go.
fn manner_of(options: &Options, scan: &Scan) -> String {
    let rejects = options.rejects.as_ref().map(|path| path.to_string_lossy().into_owned());
    let pairs = |list: &[options::Assignment]| list.iter().map(|one| format!("{}={}", one.name, one.value)).collect::<Vec<_>>();
    serde_json::json!([scan.encoding.name(), scan.separator, options.tell_insider, pairs(&options.columns), pairs(&options.set), rejects,])
        .to_string()
}
