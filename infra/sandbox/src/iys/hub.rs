//! The push connections, and the delivery of records to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::config::Config;
use super::model::{ConsentType, turkish, write_date};
use super::switches::Switches;
use crate::outbound;
use crate::stats::Stats;

/// Active connections per brand and channel.
const CONNECTIONS_MAXIMUM: usize = 2;

/// The connections and the way to them.
pub(crate) struct Hub {
    connections: Mutex<Vec<Connection>>,
    way: Way,
}

/// What delivering takes.
#[derive(Clone)]
struct Way {
    client: Client,
    stats: Arc<Stats>,
    switches: Arc<RwLock<Switches>>,
    retry_ms: Arc<[u64]>,
    batch_maximum: usize,
    timeout: Duration,
}

/// What a receiver is called with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    pub(crate) username: String,
    pub(crate) password: String,
}

struct Connection {
    brand: u64,
    consent_type: ConsentType,
    receiver: Receiver,
    registered: Timestamp,
    /// The way to its worker; none: the connection has failed and is only listed.
    records: Option<mpsc::UnboundedSender<Value>>,
}

/// How İYS drops a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum How {
    /// It is gone.
    #[default]
    Removed,
    /// It is listed as one that could not be made.
    Failed,
}

impl Hub {
    pub(crate) fn new(config: &Config, stats: Arc<Stats>, switches: Arc<RwLock<Switches>>) -> std::io::Result<Self> {
        let way = Way {
            client: outbound::client()?,
            stats,
            switches,
            retry_ms: config.push_retry_ms.clone().into(),
            batch_maximum: config.push_batch_maximum.max(1),
            timeout: Duration::from_millis(config.push_timeout_ms),
        };
        let hub = Self { connections: Mutex::default(), way };
        for preset in &config.push_connections {
            let receiver = Receiver { url: preset.url.clone(), username: preset.username.clone(), password: preset.password.clone() };
            hub.connect(preset.brand_code, preset.consent_type, receiver, (config.clock)());
        }
        Ok(hub)
    }

    /// Hands a record to every connection of its brand and channel.
    pub(crate) fn publish(&self, brand: u64, consent_type: ConsentType, record: &Value) {
        for connection in self.lock().iter().filter(|one| one.brand == brand && one.consent_type == consent_type) {
            // A worker ends only together with its connection.
            if connection.records.as_ref().is_some_and(|records| records.send(record.clone()).is_ok()) {
                self.way.stats.deliveries(|counts| counts.queued += 1);
            }
        }
    }

    /// A POST to a receiver, within the time that İYS waits.
    pub(crate) fn post(&self, url: &str, body: &Value) -> RequestBuilder {
        outbound::post(&self.way.client, url, body).timeout(self.way.timeout)
    }

    /// Whether so many more connections are within the limit.
    pub(crate) fn has_room(&self, brand: u64, consent_type: ConsentType, more: usize) -> bool {
        let connections = self.lock();
        let active = connections.iter().filter(|one| one.brand == brand && one.consent_type == consent_type && one.records.is_some());
        active.count() + more <= CONNECTIONS_MAXIMUM
    }

    /// Adds a connection; it takes the place of a failed one to the same address.
    pub(crate) fn connect(&self, brand: u64, consent_type: ConsentType, receiver: Receiver, registered: Timestamp) {
        let (records, waiting) = mpsc::unbounded_channel();
        tokio::spawn(deliver(self.way.clone(), receiver.clone(), waiting));
        let mut connections = self.lock();
        connections.retain(|one| {
            one.records.is_some() || one.brand != brand || one.consent_type != consent_type || one.receiver.url != receiver.url
        });
        connections.push(Connection { brand, consent_type, receiver, registered, records: Some(records) });
    }

    /// Removes one connection; false if there is none like it.
    pub(crate) fn disconnect(&self, brand: u64, consent_type: ConsentType, receiver: &Receiver) -> bool {
        let mut connections = self.lock();
        let found = connections.iter().position(|one| one.brand == brand && one.consent_type == consent_type && one.receiver == *receiver);
        found.map(|at| connections.remove(at)).is_some()
    }

    /// Drops a brand's active connections of one channel, or of all; returns how many.
    pub(crate) fn drop_connections(&self, brand: u64, consent_type: Option<ConsentType>, how: How) -> usize {
        let mut connections = self.lock();
        let hit =
            |one: &Connection| one.brand == brand && one.records.is_some() && consent_type.is_none_or(|wanted| wanted == one.consent_type);
        let count = connections.iter().filter(|one| hit(one)).count();
        match how {
            How::Removed => connections.retain(|one| !hit(one)),
            How::Failed => connections.iter_mut().filter(|one| hit(one)).for_each(|one| one.records = None),
        }
        count
    }

    /// A brand's connections as İYS lists them.
    pub(crate) fn listed(&self, brand: u64) -> Vec<Value> {
        let row = |connection: &Connection| {
            json!({
                "url": connection.receiver.url,
                "type": connection.consent_type,
                "registerTime": write_date(turkish(connection.registered)),
                "status": if connection.records.is_some() { "Bağlantı Oluşturuldu" } else { "Bağlantı Oluşturulamadı" },
            })
        };
        self.lock().iter().filter(|one| one.brand == brand).map(row).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Delivers one connection's records in order, as many at once as are waiting.
async fn deliver(way: Way, receiver: Receiver, mut waiting: mpsc::UnboundedReceiver<Value>) {
    let mut batch = Vec::with_capacity(way.batch_maximum);
    loop {
        batch.clear();
        let count = waiting.recv_many(&mut batch, way.batch_maximum).await;
        if count == 0 {
            return;
        }
        let switches = *way.switches.read().unwrap_or_else(PoisonError::into_inner);
        if switches.push_newest_first {
            batch.reverse();
        }
        let body = json!({ "list": batch });
        let request = || {
            let request = outbound::post(&way.client, &receiver.url, &body).timeout(way.timeout);
            request.basic_auth(&receiver.username, Some(&receiver.password))
        };
        outbound::deliver(&way.stats, u64::try_from(count).unwrap_or(u64::MAX), &way.retry_ms, request).await;
        if switches.push_twice {
            // The records count once, however often they arrive.
            outbound::deliver(&way.stats, 0, &way.retry_ms, request).await;
        }
    }
}
