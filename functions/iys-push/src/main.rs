//! The process of the function `iys-push`.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    iys_push::run().await
}
