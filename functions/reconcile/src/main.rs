//! The process of the function `reconcile`.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    reconcile::run().await
}
