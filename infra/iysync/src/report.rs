//! What a job did.

use serde::Deserialize;

use crate::commands::View;
use crate::exit::Exit;
use crate::page::{padded, widest};

/// A job of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    Pull,
    Sweep,
    Clock,
    Standing,
    PushService,
    InsiderExport,
    Verify,
    DailyFile,
    Evidence,
    Report,
}

/// Counts of what was done; those that another version does not tell are zero.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    movements: u64,
    new: u64,
    requeued: u64,
    waiting: u64,
    late: u64,
    looked: u64,
    released: u64,
    registered: u64,
    unregistered: u64,
    exports: u64,
    rows: u64,
    retold: u64,
    refusals: u64,
    compared: u64,
    differing: u64,
    repaired: u64,
    days: u64,
    confirmed: u64,
    days_waiting: u64,
    days_missed: u64,
    closed: u64,
    reports: u64,
    failed: u64,
}

/// A job that failed for a brand is wrong. (The function of today then fails as a whole.)
pub(crate) fn exit(report: &Report) -> Exit {
    if report.failed > 0 { Exit::Wrong } else { Exit::Fine }
}

/// The report for a person: what the job is about.
pub(crate) fn text(job: Job, report: &Report, view: View) -> String {
    let say = |en, tr| view.language.say(en, tr);
    let mut counts = match job {
        Job::Pull => {
            vec![(say("movements read", "okunan hareket"), report.movements), (say("of them new", "bunlardan yeni olan"), report.new)]
        }
        Job::Sweep => vec![
            (say("queued again", "yeniden kuyruğa konan"), report.requeued),
            (say("accounts looked at", "bakılan hesap"), report.looked),
            (say("released", "bekletilmesi biten"), report.released),
        ],
        Job::Clock => {
            vec![
                (say("movements waiting for İYS", "İYS için bekleyen hareket"), report.waiting),
                (say("of them late", "bunlardan geciken"), report.late),
            ]
        }
        Job::Standing => {
            vec![(say("accounts looked at", "bakılan hesap"), report.looked), (say("released", "bekletilmesi biten"), report.released)]
        }
        Job::PushService => vec![
            (say("connections registered", "kaydedilen bağlantı"), report.registered),
            (say("connections ended", "sonlandırılan bağlantı"), report.unregistered),
        ],
        Job::InsiderExport => vec![
            (say("exports ordered", "istenen dışa aktarım"), report.exports),
            (say("profiles read", "okunan profil"), report.rows),
            (say("Insider is told again", "Insider'a yeniden bildirilecek"), report.retold),
            (say("refusals taken from flags", "bayraklardan alınan ret"), report.refusals),
        ],
        Job::Verify => vec![
            (say("keys compared", "karşılaştırılan kayıt"), report.compared),
            (say("of them differing", "bunlardan farklı olan"), report.differing),
            (say("differences repaired", "giderilen fark"), report.repaired),
        ],
        Job::DailyFile => vec![
            (say("days compared", "karşılaştırılan gün"), report.days),
            (say("of them confirmed", "bunlardan onaylanan"), report.confirmed),
            (say("days that wait", "bekleyen gün"), report.days_waiting),
            (say("days missed", "kaçırılan gün"), report.days_missed),
        ],
        Job::Evidence => vec![(say("days closed", "kapatılan gün"), report.closed)],
        Job::Report => {
            vec![(say("days closed", "kapatılan gün"), report.closed), (say("reports made", "hazırlanan rapor"), report.reports)]
        }
    };
    if report.failed > 0 {
        counts.push((say("brands that failed", "hata veren marka"), report.failed));
    }
    let labels = widest(counts.iter().map(|(label, _)| *label));
    let mut page = view.page();
    for (label, count) in counts {
        page.line(format!("{}  {count}", padded(label, labels)));
    }
    page.into_text()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_report_tells_what_its_job_is_about() {
        let report: Report = serde_json::from_str(r#"{"movements":12,"new":3,"requeued":0,"more":1}"#).unwrap();
        let view = |language| View { language, width: None };
        assert_eq!(text(Job::Pull, &report, view(Language::En)), "movements read  12\nof them new     3\n");
        assert_eq!(text(Job::PushService, &report, view(Language::Tr)), "kaydedilen bağlantı     0\nsonlandırılan bağlantı  0\n");
        let days: Report = serde_json::from_str(r#"{"days":3,"confirmed":2}"#).unwrap();
        assert!(text(Job::DailyFile, &days, view(Language::En)).starts_with("days compared      3\nof them confirmed  2\n"));
        let clock: Report = serde_json::from_str(r#"{"waiting":7,"late":1}"#).unwrap();
        assert_eq!(text(Job::Clock, &clock, view(Language::En)), "movements waiting for İYS  7\nof them late               1\n");
        assert_eq!(exit(&report), Exit::Fine);
        let failed: Report = serde_json::from_str(r#"{"failed":1}"#).unwrap();
        assert_eq!(exit(&failed), Exit::Wrong);
        assert!(text(Job::Sweep, &failed, view(Language::En)).ends_with("brands that failed  1\n"));
    }
}
