//! A brand's retailers, and what became of a wish about them.

use shared::answers::{RetailerLine, RetailersAnswer};

use crate::commands::View;
use crate::exit::Exit;
use crate::page::{BAD, FAINT, GOOD, Page, STRONG, clean, padded, styled, widest};
use crate::reason::Reason;

/// The place of a description as a whole, where a field is missing.
const WHOLE: &str = ".";

/// Whether the wish was fulfilled. One retailer that was asked for and is not there is wrong.
pub(crate) fn exit(answer: &RetailersAnswer, shows_one: bool) -> Exit {
    match answer {
        RetailersAnswer::Listed(lines) if shows_one && lines.is_empty() => Exit::Wrong,
        RetailersAnswer::Listed(_) | RetailersAnswer::Created(_) | RetailersAnswer::Deleted(_) => Exit::Fine,
        RetailersAnswer::Refused(_) | RetailersAnswer::Unusable(_) => Exit::Wrong,
    }
}

/// The answer for a person.
pub(crate) fn text(answer: &RetailersAnswer, shows_one: bool, view: View) -> String {
    let language = view.language;
    let mut page = view.page();
    match answer {
        RetailersAnswer::Listed(lines) if lines.is_empty() => {
            page.line(if shows_one {
                language.say("There is no such retailer.", "Böyle bir bayi yok.")
            } else {
                language.say("The brand has no retailers.", "Markanın bayisi yok.")
            });
        }
        RetailersAnswer::Listed(lines) => list(lines, &mut page, shows_one, view),
        RetailersAnswer::Created(code) => {
            page.line(styled(GOOD, language.say(format!("Created: {code}"), format!("Oluşturuldu: {code}"))));
        }
        RetailersAnswer::Deleted(code) => {
            page.line(styled(GOOD, language.say(format!("Deleted: {code}"), format!("Silindi: {code}"))));
        }
        RetailersAnswer::Refused(check) => {
            page.item(&format!("{} ", styled(BAD, "✗")), language.of(&check.detail));
            if let Some(reason) = &check.reason {
                Reason::from(reason).write(&mut page, "  ", view);
            }
        }
        RetailersAnswer::Unusable(field) => {
            let what = match field.as_str() {
                WHOLE => language.say(
                    "The description is no object with all of title, name, tckn, tin, city and town. Nothing was sent to İYS.".to_owned(),
                    "Tanım; title, name, tckn, tin, city ve town alanlarının hepsini içeren bir nesne değil. İYS'ye bir şey gönderilmedi."
                        .to_owned(),
                ),
                field => language.say(
                    format!("The description does not fit at {field}. Nothing was sent to İYS."),
                    format!("Tanımda uymayan yer: {field}. İYS'ye bir şey gönderilmedi."),
                ),
            };
            page.item(&format!("{} ", styled(BAD, "✗")), &what);
        }
    }
    page.into_text()
}

fn list(lines: &[RetailerLine], page: &mut Page, shows_one: bool, view: View) {
    let language = view.language;
    let heads = [
        language.say("number", "numara"),
        language.say("title", "unvan"),
        language.say("branch", "şube"),
        language.say("status", "durum"),
        language.say("city", "il"),
        language.say("town", "ilçe"),
        language.say("consents", "izin"),
    ];
    if shows_one {
        let width = widest(heads);
        for cells in lines.iter().map(cells) {
            for (head, cell) in heads.into_iter().zip(cells) {
                page.item(&format!("{}  ", styled(FAINT, padded(head, width))), &cell);
            }
        }
        return;
    }
    let head = heads.map(|head| styled(STRONG, head)).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(lines.iter().map(cells)).collect();
    page.table("", &rows);
}

fn cells(line: &RetailerLine) -> Vec<String> {
    let text = |text: &Option<String>| text.as_deref().map(clean).unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    vec![
        number(line.retailer_code),
        text(&line.title),
        text(&line.alias),
        text(&line.status),
        text(&line.city),
        text(&line.town),
        number(line.access_count),
    ]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::language::Language;
    use crate::page::bare;

    fn answer(json: Value) -> RetailersAnswer {
        serde_json::from_value(json).unwrap()
    }

    fn said(answer: &RetailersAnswer, shows_one: bool, language: Language) -> String {
        bare(&text(answer, shows_one, View { language, width: None }))
    }

    #[test]
    fn a_list_is_a_table_and_one_retailer_is_read_downwards() {
        let listed = answer(json!({ "listed": [
            { "retailerCode": 66438915, "title": "Deneme", "alias": null, "status": "active", "city": "İzmir", "town": "Konak", "accessCount": 2 },
        ]}));
        let expected = "number    title   branch  status  city   town   consents\n66438915  Deneme          active  İzmir  Konak  2\n";
        assert_eq!(said(&listed, false, Language::En), expected);
        let one = said(&listed, true, Language::Tr);
        assert!(one.contains("il      İzmir\nilçe    Konak\n"), "{one}");
    }

    #[test]
    fn a_refusal_and_a_description_that_does_not_fit_are_told_with_what_to_do() {
        let refused = answer(json!({ "refused": {
            "check": "retailers", "outcome": "failed", "code": "H231", "detail": { "en": "İYS refuses: H231", "tr": "İYS reddediyor: H231" },
            "cause": { "en": "Taken.", "tr": "Alınmış." }, "remedy": { "en": "Look.", "tr": "Bakın." },
        }}));
        assert_eq!(said(&refused, false, Language::En), "✗ İYS refuses: H231\n  code    H231\n  cause   Taken.\n  remedy  Look.\n");
        assert!(said(&refused, false, Language::Tr).ends_with("  çözüm  Bakın.\n"));
        let unusable = answer(json!({ "unusable": "town.code" }));
        assert!(said(&unusable, false, Language::En).contains("does not fit at town.code."));
        assert_eq!([exit(&refused, false), exit(&unusable, false)], [Exit::Wrong; 2]);
    }

    #[test]
    fn nothing_to_list_is_fine_and_nothing_to_show_is_not() {
        let none = answer(json!({ "listed": [] }));
        assert_eq!((exit(&none, false), exit(&none, true)), (Exit::Fine, Exit::Wrong));
        assert_ne!(said(&none, false, Language::En), said(&none, true, Language::En));
        assert_eq!(exit(&answer(json!({ "deleted": 1 })), false), Exit::Fine);
        assert_eq!(said(&answer(json!({ "created": 66438915 })), false, Language::Tr), "Oluşturuldu: 66438915\n");
    }
}
