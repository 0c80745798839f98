//! A brand's status: what waits, how much time is left, what İYS allows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use shared::consent::ConsentDate;

use crate::clock::{self, Clock};
use crate::commands::View;
use crate::day_files::{self, DayFile};
use crate::insider_export::{self, Export};
use crate::language::Language;
use crate::page::{BAD, DOUBTFUL, FAINT, GOOD, Page, STRONG, clean, padded, styled, widest};
use crate::reason::Reason;
use crate::road;
use crate::verification::{self, Verification};
use crate::words;

/// The answer of `GET /v1/{brand}/status`; what another version does not tell is missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    brand: String,
    at: Timestamp,
    #[serde(default)]
    registry: serde_json::Value,
    #[serde(default)]
    iys: BTreeMap<String, u64>,
    #[serde(default)]
    insider: BTreeMap<String, u64>,
    #[serde(default)]
    truncated: bool,
    oldest_due: Option<Timestamp>,
    first_deadline: Option<String>,
    deadline_slack_seconds: Option<i64>,
    clock: Option<Clock>,
    #[serde(default)]
    last_pull: BTreeMap<String, Option<Timestamp>>,
    verification: Option<Verification>,
    #[serde(default)]
    day_files: Vec<DayFile>,
    #[serde(default)]
    standing: Standing,
    #[serde(default)]
    budget: Budget,
    insider_export: Option<Export>,
    #[serde(default)]
    unknown_events: BTreeMap<String, u64>,
    #[serde(default)]
    unknown_attributes: BTreeMap<String, u64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Standing {
    channels: BTreeMap<String, Grant>,
    mutabakat: Option<Grant>,
    stop: Option<Stop>,
    subscription: Option<Subscription>,
    last_checked: Option<Timestamp>,
    next_check: Option<Timestamp>,
    releasing: bool,
}

#[derive(Deserialize)]
struct Grant {
    access: String,
    how: String,
    since: Option<Timestamp>,
    #[serde(flatten)]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stop {
    held_for: String,
    since: Timestamp,
    #[serde(default)]
    refusals_go_on: bool,
    #[serde(flatten)]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    status: String,
    expiration_date: Option<String>,
    full: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Budget {
    token_requests: Option<Used>,
    single_status: Option<Used>,
    history: Option<Used>,
    quality: Option<Quality>,
    tokens_stopped_until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Used {
    used: u64,
    limit: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Quality {
    requests: u64,
    failed: u64,
    calls_per_second: u64,
}

/// A moment as people in Türkiye read it.
pub(crate) fn time(at: Timestamp) -> String {
    ConsentDate::at(at).to_string()
}

/// The status for a person.
pub(crate) fn text(status: &Status, view: View) -> String {
    let language = view.language;
    let mut page = view.page();
    let at = time(status.at);
    page.line(language.say(format!("Brand {}, {at} in Türkiye", status.brand), format!("Marka {}, {at} (Türkiye saati)", status.brand)));
    if let Some(stop) = &status.standing.stop {
        stopped(stop, &mut page, view);
    }
    section(language.say("The road to İYS", "İYS'ye yol"), road::lines(&status.registry, language), &mut page);
    section(language.say("Open work", "Açık işler"), work(status, language), &mut page);
    if let Some(clock) = &status.clock {
        clock::write(clock, &mut page, view);
    }
    standing(&status.standing, &mut page, view);
    section(language.say("İYS's allowance", "İYS çağrı hakkı"), budget(&status.budget, language), &mut page);
    let pulls = status.last_pull.iter().map(|(feed, at)| (words::feed(feed, language), at.map_or_else(|| never(language), time)));
    section(language.say("Feeds read to their end", "Sonuna kadar okunan hareketler"), pulls.collect(), &mut page);
    if let Some(export) = &status.insider_export {
        section(language.say("Insider's export", "Insider dışa aktarımı"), insider_export::lines(export, language), &mut page);
    }
    let compared = status.verification.as_ref().map(|verification| verification::lines(verification, language));
    section(language.say("Compared with İYS", "İYS ile karşılaştırma"), compared.unwrap_or_default(), &mut page);
    let title = language.say("İYS's files of the last days", "İYS'nin son günlere ait dosyaları");
    section(title, day_files::lines(&status.day_files, language), &mut page);
    let counted = |names: &BTreeMap<String, u64>| names.iter().map(|(name, count)| (clean(name), count.to_string())).collect();
    let title = language.say("Events of Insider's that nobody mapped", "Anlamı belirtilmemiş Insider olayları");
    section(title, counted(&status.unknown_events), &mut page);
    let title = language.say("Attributes of Insider's that nobody mapped", "Anlamı belirtilmemiş Insider alanları");
    section(title, counted(&status.unknown_attributes), &mut page);
    page.into_text()
}

pub(crate) fn never(language: Language) -> String {
    language.say("never", "hiç").to_owned()
}

/// Adds a heading with lines of two columns, if there are any.
fn section(heading: &str, lines: Vec<(String, String)>, page: &mut Page) {
    if lines.is_empty() {
        return;
    }
    page.gap();
    page.line(styled(STRONG, heading));
    let width = widest(lines.iter().map(|(label, _)| label.as_str()));
    for (label, text) in &lines {
        page.item(&format!("  {}  ", padded(label, width)), text);
    }
}

fn stopped(stop: &Stop, page: &mut Page, view: View) {
    let language = view.language;
    let (why, since) = (words::held_for(&stop.held_for, language), time(stop.since));
    page.gap();
    let what = language.say(
        format!("İYS takes nothing of the brand since {since}: {why}"),
        format!("İYS {since} tarihinden beri markadan hiçbir şey almıyor: {why}"),
    );
    page.item(&format!("{} ", styled(BAD, "✗")), &styled(BAD, what));
    stop.reason.write(page, "  ", view);
    if stop.refusals_go_on {
        page.item("  ", language.say("Refusals (RET) go on.", "Retler (RET) sürüyor."));
    }
}

fn work(status: &Status, language: Language) -> Vec<(String, String)> {
    let counts = |counts: &BTreeMap<String, u64>| {
        let shown: Vec<String> = counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(state, count)| format!("{count} {}", words::state(state, language)))
            .collect();
        if shown.is_empty() { styled(GOOD, language.say("nothing", "yok")) } else { shown.join(", ") }
    };
    let mut lines = vec![("İYS".to_owned(), counts(&status.iys)), ("Insider".to_owned(), counts(&status.insider))];
    if status.truncated {
        lines.push((String::new(), language.say("and more than can be counted", "ve sayılabilenden fazlası").to_owned()));
    }
    if let Some(due) = status.oldest_due {
        lines.push((language.say("falls to the sweep", "tarama devralır").to_owned(), time(due)));
    }
    if let Some(deadline) = &status.first_deadline {
        let left = status.deadline_slack_seconds.map(|seconds| left(seconds, language)).unwrap_or_default();
        lines.push((language.say("first deadline", "ilk son tarih").to_owned(), format!("{deadline}  {left}")));
    }
    lines
}

/// So many seconds, as people say them.
pub(crate) fn span(seconds: i64, language: Language) -> String {
    let (days, hours, minutes) = (seconds.abs() / 86_400, seconds.abs() / 3600 % 24, seconds.abs() / 60 % 60);
    match days {
        0 => language.say(format!("{hours} h {minutes} min"), format!("{hours} sa {minutes} dk")),
        _ => language.say(format!("{days} d {hours} h"), format!("{days} gün {hours} sa")),
    }
}

/// How much time is left until a deadline.
pub(crate) fn left(seconds: i64, language: Language) -> String {
    let span = span(seconds, language);
    match seconds {
        ..0 => styled(BAD, language.say(format!("passed {span} ago"), format!("{span} önce geçti"))),
        0..86_400 => styled(DOUBTFUL, language.say(format!("{span} left"), format!("{span} kaldı"))),
        _ => language.say(format!("{span} left"), format!("{span} kaldı")),
    }
}

fn standing(standing: &Standing, page: &mut Page, view: View) {
    let language = view.language;
    let grants = standing.channels.iter().map(|(name, grant)| (name.as_str(), grant));
    let grants: Vec<_> = grants.chain(standing.mutabakat.iter().map(|grant| ("mutabakat", grant))).collect();
    if grants.is_empty() {
        return;
    }
    page.gap();
    page.line(styled(STRONG, language.say("What İYS allows the brand", "İYS'nin markaya izin verdikleri")));
    let labels =
        [language.say("subscription", "abonelik"), language.say("last looked", "son bakış"), language.say("next look", "sonraki bakış")];
    let width = widest(grants.iter().map(|(name, _)| *name).chain(labels));
    for (name, grant) in grants {
        let (word, style) = match grant.access.as_str() {
            "granted" => (language.say("granted", "var"), GOOD),
            "denied" => (language.say("denied", "yok"), BAD),
            "unknown" => (language.say("not asked yet", "henüz sorulmadı"), FAINT),
            other => (other, DOUBTFUL),
        };
        let since = grant.since.map(|at| language.say(format!(", since {}", time(at)), format!(", {}", time(at)))).unwrap_or_default();
        // Nobody has told anything yet.
        let how = if grant.access == "unknown" { String::new() } else { format!(" ({}{since})", words::how(&grant.how, language)) };
        page.item(&format!("  {}  ", padded(name, width)), &format!("{}{how}", styled(style, word)));
        grant.reason.write(page, &" ".repeat(width + 4), view);
    }
    let full = |full: Option<bool>| if full == Some(true) { language.say(", full", ", dolu") } else { "" };
    let subscription = standing.subscription.as_ref().map(|subscription| {
        let until = subscription.expiration_date.as_ref();
        let until = until.map(|end| language.say(format!(" until {end}"), format!(", bitiş {end}"))).unwrap_or_default();
        format!("{}{until}{}", subscription.status, full(subscription.full))
    });
    let times = [subscription, standing.last_checked.map(time), standing.next_check.map(time)];
    for (label, text) in labels.into_iter().zip(times) {
        if let Some(text) = text {
            page.item(&format!("  {}  ", padded(label, width)), &text);
        }
    }
    if standing.releasing {
        page.item("  ", language.say("Held work is being released.", "Bekletilen işler salınıyor."));
    }
}

fn budget(budget: &Budget, language: Language) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let used = [
        (language.say("token requests", "jeton isteği"), &budget.token_requests),
        (language.say("single status", "tekil sorgu"), &budget.single_status),
        (language.say("history", "geçmiş sorgusu"), &budget.history),
    ];
    for (label, used) in used {
        if let Some(Used { used, limit }) = used {
            let text = language.say(format!("{used} of {limit} in the last hour"), format!("son bir saatte {limit} hakkın {used} tanesi"));
            lines.push((label.to_owned(), text));
        }
    }
    if let Some(Quality { requests, failed, calls_per_second }) = &budget.quality {
        let text = language.say(
            format!("{failed} of {requests} requests of the last day failed; {calls_per_second} calls a second"),
            format!("son bir gündeki {requests} istekten {failed} tanesi başarısız; saniyede {calls_per_second} çağrı"),
        );
        lines.push((language.say("quality", "kalite").to_owned(), text));
    }
    if let Some(until) = budget.tokens_stopped_until {
        let label = language.say("no token before", "jeton istenemez, bitiş");
        lines.push((label.to_owned(), styled(BAD, time(until))));
    }
    lines
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::page::bare;

    fn said(json: Value, language: Language) -> String {
        bare(&text(&serde_json::from_value(json).unwrap(), View { language, width: None }))
    }

    fn stopped() -> Value {
        json!({
            "brand": "demo", "at": "2026-11-25T21:00:00Z", "iys": { "held": 240, "settled": 0 }, "insider": {}, "truncated": false,
            "oldestDue": null, "firstDeadline": "2026-11-26 23:59:59", "deadlineSlackSeconds": 86399,
            "lastPull": { "people": "2026-11-25T20:59:00Z", "brand": null },
            "clock": {
                "bySlack": { "late": 0, "under1": 21, "under2": 19, "under3": 200, "more": 0 }, "truncated": false, "urgentMore": 39,
                "urgent": [{ "recipientId": "AAAAAAAAAAAAAAAAAAAAAA", "type": "MESAJ", "recipientType": "BIREYSEL", "status": "RET",
                    "consentDate": "2026-11-23 23:59:59", "deadline": "2026-11-26 23:59:59", "slackSeconds": 86399, "slack": "under1",
                    "waitsSince": "2026-11-24T20:00:00Z", "state": "held", "since": "2026-11-25T20:00:00Z", "heldFor": "subscription",
                    "code": "H520", "cause": { "en": "Paused.", "tr": "Durdu." }, "remedy": { "en": "Renew.", "tr": "Yenileyin." } }],
            },
            "standing": {
                "channels": { "MESAJ": { "access": "denied", "how": "refused", "since": "2026-11-25T20:00:00Z", "code": "H355",
                    "cause": { "en": "No authority.", "tr": "Yetki yok." }, "remedy": { "en": "Grant it.", "tr": "Verin." } } },
                "mutabakat": { "access": "unknown", "how": "configured" },
                "stop": { "heldFor": "subscription", "since": "2026-11-25T20:00:00Z", "code": "H520", "refusalsGoOn": false,
                    "cause": { "en": "Paused.", "tr": "Durdu." }, "remedy": { "en": "Renew.", "tr": "Yenileyin." } },
                "subscription": { "status": "PAUSED", "expirationDate": "2027-01-01 00:00:00", "full": null },
                "lastChecked": "2026-11-25T20:30:00Z", "nextCheck": "2026-11-25T21:30:00Z", "releasing": true,
            },
            "budget": { "tokenRequests": { "used": 1, "limit": 9 },
                "quality": { "requests": 10, "failed": 2, "ratio": 0.8, "callsPerSecond": 7 } },
            "unknownEvents": { "sms_delivered": 3 },
        })
    }

    #[test]
    fn a_stopped_brand_says_why_and_what_to_do_before_anything_else() {
        let expected = "\
Brand demo, 2026-11-26 00:00:00 in Türkiye

✗ İYS takes nothing of the brand since 2026-11-25 23:00:00: subscription
  code    H520
  cause   Paused.
  remedy  Renew.

Open work
  İYS             240 held
  Insider         nothing
  first deadline  2026-11-26 23:59:59  23 h 59 min left

Business days left
  late             0
  less than one    21
  less than two    19
  less than three  200

Late, or more than one business day gone
  RET  MESAJ  AAAAAAAAAAAAAAAAAAAAAA  waits since 2026-11-24 23:00:00
                                      deadline 2026-11-26 23:59:59  23 h 59 min left
                                      held since 2026-11-25 23:00:00: subscription (H520)
  and 39 more

What İYS allows the brand
  MESAJ         denied (a call was refused, since 2026-11-25 23:00:00)
                code    H355
                cause   No authority.
                remedy  Grant it.
  mutabakat     not asked yet
  subscription  PAUSED until 2027-01-01 00:00:00
  last looked   2026-11-25 23:30:00
  next look     2026-11-26 00:30:00
  Held work is being released.

İYS's allowance
  token requests  1 of 9 in the last hour
  quality         2 of 10 requests of the last day failed; 7 calls a second

Feeds read to their end
  what the brand sent  never
  what people did      2026-11-25 23:59:00

Events of Insider's that nobody mapped
  sms_delivered  3
";
        assert_eq!(said(stopped(), Language::En), expected);
    }

    #[test]
    fn the_same_is_said_in_turkish() {
        let told = said(stopped(), Language::Tr);
        for line in ["240 bekletiliyor", "neden  Durdu.", "çözüm  Verin.", "23 sa 59 dk kaldı", "yok (bir çağrı reddedildi"] {
            assert!(told.contains(line), "{line} is missing in:\n{told}");
        }
        for english in ["held", "cause", "remedy", "left", "since", "never"] {
            assert!(!told.contains(english), "{english} in:\n{told}");
        }
    }

    #[test]
    fn a_deadline_that_has_passed_is_said_to_have_passed() {
        assert_eq!(bare(&left(-90_061, Language::En)), "passed 1 d 1 h ago");
        assert_eq!(bare(&left(172_800, Language::Tr)), "2 gün 0 sa kaldı");
    }

    #[test]
    fn what_an_older_system_does_not_tell_is_left_out() {
        let told = said(json!({ "brand": "demo", "at": "2026-11-25T21:00:00Z" }), Language::En);
        assert!(told.ends_with("Open work\n  İYS      nothing\n  Insider  nothing\n"), "{told}");
    }
}
