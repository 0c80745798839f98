//! Serves all simulators until interrupted.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use clap::Parser;
use sandbox::iys::Registry;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Simulators of İYS, of Insider, and of integrators before that İYS, with everything in memory.
#[derive(Parser)]
struct Arguments {
    /// Port of the İYS simulator.
    #[arg(long, default_value_t = 4001)]
    iys_port: u16,
    /// Port of the Insider simulator.
    #[arg(long, default_value_t = 4002)]
    insider_port: u16,
    /// Port of the Netgsm simulator; it is not served unless this is given.
    #[arg(long)]
    netgsm_port: Option<u16>,
    /// Port of the Verimor simulator; it is not served unless this is given.
    #[arg(long)]
    verimor_port: Option<u16>,
    /// Port of the Mysoft simulator; it is not served unless this is given.
    #[arg(long)]
    mysoft_port: Option<u16>,
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// JSON file with the İYS settings.
    #[arg(long)]
    iys_config: Option<PathBuf>,
    /// JSON file with the Insider settings.
    #[arg(long)]
    insider_config: Option<PathBuf>,
    /// JSON file with the Netgsm settings.
    #[arg(long)]
    netgsm_config: Option<PathBuf>,
    /// JSON file with the Verimor settings.
    #[arg(long)]
    verimor_config: Option<PathBuf>,
    /// JSON file with the Mysoft settings.
    #[arg(long)]
    mysoft_config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let arguments = Arguments::parse();
    let registry = Registry::new(settings(arguments.iys_config.as_deref())?)?;
    let insider: sandbox::insider::Config = settings(arguments.insider_config.as_deref())?;
    let netgsm: sandbox::netgsm::Config = settings(arguments.netgsm_config.as_deref())?;
    let verimor: sandbox::verimor::Config = settings(arguments.verimor_config.as_deref())?;
    let mysoft: sandbox::mysoft::Config = settings(arguments.mysoft_config.as_deref())?;
    let listen = async |name: &str, port: u16| {
        let listener = TcpListener::bind((arguments.host, port)).await?;
        tracing::info!(simulator = name, address = %listener.local_addr()?, "listening");
        std::io::Result::Ok(listener)
    };
    let iys_listener = listen("iys", arguments.iys_port).await?;
    let insider_listener = listen("insider", arguments.insider_port).await?;
    let integrator = async |name: &str, port: Option<u16>| match port {
        None => std::io::Result::Ok(None),
        Some(port) => listen(name, port).await.map(Some),
    };
    let netgsm_listener = integrator("netgsm", arguments.netgsm_port).await?;
    let verimor_listener = integrator("verimor", arguments.verimor_port).await?;
    let mysoft_listener = integrator("mysoft", arguments.mysoft_port).await?;
    let all = tokio::try_join!(
        sandbox::iys::serve_registry(iys_listener, &registry, interrupted()),
        sandbox::insider::serve(insider_listener, insider, interrupted()),
        where_given(netgsm_listener, |listener| sandbox::netgsm::serve(listener, netgsm, registry.clone(), interrupted())),
        where_given(verimor_listener, |listener| sandbox::verimor::serve(listener, verimor, registry.clone(), interrupted())),
        where_given(mysoft_listener, |listener| sandbox::mysoft::serve(listener, mysoft, registry.clone(), interrupted())),
    );
    all.map(|_| ())
}

async fn where_given<F: Future<Output = std::io::Result<()>>>(
    listener: Option<TcpListener>,
    serve: impl FnOnce(TcpListener) -> F,
) -> std::io::Result<()> {
    match listener {
        None => Ok(()),
        Some(listener) => serve(listener).await,
    }
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
