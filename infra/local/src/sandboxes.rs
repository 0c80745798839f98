//! The seam behind which the simulators of İYS and Insider are started.

use std::{collections::BTreeMap, future::Future, io, pin::Pin};

use tokio::net::TcpListener;

/// A future that is boxed.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a simulator needs to know of the stack that it belongs to.
#[derive(Clone, Debug)]
pub struct SandboxSetup {
    /// Base address of the HTTP gateway, to which webhooks and push notices go.
    pub gateway_url: String,
    /// The brands' documents, JSON by the brand's name.
    pub brands: BTreeMap<String, String>,
}

/// Starts the simulators. Each call serves one of them until `shutdown` completes.
pub trait Sandboxes: Send + Sync {
    /// Serves İYS.
    fn iys(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<io::Result<()>>;

    /// Serves Insider.
    fn insider(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<io::Result<()>>;
}
