//! The seam behind which the simulators of İYS and Insider are started.

use std::{collections::BTreeMap, future::Future, io, pin::Pin};

use tokio::net::TcpListener;

/// A future that is boxed.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Makes a future that completes when the simulators are to end; each server needs one of its own.
pub type Shutdowns = Box<dyn Fn() -> BoxFuture<()> + Send + Sync>;

/// What a simulator needs to know of the stack that it belongs to.
#[derive(Clone, Debug)]
pub struct SandboxSetup {
    /// Base address of the HTTP gateway, to which webhooks and push notices go.
    pub gateway_url: String,
    /// The brands' documents, JSON by the brand's name.
    pub brands: BTreeMap<String, String>,
}

/// Where the simulators of integrators listen.
pub struct Integrators {
    /// Netgsm.
    pub netgsm: TcpListener,
    /// Verimor.
    pub verimor: TcpListener,
    /// Mysoft.
    pub mysoft: TcpListener,
}

/// Starts the simulators. Each call serves one of them until `shutdown` completes.
pub trait Sandboxes: Send + Sync {
    /// Serves İYS.
    fn iys(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<io::Result<()>>;

    /// Serves İYS, and before it the integrators, which hand it what they take. Unless this is
    /// implemented there are none of these, and nobody listens at their addresses.
    fn iys_with(
        &self,
        listener: TcpListener,
        integrators: Integrators,
        setup: SandboxSetup,
        shutdown: Shutdowns,
    ) -> BoxFuture<io::Result<()>> {
        drop(integrators);
        self.iys(listener, setup, shutdown())
    }

    /// Serves Insider.
    fn insider(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<io::Result<()>>;
}
