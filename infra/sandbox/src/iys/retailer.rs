//! What İYS takes for a retailer (bayi): its fields, and the code for each that is wrong (İYS API
//! documentation, retailer creation).

use serde_json::{Map, Value, json};

use super::address;
use super::errors::Problem;
use super::model::ConsentType;
use super::switches::Switches;

/// Fields that must be sent.
const REQUIRED: [&str; 6] = ["title", "name", "tckn", "tin", "city", "town"];
/// Fields that may be sent.
const OPTIONAL: [&str; 4] = ["mersis", "alias", "mobile", "status"];
/// States; the first is the usual one.
const STATUSES: [&str; 3] = ["active", "passive", "suspended"];
/// Characters of a title, name or alias.
const TEXT_MAXIMUM: usize = 255;
const TCKN_DIGITS: usize = 11;
const VKN_DIGITS: usize = 10;
const MERSIS_DIGITS: usize = 16;

/// A retailer as it was created.
#[derive(Clone, Debug)]
pub(crate) struct Retailer {
    pub(crate) fields: Map<String, Value>,
}

impl Retailer {
    /// One that stands from the start, of which nothing but the number is known.
    pub(crate) fn preset(code: u64) -> Self {
        Self { fields: Map::from_iter([("title".to_owned(), json!(format!("Bayi {code}"))), ("status".to_owned(), json!(STATUSES[0]))]) }
    }

    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    pub(crate) fn is_passive(&self) -> bool {
        self.text("status") == Some("passive")
    }
}

/// Reads the body of a creation; all problems are returned together.
pub(crate) fn read(item: &Map<String, Value>, switches: &Switches) -> Result<Retailer, Vec<Problem>> {
    let missing: Vec<&str> = REQUIRED.into_iter().filter(|field| !item.contains_key(*field)).collect();
    let known = |field: &str| REQUIRED.contains(&field) || OPTIONAL.contains(&field);
    let unknown: Vec<&str> = item.keys().map(String::as_str).filter(|field| !known(field)).collect();
    // A tax number that is left out has a code of its own.
    let mut problems = Vec::new();
    if missing == ["tin"] {
        problems.push(Problem::at("H288", "tin", None));
    } else if !missing.is_empty() || !unknown.is_empty() {
        return Err(vec![Problem { value: Some(json!(REQUIRED)), ..Problem::new("H016") }]);
    }
    let mut fields = Map::new();
    for (field, empty) in [("title", Some("H214")), ("name", Some("H215")), ("alias", None)] {
        if let Some(text) = plain(item, field, empty, &mut problems) {
            check_text(field, &text, &mut problems);
            fields.insert(field.to_owned(), json!(text));
        }
    }
    if let Some(tckn) = plain(item, "tckn", Some("H216"), &mut problems) {
        if tckn.chars().count() != TCKN_DIGITS {
            problems.push(Problem::at("H226", "tckn", Some(&json!(tckn))));
        } else if !is_tckn(&tckn, switches) {
            problems.push(Problem::at("H225", "tckn", Some(&json!(tckn))));
        }
        fields.insert("tckn".to_owned(), json!(tckn));
    }
    if let Some(tin) = item.get("tin").and_then(|_| plain(item, "tin", Some("H288"), &mut problems)) {
        let valid = match tin.chars().count() {
            VKN_DIGITS => is_vkn(&tin, switches),
            TCKN_DIGITS => is_tckn(&tin, switches),
            _ => {
                problems.push(Problem::at("H244", "tin", Some(&json!(tin))));
                true
            }
        };
        if !valid {
            problems.push(Problem::at("H243", "tin", Some(&json!(tin))));
        }
        fields.insert("tin".to_owned(), json!(tin));
    }
    if let Some(mersis) = plain(item, "mersis", None, &mut problems) {
        if mersis.chars().count() != MERSIS_DIGITS {
            problems.push(Problem::at("H228", "mersis", Some(&json!(mersis))));
        } else if !all_digits(&mersis) {
            problems.push(Problem::at("H227", "mersis", Some(&json!(mersis))));
        }
        fields.insert("mersis".to_owned(), json!(mersis));
    }
    if let Some(mobile) = plain(item, "mobile", None, &mut problems) {
        if !address::phone_problems(&mobile, ConsentType::Arama, switches).is_empty() {
            problems.push(Problem::at("H224", "mobile", Some(&json!(mobile))));
        }
        fields.insert("mobile".to_owned(), json!(mobile));
    }
    for (field, empty, code, name) in [("city", "H217", "H218", "H219"), ("town", "H220", "H221", "H222")] {
        if let Some(place) = place(item, field, [empty, code, name], &mut problems) {
            fields.insert(field.to_owned(), place);
        }
    }
    let status = plain(item, "status", None, &mut problems).unwrap_or_else(|| STATUSES[0].to_owned());
    if !STATUSES.contains(&status.as_str()) {
        problems.push(Problem::at("H201", "status", Some(&json!(status))));
    }
    fields.insert("status".to_owned(), json!(status));
    if problems.is_empty() { Ok(Retailer { fields }) } else { Err(problems) }
}

/// A text, or a number as İYS's samples write some; `empty` is the code for an empty one, which optional
/// fields do not have.
fn plain(item: &Map<String, Value>, field: &str, empty: Option<&'static str>, problems: &mut Vec<Problem>) -> Option<String> {
    let value = item.get(field)?;
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    if text.is_empty() {
        problems.push(Problem::at(empty.unwrap_or("H016"), field, Some(value)));
        return None;
    }
    Some(text)
}

fn check_text(field: &str, text: &str, problems: &mut Vec<Problem>) {
    if text.chars().count() > TEXT_MAXIMUM {
        problems.push(Problem::at("H017", field, None));
    }
    if !text.chars().all(|letter| letter.is_alphanumeric() || letter == ' ') {
        problems.push(Problem::at("H229", field, Some(&json!(text))));
    }
}

/// A province or town: an object with `code` (text or number, U25) and `name`. Codes: empty, without code,
/// without name.
fn place(item: &Map<String, Value>, field: &str, [empty, code, name]: [&'static str; 3], problems: &mut Vec<Problem>) -> Option<Value> {
    let value = item.get(field)?;
    let Some(parts) = value.as_object().filter(|parts| !parts.is_empty()) else {
        problems.push(Problem::at(empty, field, Some(value)));
        return None;
    };
    let mut read = |part: &str, missing: &'static str| {
        let text = parts.get(part).and_then(|_| plain(parts, part, Some(missing), problems));
        if text.is_none() && !parts.contains_key(part) {
            problems.push(Problem::at(missing, field, Some(value)));
        }
        text
    };
    let (code, name) = (read("code", code), read("name", name));
    Some(json!({ "code": code?, "name": name? }))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|letter| letter.to_digit(10)).collect()
}

/// An identity number: eleven digits, the last two of which check the others.
fn is_tckn(text: &str, switches: &Switches) -> bool {
    if !all_digits(text) || text.starts_with('0') {
        return false;
    }
    let all = digits(text);
    let (Some(first), Some([tenth, eleventh])) = (all.get(..9), all.get(9..11)) else {
        return false;
    };
    let odd: u32 = first.iter().step_by(2).sum();
    let even: u32 = first.iter().skip(1).step_by(2).sum();
    let checked = (odd * 7 + 90 - even) % 10 == *tenth && (odd + even + tenth) % 10 == *eleventh;
    checked || !switches.retailer_check_digits
}

/// A tax number: ten digits, the last of which checks the others.
fn is_vkn(text: &str, switches: &Switches) -> bool {
    if !all_digits(text) {
        return false;
    }
    let all = digits(text);
    let (Some(first), Some(last)) = (all.get(..9), all.get(9)) else {
        return false;
    };
    let sum: u32 = first
        .iter()
        .zip((1..=9_u32).rev())
        .map(|(digit, weight)| match (digit + weight) % 10 {
            9 => 9,
            shifted => shifted * 2_u32.pow(weight) % 9,
        })
        .sum();
    (10 - sum % 10) % 10 == *last || !switches.retailer_check_digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Map<String, Value> {
        Map::from_iter(
            [
                ("title", json!("ABC Ticaret 2")),
                ("name", json!("Ayşe Yılmaz")),
                ("tckn", json!("10000000146")),
                ("tin", json!("1234567890")),
                ("city", json!({ "name": "İstanbul", "code": "34" })),
                ("town", json!({ "name": "Kadıköy", "code": 421 })),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        )
    }

    fn codes(field: &str, value: Value) -> Vec<&'static str> {
        let mut item = item();
        item.insert(field.to_owned(), value);
        let read = read(&item, &Switches::default());
        read.err().unwrap_or_default().iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn a_complete_retailer_is_taken_with_numbers_as_texts_or_numbers() {
        assert_eq!(codes("tckn", json!(10_000_000_146_u64)), Vec::<&str>::new());
        assert_eq!(codes("mersis", json!("0015001526400496")), Vec::<&str>::new());
        assert_eq!(codes("mobile", json!("+905992000001")), Vec::<&str>::new());
        for status in STATUSES {
            assert_eq!(codes("status", json!(status)), Vec::<&str>::new());
        }
    }

    #[test]
    fn each_wrong_field_has_its_code() {
        for (field, value, code) in [
            ("title", json!(""), "H214"),
            ("name", json!(" "), "H215"),
            ("tckn", json!(""), "H216"),
            ("city", json!({}), "H217"),
            ("city", json!({ "name": "x" }), "H218"),
            ("city", json!({ "code": 1, "name": "" }), "H219"),
            ("town", json!(null), "H220"),
            ("town", json!({ "name": "x", "code": "" }), "H221"),
            ("town", json!({ "code": 1 }), "H222"),
            ("mobile", json!("0599200"), "H224"),
            ("tckn", json!("10000000145"), "H225"),
            ("tckn", json!("1000000014"), "H226"),
            ("mersis", json!("001500152640049x"), "H227"),
            ("mersis", json!("001500152640049"), "H228"),
            ("title", json!("A & B"), "H229"),
            ("alias", json!("a".repeat(256)), "H017"),
            ("status", json!("pending"), "H201"),
            ("tin", json!(""), "H288"),
            ("tin", json!("1234567891"), "H243"),
            ("tin", json!("123456789"), "H244"),
            ("note", json!("x"), "H016"),
        ] {
            assert_eq!(codes(field, value.clone()), [code], "{field} {value}");
        }
        for (missing, code) in [("town", "H016"), ("tin", "H288")] {
            let mut item = item();
            item.remove(missing);
            let problems = read(&item, &Switches::default()).err().unwrap_or_default();
            assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [code], "{missing}");
        }
    }

    #[test]
    fn check_digits_can_be_passed_over() {
        let lenient = Switches { retailer_check_digits: false, ..Switches::default() };
        let mut item = item();
        item.insert("tckn".to_owned(), json!("10000000145"));
        assert!(read(&item, &lenient).is_ok());
    }
}
