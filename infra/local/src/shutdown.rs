//! One signal that ends everything.

use tokio::sync::watch;

/// Tells every part of the stack to end. Clones share the signal.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown {
    sender: watch::Sender<bool>,
}

impl Shutdown {
    pub(crate) fn new() -> Self {
        Self { sender: watch::Sender::new(false) }
    }

    /// Gives the signal. More than once does no harm.
    pub(crate) fn begin(&self) {
        self.sender.send_replace(true);
    }

    /// Whether the signal has been given.
    pub(crate) fn has_begun(&self) -> bool {
        *self.sender.borrow()
    }

    /// Completes when the signal is given.
    pub(crate) fn begun(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.sender.subscribe();
        async move {
            // The sender lives as long as any clone; should all be gone, the stack is gone too.
            let _ = receiver.wait_for(|begun| *begun).await;
        }
    }
}
