//! How a request proves that it comes from Insider.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::config::Auth;

/// The header of a proof and its value, for a body as it goes out.
pub(super) fn header(auth: &Auth, body: &str) -> (&'static str, String) {
    const SIGNATURE: &str = "X-INS-AUTH";
    const AUTHORIZATION: &str = "Authorization";
    match auth {
        Auth::HmacHex { secret } => (SIGNATURE, HEXLOWER.encode(&sign(secret, body))),
        Auth::HmacBase64 { secret } => (SIGNATURE, BASE64.encode(&sign(secret, body))),
        Auth::Secret { secret } => (SIGNATURE, secret.clone()),
        Auth::Basic { username, password } => {
            (AUTHORIZATION, format!("Basic {}", BASE64.encode(format!("{username}:{password}").as_bytes())))
        }
        Auth::Bearer { token } => (AUTHORIZATION, format!("Bearer {token}")),
    }
}

fn sign(secret: &str, body: &str) -> Vec<u8> {
    // HMAC takes keys of any length, so there is always one.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else {
        return Vec::new();
    };
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_published_one_of_the_published_text() {
        // The example of Wikipedia's article on HMAC.
        let body = "The quick brown fox jumps over the lazy dog";
        let (key, hex) = ("key".to_owned(), "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9");
        assert_eq!(header(&Auth::HmacHex { secret: key.clone() }, body), ("X-INS-AUTH", hex.to_owned()));
        assert_eq!(header(&Auth::HmacBase64 { secret: key }, body), ("X-INS-AUTH", "3nybhbi3iqa8ino29wqQcBydtNk=".to_owned()));
    }
}
