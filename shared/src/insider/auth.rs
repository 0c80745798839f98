//! Whether a webhook comes from Insider.
//!
//! Insider's pages speak of "SHA1" and "the computed HMAC" in `X-INS-AUTH`, and one of them shows the
//! bare secret there. Newer webhooks have no signature but any header the brand names; Architect and
//! WhatsApp have Basic, a bearer token, and OAuth 2.0. Every mode but the last is a setting of the brand
//! ([`WebhookAuth`]), and several may be alive while a secret is rotated. Callbacks of transactional SMS have
//! no documented proof at all, so their secret stands in the address. None of these carries a time: a replayed
//! body is recognised by its event ids, not here.
//!
//! OAuth 2.0 is left out on purpose. Either we would hand out tokens ourselves, and a token for a client
//! secret proves no more than the secret; or we would fetch somebody's signing keys before an opt-out is
//! taken, and lose it with them.

use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use crate::brand::{WebhookAuth, same_secret};
use crate::http_auth;

/// The header that Insider signs with.
const SIGNATURE: &str = "x-ins-auth";

/// How a request proved where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Position of the accepting entry of the brand's `webhookAuth`; the last one, if several accept.
    pub entry: usize,
    /// Its mode.
    pub mode: &'static str,
}

/// What a request may prove something with.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The query of its address, as it was received.
    pub query: &'a str,
    /// Its body as it was received: one that was decoded and written again has another signature.
    pub raw_body: &'a [u8],
}

/// The brand's mode that accepts the request, if any does. Every mode is evaluated whichever one accepts,
/// and secrets are compared in constant time.
pub fn authenticate(auth: &[WebhookAuth], presented: Presented<'_>) -> Option<Proof> {
    auth.iter().enumerate().fold(
        None,
        |proof, (entry, mode)| {
            if accepts(mode, presented) { Some(Proof { entry, mode: mode.name() }) } else { proof }
        },
    )
}

/// Which of the headers that could prove something a request has, for whoever sets a webhook up: names,
/// never a value.
pub fn names_presented(auth: &[WebhookAuth], headers: &HeaderMap) -> String {
    let own = auth.iter().filter_map(|mode| match mode {
        WebhookAuth::Header { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let mut names: Vec<&str> = [SIGNATURE, "authorization"].into_iter().chain(own).filter(|name| headers.contains_key(*name)).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn accepts(mode: &WebhookAuth, presented: Presented<'_>) -> bool {
    let Presented { headers, query, raw_body } = presented;
    match mode {
        WebhookAuth::Header { name, secret } => has_secret(headers, name, secret),
        WebhookAuth::StaticSecret { secret } => has_secret(headers, SIGNATURE, secret),
        WebhookAuth::HmacSha1Hex { secret } => signed(headers, secret, raw_body, |text| HEXLOWER_PERMISSIVE.decode(text).ok()),
        WebhookAuth::HmacSha1Base64 { secret } => signed(headers, secret, raw_body, |text| BASE64_NOPAD.decode(text).ok()),
        WebhookAuth::Basic { username, password } => {
            http_auth::basic_credentials(headers).is_some_and(|(name, word)| same_secret(username, &name) & same_secret(password, &word))
        }
        WebhookAuth::Bearer { token } => http_auth::bearer(headers).is_some_and(|given| same_secret(token, given)),
        WebhookAuth::Query { name, secret } => url::form_urlencoded::parse(query.as_bytes())
            .fold(false, |found, (given, value)| found | (given == name.as_str() && same_secret(secret, &value))),
    }
}

/// Whether a header of that name, in any case, has the secret as its value.
fn has_secret(headers: &HeaderMap, name: &str, secret: &SecretString) -> bool {
    let secret = secret.expose_secret().as_bytes();
    headers.get_all(name).iter().fold(false, |found, value| found | bool::from(secret.ct_eq(value.as_bytes())))
}

fn signed(headers: &HeaderMap, secret: &SecretString, raw_body: &[u8], decode: impl Fn(&[u8]) -> Option<Vec<u8>>) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    mac.update(raw_body);
    headers.get_all(SIGNATURE).iter().fold(false, |found, value| {
        let text = value.as_bytes().trim_ascii();
        let digits = match text.split_at_checked(5) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case(b"sha1=") => rest,
            _ => text,
        };
        // Padding carries nothing; some senders leave it out.
        let digits = digits.strip_suffix(b"=").unwrap_or(digits);
        found | decode(digits).is_some_and(|given| mac.clone().verify_slice(&given).is_ok())
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    /// HMAC-SHA1 of "The quick brown fox jumps over the lazy dog" under "key", as published in many
    /// places, Wikipedia's article on HMAC among them.
    const BODY: &[u8] = b"The quick brown fox jumps over the lazy dog";
    const HEX: &str = "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9";
    const BASE64: &str = "3nybhbi3iqa8ino29wqQcBydtNk=";

    fn authenticate(auth: &[WebhookAuth], headers: &HeaderMap, raw_body: &[u8]) -> bool {
        super::authenticate(auth, Presented { headers, query: "", raw_body }).is_some()
    }

    fn mode(json: &str) -> WebhookAuth {
        serde_json::from_str(json).unwrap()
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_secret_header_is_found_in_any_case_and_must_fit_to_the_letter() {
        let auth = [mode(r#"{"mode":"header","name":"X-Insider-Secret","secret":"s3cret"}"#)];
        assert!(authenticate(&auth, &headers(&[("x-insider-SECRET", "s3cret")]), b""));
        assert!(authenticate(&auth, &headers(&[("X-Insider-Secret", "old"), ("X-Insider-Secret", "s3cret")]), b""));
        for value in ["s3cre", "s3cret2", "S3CRET", ""] {
            assert!(!authenticate(&auth, &headers(&[("X-Insider-Secret", value)]), b""), "{value}");
        }
        assert!(!authenticate(&auth, &headers(&[("X-Other", "s3cret")]), b""));
        assert!(!authenticate(&auth, &HeaderMap::new(), b""));
    }

    #[test]
    fn a_header_name_that_cannot_exist_accepts_nobody() {
        let auth = [mode(r#"{"mode":"header","name":"not a name","secret":"s3cret"}"#)];
        assert!(!authenticate(&auth, &headers(&[("x-insider-secret", "s3cret")]), b""));
    }

    #[test]
    fn a_hexadecimal_signature_is_taken_in_either_case_with_or_without_prefix() {
        let auth = [mode(r#"{"mode":"hmac-sha1-hex","secret":"key"}"#)];
        for value in [HEX.to_owned(), HEX.to_uppercase(), format!("sha1={HEX}"), format!("SHA1={}", HEX.to_uppercase())] {
            assert!(authenticate(&auth, &headers(&[("X-INS-AUTH", &value)]), BODY), "{value}");
        }
        for value in [&HEX[..38], "", "sha1=", "key", BASE64, "zz"] {
            assert!(!authenticate(&auth, &headers(&[("X-INS-AUTH", value)]), BODY), "{value}");
        }
        assert!(!authenticate(&auth, &headers(&[("X-INS-AUTH", HEX)]), b"another body"));
    }

    #[test]
    fn a_base64_signature_is_taken_with_or_without_padding() {
        let auth = [mode(r#"{"mode":"hmac-sha1-base64","secret":"key"}"#)];
        for value in [BASE64.to_owned(), BASE64.trim_end_matches('=').to_owned(), format!("sha1={BASE64}")] {
            assert!(authenticate(&auth, &headers(&[("x-ins-auth", &value)]), BODY), "{value}");
        }
        for value in [HEX, "", "=", "3nybhbi3iqa8ino29wqQcBydtNm="] {
            assert!(!authenticate(&auth, &headers(&[("x-ins-auth", value)]), BODY), "{value}");
        }
    }

    #[test]
    fn the_bare_secret_basic_and_bearer_are_modes_of_their_own() {
        let fixed = [mode(r#"{"mode":"static-secret","secret":"s3cret"}"#)];
        assert!(authenticate(&fixed, &headers(&[("X-INS-AUTH", "s3cret")]), BODY));
        assert!(!authenticate(&fixed, &headers(&[("X-INS-AUTH", "other")]), BODY));
        let basic = [mode(r#"{"mode":"basic","username":"iys","password":"a:b"}"#)];
        assert!(authenticate(&basic, &headers(&[("authorization", "Basic aXlzOmE6Yg==")]), BODY));
        assert!(!authenticate(&basic, &headers(&[("authorization", "Basic aXlzOmE=")]), BODY));
        let bearer = [mode(r#"{"mode":"bearer","token":"t0ken"}"#)];
        assert!(authenticate(&bearer, &headers(&[("authorization", "Bearer t0ken")]), BODY));
        assert!(!authenticate(&bearer, &headers(&[("authorization", "Bearer t0ke")]), BODY));
    }

    /// Each mode with an old and a new secret, and the headers that each of them makes of the body.
    #[test]
    fn in_every_mode_two_secrets_live_side_by_side_and_a_third_opens_nothing() {
        let sign = |secret: &str| {
            let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(BODY);
            mac.finalize().into_bytes()
        };
        let basic = |secret: &str| format!("Basic {}", data_encoding::BASE64.encode(format!("iys:{secret}").as_bytes()));
        type Make<'a> = &'a dyn Fn(&str) -> String;
        let cases: [(&str, &str, Make<'_>); 6] = [
            (r#"{"mode":"header","name":"X-Secret","secret":"@"}"#, "X-Secret", &str::to_owned),
            (r#"{"mode":"static-secret","secret":"@"}"#, "X-INS-AUTH", &str::to_owned),
            (r#"{"mode":"hmac-sha1-hex","secret":"@"}"#, "X-INS-AUTH", &|secret| HEXLOWER_PERMISSIVE.encode(&sign(secret))),
            (r#"{"mode":"hmac-sha1-base64","secret":"@"}"#, "X-INS-AUTH", &|secret| BASE64_NOPAD.encode(&sign(secret))),
            (r#"{"mode":"basic","username":"iys","password":"@"}"#, "authorization", &basic),
            (r#"{"mode":"bearer","token":"@"}"#, "authorization", &|secret| format!("Bearer {secret}")),
        ];
        for (document, header, make) in cases {
            let auth = ["old-secret", "new-secret"].map(|secret| mode(&document.replace('@', secret)));
            let proof_of = |secret: &str, raw_body: &[u8]| {
                let headers = headers(&[(header, &make(secret))]);
                super::authenticate(&auth, Presented { headers: &headers, query: "", raw_body })
            };
            let proof = |secret: &str| proof_of(secret, BODY);
            assert_eq!(proof("old-secret"), Some(Proof { entry: 0, mode: auth[0].name() }), "{document}");
            assert_eq!(proof("new-secret"), Some(Proof { entry: 1, mode: auth[1].name() }), "{document}");
            assert_eq!(proof("third-secret"), None, "{document}");
            assert_eq!(proof_of("new-secret", b"another body").is_none(), document.contains("hmac"), "{document}");
        }
    }

    #[test]
    fn a_secret_in_the_address_is_decoded_and_must_fit_by_name_and_to_the_letter() {
        let auth = ["old+ secret", "new&secret"].map(|secret| mode(&format!(r#"{{"mode":"query","name":"key","secret":"{secret}"}}"#)));
        let proof = |query: &str| super::authenticate(&auth, Presented { headers: &HeaderMap::new(), query, raw_body: BODY });
        assert_eq!(proof("a=b&key=old%2B+secret"), Some(Proof { entry: 0, mode: "query" }));
        assert_eq!(proof("key=new%26secret&key=x"), Some(Proof { entry: 1, mode: "query" }));
        for query in ["", "key", "key=", "KEY=new%26secret", "key=new&secret", "other=new%26secret", "key=new%26secre"] {
            assert_eq!(proof(query), None, "{query}");
        }
    }

    #[test]
    fn what_a_refused_request_presented_is_told_by_name_only() {
        let auth = [mode(r#"{"mode":"header","name":"X-Secret","secret":"s3cret"}"#), mode(r#"{"mode":"bearer","token":"t0ken"}"#)];
        let given = headers(&[("x-secret", "wr0ng"), ("Authorization", "Bearer wr0ng"), ("X-Other", "wr0ng")]);
        assert_eq!(names_presented(&auth, &given), "X-Secret, authorization");
        assert_eq!(names_presented(&auth, &HeaderMap::new()), "");
        assert_eq!(names_presented(&[mode(r#"{"mode":"header","name":"not a name","secret":"s"}"#)], &given), "authorization");
    }

    #[test]
    fn any_mode_of_several_suffices_and_no_mode_accepts_nobody() {
        let auth = [mode(r#"{"mode":"header","name":"X-Old","secret":"old"}"#), mode(r#"{"mode":"header","name":"X-New","secret":"new"}"#)];
        assert!(authenticate(&auth, &headers(&[("X-Old", "old")]), b""));
        assert!(authenticate(&auth, &headers(&[("X-New", "new"), ("X-Old", "wrong")]), b""));
        assert!(!authenticate(&auth, &headers(&[("X-Old", "new")]), b""));
        assert!(!authenticate(&[], &headers(&[("X-Old", "old")]), b""));
    }
}
