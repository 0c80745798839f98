//! A time-stamp response (RFC 3161) over a digest, in DER. It has the form of a real one and the right
//! digest and time, but nobody's signature.

use jiff::Timestamp;

use super::model::turkish;
use super::switches::HashMethod;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTENT: u8 = 0xa0;

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 2.16.840.1.101.3.4.2.1
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 2.16.840.1.101.3.4.2.2
const SHA_384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
/// 1.2.3.4, a policy for examples.
const POLICY: &[u8] = &[0x2a, 0x03, 0x04];

/// The response for `digest`, granted at `at`.
pub(crate) fn response(digest: &[u8], method: HashMethod, at: Timestamp) -> Vec<u8> {
    let oid = match method {
        HashMethod::Sha384 => SHA_384,
        HashMethod::Sha256 => SHA_256,
    };
    let algorithm = der(SEQUENCE, &[der(OID, &[oid]), der::<&[u8]>(NULL, &[])]);
    let imprint = der(SEQUENCE, &[algorithm.clone(), der(OCTETS, &[digest])]);
    // Turkish time is UTC+3; the standard wants UTC.
    let utc = turkish(at).saturating_sub(jiff::SignedDuration::from_hours(3)).strftime("%Y%m%d%H%M%SZ").to_string();
    let info = der(SEQUENCE, &[der(INTEGER, &[[1]]), der(OID, &[POLICY]), imprint, der(INTEGER, &[[1]]), der(TIME, &[utc.as_bytes()])]);
    let content = der(SEQUENCE, &[der(OID, &[TST_INFO]), der(CONTENT, &[der(OCTETS, &[info])])]);
    let signed = der(SEQUENCE, &[der(INTEGER, &[[3]]), der(SET, &[algorithm]), content, der::<&[u8]>(SET, &[])]);
    let token = der(SEQUENCE, &[der(OID, &[SIGNED_DATA]), der(CONTENT, &[signed])]);
    let granted = der(SEQUENCE, &[der(INTEGER, &[[0]])]);
    der(SEQUENCE, &[granted, token])
}

/// One element: tag, length, and the parts one after the other.
fn der<T: AsRef<[u8]>>(tag: u8, parts: &[T]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.as_ref().len()).sum();
    let mut element = vec![tag];
    let bytes = length.to_be_bytes();
    let significant = bytes.iter().position(|byte| *byte != 0).map_or(&[0_u8][..], |first| bytes.get(first..).unwrap_or_default());
    if length > 0x7f {
        element.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
    }
    element.extend(significant);
    for part in parts {
        element.extend(part.as_ref());
    }
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_short_and_long() {
        assert_eq!(der(OCTETS, &[[7_u8; 3]]), [OCTETS, 3, 7, 7, 7]);
        assert_eq!(der::<&[u8]>(NULL, &[]), [NULL, 0]);
        assert_eq!(der(OCTETS, &[[0_u8; 200]])[..3], [OCTETS, 0x81, 200]);
        assert_eq!(der(OCTETS, &[[0_u8; 300]])[..4], [OCTETS, 0x82, 1, 44]);
    }

    #[test]
    fn the_response_carries_the_digest_and_the_time_in_utc() {
        let digest = [0xab_u8; 48];
        let bytes = response(&digest, HashMethod::Sha384, Timestamp::UNIX_EPOCH);
        let holds = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
        assert!(holds(&digest) && holds(SHA_384) && holds(b"19700101000000Z"));
        assert_eq!(bytes[..3], [SEQUENCE, 0x81, u8::try_from(bytes.len() - 3).unwrap_or(0)]);
    }
}
