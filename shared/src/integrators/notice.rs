//! What an integrator's callback says, and what proves that it is one's.
//!
//! A callback is a hint, delivered at least once and in any order. How much it counts depends on what proves it
//! ([`Proof::vouches_for_consents`]).

use secrecy::SecretString;

use super::{capabilities, mysoft, netgsm, verimor};
use crate::brand::{Brand, RegistryChoice, same_secret};
use crate::consent::{Channel, ConsentDate, Recipient, RecipientType, Status};
use crate::registry::{Change, Proof, Verdict};

/// The name in the address's query under which the secret comes.
const SECRET_NAME: &str = "key";

/// What became of a record that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The address.
    pub recipient: Recipient,
    /// Consumer or merchant.
    pub recipient_type: RecipientType,
    /// The channel.
    pub channel: Channel,
    /// The status that was handed in.
    pub status: Status,
    /// Its date.
    pub consent_date: ConsentDate,
    /// What the registry calls the list that it was in.
    pub reference: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
}

/// One thing that a callback says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// What became of a record.
    Outcome(Outcome),
    /// Somebody consented or refused.
    Change(Change),
    /// There is something to be read.
    Pointer,
    /// It is about another brand.
    OfAnother,
    /// It could not be read, for this field.
    Unreadable(&'static str),
}

/// Why a callback is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// The brand's registry calls nobody back, or the brand's document names no secret for it.
    #[error("the brand takes no callbacks")]
    NotTaken,
    /// It does not prove that it comes from the integrator.
    #[error("the callback proves nothing")]
    Unproved,
    /// The body has another form.
    #[error("the callback has an unknown form")]
    Form,
}

/// Reads a callback: its lines, and what proves it.
///
/// # Errors
///
/// When nothing of it counts. A line that cannot be read costs itself only.
pub fn read_notices(brand: &Brand, query: &str, body: &[u8]) -> Result<(Proof, Vec<Notice>), NoticeError> {
    let proof = capabilities(&brand.registry).callback.proof().ok_or(NoticeError::NotTaken)?;
    match &brand.registry {
        // Its own push notices have a door of their own.
        RegistryChoice::Iys => Err(NoticeError::NotTaken),
        RegistryChoice::Netgsm(settings) => {
            in_the_address(settings.callback_secret.as_ref(), query)?;
            Ok((proof, netgsm::read(body, brand, settings)?))
        }
        RegistryChoice::Verimor(settings) => {
            in_the_address(settings.callback_secret.as_ref(), query)?;
            Ok((proof, verimor::read(body, settings)?))
        }
        RegistryChoice::Mysoft(settings) => Ok((proof, mysoft::read(body, brand, settings)?)),
    }
}

/// Whether the address of the callback has the secret.
fn in_the_address(secret: Option<&SecretString>, query: &str) -> Result<(), NoticeError> {
    let secret = secret.ok_or(NoticeError::NotTaken)?;
    let mut given = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == SECRET_NAME).map(|(_, value)| value);
    match (given.next(), given.next()) {
        (Some(given), None) if same_secret(secret, &given) => Ok(()),
        _ => Err(NoticeError::Unproved),
    }
}
