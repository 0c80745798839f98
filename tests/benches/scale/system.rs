//! The system on this machine, its jobs in a process of their own each, and what those took.

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use local::{Options, OutputOptions, Simulators, Stack};
use serde_json::{Value, json};
use shared::brand::Brand;
use tempfile::TempDir;

/// The brand whose consents are at rest.
pub(crate) const RESTING: &str = "demo";
/// The brand whose consents are all open.
pub(crate) const OPEN: &str = "bekleyen";
/// More than any benchmark asks for.
const UNLIMITED: u32 = 1_000_000;

pub(crate) struct System {
    stack: Stack,
    http: reqwest::Client,
    folder: TempDir,
}

/// A job that ran.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) report: Value,
    pub(crate) took: Duration,
    /// Most memory that its process held at any moment, in kilobytes (VmHWM, proc(5)).
    pub(crate) peak: u64,
}

impl System {
    /// Starts it without schedules, its tables in a file of a folder of their own. The simulators' limits and
    /// ours on requests are out of the way: they are what the tests are about.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        brands(folder.path());
        let mut simulators = Simulators::default();
        simulators.iys.calls_per_second = UNLIMITED as usize;
        simulators.iys.status_limit_per_hour = UNLIMITED as usize;
        simulators.insider.contact_calls_per_minute = UNLIMITED as usize;
        simulators.insider.unification_calls_per_minute = UNLIMITED as usize;
        simulators.insider.export_delay_seconds = 0;
        let limits = ["IYS_CALLS_PER_SECOND", "IYS_SINGLE_STATUS_PER_HOUR", "IYS_QUALITY_MINIMUM_REQUESTS"];
        let options = Options {
            environment: limits.map(|name| (name.to_owned(), UNLIMITED.to_string())).into_iter().collect(),
            data: Some(folder.path().join("data")),
            brands: folder.path().join("brands"),
            executable: Some(env!("CARGO_BIN_EXE_stack").into()),
            sandboxes: Some(simulators.shared()),
            schedule_speed: 0.0,
            log_level: Some("warn".to_owned()),
            output: OutputOptions { terminal: false, capture: false },
            ..Options::default()
        };
        let stack = Stack::start(options).await.unwrap();
        Self { stack, http: reqwest::Client::new(), folder }
    }

    /// Where files of this system may lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of the database, and the ledger's table in it.
    pub(crate) fn table(&self) -> (String, &str) {
        let file = self.folder.path().join("data").join("dynamodb.sqlite");
        (file.to_str().unwrap().to_owned(), &self.stack.system().tables[0].name)
    }

    /// A brand as the functions read it.
    pub(crate) fn brand(&self, name: &str) -> Brand {
        Brand::read(&fs::read_to_string(self.folder.path().join("brands").join(format!("{name}.json"))).unwrap()).unwrap()
    }

    pub(crate) fn processes(&self, function: &str) -> Vec<u32> {
        self.stack.processes().into_iter().filter(|(name, _)| name == function).map(|(_, pid)| pid).collect()
    }

    /// Ends the processes of a function, so that the next call is answered by a new one.
    pub(crate) async fn renew(&self, function: &str) {
        for pid in self.processes(function) {
            assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
        }
        while !self.processes(function).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Invokes `reconcile` in a new process.
    pub(crate) async fn job(&self, payload: &Value) -> Ran {
        self.renew("reconcile").await;
        self.job_again(payload).await
    }

    /// Invokes `reconcile` in the process that is there; the peak is that of the process's whole life.
    pub(crate) async fn job_again(&self, payload: &Value) -> Ran {
        let begun = Instant::now();
        let answer = self.stack.invoke("reconcile", payload).await.unwrap();
        let took = begun.elapsed();
        let peak = self.processes("reconcile").into_iter().filter_map(peak).max().unwrap();
        Ran { report: serde_json::from_slice(&answer).unwrap(), took, peak }
    }

    pub(crate) fn lambda_url(&self) -> &str {
        self.stack.lambda_url()
    }

    pub(crate) fn gateway_url(&self) -> &str {
        self.stack.gateway_url()
    }

    /// A request of the brand's own systems, which must be answered.
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/v1/{RESTING}/{path}", self.stack.gateway_url());
        let response = self.http.post(url).bearer_auth("demo-api-key").json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap()
    }

    /// A webhook without any proof, which is refused.
    pub(crate) async fn knock(&self) {
        let url = format!("{}/v1/{RESTING}/insider/events", self.stack.gateway_url());
        assert_eq!(self.http.post(url).json(&json!({})).send().await.unwrap().status(), 401);
    }

    /// Invokes a function of a queue with no message.
    pub(crate) async fn no_messages(&self, function: &str) {
        self.stack.invoke(function, &json!({ "Records": [] })).await.unwrap();
    }

    /// What the API says of a brand.
    pub(crate) async fn status(&self, brand: &str) -> Value {
        let url = format!("{}/v1/{brand}/status", self.stack.gateway_url());
        let response = self.http.get(url).bearer_auth("demo-api-key").send().await.unwrap();
        response.json().await.unwrap()
    }

    /// Has İYS hold records, silently.
    pub(crate) async fn iys_holds(&self, records: &[Value]) {
        self.post(&format!("{}/_sandbox/consents", self.stack.iys_url()), &json!(records)).await;
    }

    /// Has Insider hold profiles, silently.
    pub(crate) async fn insider_holds(&self, profiles: &[Value]) {
        let users = json!({ "skip_hook": true, "users": profiles });
        self.post(&format!("{}/api/user/v1/upsert", self.stack.insider_url()), &users).await;
    }

    async fn post(&self, url: &str, body: &Value) {
        let request = self.http.post(url).header("x-partner-name", "demo").header("x-request-token", "demo-ucd-key");
        let response = request.json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{url}: {}", response.status());
    }

    pub(crate) async fn end(self) {
        self.stack.shutdown().await;
    }
}

/// The peak of a process that is alive.
pub(crate) fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse().ok()
}

/// The local brand with an export of Insider's, and another one.
fn brands(folder: &Path) {
    let folder = folder.join("brands");
    fs::create_dir(&folder).unwrap();
    let mut brand: Value = serde_json::from_str(&fs::read_to_string(Options::default().brands.join("demo.json")).unwrap()).unwrap();
    let write = |name: &dyn Display, brand: &Value| fs::write(folder.join(format!("{name}.json")), brand.to_string()).unwrap();
    brand["iys"]["pushService"] = false.into();
    brand["name"] = OPEN.into();
    brand["iys"]["iysCode"] = 700_002.into();
    brand["iys"]["brandCode"] = 700_002.into();
    let username = brand["iys"]["username"].take();
    brand["iys"]["username"] = "bekleyen-api-user@example.com".into();
    write(&OPEN, &brand);
    brand["iys"]["username"] = username;
    brand["name"] = RESTING.into();
    brand["iys"]["iysCode"] = 700_001.into();
    brand["iys"]["brandCode"] = 700_001.into();
    brand["insider"]["outbound"]["export"] = json!({
        "segmentId": 1, "hook": "http://127.0.0.1:9/", "format": "csv", "flagOff": "restore", "suspiciousPercent": 5, "lagMinutes": 0,
    });
    write(&RESTING, &brand);
}
