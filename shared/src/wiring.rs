//! Builds a function's parts from its environment, once, at start.

use aws_config::SdkConfig;

use crate::archive::{self, Archive, Folder};
use crate::brands::Brands;
use crate::clock::{self, Clock};
use crate::environment::{EnvironmentError, insider_export_url, iys_limits, required};
use crate::insider;
use crate::integrators::Integrators;
use crate::iys;
use crate::ledger::Ledger;
use crate::queue::{DeadLetters, Queues};
use crate::registries::Registries;

/// The ledger in `TABLE_NAME`.
pub fn ledger(config: &SdkConfig) -> Result<Ledger, EnvironmentError> {
    Ok(Ledger::new(aws_sdk_dynamodb::Client::new(config), required("TABLE_NAME")?))
}

/// The queues in `IYS_PUSH_QUEUE_URL` and `UNSUBSCRIBE_RELAY_QUEUE_URL`.
pub fn queues(config: &SdkConfig) -> Result<Queues, EnvironmentError> {
    let client = aws_sdk_sqs::Client::new(config);
    Ok(Queues::new(client, required("IYS_PUSH_QUEUE_URL")?, required("UNSUBSCRIBE_RELAY_QUEUE_URL")?))
}

/// The dead-letter queues in `IYS_PUSH_DEAD_LETTER_QUEUE_URL` and `UNSUBSCRIBE_RELAY_DEAD_LETTER_QUEUE_URL`, of the
/// queues.
pub fn dead_letters(config: &SdkConfig, queues: Queues) -> Result<DeadLetters, EnvironmentError> {
    let (push, relay) = (required("IYS_PUSH_DEAD_LETTER_QUEUE_URL")?, required("UNSUBSCRIBE_RELAY_DEAD_LETTER_QUEUE_URL")?);
    Ok(DeadLetters::new(aws_sdk_sqs::Client::new(config), queues, push, relay))
}

/// The brands under `BRANDS_PATH`.
pub fn brands(config: &SdkConfig) -> Result<Brands, EnvironmentError> {
    Ok(Brands::new(aws_sdk_ssm::Client::new(config), required("BRANDS_PATH")?))
}

/// İYS at `IYS_BASE_URL`, within the environment's limits. Nothing is connected before the first call.
pub fn iys(ledger: Ledger, clock: Clock) -> Result<iys::Client, EnvironmentError> {
    let unusable = |_| EnvironmentError::Unusable("IYS_BASE_URL", "a URL");
    let base_url = required("IYS_BASE_URL")?.parse().map_err(unusable)?;
    // The name tells this process from others that take leases.
    let worker = uuid::Uuid::new_v4().simple().to_string();
    let settings = iys::Settings { limits: iys_limits()?, ..iys::Settings::new(base_url) };
    Ok(iys::Client::new(settings, ledger, clock, worker))
}

/// Every brand's registry: İYS, and the integrators, which are called where the brands' documents say.
pub fn registries(iys: iys::Client, ledger: Ledger, clock: Clock) -> Registries {
    Registries::new(iys, Integrators::new(ledger, clock))
}

/// Insider at `INSIDER_CONTACT_URL` and `INSIDER_UNIFICATION_URL`. Nothing is connected before the
/// first call.
pub fn insider(clock: Clock) -> Result<insider::Connection, EnvironmentError> {
    Ok(insider::Connection::new(insider_settings()?, clock))
}

/// The same for whoever reads exports, too: their links lead to `INSIDER_EXPORT_URL`.
pub fn insider_with_exports(clock: Clock) -> Result<insider::Connection, EnvironmentError> {
    let settings = insider::Settings { export_url: insider_export_url()?, ..insider_settings()? };
    Ok(insider::Connection::new(settings, clock))
}

fn insider_settings() -> Result<insider::Settings, EnvironmentError> {
    let contact = required("INSIDER_CONTACT_URL")?.parse().map_err(|_| EnvironmentError::Unusable("INSIDER_CONTACT_URL", "a URL"))?;
    let unification =
        required("INSIDER_UNIFICATION_URL")?.parse().map_err(|_| EnvironmentError::Unusable("INSIDER_UNIFICATION_URL", "a URL"))?;
    Ok(insider::Settings::new(contact, unification))
}

/// Where the roots of closed days are kept besides the ledger: in the folder `ARCHIVE_FOLDER` where that is set,
/// else in the bucket `EVIDENCE_BUCKET`, nowhere where both are empty.
pub fn archive(config: &SdkConfig) -> Option<Box<dyn Archive>> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (set("ARCHIVE_FOLDER"), set("EVIDENCE_BUCKET")) {
        (Some(folder), _) => Some(Box::new(Folder::new(folder))),
        (None, Some(bucket)) => Some(Box::new(archive::bucket(config, &bucket, clock::system()))),
        (None, None) => None,
    }
}
