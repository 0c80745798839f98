//! What an import came to.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::answers::ImportCounts;

use crate::commands::View;
use crate::exit::Exit;
use crate::page::{DOUBTFUL, clean, padded, styled, widest};

/// The whole of an import.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) brand: String,
    pub(crate) dry_run: bool,
    /// SHA-256 of the file.
    pub(crate) book: String,
    /// Columns that nothing was taken from.
    pub(crate) unknown_columns: Vec<String>,
    pub(crate) seconds: u64,
    /// Of the rows, those that were done before it went on.
    pub(crate) resumed_rows: u64,
    #[serde(flatten)]
    pub(crate) counts: ImportCounts,
}

impl Summary {
    /// Rows without effect are wrong: somebody has to look at them.
    pub(crate) fn exit(&self) -> Exit {
        if self.counts.rejected.is_empty() && self.counts.refused_at_iys.is_empty() { Exit::Fine } else { Exit::Wrong }
    }

    /// For a person.
    pub(crate) fn text(&self, view: View) -> String {
        let say = |en, tr| view.language.say(en, tr);
        let counts = &self.counts;
        let mut page = view.page();
        if self.dry_run {
            page.line(say("Dry run: nothing was written, and İYS was not asked.", "Deneme: hiçbir şey yazılmadı, İYS'ye sorulmadı."));
        }
        for column in &self.unknown_columns {
            page.line(format!("{} {}", styled(DOUBTFUL, say("column not used:", "kullanılmayan sütun:")), clean(column)));
        }
        let mut lines = vec![
            (say("rows", "satır").to_owned(), counts.rows),
            (say("accepted", "alınan").to_owned(), counts.accepted),
            (say("told before", "önceden bilinen").to_owned(), counts.duplicate),
            (say("overtaken by something newer", "daha yenisi olan").to_owned(), counts.superseded),
        ];
        lines.extend(by_code(say("rejected", "reddedilen"), &counts.rejected));
        if self.dry_run {
            lines.push((say("addresses that İYS would be asked about", "İYS'ye sorulacak adres").to_owned(), counts.asked));
        } else {
            lines.push((say("addresses that İYS was asked about", "İYS'ye sorulan adres").to_owned(), counts.asked));
            lines.push((say("İYS has it", "İYS'de olan").to_owned(), counts.at_iys));
            lines.push((say("refusals of what İYS does not hold", "İYS'de karşılığı olmayan ret").to_owned(), counts.not_registered));
            lines.push((say("to be sent to İYS", "İYS'ye gönderilecek").to_owned(), counts.to_push));
            lines.push((say("held until a person acts", "biri harekete geçene dek bekleyen").to_owned(), counts.held));
            lines.extend(by_code(say("İYS does not take it", "İYS'nin almadığı"), &counts.refused_at_iys));
            lines.push((say("to be told to Insider", "Insider'a bildirilecek").to_owned(), counts.to_insider));
        }
        let labels = widest(lines.iter().map(|(label, _)| label.as_str()));
        for (label, count) in &lines {
            page.line(format!("{}  {count}", padded(label, labels)));
        }
        page.into_text()
    }
}

fn by_code(label: &str, counts: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    counts.iter().map(|(code, count)| (format!("{label}, {}", clean(code)), *count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::page::bare;

    fn summary(rejected: &[(&str, u64)], dry_run: bool) -> Summary {
        let rejected = rejected.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect();
        Summary {
            brand: "demo".to_owned(),
            dry_run,
            book: "0".repeat(64),
            unknown_columns: vec!["Not".to_owned()],
            seconds: 1,
            resumed_rows: 0,
            counts: ImportCounts { rows: 12, accepted: 9, rejected, ..ImportCounts::default() },
        }
    }

    #[test]
    fn what_was_rejected_is_told_by_code_and_ends_with_1() {
        let told = summary(&[("H120", 2), ("H467", 1)], false);
        let text = bare(&told.text(View { language: Language::En, width: None }));
        assert!(text.contains("column not used: Not\n") && text.contains("rejected, H120"), "{text}");
        assert!(text.contains("to be sent to İYS"), "{text}");
        assert_eq!((told.exit(), summary(&[], false).exit()), (Exit::Wrong, Exit::Fine));
        let text = bare(&summary(&[], true).text(View { language: Language::Tr, width: None }));
        assert!(text.starts_with("Deneme:") && text.contains("İYS'ye sorulacak adres") && !text.contains("gönderilecek"), "{text}");
    }
}
