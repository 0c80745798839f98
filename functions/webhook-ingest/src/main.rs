//! The process of the function `webhook-ingest`.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    webhook_ingest::run().await
}
