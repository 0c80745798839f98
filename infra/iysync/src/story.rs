//! The story of one address: may it be messaged, why not, and how it came to that.

use jiff::Timestamp;
use serde::Deserialize;

use crate::commands::View;
use crate::language::Language;
use crate::page::{BAD, DOUBTFUL, FAINT, GOOD, Page, STRONG, padded, styled};
use crate::reason::Reason;
use crate::status::time;
use crate::words;

/// The answer of `POST /v1/{brand}/consents/lookup`, without the address.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Story {
    recipient_id: String,
    states: Vec<State>,
    history: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    #[serde(rename = "type")]
    channel: String,
    recipient_type: String,
    status: String,
    source: String,
    consent_date: String,
    origin: String,
    allowed: bool,
    denied_because: Option<String>,
    retailer_code: Option<u64>,
    iys: Target,
    insider: Target,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    state: String,
    outcome: Option<String>,
    at: Option<Timestamp>,
    held_for: Option<String>,
    deadline: Option<String>,
    #[serde(flatten)]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(rename = "type")]
    channel: String,
    recipient_type: String,
    status: String,
    source: String,
    consent_date: String,
    origin: String,
    current: bool,
    #[serde(default)]
    aside: bool,
    iys: Option<Target>,
    insider: Option<Target>,
}

/// The story for a person; `address` is what may be shown of it.
pub(crate) fn text(story: &Story, address: Option<&str>, view: View) -> String {
    let language = view.language;
    let mut page = view.page();
    let id = styled(FAINT, format!("({})", story.recipient_id));
    page.line(format!("{} {id}", styled(STRONG, address.unwrap_or(language.say("The address", "Adres")))));
    if story.states.is_empty() && story.history.is_empty() {
        page.gap();
        page.line(language.say(
            "The ledger has never heard of it, so it may not be messaged on any channel.",
            "Defter bu adresi hiç duymadı; bu yüzden hiçbir kanaldan ileti gönderilemez.",
        ));
    }
    for one in &story.states {
        state(one, &mut page, view);
    }
    if !story.history.is_empty() {
        page.gap();
        page.line(styled(STRONG, language.say("History", "Geçmiş")));
        let rows: Vec<Vec<String>> = story.history.iter().map(|line| row(line, language)).collect();
        page.table("  ", &rows);
        page.line(styled(
            FAINT,
            language.say("  * the state of today; dates are Turkish time", "  * bugünkü durum; tarihler Türkiye saatiyledir"),
        ));
    }
    page.into_text()
}

fn state(state: &State, page: &mut Page, view: View) {
    let language = view.language;
    page.gap();
    let (mark, verdict) = match (state.allowed, &state.denied_because) {
        (true, _) => (styled(GOOD, "✓"), styled(GOOD, language.say("may be messaged", "ileti gönderilebilir"))),
        (false, reason) => {
            let why = reason.as_ref().map(|reason| format!(": {}", words::denial(reason, language))).unwrap_or_default();
            let style = if reason.as_deref() == Some("not_yet_at_iys") { DOUBTFUL } else { BAD };
            (styled(style, "✗"), styled(style, format!("{}{why}", language.say("may not be messaged", "ileti gönderilemez"))))
        }
    };
    page.item(&format!("{mark} {}  ", styled(STRONG, format!("{} {}", state.channel, state.recipient_type))), &verdict);
    let told_by = words::origin(&state.origin, language);
    let dealer = state.retailer_code.map(|code| format!(", {} {code}", language.say("retailer", "bayi"))).unwrap_or_default();
    let what = format!("{} {}, {}, {}{dealer}", state.status, state.consent_date, state.source, language.say("told by", "bildiren:"));
    page.item("  ", &format!("{what} {told_by}"));
    for (name, target) in [("İYS", &state.iys), ("Insider", &state.insider)] {
        let label = padded(name, "Insider".len());
        page.item(&format!("  {label}  "), &progress(target, language));
        target.reason.write(page, "           ", view);
    }
}

/// How far a target is.
fn progress(target: &Target, language: Language) -> String {
    let what = match (&target.outcome, &target.held_for) {
        (Some(outcome), _) => words::outcome(outcome, language),
        (None, Some(why)) => format!("{}: {}", words::state(&target.state, language), words::held_for(why, language)),
        (None, None) => words::state(&target.state, language),
    };
    let style = match target.state.as_str() {
        "settled" => GOOD,
        "held" | "rejected" => BAD,
        _ => DOUBTFUL,
    };
    let at = target.at.map(|at| format!(", {}", time(at))).unwrap_or_default();
    let deadline =
        target.deadline.as_ref().map(|deadline| format!(", {} {deadline}", language.say("deadline", "son tarih"))).unwrap_or_default();
    format!("{}{at}{deadline}", styled(style, what))
}

fn row(line: &Line, language: Language) -> Vec<String> {
    let target = |name: &str, target: &Option<Target>| {
        target.as_ref().map(|target| {
            let code = target.reason.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
            let what =
                target.outcome.as_ref().map_or_else(|| words::state(&target.state, language), |outcome| words::outcome(outcome, language));
            format!("{name}: {what}{code}")
        })
    };
    let aside = line.aside.then(|| language.say("without effect: a group was left", "etkisiz: bir gruptan çıkıldı").to_owned());
    let ends = [target("İYS", &line.iys), target("Insider", &line.insider), aside].into_iter().flatten();
    vec![
        format!("{} {}", if line.current { "*" } else { " " }, line.consent_date),
        line.channel.clone(),
        line.recipient_type.clone(),
        line.status.clone(),
        line.source.clone(),
        words::origin(&line.origin, language),
        ends.collect::<Vec<_>>().join("; "),
    ]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::page::bare;

    fn said(json: &Value, address: Option<&str>, language: Language) -> String {
        let story: Story = serde_json::from_value(json.clone()).unwrap();
        bare(&text(&story, address, View { language, width: None }))
    }

    fn held() -> Value {
        json!({
            "recipient": "kisi@example.com", "recipientId": "5o5V6CvI1dDZNNvyDobpzw",
            "states": [{
                "type": "EPOSTA", "recipientType": "BIREYSEL", "status": "ONAY", "source": "HS_WEB", "consentDate": "2026-11-23 10:44:33",
                "origin": "api", "id": "api-x", "allowed": false, "deniedBecause": "held",
                "iys": { "state": "held", "heldFor": "subscription", "at": "2026-11-23T07:44:34Z", "deadline": "2026-11-26 23:59:59",
                    "code": "H520", "cause": { "en": "Paused.", "tr": "Durdu." }, "remedy": { "en": "Renew.", "tr": "Yenileyin." } },
                "insider": { "state": "awaiting" },
            }],
            "history": [{
                "id": "api-x", "type": "EPOSTA", "recipientType": "BIREYSEL", "status": "ONAY", "source": "HS_WEB",
                "consentDate": "2026-11-23 10:44:33", "origin": "api", "receivedAt": "2026-11-23T07:44:33Z", "current": true,
                "iys": { "state": "rejected", "code": "H180" }, "insider": { "state": "settled", "outcome": "not_needed" },
            }],
        })
    }

    #[test]
    fn what_is_held_says_why_what_to_do_and_until_when() {
        let expected = "\
kisi@example.com (5o5V6CvI1dDZNNvyDobpzw)

✗ EPOSTA BIREYSEL  may not be messaged: the consent cannot go to İYS until a person acts
  ONAY 2026-11-23 10:44:33, HS_WEB, told by the brand
  İYS      held: subscription, 2026-11-23 10:44:34, deadline 2026-11-26 23:59:59
           code    H520
           cause   Paused.
           remedy  Renew.
  Insider  waits for İYS

History
  * 2026-11-23 10:44:33  EPOSTA  BIREYSEL  ONAY  HS_WEB  the brand  İYS: refused H180; Insider: not needed there
  * the state of today; dates are Turkish time
";
        assert_eq!(said(&held(), Some("kisi@example.com"), Language::En), expected);
    }

    #[test]
    fn the_same_is_said_in_turkish() {
        let told = said(&held(), Some("kisi@example.com"), Language::Tr);
        for line in [
            "ileti gönderilemez: biri harekete geçmeden",
            "bekletiliyor: abonelik",
            "çözüm  Yenileyin.",
            "bildiren: marka",
            "reddedildi H180",
        ] {
            assert!(told.contains(line), "{line} is missing in:\n{told}");
        }
        for english in ["cause", "remedy", "told by", "deadline", "History"] {
            assert!(!told.contains(english), "{english} in:\n{told}");
        }
    }

    #[test]
    fn an_address_that_nobody_typed_into_the_command_is_not_shown() {
        let told = said(&held(), None, Language::En);
        assert!(!told.contains("kisi") && told.starts_with("The address (5o5V"), "{told}");
    }

    #[test]
    fn an_unknown_address_is_said_to_be_unknown() {
        let told = said(&json!({ "recipient": "a@example.com", "recipientId": "x", "states": [], "history": [] }), None, Language::En);
        assert!(told.contains("never heard of it"), "{told}");
    }
}
