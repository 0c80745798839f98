//! The deadline clock of a brand's status, for a person: how much has how much time left, and what is in
//! the way of the most urgent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::commands::View;
use crate::language::Language;
use crate::page::{BAD, DOUBTFUL, Page, STRONG, clean, padded, styled, widest};
use crate::status::{left, time};
use crate::words;

/// What the status tells of the clock; what another version does not tell is missing.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Clock {
    by_slack: BTreeMap<String, u64>,
    truncated: bool,
    urgent: Vec<Waiting>,
    urgent_more: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    recipient_id: String,
    #[serde(rename = "type")]
    channel: String,
    status: String,
    deadline: String,
    slack_seconds: i64,
    waits_since: Timestamp,
    state: String,
    since: Timestamp,
    held_for: Option<String>,
    code: Option<String>,
    #[serde(default)]
    tries: u64,
}

/// The words for so many business days.
const LEFT: [(&str, &str, &str); 5] = [
    ("late", "late", "gecikmiş"),
    ("under1", "less than one", "birden az"),
    ("under2", "less than two", "ikiden az"),
    ("under3", "less than three", "üçten az"),
    ("more", "three", "üç"),
];

/// Adds the clock to a page; nothing where nothing waits for İYS.
pub(crate) fn write(clock: &Clock, page: &mut Page, view: View) {
    let language = view.language;
    let count = |name: &str| clock.by_slack.get(name).copied().unwrap_or_default();
    if LEFT.iter().all(|(name, ..)| count(name) == 0) {
        return;
    }
    page.gap();
    page.line(styled(STRONG, language.say("Business days left", "Kalan iş günü")));
    let label = |english: &'static str, turkish: &'static str| language.say(english, turkish);
    let width = widest(LEFT.iter().map(|(_, english, turkish)| label(english, turkish)));
    for (name, english, turkish) in LEFT {
        let (count, style) = (count(name), if name == "late" { BAD } else { DOUBTFUL });
        let shown = if count > 0 && matches!(name, "late" | "under1") { styled(style, count) } else { count.to_string() };
        if count > 0 || name == "late" {
            page.item(&format!("  {}  ", padded(label(english, turkish), width)), &shown);
        }
    }
    if clock.truncated {
        page.item("  ", language.say("and more than can be counted, less urgent", "ve sayılabilenden fazlası, daha az acil"));
    }
    if clock.urgent.is_empty() {
        return;
    }
    page.gap();
    page.line(styled(STRONG, language.say("Late, or more than one business day gone", "Gecikmiş veya bir iş gününden fazlası geçmiş")));
    for waiting in &clock.urgent {
        let named = format!("  {}  {}  {}  ", clean(&waiting.status), clean(&waiting.channel), clean(&waiting.recipient_id));
        let since = time(waiting.waits_since);
        page.item(&named, &language.say(format!("waits since {since}"), format!("{since} tarihinden beri bekliyor")));
        let indent = " ".repeat(named.chars().count());
        let (deadline, left) = (clean(&waiting.deadline), left(waiting.slack_seconds, language));
        page.item(&indent, &language.say(format!("deadline {deadline}  {left}"), format!("son tarih {deadline}  {left}")));
        page.item(&indent, &why(waiting, language));
    }
    if clock.urgent_more > 0 {
        page.item("  ", &language.say(format!("and {} more", clock.urgent_more), format!("ve {} tane daha", clock.urgent_more)));
    }
}

/// Why a movement does not stand at İYS yet.
fn why(waiting: &Waiting, language: Language) -> String {
    let (state, since) = (words::state(&waiting.state, language), time(waiting.since));
    let mut text = language.say(format!("{state} since {since}"), format!("{state}, {since} tarihinden beri"));
    if let Some(held_for) = &waiting.held_for {
        text.push_str(&format!(": {}", words::held_for(held_for, language)));
    }
    if let Some(code) = &waiting.code {
        text.push_str(&format!(" ({})", clean(code)));
    }
    if waiting.tries > 0 {
        let tries = waiting.tries;
        text.push_str(&language.say(format!(", queued again {tries} times"), format!(", {tries} kez yeniden sıraya alındı")));
    }
    text
}
