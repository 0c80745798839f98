//! What a brand's status tells of İYS's files of its last days (mutabakat).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::language::Language;
use crate::page::{BAD, DOUBTFUL, GOOD, clean, styled};

/// How many days a person is shown: those that İYS shows.
const SHOWN: usize = 7;

/// One day; what another version does not tell is missing.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DayFile {
    day: String,
    state: String,
    why: Option<String>,
    rows: u64,
    differences: BTreeMap<String, Count>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Count {
    found: u64,
    left: u64,
}

/// A kind of difference in words.
fn kind(word: &str, language: Language) -> String {
    let known = match word {
        "unknown" => language.say("unknown here", "burada bilinmeyen"),
        "otherwise" => language.say("otherwise here", "burada farklı"),
        "source" => language.say("with another source", "kaynağı farklı"),
        "absent" => language.say("missing in the file", "dosyada olmayan"),
        "unlisted" => language.say("told by İYS, not in its file", "İYS'nin bildirdiği, dosyasında olmayan"),
        "unreadable" => language.say("unreadable", "okunamayan"),
        "summary" => language.say("İYS's own count differs", "İYS'nin sayımı farklı"),
        "hash" => language.say("the hash is another", "özet değeri farklı"),
        other => return clean(other),
    };
    known.to_owned()
}

/// Lines of a day and how it stands, the newest first.
pub(crate) fn lines(days: &[DayFile], language: Language) -> Vec<(String, String)> {
    days.iter().take(SHOWN).map(|day| (clean(&day.day), text(day, language))).collect()
}

fn text(day: &DayFile, language: Language) -> String {
    let why = day.why.as_deref().map(clean).unwrap_or_default();
    let state = match day.state.as_str() {
        "equal" => styled(GOOD, language.say("equal", "eşit")),
        "confirmed" => styled(GOOD, language.say("equal, confirmed", "eşit, onaylandı")),
        "differs" => styled(DOUBTFUL, language.say("differs", "farklı")),
        "waiting" => language.say("waits", "bekliyor").to_owned(),
        "held" => styled(BAD, language.say("held", "bekletiliyor")),
        "missed" => styled(BAD, language.say("missed", "kaçırıldı")),
        other => clean(other),
    };
    let mut parts = vec![if why.is_empty() { state } else { format!("{state} ({why})") }];
    if day.rows > 0 {
        parts.push(language.say(format!("{} movements", day.rows), format!("{} hareket", day.rows)));
    }
    parts.extend(day.differences.iter().map(|(word, count)| {
        let (kind, Count { found, left }) = (kind(word, language), count);
        language.say(format!("{kind}: {found} found, {left} left"), format!("{kind}: {found} bulundu, {left} kaldı"))
    }));
    parts.join(", ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn each_day_says_how_it_stands_and_what_differs() {
        let told = serde_json::json!([
            { "day": "2026-11-20", "state": "differs", "rows": 7, "differences": { "absent": { "found": 2, "left": 1 } }, "more": 1 },
            { "day": "2026-11-19", "state": "waiting", "why": "queued" },
        ]);
        let days: Vec<DayFile> = serde_json::from_value(told).unwrap();
        let lines = lines(&days, Language::En);
        assert_eq!((lines[0].0.as_str(), lines.len()), ("2026-11-20", 2));
        assert!(lines[0].1.ends_with("7 movements, missing in the file: 2 found, 1 left"), "{}", lines[0].1);
        assert!(lines[1].1.contains("waits") && lines[1].1.contains("queued"));
    }
}
