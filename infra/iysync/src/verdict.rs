//! The checks of a brand, one line each, and what they amount to.

use anstyle::Style;
use shared::answers::{Check, Checks, Outcome};
use shared::consent::ConsentDate;

use crate::commands::View;
use crate::exit::Exit;
use crate::language::Language;
use crate::page::{BAD, DOUBTFUL, FAINT, GOOD, Page, padded, styled, widest};
use crate::reason::Reason;

/// Every outcome, in the order in which they are counted.
const OUTCOMES: [Outcome; 4] = [Outcome::Ok, Outcome::Warning, Outcome::Failed, Outcome::Skipped];

/// Whether the brand is right: nothing failed, and if that is asked for, nothing is doubtful either.
pub(crate) fn exit(checks: &Checks, strict: bool) -> Exit {
    let is_wrong = |check: &Check| match check.outcome {
        Outcome::Failed => true,
        Outcome::Warning => strict,
        Outcome::Ok | Outcome::Skipped => false,
    };
    // No check at all is no proof of anything.
    if checks.checks.is_empty() || checks.checks.iter().any(is_wrong) { Exit::Wrong } else { Exit::Fine }
}

/// Symbol, word and style of an outcome.
fn shown(outcome: Outcome, language: Language) -> (&'static str, &'static str, Style) {
    match outcome {
        Outcome::Ok => ("✓", language.say("ok", "tamam"), GOOD),
        Outcome::Warning => ("!", language.say("warning", "uyarı"), DOUBTFUL),
        Outcome::Failed => ("✗", language.say("failed", "hata"), BAD),
        Outcome::Skipped => ("-", language.say("skipped", "atlandı"), FAINT),
    }
}

/// The checks for a person.
pub(crate) fn text(checks: &Checks, view: View) -> String {
    let language = view.language;
    let mut page = view.page();
    let at = ConsentDate::at(checks.at);
    page.line(language.say(format!("Brand {}, {at} in Türkiye", checks.brand), format!("Marka {}, {at} (Türkiye saati)", checks.brand)));
    page.gap();
    let words = OUTCOMES.map(|outcome| shown(outcome, language).1);
    let columns = (widest(words), widest(checks.checks.iter().map(|check| check.check.as_str())));
    for check in &checks.checks {
        line(check, columns, &mut page, view);
    }
    page.gap();
    page.line(summary(checks, language));
    page.into_text()
}

fn line(check: &Check, (words, names): (usize, usize), page: &mut Page, view: View) {
    let (symbol, word, style) = shown(check.outcome, view.language);
    let mark = styled(style, format!("{symbol} {}", padded(word, words)));
    page.item(&format!("{mark}  {}  ", padded(&check.check, names)), view.language.of(&check.detail));
    if let Some(reason) = &check.reason {
        Reason::from(reason).write(page, &" ".repeat(words + 4), view);
    }
}

fn summary(checks: &Checks, language: Language) -> String {
    let counts = OUTCOMES.map(|outcome| {
        let count = checks.checks.iter().filter(|check| check.outcome == outcome).count();
        (count > 0).then(|| {
            let (_, word, style) = shown(outcome, language);
            styled(style, format!("{count} {word}"))
        })
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let total = checks.checks.len();
    format!("{}: {}", language.say(format!("{total} checks"), format!("{total} kontrol")), counts.join(", "))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::page::bare;

    fn checks(outcomes: &[&str]) -> Checks {
        let check = |outcome: &&str| match *outcome {
            "failed" => json!({
                "check": "authority.ARAMA", "outcome": "failed", "code": "H355",
                "detail": { "en": "İYS refuses: H355", "tr": "İYS reddediyor: H355" },
                "cause": { "en": "No authority.", "tr": "Yetki yok." }, "remedy": { "en": "Grant it.", "tr": "Verin." },
            }),
            outcome => json!({ "check": "token", "outcome": outcome, "detail": { "en": "there is one", "tr": "var" } }),
        };
        let checks: Vec<_> = outcomes.iter().map(check).collect();
        serde_json::from_value(json!({ "brand": "demo", "at": "2026-11-25T21:00:00Z", "checks": checks })).unwrap()
    }

    fn said(checks: &Checks, language: Language) -> String {
        bare(&text(checks, View { language, width: None }))
    }

    #[test]
    fn warnings_are_wrong_only_where_that_is_asked_for() {
        for (outcomes, lenient, strict) in [
            (vec!["ok", "skipped"], Exit::Fine, Exit::Fine),
            (vec!["ok", "warning"], Exit::Fine, Exit::Wrong),
            (vec!["warning", "failed"], Exit::Wrong, Exit::Wrong),
            (vec![], Exit::Wrong, Exit::Wrong),
        ] {
            let checks = checks(&outcomes);
            assert_eq!((exit(&checks, false), exit(&checks, true)), (lenient, strict), "{outcomes:?}");
        }
    }

    #[test]
    fn a_check_is_one_line_and_what_is_wrong_has_code_cause_and_remedy_below() {
        let checks = checks(&["ok", "failed", "skipped"]);
        let expected = "\
Brand demo, 2026-11-26 00:00:00 in Türkiye

✓ ok       token            there is one
✗ failed   authority.ARAMA  İYS refuses: H355
           code    H355
           cause   No authority.
           remedy  Grant it.
- skipped  token            there is one

3 checks: 1 ok, 1 failed, 1 skipped
";
        assert_eq!(said(&checks, Language::En), expected);
    }

    #[test]
    fn the_same_is_said_in_turkish() {
        let checks = checks(&["ok", "failed", "warning"]);
        let expected = "\
Marka demo, 2026-11-26 00:00:00 (Türkiye saati)

✓ tamam    token            var
✗ hata     authority.ARAMA  İYS reddediyor: H355
           kod    H355
           neden  Yetki yok.
           çözüm  Verin.
! uyarı    token            var

3 kontrol: 1 tamam, 1 uyarı, 1 hata
";
        assert_eq!(said(&checks, Language::Tr), expected);
    }
}
