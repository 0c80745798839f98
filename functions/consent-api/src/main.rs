//! The process of the function `consent-api`.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    consent_api::run().await
}
