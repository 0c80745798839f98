//! What a page says, and that it is a page.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::report::{FORMAT, Word};

/// A report with something in every field.
pub(crate) fn full() -> DailyReport {
    let words = serde_json::json!({"en": "Cause <b>&\"'.", "tr": "Neden <b>."});
    let why = serde_json::json!({"code": "H586", "heldFor": "subscription", "cause": words, "remedy": words});
    let with = |mut line: serde_json::Value| {
        line.as_object_mut().unwrap().extend(why.as_object().unwrap().clone());
        line
    };
    let times = serde_json::json!({"count": 3, "p50Ms": 2300, "p99Ms": 61_000, "maxMs": 273_600_000_u64});
    let delays = serde_json::json!({"onay": times, "ret": times});
    let side = serde_json::json!({
        "rows": [{"fate": "applied", "onay": 1200, "ret": 340}, with(serde_json::json!({"fate": "held", "onay": 2, "ret": 5}))],
        "times": {"fromReceipt": delays, "fromConsentDate": delays},
    });
    let difference = serde_json::json!({"found": 4, "adopted": 1, "sentAgain": 2, "takenBack": 0, "kept": 0, "gone": 1});
    let compared = serde_json::json!({"compared": 5000, "differences": {"ret_missing": difference, "onay_missing": difference}});
    let digest = "ab".repeat(32);
    serde_json::from_value(serde_json::json!({
        "format": FORMAT, "kind": "daily", "brand": "demo", "day": "2026-11-25", "madeAt": "2026-11-26T00:12:00Z", "software": "0.1.0",
        "registry": {"kind": "netgsm", "changes": "none", "status": "iys"},
        "received": {
            "total": 1552,
            "movements": [
                {"channel": "EPOSTA", "origin": "insider", "status": "RET", "count": 345},
                {"channel": "MESAJ", "origin": "api", "status": "ONAY", "count": 1202},
            ],
            "sources": [{"source": "HS_WEB", "status": "ONAY", "count": 1202}],
            "aside": [{"reason": "left_group", "count": 4}], "unreadable": 1,
        },
        "iys": side, "insider": side,
        "refusals": {
            "total": 345, "within1": 330, "within2": 7, "within3": 1, "late": 1, "nothingToRefuse": 1, "rejected": 0, "openInTime": 2,
            "openLate": 1, "replacedByRefusal": 1, "replacedByConsent": 1, "toldAgain": 0, "unmerged": 0,
            "lateBecause": [{"reason": "ended_late", "count": 1}, with(serde_json::json!({"reason": "held", "count": 1}))],
        },
        "differences": {
            "reportBefore": "2026-11-24",
            "verification": {"soFar": compared, "since": compared},
            "insiderExport": {
                "isNew": true, "orderedAt": "2026-11-25T03:00:00Z", "endedAt": "2026-11-25T04:00:00Z", "outcome": "repaired",
                "profiles": 9000, "compared": 8800, "allowedAgainstRefusal": 3, "offAgainstConsent": 1, "refusedThere": 0, "underWay": 2,
                "unknown": 7,
            },
        },
        "dayFiles": [
            {"day": "2026-11-25", "state": "waiting", "why": "queued", "rows": 0, "differences": {}},
            {"day": "2026-11-24", "state": "differs", "rows": 100, "comparedAt": "2026-11-25T02:00:00Z", "differences": {"absent": {"found": 3, "left": 1}}},
        ],
        "now": {
            "iys": {"states": {"pending": 3, "held": 7}, "held": [with(serde_json::json!({"count": 7}))]},
            "insider": {"states": {"awaiting": 2}, "held": []}, "truncated": true,
            "slack": {"late": 1, "under1": 0, "under2": 2, "under3": 6, "more": 1},
            "first": with(serde_json::json!({
                "channel": "MESAJ", "status": "RET", "receivedAt": "2026-11-20T09:00:00Z", "deadline": "2026-11-25 12:00:00",
                "slackSeconds": -4321, "fate": "held",
            })),
        },
        "evidence": {"count": 1552, "matches": true, "root": digest, "chained": digest},
    }))
    .unwrap()
}

/// Checks that tags are closed in the order in which they were opened.
fn check_tags(page: &str) {
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.split(' ').next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{tag}"),
            None if ["!DOCTYPE", "meta"].contains(&name) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_page_is_well_formed_whole_in_itself_and_names_its_language() {
    for language in Language::ALL {
        let page = html(&full(), language);
        check_tags(&page);
        assert!(page.contains(&format!("<html lang=\"{}\">", language.code())));
        let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        for id in &ids {
            assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
            assert!(page.contains(&format!("aria-labelledby=\"{id}\"")), "{id}");
        }
        for nothing in ["<script", "http://", "https://", "src=", "href=", "url("] {
            assert!(!page.contains(nothing), "{nothing}");
        }
        let tables = page.matches("<table>").count();
        assert!(tables >= 14, "{tables}");
        assert_eq!((page.matches("<caption>").count(), page.matches("<thead>").count()), (tables, tables));
    }
}

#[test]
fn what_came_from_outside_is_shown_as_text() {
    let page = html(&full(), Language::En);
    assert!(page.contains("Cause &lt;b&gt;&amp;&quot;'.") && !page.contains("<b>"));
    let mut report = full();
    report.brand = "<img onerror=x>".into();
    assert!(!html(&report, Language::Tr).contains("<img"));
}

#[test]
fn the_verdict_is_what_the_counts_say() {
    let say = |change: fn(&mut DailyReport)| {
        let mut report = full();
        report.refusals = Refusals { total: 10, within1: 10, ..Refusals::default() };
        change(&mut report);
        let page = html(&report, Language::En);
        (page.split("class=\"verdict ").nth(1).unwrap().split('"').next().unwrap().to_owned(), report.is_wrong())
    };
    assert_eq!(say(|_| {}), ("good".into(), false));
    assert_eq!(say(|report| report.refusals = Refusals::default()), ("good".into(), false));
    assert_eq!(say(|report| report.refusals.open_in_time = 1), ("soon".into(), false));
    assert_eq!(say(|report| report.refusals.open_late = 1), ("bad".into(), true));
    assert_eq!(say(|report| report.refusals.rejected = 1), ("bad".into(), true));
    assert_eq!(say(|report| report.evidence.as_mut().unwrap().matches = false), ("bad".into(), true));
}

#[test]
fn both_languages_say_all_and_no_sentence_of_the_one_stands_in_the_other() {
    let (english, turkish) = (html(&full(), Language::En), html(&full(), Language::Tr));
    let count = |page: &str, tag: &str| page.matches(tag).count();
    for tag in ["<table>", "<tr>", "<h2", "<dt>", "<p"] {
        assert_eq!(count(&english, tag), count(&turkish, tag), "{tag}");
    }
    for (page, own, other) in
        [(&english, "since the report of the day before", "önceki günün"), (&turkish, "Bekletilen", "Held and refused")]
    {
        assert!(page.contains(own) && !page.contains(other));
    }
    assert!(turkish.contains("1.552") && english.contains("1,552"));
}

#[test]
fn a_document_is_read_as_it_was_written_and_one_of_another_format_is_not() {
    let report = full();
    let text = report.to_json().unwrap();
    assert_eq!(DailyReport::from_json(&text), Some(report.clone()));
    let other = String::from_utf8(text).unwrap().replace("report 1", "report 2");
    assert_eq!(DailyReport::from_json(other.as_bytes()), None);
    let word: Word = serde_json::from_str("\"ayse@example.com\"").unwrap();
    assert_eq!(word.as_str(), "other");
    assert_eq!(report.day_files[0].why.as_ref().map(Word::as_str), Some("queued"));
    let page = html(&report, Language::En);
    assert!(page.contains("applied here, missing in the file: 3, 1") && page.contains("not there yet (queued)"));
}

#[test]
fn a_page_names_the_integrator_and_what_it_does_not_tell() {
    let mut report = full();
    let (en, tr) = (html(&report, Language::En), html(&report, Language::Tr));
    assert!(en.contains("Netgsm (integrator)") && en.contains("told by callbacks only"));
    assert!(tr.contains("Netgsm (entegratör)") && tr.contains("yalnız geri bildirimle"));
    report.registry = None;
    assert!(!html(&report, Language::En).contains("integrator"));
}
