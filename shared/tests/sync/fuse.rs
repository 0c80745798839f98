//! Counts the effects of a run and makes a chosen one of them go wrong.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use aws_sdk_dynamodb::config::interceptors::{BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// What goes wrong at the chosen effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// The process dies before it: neither it nor anything after it happens.
    Crash,
    /// It alone fails, and does not happen.
    Failure,
    /// It happens, and its answer is lost.
    LostAnswer,
}

#[derive(Debug, Default)]
struct Inner {
    plan: Option<(Break, usize)>,
    trace: Vec<String>,
    reads: usize,
}

/// What the clients and the registry of one world ask before and after each effect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fuse(Arc<Mutex<Inner>>);

/// Marks a request whose answer is to be lost.
#[derive(Debug)]
struct Lost;

impl Storable for Lost {
    type Storer = StoreReplace<Self>;
}

/// What becomes of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Happens,
    HappensUnheard,
    DoesNotHappen,
}

impl Fuse {
    /// Starts counting anew, with something to go wrong or nothing.
    pub(crate) fn set(&self, plan: Option<(Break, usize)>) {
        let mut inner = self.0.lock().unwrap();
        inner.plan = plan;
        inner.trace.clear();
    }

    /// Runs what ends with the process. `None` when that died on the way.
    pub(crate) async fn alive<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        let mut run = std::pin::pin!(run);
        std::future::poll_fn(|context| if self.is_dead() { Poll::Ready(None) } else { run.as_mut().poll(context).map(Some) }).await
    }

    fn is_dead(&self) -> bool {
        let inner = self.0.lock().unwrap();
        matches!(inner.plan, Some((Break::Crash, at)) if inner.trace.len() > at)
    }

    /// Lets everything happen again.
    pub(crate) fn pause(&self) {
        self.0.lock().unwrap().plan = None;
    }

    /// The effects since then, in order.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.0.lock().unwrap().trace.clone()
    }

    /// How often the ledger was read so far.
    pub(crate) fn reads(&self) -> usize {
        self.0.lock().unwrap().reads
    }

    /// What becomes of the next effect.
    pub(crate) fn next(&self, effect: &str) -> Fate {
        let mut inner = self.0.lock().unwrap();
        let position = inner.trace.len();
        inner.trace.push(effect.to_owned());
        match inner.plan {
            Some((Break::Crash, at)) if position >= at => Fate::DoesNotHappen,
            Some((Break::Failure, at)) if position == at => Fate::DoesNotHappen,
            Some((Break::LostAnswer, at)) if position == at => Fate::HappensUnheard,
            _ => Fate::Happens,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("broken on purpose")]
struct Broken;

impl Intercept for Fuse {
    fn name(&self) -> &'static str {
        "Fuse"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation =
            context.request().headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
        // A read has no effect: whether the process dies before or after it is the same.
        if !["PutItem", "UpdateItem", "DeleteItem", "SendMessageBatch"].contains(&operation.as_str()) {
            self.0.lock().unwrap().reads += usize::from(["Query", "GetItem", "BatchGetItem"].contains(&operation.as_str()));
            return Ok(());
        }
        match self.next(&operation) {
            Fate::Happens => Ok(()),
            Fate::HappensUnheard => {
                bag.interceptor_state().store_put(Lost);
                Ok(())
            }
            Fate::DoesNotHappen => Err(Broken.into()),
        }
    }

    fn read_after_transmit(
        &self,
        _: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if bag.load::<Lost>().is_some() { Err(Broken.into()) } else { Ok(()) }
    }
}
