//! Carries the ledger's states to Insider.

/// Runs the function until the runtime ends it.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    Ok(())
}
