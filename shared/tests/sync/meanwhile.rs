//! A registry between whose answer and the worker that waits for it something else happens.

use std::collections::HashSet;

use async_trait::async_trait;
use futures::future::BoxFuture;
use shared::consent::{Channel, Recipient, RecipientType};
use shared::registry::{Capabilities, Feed, Holding, Page, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};
use tokio::sync::Mutex;

use crate::book::{Book, Op};

pub(crate) struct Meanwhile<'a> {
    book: &'a Book,
    after: Op,
    act: Mutex<Option<BoxFuture<'a, ()>>>,
}

impl<'a> Meanwhile<'a> {
    /// Has `act` happen once the book has answered its next call of a kind, before the answer arrives.
    pub(crate) fn after(after: Op, book: &'a Book, act: impl Future<Output = ()> + Send + 'a) -> Self {
        Self { book, after, act: Mutex::new(Some(Box::pin(act))) }
    }

    async fn pass<T>(&self, op: Op, answer: T) -> T {
        if op == self.after
            && let Some(act) = self.act.lock().await.take()
        {
            act.await;
        }
        answer
    }
}

#[async_trait]
impl Registry for Meanwhile<'_> {
    fn capabilities(&self) -> Capabilities {
        self.book.capabilities()
    }

    async fn add(&self, record: &Record) -> Result<Verdict, RegistryError> {
        self.pass(Op::Add, self.book.add(record).await).await
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        self.pass(Op::Submit, self.book.submit(records).await).await
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        self.pass(Op::Results, self.book.results(request_id).await).await
    }

    async fn onays(&self, channel: Channel, kind: RecipientType, recipients: &[Recipient]) -> Result<HashSet<Recipient>, RegistryError> {
        self.pass(Op::Onays, self.book.onays(channel, kind, recipients).await).await
    }

    async fn holding(&self, channel: Channel, kind: RecipientType, recipient: &Recipient) -> Result<Option<Holding>, RegistryError> {
        self.pass(Op::Holding, self.book.holding(channel, kind, recipient).await).await
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        self.pass(Op::Changes, self.book.changes(feed, cursor).await).await
    }
}
