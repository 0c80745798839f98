//! Addresses: read, normalised, masked, and turned into the keyed id that may leave the ledger.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;

use super::{BrandName, Channel};

/// An e-mail address or phone number in the one form that İYS stores.
///
/// It has no `Display` and no `Serialize`, and its `Debug` is masked: the only way to the text is
/// [`Recipient::expose`], which marks every place where an address leaves our hands.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// Lower-case ASCII e-mail address, 6 to 265 characters.
    Email(EmailAddress),
    /// E.164 with a leading `+`, at most 15 characters.
    Phone(PhoneNumber),
}

/// The text of a normalised e-mail address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(Box<str>);

/// The text of a normalised phone number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(Box<str>);

/// Why a text is no address for a channel. The text itself is never part of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// Nothing was given.
    #[error("recipient is missing")]
    Missing,
    /// The e-mail address is too short or too long.
    #[error("recipient must be an e-mail address of 6 to 265 characters")]
    EmailLength,
    /// The e-mail address has characters that İYS does not take, or no usable shape.
    #[error("recipient must be an e-mail address of ASCII letters, digits and . _ - + with a domain")]
    EmailForm,
    /// The phone number has more than 15 characters.
    #[error("recipient must be a phone number of at most 15 characters")]
    PhoneLength,
    /// Not a phone number: neither E.164 nor one of the usual Turkish spellings.
    #[error("recipient must be a phone number in E.164 form, such as +905XXXXXXXXX")]
    PhoneForm,
}

impl RecipientError {
    /// İYS's own code for this mistake.
    pub fn code(self) -> &'static str {
        match self {
            RecipientError::Missing => "H114",
            RecipientError::EmailLength | RecipientError::EmailForm => "H120",
            RecipientError::PhoneLength => "H160",
            RecipientError::PhoneForm => "H121",
        }
    }
}

/// A single character before the `@`, two around the dot (İYS documentation, "Tanımlar").
const EMAIL_LENGTH: std::ops::RangeInclusive<usize> = 6..=265;
/// The `+` counts: İYS speaks of characters, and the shorter reading is the safe one.
const PHONE_LENGTH: usize = 15;

impl Recipient {
    /// Reads an address for a channel: an e-mail address for `EPOSTA`, a phone number otherwise.
    ///
    /// Phone numbers are accepted as people write them (`0532 111 22 33`, `532…`, `90532…`,
    /// `0090532…`, and İYS's trap `+900532…`) and come out as `+90532…`; numbers of other countries
    /// need their `+`. Whether a number is in use is for İYS to say: some of the numbers in its own
    /// documentation fail the public numbering plan.
    pub fn parse(text: &str, channel: Channel) -> Result<Self, RecipientError> {
        match channel {
            Channel::Eposta => email(text).map(Self::Email),
            Channel::Arama | Channel::Mesaj => phone(text).map(Self::Phone),
        }
    }

    /// Reads an address by its looks: whatever has an `@` is an e-mail address.
    pub fn parse_any(text: &str) -> Result<Self, RecipientError> {
        if text.contains('@') { email(text).map(Self::Email) } else { phone(text).map(Self::Phone) }
    }

    /// Whether a number is spelt with a zero behind Türkiye's code (`+9005…`). İYS stores such a record,
    /// but under a number that is nobody's: neither the person nor an operator finds it there (İYS
    /// documentation, "Tanımlar"). [`Recipient::parse`] reads the number that was meant.
    pub fn is_misspelt(text: &str) -> bool {
        !text.contains('@') && {
            let digits: String = text.chars().filter(char::is_ascii_digit).take(16).collect();
            digits.trim_start_matches("00").starts_with("900")
        }
    }

    /// The address itself. Every use is a place where it leaves our hands: the ledger's item, a
    /// request to İYS or Insider, an answer to an authorised caller.
    pub fn expose(&self) -> &str {
        match self {
            Recipient::Email(address) => &address.0,
            Recipient::Phone(number) => &number.0,
        }
    }

    /// Whether it is a number of Türkiye.
    pub fn is_turkish(&self) -> bool {
        matches!(self, Recipient::Phone(number) if number.0.starts_with("+90"))
    }

    /// How many bytes the address has.
    pub const fn length(&self) -> usize {
        match self {
            Recipient::Email(address) => address.0.len(),
            Recipient::Phone(number) => number.0.len(),
        }
    }

    /// Whether the channel reaches this kind of address.
    pub fn fits(&self, channel: Channel) -> bool {
        matches!((self, channel), (Recipient::Email(_), Channel::Eposta) | (Recipient::Phone(_), Channel::Arama | Channel::Mesaj))
    }

    /// The keyed id of this address within a brand.
    pub fn id(&self, key: &RecipientIdKey, brand: &BrandName) -> RecipientId {
        key.id(brand, self)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Recipient::Email(_) => "Email(***)",
            Recipient::Phone(_) => "Phone(***)",
        })
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn email(text: &str) -> Result<EmailAddress, RecipientError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(RecipientError::Missing);
    }
    if !EMAIL_LENGTH.contains(&text.len()) {
        return Err(RecipientError::EmailLength);
    }
    let (local, domain) = text.split_once('@').ok_or(RecipientError::EmailForm)?;
    let (host, top) = domain.rsplit_once('.').ok_or(RecipientError::EmailForm)?;
    let allowed = |extra: &'static [u8]| move |byte: u8| byte.is_ascii_alphanumeric() || extra.contains(&byte);
    let fits = !local.is_empty()
        && host.len() >= 2
        && top.len() >= 2
        && local.bytes().all(allowed(b"._-+"))
        && host.bytes().all(allowed(b"._-"))
        && top.bytes().all(allowed(b"-"))
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !host.contains("..");
    if !fits {
        return Err(RecipientError::EmailForm);
    }
    Ok(EmailAddress(text.to_ascii_lowercase().into()))
}

fn phone(text: &str) -> Result<PhoneNumber, RecipientError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(RecipientError::Missing);
    }
    let (international, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut digits = String::with_capacity(rest.len().min(32));
    for character in rest.chars() {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' => {}
            _ => return Err(RecipientError::PhoneForm),
        }
        if digits.len() > 32 {
            return Err(RecipientError::PhoneLength);
        }
    }
    // "00" dials out: the same as a plus.
    let (international, digits) = match digits.strip_prefix("00") {
        Some(rest) if !international => (true, rest.to_owned()),
        _ => (international, digits),
    };
    let turkish = if let Some(national) = digits.strip_prefix("90") {
        let national = national.strip_prefix('0').unwrap_or(national);
        (international || national.len() == 10).then_some(national)
    } else if international {
        None
    } else {
        Some(digits.strip_prefix('0').unwrap_or(&digits))
    };
    let number = match turkish {
        Some(national) if national.len() == 10 && !national.starts_with('0') => format!("+90{national}"),
        Some(_) => return Err(RecipientError::PhoneForm),
        None if digits.starts_with('0') || digits.len() < 7 => return Err(RecipientError::PhoneForm),
        None => format!("+{digits}"),
    };
    if number.len() > PHONE_LENGTH {
        return Err(RecipientError::PhoneLength);
    }
    Ok(PhoneNumber(number.into()))
}

/// An address as somebody sent it, not read yet. Masked like [`Recipient`].
#[derive(Clone, Default)]
pub struct RawRecipient(String);

impl RawRecipient {
    /// Wraps a text that came from outside.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; see [`Recipient::expose`].
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RawRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawRecipient(***)")
    }
}

impl<'de> Deserialize<'de> for RawRecipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// The secret that turns addresses into ids. It must never change while the ledger lives.
#[derive(Clone, Deserialize)]
pub struct RecipientIdKey(SecretString);

impl RecipientIdKey {
    /// Wraps the secret of a deployment or brand.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(SecretString::from(secret.into()))
    }

    /// Whether the secret is long enough to keep phone numbers from being guessed by trial.
    pub fn is_strong(&self) -> bool {
        self.0.expose_secret().len() >= 32
    }

    /// A caller's own name of something, made safe for keys and logs: callers have been seen to use an
    /// address as a name.
    pub fn veil(&self, name: &str) -> String {
        self.mac("name", name)
    }

    fn id(&self, brand: &BrandName, recipient: &Recipient) -> RecipientId {
        RecipientId(self.mac(brand.as_str(), recipient.expose()).into())
    }

    /// 128 bits, in 22 characters: no two texts meet by chance.
    fn mac(&self, domain: &str, text: &str) -> String {
        // HMAC takes keys of any length, so the fallback key is never used.
        let mut mac = match Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()) {
            Ok(mac) => mac,
            Err(_) => Hmac::<Sha256>::new(&Default::default()),
        };
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        BASE64URL_NOPAD.encode(&mac.finalize().into_bytes()[..16])
    }
}

impl fmt::Debug for RecipientIdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecipientIdKey(***)")
    }
}

/// Keyed HMAC-SHA-256 of brand and normalised address: 22 URL-safe characters, the only form of an
/// address that leaves the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RecipientId(Box<str>);

/// A text that is no recipient id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a recipient id has 22 characters of the URL-safe base64 alphabet")]
pub struct RecipientIdError;

impl RecipientId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for RecipientId {
    type Err = RecipientIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 22 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits { Ok(Self(text.into())) } else { Err(RecipientIdError) }
    }
}

impl<'de> Deserialize<'de> for RecipientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mesaj(text: &str) -> Result<String, RecipientError> {
        Recipient::parse(text, Channel::Mesaj).map(|recipient| recipient.expose().to_owned())
    }

    fn eposta(text: &str) -> Result<String, RecipientError> {
        Recipient::parse(text, Channel::Eposta).map(|recipient| recipient.expose().to_owned())
    }

    #[test]
    fn every_turkish_spelling_of_a_number_is_one_number() {
        for text in [
            "+905321112233",
            "905321112233",
            "05321112233",
            "5321112233",
            "+9005321112233",
            "9005321112233",
            "00905321112233",
            " 0532 111 22 33 ",
            "(0532) 111-22-33",
            "+90 532.111.22.33",
        ] {
            assert_eq!(mesaj(text).as_deref(), Ok("+905321112233"), "{text}");
        }
        assert_eq!(mesaj("+902121230000").as_deref(), Ok("+902121230000"));
    }

    #[test]
    fn the_extra_zero_behind_the_country_code_is_told_from_the_right_spellings() {
        for text in ["+9005321112233", " +90 0532 111 22 33", "9005321112233", "009005321112233", "+9002121230000"] {
            assert!(Recipient::is_misspelt(text) && mesaj(text).is_ok(), "{text}");
        }
        for text in ["+905321112233", "05321112233", "5321112233", "00905321112233", "+4990012345", "900@example.com", "+905900123456", ""]
        {
            assert!(!Recipient::is_misspelt(text), "{text}");
        }
    }

    #[test]
    fn the_numbers_of_iys_documentation_are_accepted() {
        for text in ["+905992000001", "+905813334455", "+902121230000"] {
            assert_eq!(mesaj(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn foreign_numbers_need_their_plus() {
        assert_eq!(mesaj("+4915112345678").as_deref(), Ok("+4915112345678"));
        assert_eq!(mesaj("004915112345678").as_deref(), Ok("+4915112345678"));
        assert_eq!(mesaj("4915112345678"), Err(RecipientError::PhoneForm));
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_rule() {
        assert_eq!(mesaj(""), Err(RecipientError::Missing));
        assert_eq!(mesaj("ayse@example.com"), Err(RecipientError::PhoneForm));
        assert_eq!(mesaj("+90532111223"), Err(RecipientError::PhoneForm));
        assert_eq!(mesaj("+9053211122334"), Err(RecipientError::PhoneForm));
        assert_eq!(mesaj("+491511234567890"), Err(RecipientError::PhoneLength));
        assert_eq!(mesaj("+0532111"), Err(RecipientError::PhoneForm));
        assert_eq!(mesaj("+12345"), Err(RecipientError::PhoneForm));
        assert_eq!(mesaj("٠٥٣٢١١١٢٢٣٣"), Err(RecipientError::PhoneForm));
    }

    #[test]
    fn e_mail_addresses_are_lower_case_ascii_of_the_documented_shape() {
        assert_eq!(eposta(" Ayse.Yilmaz+Bulten@Example.COM ").as_deref(), Ok("ayse.yilmaz+bulten@example.com"));
        assert_eq!(eposta("..a--b__@xy.tr").as_deref(), Ok("..a--b__@xy.tr"));
        assert_eq!(eposta("a@bc.de").as_deref(), Ok("a@bc.de"));
        for text in [
            "ayşe@example.com",
            "a b@example.com",
            "a@b.de",
            "a@bc.d",
            "a@@bc.de",
            "@bcd.de",
            "abcdefg",
            "o'b@example.com",
            "a{b@example.com",
            "a+b@exa+mple.com",
            "a@.example.com",
            "a@example..com",
            "a@example.com.",
        ] {
            assert_eq!(eposta(text), Err(RecipientError::EmailForm), "{text}");
        }
        assert_eq!(eposta("a@b.c"), Err(RecipientError::EmailLength));
        assert_eq!(eposta(&format!("{}@example.com", "a".repeat(300))), Err(RecipientError::EmailLength));
    }

    #[test]
    fn ids_differ_by_brand_address_and_key_and_show_nothing() {
        let key = RecipientIdKey::new("k".repeat(32));
        let demo: BrandName = "demo".parse().expect("a brand");
        let other: BrandName = "other".parse().expect("a brand");
        let ayse = Recipient::parse("ayse@example.com", Channel::Eposta).expect("an address");
        let id = ayse.id(&key, &demo);
        assert_eq!(id.as_str().len(), 22);
        assert_eq!(id, ayse.id(&key, &demo));
        assert_ne!(id, ayse.id(&key, &other));
        assert_ne!(id, ayse.id(&RecipientIdKey::new("l".repeat(32)), &demo));
        assert_eq!(id.as_str().parse::<RecipientId>(), Ok(id.clone()));
    }

    proptest! {
        #[test]
        fn normalisation_is_idempotent(text in "\\PC{0,40}|[+0-9 ]{5,18}|[a-zA-Z0-9._+-]{1,9}@[a-zA-Z0-9.-]{2,9}\\.[a-z]{2,3}") {
            for channel in [Channel::Mesaj, Channel::Eposta] {
                if let Ok(once) = Recipient::parse(&text, channel) {
                    let twice = Recipient::parse(once.expose(), channel);
                    prop_assert_eq!(&twice, &Ok(once.clone()));
                    prop_assert_eq!(&Recipient::parse_any(once.expose()), &twice);
                    prop_assert!(once.fits(channel));
                }
            }
        }

        #[test]
        fn invariant_6_no_formatting_of_a_recipient_shows_it(local in "[a-z]{5,12}", number in "5[0-9]{9}") {
            let mail = Recipient::parse(&format!("{local}@example.com"), Channel::Eposta).expect("an address");
            let phone = Recipient::parse(&number, Channel::Arama).expect("a number");
            let raw = RawRecipient::new(format!("{local}@example.com"));
            let key = RecipientIdKey::new("k".repeat(32));
            let brand: BrandName = "demo".parse().expect("a brand");
            for shown in [
                format!("{mail:?} {mail:#?} {:?}", Some(&mail)),
                format!("{phone:?} {phone:#?} {raw:?} {raw:#?}"),
                format!("{:?} {}", mail.id(&key, &brand), phone.id(&key, &brand)),
            ] {
                prop_assert!(!shown.contains(&local) && !shown.contains(&number) && !shown.contains("example"));
            }
        }
    }
}
