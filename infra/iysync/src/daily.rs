//! A brand's daily report: a summary on the terminal, the document, or its page.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use shared::answers::ReportAnswer;
use shared::evidence::day_of;
use shared::report::{self, AtTarget, DailyReport, Times};

use crate::cli::BrandName;
use crate::commands::{Told, View};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language::Language;
use crate::page::{BAD, DOUBTFUL, FAINT, GOOD, Page, STRONG, clean, padded, styled, widest};
use crate::reason::Reason;
use crate::status::time;

/// Stands for standard output where a file is expected.
const STANDARD_OUTPUT: &str = "-";

/// Which report, and how it is wanted.
#[derive(Args)]
pub(crate) struct Options {
    /// The day in Türkiye [default: yesterday]
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<Date>,
    /// Which of the day's reports [default: the last one that is kept, else how the day stands now]
    #[arg(long, value_enum, hide_possible_values = true, value_name = "daily|final|preview")]
    kind: Option<Kind>,
    /// The document or its page [default: by the name of --output; without that, a summary]
    #[arg(long, value_enum, hide_possible_values = true, value_name = "json|html")]
    format: Option<Format>,
    /// Where it is written; - for standard output, which is also where it goes with --format alone
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) brand: BrandName,
}

/// A kind of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Daily,
    Final,
    Preview,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Html,
}

impl Options {
    /// What is written, if anything is: the format that was named, else the one that a file's name ends with.
    fn format(&self) -> Option<Format> {
        let is_page = |file: &PathBuf| file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("html"));
        self.format.or_else(|| self.output.as_ref().map(|file| if is_page(file) { Format::Html } else { Format::Json }))
    }

    /// The question to the function of jobs.
    pub(crate) fn question(&self, brand: &str, language: Language, now: Timestamp) -> Value {
        let today = day_of(now);
        let day = self.day.unwrap_or_else(|| today.yesterday().unwrap_or(today));
        let kind = self.kind.map(|kind| match kind {
            Kind::Daily => report::Kind::Daily,
            Kind::Final => report::Kind::Final,
            Kind::Preview => report::Kind::Preview,
        });
        let page = (self.format() == Some(Format::Html)).then(|| language.say(report::Language::En, report::Language::Tr));
        json!({ "job": "show_report", "brand": brand, "day": day, "kind": kind, "page": page })
    }
}

/// Shows or writes what was answered.
pub(crate) fn tell(answer: &ReportAnswer, json: Vec<u8>, options: &Options, view: View) -> Result<Told, Failure> {
    let language = view.language;
    let (report, is_kept, html) = match answer {
        ReportAnswer::Report { report, is_kept, page } => (report, *is_kept, page),
        ReportAnswer::NotThere => {
            let mut page = view.page();
            let text =
                language.say("There is no such report: see --day and --kind.", "Böyle bir rapor yok: --day ve --kind değerlerine bakın.");
            page.item(&format!("{} ", styled(BAD, "✗")), text);
            return Ok(Told { text: page.into_text(), json, private: None, exit: Exit::Wrong });
        }
        ReportAnswer::Refused(check) => {
            let mut page = view.page();
            page.item(&format!("{} ", styled(BAD, "✗")), language.of(&check.detail));
            if let Some(reason) = &check.reason {
                Reason::from(reason).write(&mut page, "  ", view);
            }
            return Ok(Told { text: page.into_text(), json, private: None, exit: Exit::Wrong });
        }
    };
    let exit = if report.is_wrong() { Exit::Wrong } else { Exit::Fine };
    let content = match options.format() {
        None => None,
        Some(Format::Html) => {
            Some(html.clone().ok_or_else(|| Failure::Unreadable(language.say("the page is missing", "sayfa eksik").to_owned()))?)
        }
        Some(Format::Json) => {
            let document = report.to_json().map_err(|error| Failure::Unreadable(error.to_string()))?;
            Some(String::from_utf8_lossy(&document).into_owned())
        }
    };
    let to_file = options.output.as_deref().filter(|file| *file != Path::new(STANDARD_OUTPUT));
    let mut page = view.page();
    match (content, to_file) {
        (Some(text), None) => return Ok(Told { text, json, private: None, exit }),
        (Some(text), Some(file)) => {
            let name = file.to_string_lossy().into_owned();
            std::fs::write(file, text).map_err(|error| Failure::File { name: name.clone(), why: error.to_string() })?;
            page.line(language.say(format!("Written to {name}."), format!("{name} dosyasına yazıldı.")));
            page.gap();
        }
        (None, _) => {}
    }
    summary(report, is_kept, &mut page, language);
    Ok(Told { text: page.into_text(), json, private: None, exit })
}

fn summary(report: &DailyReport, is_kept: bool, page: &mut Page, language: Language) {
    let say = |en, tr| language.say(en, tr);
    let (brand, day) = (clean(&report.brand), report.day);
    let kind = match report.kind {
        report::Kind::Daily => say("daily report", "günlük rapor"),
        report::Kind::Final => say("final report", "kesin rapor"),
        report::Kind::Preview => say("preview, kept nowhere", "ön izleme, saklanmaz"),
    };
    page.line(styled(STRONG, language.say(format!("Brand {brand}, {day}: {kind}"), format!("Marka {brand}, {day}: {kind}"))));
    let made = language.say(format!("made {}", time(report.made_at)), format!("hazırlanış {}", time(report.made_at)));
    let kept = if is_kept { say(", from the archive", ", arşivden") } else { "" };
    page.line(styled(FAINT, format!("{made}{kept}")));
    page.gap();
    let refusals = &report.refusals;
    let n = |count: u64| count.to_string();
    let open = refusals.open_in_time + refusals.open_late;
    let mut lines = vec![
        (say("movements received", "alınan hareket"), n(report.received.total)),
        (say("refusals for İYS", "İYS'ye gidecek ret"), n(refusals.total)),
        (say("  there in time", "  zamanında ulaşan"), n(refusals.in_time())),
        (say("  there late", "  geç ulaşan"), n(refusals.late)),
        (say("  refused by İYS", "  İYS'nin reddettiği"), n(refusals.rejected)),
        (
            say("  on their way", "  yolda"),
            language.say(format!("{open}, {} late", refusals.open_late), format!("{open}, geciken {}", refusals.open_late)),
        ),
        (say("  nothing to refuse there", "  reddedilecek onayı olmayan"), n(refusals.nothing_to_refuse)),
        (say("  another movement counts", "  yerine başka hareket geçerli"), n(refusals.elsewhere())),
    ];
    lines.push((say("refusals at İYS after", "retlerin İYS'ye ulaşması"), delays(&report.iys, language)));
    lines.push((say("refusals at Insider after", "retlerin Insider'a ulaşması"), delays(&report.insider, language)));
    if let Some(now) = &report.now {
        let slack = now.slack;
        let waiting = slack.late + slack.under1 + slack.under2 + slack.under3 + slack.more;
        let text = language.say(format!("{waiting}, {} late", slack.late), format!("{waiting}, geciken {}", slack.late));
        lines.push((say("waiting for İYS, of all days", "İYS'yi bekleyen, bütün günlerden"), text));
    }
    let root = match report.evidence {
        Some(evidence) if evidence.matches => evidence.root.to_string(),
        Some(evidence) => language.say(format!("{} movements under it", evidence.count), format!("altında {} hareket var", evidence.count)),
        None => say("the day is not closed", "gün kapanmadı").to_owned(),
    };
    lines.push((say("root of the day", "günün kökü"), root));
    let labels = widest(lines.iter().map(|(label, _)| *label));
    for (label, text) in lines {
        page.line(format!("{}  {text}", padded(label, labels)));
    }
    page.gap();
    let (style, text) = if report.is_wrong() {
        (
            BAD,
            say(
                "Not everything reached İYS in time: the page or the document tells why.",
                "Her şey İYS'ye zamanında ulaşmadı: nedeni sayfada ve belgede.",
            ),
        )
    } else if refusals.open_in_time > 0 {
        (DOUBTFUL, say("No refusal is late; some are on their way.", "Geciken ret yok; bazıları yolda."))
    } else {
        (GOOD, say("Every refusal bound for İYS reached it in time.", "İYS'ye gidecek her ret zamanında ulaştı."))
    };
    page.line(styled(style, text));
}

/// Half and ninety-nine of a hundred refusals.
fn delays(side: &AtTarget, language: Language) -> String {
    let Times { count, p50_ms: Some(half), p99_ms: Some(most), max_ms: Some(longest) } = side.times.from_receipt.ret else {
        return language.say("–", "–").to_owned();
    };
    let seconds = |ms: u64| format!("{}.{}", ms / 1000, ms / 100 % 10);
    let (half, most, longest) = (seconds(half), seconds(most), seconds(longest));
    language.say(
        format!("{half} s (half), {most} s (99 %), {longest} s (all {count})"),
        format!("{half} sn (yarısı), {most} sn (%99), {longest} sn (tümü, {count})"),
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::page::bare;

    fn options(line: &str) -> Options {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Command::Report(options) => *options,
            _ => panic!("another command"),
        }
    }

    fn answer(change: impl FnOnce(&mut Value)) -> ReportAnswer {
        let side = json!({ "rows": [], "times": {
            "fromReceipt": { "onay": { "count": 0 }, "ret": { "count": 4, "p50Ms": 2300, "p99Ms": 61_000, "maxMs": 61_000 } },
            "fromConsentDate": { "onay": { "count": 0 }, "ret": { "count": 0 } },
        } });
        let mut answer = json!({ "report": { "isKept": true, "page": "<!DOCTYPE html>", "report": {
            "format": report::FORMAT, "kind": "daily", "brand": "demo", "day": "2026-11-25", "madeAt": "2026-11-26T00:12:00Z",
            "software": "0.1.0", "received": { "total": 9, "movements": [], "sources": [], "aside": [], "unreadable": 0 },
            "iys": side, "insider": side,
            "refusals": {
                "total": 5, "within1": 4, "within2": 0, "within3": 0, "late": 0, "nothingToRefuse": 0, "rejected": 0, "openInTime": 1,
                "openLate": 0, "replacedByRefusal": 0, "replacedByConsent": 0, "toldAgain": 0, "unmerged": 0, "lateBecause": [],
            },
        } } });
        change(&mut answer["report"]["report"]);
        serde_json::from_value(answer).unwrap()
    }

    fn told(answer: &ReportAnswer, line: &str, language: Language) -> Told {
        tell(answer, b"{}".to_vec(), &options(line), View { language, width: None }).unwrap()
    }

    #[test]
    fn yesterday_in_turkiye_is_asked_for_unless_a_day_is_named() {
        // Past midnight there, not yet in Greenwich.
        let now = "2026-11-25T21:30:00Z".parse().unwrap();
        let question = options("iysync report").question("demo", Language::Tr, now);
        assert_eq!(question, json!({ "job": "show_report", "brand": "demo", "day": "2026-11-25", "kind": null, "page": null }));
        let line = "iysync report --day 2026-11-20 --kind final --output x.html";
        let question = options(line).question("demo", Language::Tr, now);
        assert_eq!(question, json!({ "job": "show_report", "brand": "demo", "day": "2026-11-20", "kind": "final", "page": "tr" }));
        let format = |line: &str| options(line).format();
        assert_eq!([format("iysync report -o x.json"), format("iysync report")], [Some(Format::Json), None]);
        assert_eq!(Cli::try_parse_from("iysync report --day 2026-11-31".split(' ')).err().unwrap().exit_code(), 2);
    }

    #[test]
    fn a_summary_says_what_matters_in_either_language() {
        let said = told(&answer(|_| {}), "iysync report", Language::En);
        let text = bare(&said.text);
        for part in
            ["Brand demo, 2026-11-25: daily report", "there in time", "1, 0 late", "2.3 s (half), 61.0 s (99 %)", "some are on their way"]
        {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
        assert_eq!(said.exit, Exit::Fine);
        assert!(bare(&told(&answer(|_| {}), "iysync report", Language::Tr).text).contains("Geciken ret yok"));
    }

    #[test]
    fn what_is_late_or_not_there_ends_with_one() {
        let late = told(&answer(|report| report["refusals"]["openLate"] = 1.into()), "iysync report", Language::En);
        assert!(late.exit == Exit::Wrong && late.text.contains("Not everything"));
        let nothing = told(&ReportAnswer::NotThere, "iysync report", Language::Tr);
        assert!(nothing.exit == Exit::Wrong && nothing.text.contains("yok"));
    }

    #[test]
    fn document_and_page_go_where_they_are_wanted() {
        let answer = answer(|_| {});
        assert_eq!(told(&answer, "iysync report --format html", Language::En).text, "<!DOCTYPE html>");
        let document = told(&answer, "iysync report --format json", Language::En).text;
        assert!(DailyReport::from_json(document.as_bytes()).is_some());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.html");
        let said = told(&answer, &format!("iysync report -o {}", file.display()), Language::En);
        assert!(said.text.starts_with("Written to ") && std::fs::read_to_string(&file).unwrap() == "<!DOCTYPE html>");
    }
}
