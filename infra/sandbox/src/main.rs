//! Serves both simulators until interrupted.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use clap::Parser;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Simulators of İYS and Insider, with everything in memory.
#[derive(Parser)]
struct Arguments {
    /// Port of the İYS simulator.
    #[arg(long, default_value_t = 4001)]
    iys_port: u16,
    /// Port of the Insider simulator.
    #[arg(long, default_value_t = 4002)]
    insider_port: u16,
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// JSON file with the İYS settings.
    #[arg(long)]
    iys_config: Option<PathBuf>,
    /// JSON file with the Insider settings.
    #[arg(long)]
    insider_config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let arguments = Arguments::parse();
    let iys: sandbox::iys::Config = settings(arguments.iys_config.as_deref())?;
    let insider: sandbox::insider::Config = settings(arguments.insider_config.as_deref())?;
    let iys_listener = TcpListener::bind((arguments.host, arguments.iys_port)).await?;
    let insider_listener = TcpListener::bind((arguments.host, arguments.insider_port)).await?;
    tracing::info!(iys = %iys_listener.local_addr()?, insider = %insider_listener.local_addr()?, "listening");
    let both = tokio::try_join!(
        sandbox::iys::serve(iys_listener, iys, interrupted()),
        sandbox::insider::serve(insider_listener, insider, interrupted()),
    );
    both.map(|_| ())
}

fn settings<T: DeserializeOwned + Default>(path: Option<&Path>) -> std::io::Result<T> {
    match path {
        None => Ok(T::default()),
        Some(path) => serde_json::from_slice(&std::fs::read(path)?).map_err(std::io::Error::other),
    }
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "interrupts cannot be received");
        std::future::pending::<()>().await;
    }
}
