//! How far the ledger was compared with İYS, and what came of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::language::Language;
use crate::page::clean;
use crate::status::{never, time};

/// A brand's verification; what another version does not tell is missing.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Verification {
    every_days: u64,
    late: u64,
    waiting: u64,
    last_run: Option<Timestamp>,
    full_since: Option<Timestamp>,
    gap_in: Option<String>,
    compared: u64,
    differences: BTreeMap<String, Count>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Count {
    found: u64,
    adopted: u64,
    sent_again: u64,
    taken_back: u64,
    kept: u64,
}

/// A kind of difference in words.
fn kind(word: &str, language: Language) -> String {
    match word {
        "onay_missing" => language.say("consents that İYS lacked", "İYS'de bulunmayan izinler").to_owned(),
        "ret_missing" => language.say("refusals that İYS lacked", "İYS'de bulunmayan retler").to_owned(),
        "onay_unknown" => language.say("consents that only İYS had", "yalnız İYS'de bulunan izinler").to_owned(),
        "refused_stands" => language.say("refused and there after all", "reddedildiği hâlde İYS'de bulunanlar").to_owned(),
        other => clean(other),
    }
}

/// Lines of a label and a text.
pub(crate) fn lines(verification: &Verification, language: Language) -> Vec<(String, String)> {
    let say = |en: &'static str, tr: &'static str| language.say(en, tr).to_owned();
    let number = |count: u64| count.to_string();
    let mut lines = vec![
        (say("last run", "son çalışma"), verification.last_run.map_or_else(|| never(language), time)),
        (say("keys compared", "karşılaştırılan kayıt"), number(verification.compared)),
    ];
    if verification.late > 0 {
        let text = language.say(
            format!("{} not compared within {} days", verification.late, verification.every_days),
            format!("{} kayıt {} gün içinde karşılaştırılmadı", verification.late, verification.every_days),
        );
        lines.push((say("late", "geciken"), text));
    }
    if let Some(since) = verification.full_since {
        let since = time(since);
        let mut text = language.say(format!("everything from before {since}"), format!("{since} öncesinin tümü"));
        if let Some(feed) = verification.gap_in.as_deref().map(|feed| crate::words::feed(feed, language)) {
            text.push_str(&language.say(format!(", after a gap in: {feed}"), format!("; eksik okunan: {feed}")));
        }
        lines.push((say("under way", "sürüyor"), text));
    }
    if verification.waiting > 0 {
        lines.push((say("differences that wait", "bekleyen fark"), number(verification.waiting)));
    }
    for (word, count) in &verification.differences {
        let repaired = count.adopted + count.sent_again + count.taken_back;
        let text = language.say(
            format!("{} found, {repaired} repaired, {} kept", count.found, count.kept),
            format!("{} bulundu, {repaired} giderildi, {} bırakıldı", count.found, count.kept),
        );
        lines.push((kind(word, language), text));
    }
    lines
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn what_was_compared_what_is_late_and_what_differed_is_told() {
        let told = serde_json::json!({
            "everyDays": 7, "late": 3, "waiting": 2, "lastRun": "2026-11-25T20:00:00Z", "fullSince": "2026-11-25T19:00:00Z",
            "gapIn": "people", "compared": 200, "questions": 1,
            "differences": {"onay_missing": {"found": 4, "adopted": 1, "sentAgain": 1, "takenBack": 1, "kept": 0, "gone": 1}},
        });
        let verification: Verification = serde_json::from_value(told).unwrap();
        let text =
            |language| lines(&verification, language).into_iter().map(|(label, text)| format!("{label}: {text}")).collect::<Vec<_>>();
        let english = text(Language::En);
        for line in
            ["last run: 2026-11-25 23:00:00", "late: 3 not compared within 7 days", "consents that İYS lacked: 4 found, 3 repaired, 0 kept"]
        {
            assert!(english.iter().any(|told| told == line), "{line} is missing in {english:?}");
        }
        assert_eq!(english.len(), 6);
        assert!(text(Language::Tr).iter().any(|line| line == "İYS'de bulunmayan izinler: 4 bulundu, 3 giderildi, 0 bırakıldı"));
        assert_eq!(lines(&Verification::default(), Language::En).len(), 2);
        assert!(english.iter().any(|line| line.ends_with(", after a gap in: what people did")), "{english:?}");
        let asked = Verification { gap_in: None, ..verification };
        assert_eq!(lines(&asked, Language::En)[3].1, "everything from before 2026-11-25 22:00:00");
    }
}
