//! The whole system, standing on loopback: what `cargo run` starts and what end-to-end tests use.

use std::{
    collections::BTreeMap,
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Bytes};
use rustack_sqs_model::error::SqsError;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    dynamodb::{self, DynamoDbError},
    gateway::{self, Gateway},
    mapping::Poller,
    output::{Output, OutputOptions},
    processes::{InvokeError, Launch, Pool, Workers},
    registry::Registries,
    runtime_api::{self, Pools},
    sandboxes::{Integrators, SandboxSetup, Sandboxes},
    scheduler,
    shutdown::Shutdown,
    simulators::BULK_DELAY_SECONDS,
    sqs, ssm,
    template::{Route, Schedule, Surroundings, System, TEMPLATE, Template, TemplateError},
};

/// Region in names. Any would do; this is the one nearest to the brands.
const REGION: &str = "eu-central-1";

/// Account in names, as emulators write it.
const ACCOUNT: &str = "000000000000";

/// Stands for the vendors' addresses where no simulator runs: nobody listens there, so that no local
/// run ever reaches a real system by accident.
const NOBODY: &str = "http://127.0.0.1:9";

/// How long the parts of the stack may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// Seconds that movements are gathered here: a person waits for the effect of what they typed.
const PUSH_WINDOW_SECONDS: u32 = 1;

/// How long work may wait before the sweep looks after it: what a killed process left behind is
/// picked up while a person watches.
const WORK_GRACE_SECONDS: u32 = 15;

/// How long a brand that İYS refuses is left alone here: a person waits for the effect of an end.
const STANDING_PAUSE_SECONDS: u32 = 15;

/// Ports of the stack's endpoints; 0 for any free one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the port of the endpoint of that name")]
pub struct Ports {
    pub gateway: u16,
    pub iys: u16,
    pub insider: u16,
    pub dynamodb: u16,
    pub sqs: u16,
    pub ssm: u16,
    pub lambda: u16,
    pub netgsm: u16,
    pub verimor: u16,
    pub mysoft: u16,
}

/// How to start a stack. The default suits tests: any free ports, nothing on disk, nothing shown.
#[derive(Clone)]
pub struct Options {
    /// Text of another template than the project's own.
    pub template: Option<String>,
    /// Template parameters that differ from their default.
    pub parameters: BTreeMap<String, String>,
    /// Environment variables for every function, besides the template's. They win.
    pub environment: BTreeMap<String, String>,
    /// Where to listen, always on 127.0.0.1.
    pub ports: Ports,
    /// Folder to keep the tables in; memory if there is none. Queues are always in memory.
    pub data: Option<PathBuf>,
    /// Folder with one `<brand>.json` per brand.
    pub brands: PathBuf,
    /// Executable that runs a function when called as `<exe> function <name>`; this one by default.
    pub executable: Option<PathBuf>,
    /// The simulators; without any, the vendors' addresses lead nowhere.
    pub sandboxes: Option<Arc<dyn Sandboxes>>,
    /// How many times faster than in the cloud schedules run; 0 turns them off.
    pub schedule_speed: f64,
    /// Longest visibility timeout of a queue, in seconds; `None` leaves the template's.
    pub visibility_timeout: Option<u32>,
    /// Most processes of one function.
    pub most_processes: u32,
    /// Log filter of the functions; `None` leaves the template's.
    pub log_level: Option<String>,
    /// Where output goes.
    pub output: OutputOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            template: None,
            parameters: BTreeMap::new(),
            environment: BTreeMap::new(),
            ports: Ports::default(),
            data: None,
            brands: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/brands")),
            executable: None,
            sandboxes: None,
            schedule_speed: 15.0,
            visibility_timeout: Some(5),
            most_processes: 4,
            log_level: None,
            output: OutputOptions { terminal: false, capture: true },
        }
    }
}

/// Why a stack does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StackError {
    /// A port is taken, or may not be listened on.
    #[error("{name} cannot listen on port {port}: {source} (--{name}-port moves it)")]
    Port {
        /// The endpoint, as its option is called.
        name: &'static str,
        /// The port.
        port: u16,
        /// The system's answer.
        source: io::Error,
    },
    /// The template is not understood.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The embedded database does not run.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// The embedded queue service refused a queue.
    #[error("embedded SQS: {0}")]
    Sqs(#[from] SqsError),
    /// The brands' documents cannot be read.
    #[error("the brands in {folder} cannot be read: {source} (--brands names another folder)")]
    Brands {
        /// The folder.
        folder: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The path of this executable is not known.
    #[error("the function executable is not known: {0}")]
    Executable(io::Error),
    /// A function is called by a route, queue or schedule, but does not exist.
    #[error("there is no function {0}")]
    UnknownFunction(String),
}

/// A running stack. Dropping it kills the function processes; [`Stack::shutdown`] also waits for them.
pub struct Stack {
    addresses: Addresses,
    system: System,
    schedules: Vec<(Schedule, Duration)>,
    pools: Pools,
    output: Output,
    shutdown: Shutdown,
    tasks: JoinSet<()>,
}

/// The base addresses of a stack's endpoints.
#[derive(Clone, Debug)]
struct Addresses {
    gateway: String,
    iys: String,
    insider: String,
    dynamodb: String,
    sqs: String,
    ssm: String,
    lambda: String,
    netgsm: String,
    verimor: String,
    mysoft: String,
}

impl Addresses {
    /// Those of the integrators, as a brand's document names them.
    fn registries(&self) -> Registries {
        [("netgsm", &self.netgsm), ("verimor", &self.verimor), ("mysoft", &self.mysoft)].map(|(kind, url)| (kind, url.clone())).into()
    }
}

/// The endpoints, listening but not yet served.
struct Listeners {
    gateway: TcpListener,
    iys: Option<TcpListener>,
    integrators: Option<Integrators>,
    insider: Option<TcpListener>,
    dynamodb: TcpListener,
    sqs: TcpListener,
    ssm: TcpListener,
    lambda: TcpListener,
    runtime_api: TcpListener,
}

impl Listeners {
    async fn bind(ports: Ports, sandboxes: bool) -> Result<Self, StackError> {
        let (iys, insider) =
            if sandboxes { (Some(listen("iys", ports.iys).await?), Some(listen("insider", ports.insider).await?)) } else { (None, None) };
        let integrators = if sandboxes {
            Some(Integrators {
                netgsm: listen("netgsm", ports.netgsm).await?,
                verimor: listen("verimor", ports.verimor).await?,
                mysoft: listen("mysoft", ports.mysoft).await?,
            })
        } else {
            None
        };
        Ok(Self {
            integrators,
            gateway: listen("gateway", ports.gateway).await?,
            iys,
            insider,
            dynamodb: listen("dynamodb", ports.dynamodb).await?,
            sqs: listen("sqs", ports.sqs).await?,
            ssm: listen("ssm", ports.ssm).await?,
            lambda: listen("lambda", ports.lambda).await?,
            runtime_api: listen("runtime-api", 0).await?,
        })
    }

    fn addresses(&self) -> Result<Addresses, StackError> {
        let vendor = |listener: &Option<TcpListener>| match listener {
            Some(listener) => url(listener),
            None => Ok(NOBODY.to_owned()),
        };
        let integrator = |which: fn(&Integrators) -> &TcpListener| match &self.integrators {
            Some(all) => url(which(all)),
            None => Ok(NOBODY.to_owned()),
        };
        Ok(Addresses {
            gateway: url(&self.gateway)?,
            iys: vendor(&self.iys)?,
            insider: vendor(&self.insider)?,
            dynamodb: url(&self.dynamodb)?,
            sqs: url(&self.sqs)?,
            ssm: url(&self.ssm)?,
            lambda: url(&self.lambda)?,
            netgsm: integrator(|all| &all.netgsm)?,
            verimor: integrator(|all| &all.verimor)?,
            mysoft: integrator(|all| &all.mysoft)?,
        })
    }
}

async fn listen(name: &'static str, port: u16) -> Result<TcpListener, StackError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| StackError::Port { name, port, source })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, StackError> {
    listener.local_addr().map_err(|source| StackError::Port { name: "endpoint", port: 0, source })
}

fn url(listener: &TcpListener) -> Result<String, StackError> {
    Ok(format!("http://{}", address(listener)?))
}

impl Stack {
    /// Stands the system up. When this returns, every endpoint answers; functions start on demand.
    ///
    /// # Errors
    ///
    /// If a port is taken, the template is not understood, or a part does not start.
    pub async fn start(options: Options) -> Result<Self, StackError> {
        Self::start_with_output(Output::new(options.output), options).await
    }

    /// Like [`Stack::start`], with an output that the caller made, and may write to as well.
    ///
    /// # Errors
    ///
    /// As for [`Stack::start`].
    pub async fn start_with_output(output: Output, options: Options) -> Result<Self, StackError> {
        let listeners = Listeners::bind(options.ports, options.sandboxes.is_some()).await?;
        let addresses = listeners.addresses()?;
        let surroundings = Surroundings { region: REGION.to_owned(), account: ACCOUNT.to_owned(), sqs_url: addresses.sqs.clone() };
        let template = Template::parse(options.template.as_deref().unwrap_or(TEMPLATE))?;
        let system = template.resolve(&parameters(&template, &options, &addresses), &surroundings)?;
        let brands = ssm::Brands {
            folder: options.brands.clone(),
            path: system.parameters.get("BrandsPath").cloned().unwrap_or_else(|| "/".to_owned()),
            registries: addresses.registries(),
            surroundings: surroundings.clone(),
        };
        let documents = brands.documents().map_err(|source| StackError::Brands { folder: options.brands.display().to_string(), source })?;
        let database = dynamodb::open(options.data.as_deref(), &system.tables)?;
        let queues = sqs::create_queues(address(&listeners.sqs)?, &surroundings, &system.queues, options.visibility_timeout).await?;

        let shutdown = Shutdown::new();
        let workers = Workers::default();
        let launch = Launch {
            executable: match &options.executable {
                Some(path) => path.clone(),
                None => std::env::current_exe().map_err(StackError::Executable)?,
            },
            surroundings: aws_environment(&addresses, options.data.as_deref()),
            overrides: options.environment.clone(),
            runtime_api: address(&listeners.runtime_api)?.to_string(),
            most: options.most_processes,
        };
        let pools: Pools = Arc::new(
            system
                .functions
                .iter()
                .map(|function| {
                    let pool = Pool::new(function.clone(), launch.clone(), workers.clone(), output.clone(), shutdown.clone());
                    (function.name.clone(), pool)
                })
                .collect(),
        );
        let pool = |name: &str| pools.get(name).cloned().ok_or_else(|| StackError::UnknownFunction(name.to_owned()));

        let mut tasks = JoinSet::new();
        tasks.spawn(dynamodb::serve(listeners.dynamodb, database, shutdown.clone()));
        tasks.spawn(sqs::serve(listeners.sqs, Arc::clone(&queues), shutdown.clone()));
        tasks.spawn(serve(listeners.ssm, ssm::router(brands), shutdown.clone()));
        let runtime_api = runtime_api::router(workers);
        tasks.spawn(serve(listeners.runtime_api, runtime_api, shutdown.clone()));
        let invoke_api = runtime_api::invoke_router(Arc::clone(&pools));
        tasks.spawn(serve(listeners.lambda, invoke_api, shutdown.clone()));
        let routes = system.routes.iter().map(|route| Ok((route.clone(), pool(&route.function)?)));
        let gateway = gateway::router(Gateway { routes: routes.collect::<Result<_, StackError>>()?, account: ACCOUNT.to_owned() });
        tasks.spawn(serve(listeners.gateway, gateway, shutdown.clone()));
        if let Some(sandboxes) = &options.sandboxes {
            let setup = SandboxSetup { gateway_url: addresses.gateway.clone(), brands: documents };
            if let (Some(listener), Some(integrators)) = (listeners.iys, listeners.integrators) {
                let ended = shutdown.clone();
                let iys = sandboxes.iys_with(listener, integrators, setup.clone(), Box::new(move || Box::pin(ended.begun())));
                tasks.spawn(report("the İYS sandbox", iys));
            }
            if let Some(listener) = listeners.insider {
                let insider = sandboxes.insider(listener, setup, Box::pin(shutdown.begun()));
                tasks.spawn(report("the Insider sandbox", insider));
            }
        }
        for mapping in &system.mappings {
            let queue = system.queues.iter().find(|queue| queue.name == mapping.queue);
            let Some(queue) = queue else { continue };
            let here = sqs::effective_visibility(queue, options.visibility_timeout);
            let poller = Poller {
                mapping: mapping.clone(),
                queue: queue.clone(),
                sqs: Arc::clone(&queues),
                pool: pool(&mapping.function)?,
                surroundings: surroundings.clone(),
                concurrency: mapping.max_concurrency.unwrap_or(options.most_processes),
                kept_invisible: (here < queue.visibility_timeout).then_some(here),
                shutdown: shutdown.clone(),
            };
            tasks.spawn(poller.run());
        }
        let mut schedules = Vec::new();
        for schedule in &system.schedules {
            if let Some(every) = scheduler::every(schedule, options.schedule_speed) {
                let pool = pool(&schedule.function)?;
                tasks.spawn(scheduler::run(schedule.clone(), every, pool, shutdown.clone()));
                schedules.push((schedule.clone(), every));
            }
        }
        Ok(Self { addresses, system, schedules, pools, output, shutdown, tasks })
    }

    /// Base address of the HTTP API.
    #[must_use]
    pub fn gateway_url(&self) -> &str {
        &self.addresses.gateway
    }

    /// Base address of İYS.
    #[must_use]
    pub fn iys_url(&self) -> &str {
        &self.addresses.iys
    }

    /// Base address of Insider.
    #[must_use]
    pub fn insider_url(&self) -> &str {
        &self.addresses.insider
    }

    /// Base address of DynamoDB.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.addresses.dynamodb
    }

    /// Base address of SQS.
    #[must_use]
    pub fn sqs_url(&self) -> &str {
        &self.addresses.sqs
    }

    /// Base address of SSM.
    #[must_use]
    pub fn ssm_url(&self) -> &str {
        &self.addresses.ssm
    }

    /// Base address of Lambda's `Invoke`.
    #[must_use]
    pub fn lambda_url(&self) -> &str {
        &self.addresses.lambda
    }

    /// Base address of Netgsm, an integrator.
    #[must_use]
    pub fn netgsm_url(&self) -> &str {
        &self.addresses.netgsm
    }

    /// Base address of Verimor, an integrator.
    #[must_use]
    pub fn verimor_url(&self) -> &str {
        &self.addresses.verimor
    }

    /// Base address of Mysoft, an integrator.
    #[must_use]
    pub fn mysoft_url(&self) -> &str {
        &self.addresses.mysoft
    }

    /// Region that clients of these endpoints sign for.
    #[must_use]
    pub fn region(&self) -> &'static str {
        REGION
    }

    /// Address of a queue, by its logical id in the template.
    #[must_use]
    pub fn queue_url(&self, logical_id: &str) -> Option<&str> {
        let queue = self.system.queues.iter().find(|queue| queue.logical_id == logical_id)?;
        Some(&queue.url)
    }

    /// What the template asked for.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.system
    }

    /// The schedules that run, each with the time between two runs here.
    #[must_use]
    pub fn schedules(&self) -> &[(Schedule, Duration)] {
        &self.schedules
    }

    /// The routes of the HTTP API.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.system.routes
    }

    /// All addresses by name, as JSON: what a ready file holds.
    #[must_use]
    pub fn addresses(&self) -> Value {
        let Addresses { gateway, iys, insider, dynamodb, sqs, ssm, lambda, netgsm, verimor, mysoft } = &self.addresses;
        json!({
            "gateway": gateway,
            "iys": iys,
            "insider": insider,
            "dynamodb": dynamodb,
            "sqs": sqs,
            "ssm": ssm,
            "lambda": lambda,
            "netgsm": netgsm,
            "verimor": verimor,
            "mysoft": mysoft,
            "region": REGION,
        })
    }

    /// The running function processes: name of the function and process id.
    #[must_use]
    pub fn processes(&self) -> Vec<(String, u32)> {
        let of =
            |(name, pool): (&String, &Pool)| -> Vec<(String, u32)> { pool.pids().into_iter().map(|pid| (name.clone(), pid)).collect() };
        self.pools.iter().flat_map(of).collect()
    }

    /// Everything that functions and the stack have said, if output is captured.
    #[must_use]
    pub fn captured_output(&self) -> String {
        self.output.captured()
    }

    /// Where output goes; a `tracing` subscriber may write there too.
    #[must_use]
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// Calls a function, as a schedule or a person would.
    ///
    /// # Errors
    ///
    /// If there is no such function, or it fails.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Bytes, InvokeError> {
        let pool = self.pools.get(function).ok_or_else(|| InvokeError::UnknownFunction(function.to_owned()))?;
        pool.invoke(Bytes::from(payload.to_string())).await
    }

    /// Ends everything and waits for it: function processes are killed and reaped.
    pub async fn shutdown(mut self) {
        self.shutdown.begin();
        let ended = async {
            for pool in self.pools.values() {
                pool.ended().await;
            }
            while self.tasks.join_next().await.is_some() {}
        };
        if tokio::time::timeout(END_TIMEOUT, ended).await.is_err() {
            tracing::warn!("some parts of the stack did not end in time");
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

/// Parameters for this machine, those that were asked for on top.
fn parameters(template: &Template, options: &Options, addresses: &Addresses) -> BTreeMap<String, String> {
    let Addresses { gateway, iys, insider, .. } = addresses;
    let urls = [("ApiUrl", gateway), ("IysBaseUrl", iys), ("InsiderContactUrl", insider), ("InsiderUnificationUrl", insider)];
    let urls =
        urls.map(|(name, url)| (name, url.clone())).into_iter().chain([("InsiderExportUrl", format!("{insider}/insider-data-export"))]);
    // Nobody outside of this machine is asked.
    let nobody = [("EgressCheckUrl", String::new())];
    let waits = [
        ("IysBulkResultWaitSeconds", BULK_DELAY_SECONDS.to_string()),
        ("PushBatchWindowSeconds", PUSH_WINDOW_SECONDS.to_string()),
        ("WorkGraceSeconds", WORK_GRACE_SECONDS.to_string()),
        ("StandingPauseSeconds", STANDING_PAUSE_SECONDS.to_string()),
    ];
    let log_level = options.log_level.clone().map(|level| ("LogLevel", level));
    let mut parameters: BTreeMap<String, String> = urls
        .chain(nobody)
        .chain(waits)
        .chain(log_level)
        // Another template may do without.
        .filter(|(name, _)| template.has_parameter(name))
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    parameters.extend(options.parameters.clone());
    parameters
}

/// What leads the AWS clients of a function to this machine.
fn aws_environment(addresses: &Addresses, data: Option<&Path>) -> BTreeMap<String, String> {
    // What stands in a bucket in the cloud is kept where the tables are.
    let archive = data.map(|data| ("ARCHIVE_FOLDER".to_owned(), data.join("evidence").display().to_string()));
    let aws = [
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &addresses.dynamodb),
        ("AWS_ENDPOINT_URL_SQS", &addresses.sqs),
        ("AWS_ENDPOINT_URL_SSM", &addresses.ssm),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    aws.chain(archive).collect()
}

async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(shutdown.begun());
    if let Err(error) = server.await {
        tracing::error!(%error, "an endpoint ended");
    }
}

async fn report(what: &'static str, serving: impl Future<Output = io::Result<()>>) {
    if let Err(error) = serving.await {
        tracing::error!(%error, "{what} ended");
    }
}
