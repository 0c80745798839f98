//! What a brand's status tells of its exports from Insider.

use jiff::Timestamp;
use serde::Deserialize;

use crate::language::Language;
use crate::page::{BAD, DOUBTFUL, GOOD, clean, styled};
use crate::status::time;
use crate::words;

/// How far the newest export is, and what the last one showed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Export {
    stage: String,
    ordered_at: Option<Timestamp>,
    told_at: Option<Timestamp>,
    #[serde(default)]
    rows: u64,
    trouble: Option<Trouble>,
    last: Option<Finished>,
}

#[derive(Deserialize)]
struct Trouble {
    at: Timestamp,
    why: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finished {
    ordered_at: Timestamp,
    outcome: String,
    #[serde(flatten)]
    counts: Counts,
}

/// All but `profiles` are addresses on a channel.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Counts {
    profiles: u64,
    compared: u64,
    allowed_against_refusal: u64,
    off_against_consent: u64,
    refused_there: u64,
    under_way: u64,
    unknown: u64,
}

/// Lines of two columns for a person.
pub(crate) fn lines(export: &Export, language: Language) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |label: &str, text: String| lines.push((label.to_owned(), text));
    let stage = words::export_stage(&export.stage, language);
    let now = match (export.stage.as_str(), export.ordered_at) {
        ("counting" | "repairing", _) => format!("{stage}, {} {}", export.rows, language.say("profiles so far", "profil okundu")),
        ("ordering" | "ordered", Some(at)) => format!("{stage}, {}", time(at)),
        _ => stage.to_owned(),
    };
    line(language.say("now", "şu an"), now);
    if let (Some(told), "ordered") = (export.told_at, export.stage.as_str()) {
        line(language.say("Insider told that it is there", "Insider hazır dedi"), time(told));
    }
    if let Some(Trouble { at, why }) = &export.trouble {
        line(language.say("trouble", "sorun"), styled(DOUBTFUL, format!("{}: {}", time(*at), clean(why))));
    }
    if let Some(Finished { ordered_at, outcome, counts }) = &export.last {
        let style = match outcome.as_str() {
            "agreed" | "repaired" => GOOD,
            "suspicious" => BAD,
            _ => DOUBTFUL,
        };
        let outcome = styled(style, words::export_outcome(outcome, language));
        line(language.say("last one", "son"), format!("{}: {outcome}", time(*ordered_at)));
        line(language.say("profiles", "profil"), counts.profiles.to_string());
        line(language.say("addresses compared", "karşılaştırılan adres"), counts.compared.to_string());
        for (label, count) in [
            (language.say("allowed, though refused", "ret varken izinli"), counts.allowed_against_refusal),
            (language.say("off, though consented", "onay varken kapalı"), counts.off_against_consent),
            (language.say("refused at Insider, flag on", "Insider'da reddedilmiş, bayrak açık"), counts.refused_there),
            (language.say("under way, not judged", "işlemde, karşılaştırılmadı"), counts.under_way),
            (language.say("known to Insider only", "yalnız Insider'da olan"), counts.unknown),
        ] {
            if count > 0 {
                line(label, count.to_string());
            }
        }
    }
    lines
}
