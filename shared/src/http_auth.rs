//! The `Authorization` header, read: what every route that asks for Basic or bearer credentials shares.
//!
//! The functions here only read. Comparing with a secret is the caller's, in constant time
//! ([`crate::brand::same_secret`], [`crate::brand::BasicCredentials::fit`]).

use data_encoding::BASE64_NOPAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// User name and password of HTTP Basic (RFC 7617), UTF-8. `None` when the header is missing, stands
/// there more than once, or has another form.
pub fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let decoded = BASE64_NOPAD.decode(parameter(headers, "basic")?.trim_end_matches('=').as_bytes()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (username, password) = text.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}

/// The token of `Authorization: Bearer` (RFC 6750). `None` when the header is missing, stands there
/// more than once, or has another form.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    parameter(headers, "bearer")
}

/// What stands behind the scheme; schemes are compared without case.
fn parameter<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next()?, values.next());
    if second.is_some() {
        return None;
    }
    let (given, rest) = first.to_str().ok()?.trim().split_once(' ')?;
    let rest = rest.trim();
    (given.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn basic_credentials_are_split_at_the_first_colon() {
        let expected = Some(("iys".to_owned(), "a:b".to_owned()));
        assert_eq!(basic_credentials(&headers(&["Basic aXlzOmE6Yg=="])), expected);
        assert_eq!(basic_credentials(&headers(&["bAsIc   aXlzOmE6Yg"])), expected);
    }

    #[test]
    fn what_is_no_basic_header_gives_no_credentials() {
        for values in
            [&[] as &[&str], &["Basic"], &["Basic "], &["Basic ?"], &["Bearer aXlzOmE6Yg=="], &["Basic aXlz"], &["Basic /////w=="]]
        {
            assert_eq!(basic_credentials(&headers(values)), None, "{values:?}");
        }
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer(&headers(&["Bearer demo-api-key"])), Some("demo-api-key"));
        assert_eq!(bearer(&headers(&["BEARER  demo-api-key "])), Some("demo-api-key"));
        assert_eq!(bearer(&headers(&["Basic aXlzOmE="])), None);
    }

    #[test]
    fn two_authorization_headers_authorise_nobody() {
        assert_eq!(bearer(&headers(&["Bearer one", "Bearer two"])), None);
    }
}
