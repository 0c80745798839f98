//! Netgsm's answers: always HTTP 200, with a code that is a text.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::config::Switches;
use crate::server::{Refused, json as answer};

/// A refusal of a whole call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Credentials, right or address.
    User,
    /// The module, or HTTP Basic.
    Module,
    /// No record.
    NoRecord,
    /// The brand.
    Brand,
    /// The request, or every record in it.
    Parameters,
    /// Try again; also the limit.
    TryAgain,
}

impl Code {
    fn parts(self, switches: &Switches) -> (&'static str, &'static str) {
        let swapped = switches.codes_40_60_swapped;
        match self {
            Self::User => ("30", "Kullanıcı adı, şifre ya da API yetkisi hatalı, veya IP adresine izin verilmemiş."),
            Self::Module if swapped => ("60", "İYS hesabınız aktif değil."),
            Self::Module => ("40", "İYS modülünüzü aktif ediniz."),
            Self::NoRecord => ("50", "Kayıt bulunamadı."),
            Self::Brand if swapped => ("40", "brandCode hatalı."),
            Self::Brand => ("60", "brandCode değerini kontrol ediniz."),
            Self::Parameters => ("70", "Hatalı ya da eksik parametre."),
            Self::TryAgain => ("80", "İşlem sırasında hata oluştu, tekrar deneyiniz."),
        }
    }
}

/// What is wrong with records: index in the list → field → text.
pub(crate) type ItemErrors = Vec<(usize, Map<String, Value>)>;

fn written(code: &str, switches: &Switches) -> Value {
    match code.parse::<u64>() {
        Ok(number) if switches.numeric_code => json!(number),
        _ => json!(code),
    }
}

/// A refusal.
pub(crate) fn refuse(code: Code, switches: &Switches) -> Response {
    refuse_items(code, &ItemErrors::new(), switches)
}

/// A refusal that says what is wrong with which record.
pub(crate) fn refuse_items(code: Code, errors: &ItemErrors, switches: &Switches) -> Response {
    let (number, text) = code.parts(switches);
    planted(number, text, errors, switches)
}

/// A refusal with a code of the test's choice.
pub(crate) fn planted(code: &str, text: &str, errors: &ItemErrors, switches: &Switches) -> Response {
    let mut body = json!({ "code": written(code, switches), "error": text });
    if !errors.is_empty() {
        body["erroritem"] = items(errors);
    }
    let mut response = answer(200, &body);
    response.extensions_mut().insert(Refused(vec![code.to_owned()]));
    response
}

/// A success: `fields` besides the code.
pub(crate) fn success(mut fields: Map<String, Value>, switches: &Switches) -> Response {
    fields.insert("code".to_owned(), written(if switches.double_zero { "00" } else { "0" }, switches));
    fields.insert("error".to_owned(), json!("false"));
    answer(200, &Value::Object(fields))
}

/// As PHP writes a list by index: an array if the indexes count up from 0 without a gap, else an object.
pub(crate) fn items(errors: &ItemErrors) -> Value {
    if errors.iter().enumerate().all(|(at, (index, _))| at == *index) {
        Value::Array(errors.iter().map(|(_, fields)| Value::Object(fields.clone())).collect())
    } else {
        Value::Object(errors.iter().map(|(index, fields)| (index.to_string(), Value::Object(fields.clone()))).collect())
    }
}

/// The body of an answer that a fault makes up; 200 is the limit.
pub(crate) fn fault_body(_path: &str, status: u16) -> Value {
    if status == 200 {
        let (code, text) = Code::TryAgain.parts(&Switches::default());
        return json!({ "code": code, "error": text });
    }
    json!({ "error": "service unavailable" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_by_index_are_an_array_only_if_they_begin_at_the_first_record_without_a_gap() {
        let of = |indexes: &[usize]| items(&indexes.iter().map(|index| (*index, Map::new())).collect());
        assert_eq!(of(&[0, 1]), json!([{}, {}]));
        assert_eq!(of(&[1]), json!({ "1": {} }));
        assert_eq!(of(&[0, 2]), json!({ "0": {}, "2": {} }));
    }
}
