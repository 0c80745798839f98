//! İYS as it is simulated, under the test's clock, and what it saw.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use sandbox::iys::{Brand, Config, Provider};
use serde_json::Value;
use shared::iys::{Client, IysRegistry, Settings};
use shared::ledger::Ledger;
use url::Url;

use crate::harness::ManualClock;

/// How long İYS's answers are waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The retailers that the brand has.
pub(crate) const DEALERS: [u64; 3] = [11_111_111, 22_222_222, 33_333_333];

/// What a request to İYS is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Token,
    Add,
    BulkAdd,
    BulkResults,
    Status,
    MultiStatus,
}

pub(crate) struct Simulator {
    pub(crate) url: Url,
    http: reqwest::Client,
}

impl Simulator {
    /// The local brand with its dealers. The clock may stand, so that nothing is limited by the second.
    pub(crate) async fn start(clock: &ManualClock, change: impl FnOnce(&mut Config)) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let demo = Provider::default();
        let brands = demo.brands.iter().map(|brand| Brand { retailers: DEALERS.to_vec(), ..brand.clone() }).collect();
        let mut config = Config {
            clock: clock.clock(),
            calls_per_second: usize::MAX,
            providers: vec![Provider { brands, ..demo }],
            ..Config::default()
        };
        change(&mut config);
        tokio::spawn(sandbox::iys::serve(listener, config, std::future::pending()));
        Self { url, http: reqwest::Client::new() }
    }

    /// The registries of a process that reaches İYS at `url`, and waits `timeout` for its answers. What the
    /// tests have refused slows nothing.
    pub(crate) fn reach(url: &Url, timeout: Duration, ledger: &Ledger, clock: &ManualClock, worker: &str) -> iys_push::Reach {
        let mut settings = Settings::new(url.clone());
        settings.timeout = timeout;
        settings.limits.calls_per_second = 1000;
        settings.limits.quality_minimum_requests = u32::MAX;
        let client = Client::new(settings, ledger.clone(), clock.clock(), worker);
        Arc::new(move |brand| Box::new(IysRegistry::new(client.clone(), brand.clone())))
    }

    /// Orders something of the simulator.
    pub(crate) async fn order(&self, method: Method, path: &str, body: Value) {
        let url = self.url.join("_sandbox/").unwrap().join(path).unwrap();
        let request = self.http.request(method, url).header("content-type", "application/json").body(body.to_string());
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.text().await.unwrap());
    }

    pub(crate) async fn ask(&self, path: &str) -> Value {
        let url = self.url.join("_sandbox/").unwrap().join(path).unwrap();
        serde_json::from_str(&self.http.get(url).send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// The requests that it was sent, by kind, whatever it answered.
    pub(crate) async fn requests(&self) -> BTreeMap<Kind, u64> {
        let mut requests = BTreeMap::new();
        for call in self.ask("stats").await["calls"].as_array().unwrap() {
            let (method, path) = (call["method"].as_str().unwrap(), call["path"].as_str().unwrap());
            let kind = match (method, path.rsplit('/').next().unwrap()) {
                ("POST", "token") => Kind::Token,
                ("POST", "consents") => Kind::Add,
                ("POST", "request") => Kind::BulkAdd,
                ("GET", "{requestId}") => Kind::BulkResults,
                ("POST", "status") => Kind::Status,
                ("POST", "{type}") => Kind::MultiStatus,
                _ => panic!("an unexpected request: {method} {path}"),
            };
            *requests.entry(kind).or_default() += call["count"].as_u64().unwrap();
        }
        requests
    }
}
