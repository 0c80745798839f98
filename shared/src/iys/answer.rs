//! What an answer says: its errors, which of several counts, and its body as a typed value.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderName, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::wire::{ErrorBody, ErrorItem};
use crate::consent::code::{Code, Disposition, disposition};

/// One error of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem {
    /// Its code, if it is one.
    pub(super) code: Option<Code>,
    /// Which record of a list, or which address of a question, it is about, in İYS's own counting.
    pub(super) index: Option<usize>,
}

impl Problem {
    pub(super) fn of(item: &ErrorItem) -> Self {
        Self { code: item.code().and_then(|code| code.parse().ok()), index: item.position() }
    }

    pub(super) fn disposition(&self, http: u16) -> Disposition {
        disposition_of(self.code, http)
    }
}

/// What a code means that came with an HTTP status.
pub(super) fn disposition_of(code: Option<Code>, http: u16) -> Disposition {
    disposition(code.map(|code| code.to_string()).as_deref(), http)
}

/// A complete answer. No `Debug`: the body may carry addresses.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    /// What the header `Retry-After` asks for, in seconds. İYS documents none; a gateway before it may
    /// send one.
    pub(super) retry_after: Option<u32>,
}

impl Reply {
    /// Reads the whole of an answer.
    pub(super) async fn collect(response: Response) -> Result<Self, reqwest::Error> {
        let status = response.status();
        let retry_after = retry_after(&response);
        Ok(Self { status, body: response.bytes().await?.to_vec(), retry_after })
    }

    /// A success with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.status == StatusCode::NO_CONTENT || self.body.iter().all(u8::is_ascii_whitespace)
    }

    /// The answer's errors. None when the body names none, or is not JSON at all.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let Ok(body) = serde_json::from_slice::<ErrorBody>(&self.body) else { return Vec::new() };
        let mut problems: Vec<Problem> = body.errors.0.iter().chain(&body.error.0).flatten().map(Problem::of).collect();
        if let Some(code) = body.code.get().or(body.code_misspelt.get()).and_then(|code| code.parse().ok()) {
            problems.push(Problem { code: Some(code), index: None });
        }
        problems
    }

    /// The body as a typed value, or where it does not fit.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        decode(&self.body)
    }
}

/// A header, if it is there and is text.
pub(super) fn head(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok().map(str::trim)
}

/// A moment as HTTP writes it, such as `Fri, 20 Nov 2026 10:00:00 GMT`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// What `Retry-After` asks for: seconds, or a moment against the answer's own `Date`, so that a clock
/// of ours that is wrong does not matter.
fn retry_after(response: &Response) -> Option<u32> {
    let text = head(response, RETRY_AFTER)?;
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let (until, now) = (http_date(text)?, head(response, DATE).and_then(http_date)?);
    u32::try_from(until.duration_since(now).as_secs().max(0)).ok()
}

/// Reads JSON. The error names the place and never the value, which may be an address.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        let kind = match inner.classify() {
            serde_json::error::Category::Eof => "the answer is cut off",
            serde_json::error::Category::Data => "the value does not fit",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
        };
        format!("at {}: {kind} (line {}, column {})", place(error.path()), inner.line(), inner.column())
    })
}

/// A JSON path in which every name is a plain word: an unexpected name may be an address.
fn place(path: &serde_path_to_error::Path) -> String {
    let mut place = String::from("$");
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => place.push_str(&format!("[{index}]")),
            Segment::Map { key } if key.len() <= 32 && key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_') => {
                place.push('.');
                place.push_str(key);
            }
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => place.push_str(".?"),
        }
    }
    place
}

/// Which of several errors counts. İYS lists every problem that it found; the one that decides is the
/// one that must go before any other could matter:
///
/// 1. the token is refused, or token requests are stopped: nothing was judged;
/// 2. the brand is held: nothing it sends is taken, whatever is in it;
/// 3. the data is wrong: final, whatever else is;
/// 4. too late: final, but for a RET there may be another way;
/// 5. superseded, then already there, then not registered: the state at İYS decides, and the first of
///    them tells most about it;
/// 6. a passing fault: only when nothing final is known;
/// 7. our own defect: only when nothing else is named, so that a record that is wrong anyway is not
///    tried for ever.
pub(super) fn decisive(problems: &[Problem], http: u16) -> Option<Problem> {
    problems.iter().copied().min_by_key(|problem| rank(problem.disposition(http)))
}

fn rank(disposition: Disposition) -> u8 {
    match disposition {
        Disposition::Unauthorised | Disposition::TokenStop => 0,
        Disposition::Held(_) => 1,
        Disposition::Rejected => 2,
        Disposition::TooLate => 3,
        Disposition::Superseded => 4,
        Disposition::AlreadyThere => 5,
        Disposition::NotRegistered => 6,
        Disposition::Retry(_) => 7,
        Disposition::Defect => 8,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;
    use crate::iys::wire::{Added, Feed, MultiAnswer};

    fn reply(body: &str) -> Reply {
        Reply { status: StatusCode::BAD_REQUEST, body: body.as_bytes().to_vec(), retry_after: None }
    }

    fn codes(body: &str) -> Vec<(Option<String>, Option<usize>)> {
        reply(body).problems().into_iter().map(|problem| (problem.code.map(|code| code.to_string()), problem.index)).collect()
    }

    #[test]
    fn errors_are_read_in_every_shape_that_iys_sends() {
        let one = vec![(Some("H174".to_owned()), None)];
        assert_eq!(codes(r#"{"errors":[{"code":"H174","message":"x","location":["status",0],"value":{"a":[1]}}]}"#), one);
        assert_eq!(codes(r#"{"errors":{"code":"H174"}}"#), one);
        assert_eq!(codes(r#"{"errors":[{"code:":"H174"}]}"#), one);
        assert_eq!(codes(r#"{"code":"H174","message":"x"}"#), one);
        assert_eq!(codes(r#"{"error":{"code":"H174"}}"#), one);
        assert_eq!(
            codes(r#"{"errors":[{"code":"H467","index":"3"},{"code":"H120","index":4}]}"#),
            [(Some("H467".to_owned()), Some(3)), (Some("H120".to_owned()), Some(4)),]
        );
        // A question's addresses are named by their place, and nothing else is.
        for (location, index) in [
            (r#"["recipients",3]"#, Some(3)),
            (r#"["recipients","3"]"#, Some(3)),
            (r#"["retailerAccess",3]"#, None),
            (r#"["recipients",{"a":3}]"#, None),
            (r#"["recipients"]"#, None),
            (r#""recipients""#, None),
            ("null", None),
        ] {
            let body = format!(r#"{{"errors":[{{"code":"H464","location":{location},"value":"x"}}]}}"#);
            assert_eq!(codes(&body), [(Some("H464".to_owned()), index)], "{location}");
        }
        assert_eq!(codes(r#"{"error":"invalid_grant","error_description":"x"}"#), []);
        assert_eq!(codes(r#"{"errors":["H174",null,{"code":7}]}"#), [(None, None)]);
        assert_eq!(codes("<html>"), []);
        assert_eq!(codes(""), []);
    }

    #[test]
    fn of_several_errors_the_one_that_must_go_first_counts() {
        let decide = |codes: &[&str]| {
            let problems: Vec<Problem> = codes.iter().map(|code| Problem { code: code.parse().ok(), index: None }).collect();
            decisive(&problems, 422).and_then(|problem| problem.code).map(|code| code.to_string())
        };
        assert_eq!(decide(&["H121", "H160"]).as_deref(), Some("H121"));
        assert_eq!(decide(&["H467", "H120"]).as_deref(), Some("H120"));
        assert_eq!(decide(&["H120", "H353"]).as_deref(), Some("H353"));
        assert_eq!(decide(&["H162", "H120"]).as_deref(), Some("H120"));
        assert_eq!(decide(&["H118", "H162"]).as_deref(), Some("H162"));
        assert_eq!(decide(&["H174", "H178"]).as_deref(), Some("H178"));
        assert_eq!(decide(&[]), None);
    }

    #[test]
    fn a_body_that_does_not_fit_is_named_by_its_place_alone() {
        let body = r#"{"list":"person@example.com"}"#;
        let error = decode::<MultiAnswer>(body.as_bytes()).err().unwrap();
        assert!(error.starts_with("at $.list: the value does not fit"), "{error}");
        let error = decode::<Added>(br#"{"person@example.com":{"905321112233":tru}}"#).err().unwrap();
        assert!(error.contains("not JSON"), "{error}");
        assert!(!error.contains("person") && !error.contains("532"), "{error}");
        let error = decode::<Feed>(br#"{"list":[{"recipient":"person@example.com""#).err().unwrap();
        assert!(error.contains("cut off") && !error.contains("person"), "{error}");
    }
}
