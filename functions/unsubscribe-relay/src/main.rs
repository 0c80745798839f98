//! The process of the function `unsubscribe-relay`.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    unsubscribe_relay::run().await
}
