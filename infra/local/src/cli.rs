//! The command line: starts the stack and keeps it until it is told to end, or runs one function.

use std::{
    collections::BTreeMap,
    fs, io,
    io::{Read, Write},
    path::{Path, PathBuf},
    pin::Pin,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::{
    greeting,
    output::{Output, OutputOptions},
    sandboxes::Sandboxes,
    stack::{Options, Ports, Stack},
};

/// Any error of a function's process.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Begins the whole process of a function.
type Start = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Result<(), BoxError>>>>>;

/// What the stack itself logs unless `RUST_LOG` says otherwise. The embedded DynamoDB warns of every
/// condition that does not hold, which is how the ledger is meant to use it.
const LOG_FILTER: &str = "warn,dynoxide=error,local=info";

/// The functions that a program can run, by name.
#[derive(Default)]
pub struct Functions(BTreeMap<&'static str, Start>);

impl Functions {
    /// No functions yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function: `run` is its whole process, and only returns when that is to end.
    #[must_use]
    pub fn with<R, F>(mut self, name: &'static str, run: R) -> Self
    where
        R: FnOnce() -> F + 'static,
        F: Future<Output = Result<(), BoxError>> + 'static,
    {
        self.0.insert(name, Box::new(|| Box::pin(run())));
        self
    }
}

/// Runs the whole of iys-insider-sync on this machine.
#[derive(Parser)]
#[command(name = "local", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything and keep it running (what happens without a command, too).
    Run(Run),
    /// Run one function as a process of a running stack.
    #[command(hide = true)]
    Function {
        /// The function.
        name: String,
    },
}

#[derive(Args)]
struct Run {
    /// Port of the HTTP API [0 for any free one, as for all ports].
    #[arg(long, default_value_t = 4000)]
    gateway_port: u16,
    /// Port of the İYS simulator.
    #[arg(long, default_value_t = 4001)]
    iys_port: u16,
    /// Port of the Insider simulator.
    #[arg(long, default_value_t = 4002)]
    insider_port: u16,
    /// Port of DynamoDB.
    #[arg(long, default_value_t = 4003)]
    dynamodb_port: u16,
    /// Port of SQS.
    #[arg(long, default_value_t = 4004)]
    sqs_port: u16,
    /// Port of SSM Parameter Store.
    #[arg(long, default_value_t = 4005)]
    ssm_port: u16,
    /// Port of Lambda's Invoke.
    #[arg(long, default_value_t = 4006)]
    lambda_port: u16,
    /// Port of the Netgsm simulator.
    #[arg(long, default_value_t = 4007)]
    netgsm_port: u16,
    /// Port of the Verimor simulator.
    #[arg(long, default_value_t = 4008)]
    verimor_port: u16,
    /// Port of the Mysoft simulator.
    #[arg(long, default_value_t = 4009)]
    mysoft_port: u16,
    /// Keep the tables in this folder; without, everything is gone at the end. Queues always start
    /// empty: the sweep fills them again from the ledger.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder with one <brand>.json per brand.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/brands"))]
    brands: PathBuf,
    /// Template to run, instead of the one this program was built with.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Value of a template parameter.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    parameters: Vec<(String, String)>,
    /// How many times faster than in the cloud schedules run: by 15, a pull every 20 s and a sweep
    /// every 4 s. 0 turns them off.
    #[arg(long, value_name = "FACTOR", default_value_t = 15.0)]
    schedule_speed: f64,
    /// Seconds after which messages of a failed or killed function come back, at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    visibility_timeout: u32,
    /// Most processes of one function.
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    most_processes: u32,
    /// Log filter of the functions, for instance `debug` or `info,shared=debug`.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log_level: String,
    /// Write all addresses as JSON into this file once everything answers.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "a parameter is NAME=VALUE".to_owned())
}

/// The whole of a program that runs the stack: reads the command line, does what it says, and gives
/// the exit code. `functions` are what the program can run; `sandboxes` are its simulators.
pub fn cli_main(functions: Functions, sandboxes: Option<Arc<dyn Sandboxes>>) -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Function { name }) => function(functions, &name),
        Some(Command::Run(run)) => stack(run, sandboxes),
        None => stack(cli.run, sandboxes),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to say it to if standard error is gone.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn function(mut functions: Functions, name: &str) -> Result<(), BoxError> {
    let Some(run) = functions.0.remove(name) else {
        let known: Vec<_> = functions.0.keys().copied().collect();
        return Err(format!("there is no function {name}; there are: {}", known.join(", ")).into());
    };
    std::thread::spawn(end_with_parent);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run())
}

/// Ends this process when the other end of its standard input is closed, which is when the stack that
/// started it is gone, however it went.
fn end_with_parent() {
    let mut rest = [0; 64];
    let mut input = io::stdin().lock();
    loop {
        match input.read(&mut rest) {
            Ok(0) => break,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
            _ => {}
        }
    }
    std::process::exit(0);
}

fn stack(run: Run, sandboxes: Option<Arc<dyn Sandboxes>>) -> Result<(), BoxError> {
    let template = match &run.template {
        None => None,
        Some(path) => {
            let text = fs::read_to_string(path);
            Some(text.map_err(|error| format!("{} cannot be read: {error}", path.display()))?)
        }
    };
    let options = Options {
        template,
        parameters: run.parameters.into_iter().collect(),
        environment: BTreeMap::new(),
        ports: Ports {
            gateway: run.gateway_port,
            iys: run.iys_port,
            insider: run.insider_port,
            dynamodb: run.dynamodb_port,
            sqs: run.sqs_port,
            ssm: run.ssm_port,
            lambda: run.lambda_port,
            netgsm: run.netgsm_port,
            verimor: run.verimor_port,
            mysoft: run.mysoft_port,
        },
        data: run.data,
        brands: run.brands,
        executable: None,
        sandboxes,
        schedule_speed: run.schedule_speed,
        visibility_timeout: Some(run.visibility_timeout.max(1)),
        most_processes: run.most_processes,
        log_level: Some(run.log_level),
        output: OutputOptions { terminal: true, capture: false },
    };
    let output = Output::new(options.output);
    log_to(&output);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(keep(options, output, run.port_file.as_deref()));
    // Nothing that still runs is worth waiting for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn keep(options: Options, output: Output, port_file: Option<&Path>) -> Result<(), BoxError> {
    let stop = stop_signal()?;
    let stack = Stack::start_with_output(output.clone(), options.clone()).await?;
    output.plain(&greeting::text(&stack, &options, output.colour()));
    if let Some(path) = port_file {
        write_whole(path, &stack.addresses().to_string()).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    stop.await;
    output.notice("ending");
    stack.shutdown().await;
    Ok(())
}

/// Writes a file such that no reader ever sees half of it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a signal to wait for, there is no reason to go on.
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn log_to(output: &Output) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(output.colour())
        .without_time()
        .with_target(false)
        .with_writer(output.clone());
    // A program that set a subscriber of its own keeps it.
    let _ = subscriber.try_init();
}
