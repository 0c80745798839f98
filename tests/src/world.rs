//! A running system for scenarios: started, looked after, and searched for addresses at the end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use local::{BoxFuture, Integrators, Options, Output, SandboxSetup, Sandboxes, Shutdowns, Simulators, Stack};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::crowd;
use crate::documents::{self, Spoken};
use crate::leaks::Search;
use crate::tap::Tap;
use crate::vendors::Vendor;

/// Longest wait for one answer: a function's own timeout and some more.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(45);

/// What the stack itself logs into its output. The embedded database is an emulator, not part of the
/// system, and warns of every condition that does not hold.
const LOG_FILTER: &str = "warn,dynoxide=error,local=debug,sandbox=debug";

/// How a world is started.
#[derive(Clone)]
pub struct Setup {
    /// Program that runs functions.
    pub executable: PathBuf,
    /// İYS and Insider.
    pub simulators: Simulators,
    /// Whether İYS's push notices reach the system.
    pub push_notices: bool,
    /// Folder for the tables; memory without one.
    pub data: Option<PathBuf>,
    /// Seconds after which the sweep looks after unfinished work.
    pub grace_seconds: u32,
    /// Seconds between two looks at the account of a brand that İYS refuses.
    pub pause_seconds: u32,
    /// Seconds that a registry's last answer about a key is old before the key is compared with it.
    pub rest_seconds: u32,
    /// How many times faster than in the cloud schedules run.
    pub schedule_speed: f64,
    /// Seconds after which messages come back from a function that failed.
    pub visibility_timeout: u32,
    /// Text of another template.
    pub template: Option<String>,
    /// Template parameters that differ from their default.
    pub parameters: BTreeMap<String, String>,
    /// Most processes of one function.
    pub most_processes: u32,
    /// The brand that the world's helpers speak for.
    pub brand: &'static str,
    /// Further brands, or changes of those that are always there: what differs, with the name, from the document of
    /// the local brand of this name, else from that of `demo`.
    pub brands: Vec<Value>,
}

impl Setup {
    /// The usual world: push notices arrive, and pull shows everything at once.
    #[must_use]
    pub fn new(executable: &str) -> Self {
        let mut simulators = Simulators::default();
        simulators.iys.pull_tail_seconds = 0;
        Self {
            executable: executable.into(),
            simulators,
            push_notices: true,
            data: None,
            // Long enough that a busy machine's work is not taken for lost.
            grace_seconds: 15,
            pause_seconds: 15,
            rest_seconds: 600,
            schedule_speed: 30.0,
            visibility_timeout: 2,
            template: None,
            parameters: BTreeMap::new(),
            most_processes: Options::default().most_processes,
            brand: "demo",
            brands: Vec::new(),
        }
    }
}

/// A running system with its simulators.
pub struct World {
    pub(crate) stack: Stack,
    pub(crate) http: reqwest::Client,
    pub(crate) brand: Spoken,
    tap: Tap,
    silences: Mutex<Vec<(Vendor, String)>>,
    _black_box: BlackBox,
    brands: TempDir,
}

/// Keeps what a world said when a scenario ends in a panic.
struct BlackBox {
    output: Output,
    folder: PathBuf,
}

impl Drop for BlackBox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The panic is what counts: where its story cannot be kept, it stands alone.
            let _ = std::fs::write(self.folder.join(format!("panic-{}.log", std::process::id())), self.output.captured());
        }
    }
}

impl World {
    /// Starts a world.
    pub async fn start(setup: Setup) -> Self {
        // The first to come installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().unwrap();
        let (tap, tap_url) = Tap::open().await;
        let brands = documents::folder(setup.push_notices, &setup.brands);
        let brand = Spoken::of(&documents::read(brands.path(), setup.brand));
        let simulators = setup.simulators.shared();
        let sandboxes = if setup.push_notices { simulators } else { Arc::new(WithoutPush(simulators)) };
        let environment = [
            ("WORK_GRACE_SECONDS", setup.grace_seconds.to_string()),
            ("STANDING_PAUSE_SECONDS", setup.pause_seconds.to_string()),
            ("IYS_VERIFY_REST_SECONDS", setup.rest_seconds.to_string()),
            ("AWS_ENDPOINT_URL_SQS", tap_url),
        ];
        // Beside the build, where the scenarios that end well keep theirs.
        let folder = setup.executable.ancestors().nth(2).map_or_else(std::env::temp_dir, |target| target.join("tmp"));
        let options = Options {
            template: setup.template,
            parameters: setup.parameters,
            most_processes: setup.most_processes,
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
            data: setup.data,
            brands: brands.path().to_owned(),
            executable: Some(setup.executable),
            sandboxes: Some(sandboxes),
            schedule_speed: setup.schedule_speed,
            visibility_timeout: Some(setup.visibility_timeout),
            log_level: Some("debug".to_owned()),
            ..Options::default()
        };
        let output = Output::new(options.output);
        let log = tracing_subscriber::fmt().with_env_filter(LOG_FILTER).with_ansi(false).with_writer(output.clone());
        // A second world of one process leaves the stack's own log to the first.
        let _ = log.try_init();
        let black_box = BlackBox { output: output.clone(), folder };
        let stack = Stack::start_with_output(output, options).await.unwrap();
        tap.lead_to(stack.sqs_url(), &http);
        Self { stack, http, brand, tap, silences: Mutex::default(), _black_box: black_box, brands }
    }

    /// Base address of the system's HTTP API.
    #[must_use]
    pub fn gateway_url(&self) -> &str {
        self.stack.gateway_url()
    }

    /// Address of the database, and the name of the ledger's table.
    #[must_use]
    pub fn table(&self) -> (&str, &str) {
        (self.stack.dynamodb_url(), &self.stack.system().tables[0].name)
    }

    /// Base address of İYS's simulator.
    #[must_use]
    pub fn iys_url(&self) -> &str {
        self.stack.iys_url()
    }

    /// The running function processes: name of the function and process id.
    #[must_use]
    pub fn processes(&self) -> Vec<(String, u32)> {
        self.stack.processes()
    }

    /// A brand's document.
    #[must_use]
    pub fn document(&self, brand: &str) -> Value {
        documents::read(self.brands.path(), brand)
    }

    /// Changes a brand's document: what differs, with the name. Functions that run read it within a minute.
    pub fn change_brand(&self, differs: &Value) {
        documents::change(self.brands.path(), differs);
    }

    /// The brand that the helpers speak for.
    #[must_use]
    pub fn brand(&self) -> &str {
        &self.brand.name
    }

    /// Kills function processes, of which the stack starts others when they are needed.
    pub fn kill(&self, pids: impl IntoIterator<Item = u32>) {
        for pid in pids {
            // It may have ended by itself.
            let _ = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).output();
        }
    }

    /// Everything that the functions and the stack have said.
    #[must_use]
    pub fn output(&self) -> String {
        self.stack.captured_output()
    }

    /// Runs a scheduled job now and waits for its end.
    pub async fn job(&self, job: &str) -> Value {
        self.try_job(job).await.unwrap()
    }

    /// Runs a scheduled job now for one brand and waits for its end.
    pub async fn job_for(&self, job: &str, brand: &str) -> Value {
        self.run_job(&json!({ "job": job, "brand": brand })).await.unwrap()
    }

    /// Compares everything of a brand that is at rest with its registry, and repairs what differs.
    pub async fn verify_fully(&self, brand: &str) -> Value {
        self.run_job(&json!({ "job": "verify", "brand": brand, "full": true })).await.unwrap()
    }

    /// Like [`World::job`]; what the job says when it fails.
    pub async fn try_job(&self, job: &str) -> Result<Value, String> {
        self.run_job(&json!({ "job": job })).await
    }

    async fn run_job(&self, job: &Value) -> Result<Value, String> {
        let report = self.stack.invoke("reconcile", job).await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&report).map_err(|error| error.to_string())
    }

    /// From here on a vendor must hear nothing of an address: [`World::check_silences`] looks.
    pub fn watch_silence(&self, vendor: Vendor, address: &str) {
        self.silences.lock().unwrap_or_else(PoisonError::into_inner).push((vendor, address.to_owned()));
    }

    /// Panics if a vendor was told of an address that it must not be told of.
    pub async fn check_silences(&self) {
        let silences = std::mem::take(&mut *self.silences.lock().unwrap_or_else(PoisonError::into_inner));
        for (vendor, address) in silences {
            let told = self.told(vendor, &address).await;
            assert!(told.is_empty(), "{vendor:?} was told of its own news: {told:?}");
        }
    }

    /// Panics if any address of this process's scenarios stands in the output, in a request to the
    /// queue service, in a message that still waits or in a key of the table.
    pub async fn check_that_no_address_left_its_place(&self) {
        let search = Search::new(&crowd::used());
        let (output, messages) = (self.output(), self.tap.seen());
        assert!(output.contains("\"level\":"), "the functions say nothing");
        assert!(messages.contains("SendMessage") || messages.contains("MessageBody"), "no message was seen");
        search.must_find_nothing("the output", &output);
        search.must_find_nothing("a queue message", &messages);
        search.must_find_nothing("a table key", &self.table_keys().await.join("\n"));
        // The same search finds an address where there is one.
        for address in crowd::used().iter().step_by(97).take(20) {
            let planted = format!("{}{{\"message\":\"sent to {address}\"}}\n", &output[..output.floor_char_boundary(4096)]);
            assert_eq!(search.findings(&planted).len(), 1, "the search is blind to {address}");
        }
    }

    /// Writes all output into a file beside the build, for people who look into a failure.
    pub fn keep_output(&self, folder: &str, name: &str) {
        std::fs::write(PathBuf::from(folder).join(name), self.output()).unwrap();
    }

    /// Ends the world.
    pub async fn end(self) {
        self.stack.shutdown().await;
    }
}

/// Simulators whose İYS pushes to where nobody listens.
struct WithoutPush(Arc<dyn Sandboxes>);

impl Sandboxes for WithoutPush {
    fn iys(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<std::io::Result<()>> {
        let nobody = "http://127.0.0.1:9".to_owned();
        self.0.iys(listener, SandboxSetup { gateway_url: nobody, ..setup }, shutdown)
    }

    fn iys_with(
        &self,
        listener: TcpListener,
        integrators: Integrators,
        setup: SandboxSetup,
        shutdown: Shutdowns,
    ) -> BoxFuture<std::io::Result<()>> {
        let nobody = "http://127.0.0.1:9".to_owned();
        self.0.iys_with(listener, integrators, SandboxSetup { gateway_url: nobody, ..setup }, shutdown)
    }

    fn insider(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<std::io::Result<()>> {
        self.0.insider(listener, setup, shutdown)
    }
}

/// Counts per name, from an object of numbers.
pub(crate) fn counts(value: &Value) -> BTreeMap<String, u64> {
    let object = value.as_object().cloned().unwrap_or_default();
    object.into_iter().filter_map(|(name, count)| Some((name, count.as_u64()?))).collect()
}
