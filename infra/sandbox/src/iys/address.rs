//! What İYS takes for an e-mail address or a phone number (İYS API documentation, “Tanımlar”).

/// Length of an e-mail address in characters.
const EMAIL_LENGTH: std::ops::RangeInclusive<usize> = 6..=265;
/// Length of a phone number in characters, the `+` included (U30).
const PHONE_MAXIMUM: usize = 15;
/// Digits of a Turkish number after `+90`.
const TURKISH_DIGITS: usize = 10;

/// Whether `text` is an e-mail address by İYS's prose rules (U14): ASCII letters, digits, dots,
/// hyphens and underscores, `+` before the `@` only, at least one character `@` two `.` two.
pub(crate) fn is_email(text: &str) -> bool {
    if !EMAIL_LENGTH.contains(&text.chars().count()) {
        return false;
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let Some((name, ending)) = domain.rsplit_once('.') else {
        return false;
    };
    !local.is_empty()
        && local.bytes().all(|byte| plain(byte) || byte == b'+')
        && name.len() >= 2
        && name.bytes().all(plain)
        && ending.len() >= 2
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The codes for what is wrong with a phone number: H121, H160, both or none.
pub(crate) fn phone_problems(text: &str) -> Vec<&'static str> {
    let mut codes = Vec::new();
    if !is_phone(text) {
        codes.push("H121");
    }
    if is_too_long(text) {
        codes.push("H160");
    }
    codes
}

/// Whether a number exceeds the maximum length.
pub(crate) fn is_too_long(text: &str) -> bool {
    text.starts_with('+') && text.chars().count() > PHONE_MAXIMUM
}

/// Whether `text` has the form of an E.164 number; for Türkiye ten digits after `+90`, or eleven
/// that begin with `05` (which İYS stores, see [`has_extra_zero`]).
pub(crate) fn is_phone(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else {
        return false;
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || text.len() > PHONE_MAXIMUM {
        return false;
    }
    match digits.strip_prefix("90") {
        Some(national) => (national.len() == TURKISH_DIGITS && !national.starts_with('0')) || has_extra_zero(text),
        None => digits.len() >= 7 && !digits.starts_with('0'),
    }
}

/// `+9005…`: stored by İYS, but found neither by the recipient nor by operators (İYS, 2025-03-19).
pub(crate) fn has_extra_zero(text: &str) -> bool {
    text.strip_prefix("+900").is_some_and(|rest| rest.len() == TURKISH_DIGITS && rest.starts_with('5'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_follow_the_prose_rules() {
        for good in ["a@bc.de", "a.b+c@example.com", "_-..x@ex-am_ple.co", "A@EXAMPLE.COM"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "a@b.de",
            "@example.com",
            "a b@example.com",
            "a@exa+mple.com",
            "ayşe@example.com",
            "a@example.c",
            "a@b@c.de",
            "a'b@example.com",
            "example.com",
            "a@.de",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
        assert!(is_email(&format!("{}@example.com", "a".repeat(253))), "265 characters");
        assert!(!is_email(&format!("{}@example.com", "a".repeat(254))), "266 characters");
    }

    #[test]
    fn the_numbers_of_the_documentation_are_taken() {
        for good in ["+905992000001", "+905992000000", "+905813334455", "+902121230000", "+491711234567"] {
            assert!(phone_problems(good).is_empty(), "{good}");
        }
    }

    #[test]
    fn numbers_without_plus_or_of_wrong_length_are_refused() {
        for bad in ["905992000001", "05992000001", "+90599200000", "+9059920000011", "+90 5992000001", "+0123456789", "", "+"] {
            assert_eq!(phone_problems(bad), ["H121"], "{bad}");
        }
        assert_eq!(phone_problems("+491711234567890"), ["H121", "H160"]);
    }

    #[test]
    fn the_extra_zero_is_taken_but_known() {
        assert!(phone_problems("+9005992000001").is_empty());
        assert!(has_extra_zero("+9005992000001"));
        assert!(!has_extra_zero("+905992000001"));
        assert_eq!(phone_problems("+9002121230000"), ["H121"]);
    }
}
