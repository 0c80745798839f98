//! Function processes: started on demand, one invocation at a time each, killed when they overstay.
//!
//! A process is a real one, started from the function executable as `<exe> function <name>`, and
//! speaks to the Lambda Runtime API (`runtime_api`) like the deployed function does. Its standard
//! input is a pipe that this side holds open and never writes to: the process ends when the pipe
//! closes, so that none outlives the stack, however the stack ended.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::body::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

use crate::{output::Output, shutdown::Shutdown, template::Function};

/// AWS Lambda quotas: the payload of a synchronous invocation, request and response each, 6 MB.
pub(crate) const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// How long a process may take to ask for its first invocation. AWS allows 10 seconds for an
/// optimised binary; this is an unoptimised one, perhaps while a build is running.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer waits for its process to ask for more, which it does at once as a rule.
const TURNAROUND: Duration = Duration::from_millis(50);

/// Pause after a first failed start; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Longest pause between failed starts.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Variables of this process that its functions inherit: what a program needs to run at all, and
/// nothing that would make it behave other than in the cloud (proxies, AWS profiles).
const INHERITED: [&str; 9] =
    ["HOME", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "PATH", "RUST_BACKTRACE", "SSL_CERT_DIR", "SSL_CERT_FILE", "SYSTEMROOT", "TMPDIR"];

/// Why an invocation has no result.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvokeError {
    /// No function has this name.
    #[error("there is no function {0}")]
    UnknownFunction(String),
    /// The request is larger than Lambda takes.
    #[error("the request payload is larger than {PAYLOAD_LIMIT} bytes")]
    RequestTooLarge,
    /// The response is larger than Lambda takes.
    #[error("the response payload is larger than {PAYLOAD_LIMIT} bytes")]
    ResponseTooLarge,
    /// The function answered with an error, of this type.
    #[error("the function failed: {0}")]
    Function(String),
    /// The process took longer than the function's timeout and was killed.
    #[error("the function timed out after {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The process ended before it answered.
    #[error("the function's process ended: {0}")]
    Ended(String),
    /// No process could be started.
    #[error("the function does not start: {0}")]
    StartFailed(String),
    /// Starting failed lately; it is tried again after this time.
    #[error("the function does not start; the next try is in {} s", .0.as_secs_f32())]
    BackingOff(Duration),
    /// The stack is ending.
    #[error("the stack is ending")]
    Ending,
}

/// How function processes are started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The executable.
    pub(crate) executable: PathBuf,
    /// Environment of every function; what the template says goes before it.
    pub(crate) surroundings: BTreeMap<String, String>,
    /// Environment that goes before the template's.
    pub(crate) overrides: BTreeMap<String, String>,
    /// `host:port` of the Runtime API.
    pub(crate) runtime_api: String,
    /// Most processes of one function.
    pub(crate) most: u32,
}

/// One request to a function.
pub(crate) struct Invocation {
    pub(crate) id: String,
    pub(crate) payload: Bytes,
    /// When the function must have answered, in milliseconds since 1970.
    pub(crate) deadline_ms: u128,
    taken: Arc<AtomicBool>,
    reply: oneshot::Sender<Result<Bytes, InvokeError>>,
}

/// One function process, as the Runtime API sees it.
pub(crate) struct Worker {
    /// Names the process in the Runtime API's paths.
    pub(crate) id: String,
    /// ARN of its function.
    pub(crate) function_arn: String,
    pid: u32,
    inbox: mpsc::Sender<Invocation>,
    outbox: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    /// How often the process has asked for an invocation, and how many of these were counted on.
    polls: watch::Sender<u64>,
    served: Mutex<u64>,
    current: Mutex<Option<Current>>,
    exit: watch::Receiver<Option<String>>,
    kill: Notify,
}

struct Current {
    id: String,
    reply: oneshot::Sender<Result<Bytes, InvokeError>>,
}

impl Worker {
    /// Waits for the next invocation. To ask is to say that the one before is done.
    pub(crate) async fn next(&self) -> Option<Invocation> {
        self.polls.send_modify(|polls| *polls += 1);
        let mut invocation = self.outbox.lock().await.recv().await?;
        invocation.taken.store(true, Ordering::Relaxed);
        let (unused, _) = oneshot::channel();
        let reply = std::mem::replace(&mut invocation.reply, unused);
        *lock(&self.current) = Some(Current { id: invocation.id.clone(), reply });
        Some(invocation)
    }

    /// Hands back the result of the invocation `id`. False if that is not the current one.
    pub(crate) fn answer(&self, id: &str, result: Result<Bytes, InvokeError>) -> bool {
        let mut current = lock(&self.current);
        match current.take_if(|current| current.id == id) {
            None => false,
            Some(current) => {
                // Nobody waits any more after a timeout.
                let _ = current.reply.send(result);
                true
            }
        }
    }

    fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Completes when the process has ended, with how.
    async fn ended(&self) -> String {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(how)) => how.clone(),
            _ => "unknown".to_owned(),
        }
    }
}

/// All function processes, by their name in the Runtime API.
#[derive(Clone, Default)]
pub(crate) struct Workers(Arc<Mutex<HashMap<String, Arc<Worker>>>>);

impl Workers {
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Worker>> {
        lock(&self.0).get(id).cloned()
    }
}

/// The processes of one function. Clones share them.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    function: Function,
    launch: Launch,
    workers: Workers,
    slots: Arc<Semaphore>,
    started: AtomicU64,
    state: Mutex<State>,
    output: Output,
    shutdown: Shutdown,
}

#[derive(Default)]
struct State {
    idle: Vec<Arc<Worker>>,
    all: Vec<Arc<Worker>>,
    failures: u32,
    pause_until: Option<Instant>,
}

impl Pool {
    pub(crate) fn new(function: Function, launch: Launch, workers: Workers, output: Output, shutdown: Shutdown) -> Self {
        let most = function.reserved_concurrency.map_or(launch.most, |most| most.min(launch.most));
        Self(Arc::new(Inner {
            slots: Arc::new(Semaphore::new(most.max(1) as usize)),
            function,
            launch,
            workers,
            started: AtomicU64::new(0),
            state: Mutex::default(),
            output,
            shutdown,
        }))
    }

    /// The function that these processes run.
    pub(crate) fn function(&self) -> &Function {
        &self.0.function
    }

    /// Process ids of the running processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.state().all.iter().filter(|worker| worker.is_alive()).map(|worker| worker.pid).collect()
    }

    /// Completes when no process is left. Only sensible once the stack is ending.
    pub(crate) async fn ended(&self) {
        let all = self.state().all.clone();
        for worker in all {
            worker.ended().await;
        }
    }

    /// Completes when a start may be tried, which is at once unless starting failed lately.
    pub(crate) async fn may_start(&self) {
        let until = self.state().pause_until;
        if let Some(until) = until {
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = self.0.shutdown.begun() => {}
            }
        }
    }

    /// Calls the function: in an idle process, else in a new one, else in the next to be free.
    pub(crate) async fn invoke(&self, payload: Bytes) -> Result<Bytes, InvokeError> {
        let pool = self.clone();
        // A task of its own: a caller that stops waiting must not leave a process behind that
        // nobody gives work to again.
        let invocation = tokio::spawn(async move { pool.invoke_here(payload).await });
        invocation.await.unwrap_or(Err(InvokeError::Ending))
    }

    async fn invoke_here(&self, payload: Bytes) -> Result<Bytes, InvokeError> {
        if payload.len() > PAYLOAD_LIMIT {
            return Err(InvokeError::RequestTooLarge);
        }
        let slot = tokio::select! {
            slot = Arc::clone(&self.0.slots).acquire_owned() => slot.map_err(|_| InvokeError::Ending)?,
            () = self.0.shutdown.begun() => return Err(InvokeError::Ending),
        };
        loop {
            let worker = match self.idle() {
                Some(worker) => worker,
                None => self.start().await?,
            };
            match self.deliver(&worker, payload.clone()).await {
                // It ended while it was idle: the invocation never reached it.
                Delivered::NotTaken => continue,
                Delivered::Result(result) => {
                    let freed = self.free_when_ready(worker, slot);
                    // Whoever calls again at once should find this process, not start another.
                    let _ = tokio::time::timeout(TURNAROUND, freed).await;
                    return result;
                }
            }
        }
    }

    async fn deliver(&self, worker: &Arc<Worker>, payload: Bytes) -> Delivered {
        let timeout = self.0.function.timeout;
        let taken = Arc::new(AtomicBool::new(false));
        let (reply, result) = oneshot::channel();
        let invocation = Invocation {
            id: uuid::Uuid::new_v4().to_string(),
            payload,
            deadline_ms: epoch_ms() + timeout.as_millis(),
            taken: Arc::clone(&taken),
            reply,
        };
        if worker.inbox.send(invocation).await.is_err() {
            return Delivered::NotTaken;
        }
        let result = tokio::select! {
            biased;
            Ok(result) = result => result,
            how = worker.ended() => {
                if !taken.load(Ordering::Relaxed) {
                    return Delivered::NotTaken;
                }
                Err(if self.0.shutdown.has_begun() { InvokeError::Ending } else { InvokeError::Ended(how) })
            }
            () = tokio::time::sleep(timeout) => {
                worker.kill.notify_one();
                Err(InvokeError::TimedOut(timeout))
            }
        };
        Delivered::Result(result)
    }

    fn idle(&self) -> Option<Arc<Worker>> {
        let mut state = self.state();
        while let Some(worker) = state.idle.pop() {
            if worker.is_alive() {
                return Some(worker);
            }
        }
        None
    }

    /// Gives the slot back once the process asks for more, or has ended. Until it asks, the invocation is not over for
    /// Lambda either, so one that never does has its timeout, too.
    fn free_when_ready(&self, worker: Arc<Worker>, slot: OwnedSemaphorePermit) -> JoinHandle<()> {
        let pool = self.clone();
        tokio::spawn(async move {
            match tokio::time::timeout(pool.0.function.timeout, pool.ready(&worker)).await {
                Ok(Ok(())) => pool.state().idle.push(worker),
                Ok(Err(_)) => {}
                Err(_) => {
                    worker.kill.notify_one();
                    worker.ended().await;
                }
            }
            drop(slot);
        })
    }

    /// Completes when the process asks for an invocation that it has not been given yet.
    async fn ready(&self, worker: &Worker) -> Result<(), String> {
        let seen = *lock(&worker.served);
        let mut polls = worker.polls.subscribe();
        tokio::select! {
            biased;
            how = worker.ended() => Err(how),
            Ok(polls) = polls.wait_for(|polls| *polls > seen) => {
                let now = *polls;
                drop(polls);
                *lock(&worker.served) = now;
                Ok(())
            }
        }
    }

    async fn start(&self) -> Result<Arc<Worker>, InvokeError> {
        let pause = self.state().pause_until.and_then(|until| until.checked_duration_since(Instant::now()));
        if let Some(pause) = pause {
            return Err(InvokeError::BackingOff(pause));
        }
        let outcome = match self.spawn() {
            Err(error) => Err(error.to_string()),
            Ok(worker) => match tokio::time::timeout(START_TIMEOUT, self.ready(&worker)).await {
                Ok(Ok(())) => Ok(worker),
                Ok(Err(how)) => Err(how),
                Err(_) => {
                    worker.kill.notify_one();
                    Err(format!("not ready after {} s", START_TIMEOUT.as_secs()))
                }
            },
        };
        if self.0.shutdown.has_begun() {
            return outcome.map_err(|_| InvokeError::Ending);
        }
        let name = &self.0.function.name;
        let mut state = self.state();
        match outcome {
            Ok(worker) => {
                state.failures = 0;
                state.pause_until = None;
                Ok(worker)
            }
            Err(how) => {
                let pause = LONGEST_PAUSE.min(FIRST_PAUSE * 2u32.saturating_pow(state.failures.min(10)));
                state.failures += 1;
                state.pause_until = Some(Instant::now() + pause);
                let failures = state.failures;
                drop(state);
                self.0.output.notice(&format!("{name} does not start ({how}), {failures} in a row; next try in {} s", pause.as_secs_f32()));
                Err(InvokeError::StartFailed(how))
            }
        }
    }

    fn spawn(&self) -> std::io::Result<Arc<Worker>> {
        let Inner { function, launch, workers, .. } = &*self.0;
        let number = self.0.started.fetch_add(1, Ordering::Relaxed) + 1;
        let id = format!("{}-{number}", function.name);
        let mut command = Command::new(&launch.executable);
        command
            .args(["function", &function.name])
            .env_clear()
            .envs(inherited())
            .envs(&launch.surroundings)
            .envs(lambda_environment(function, &id, &launch.runtime_api))
            .envs(&function.environment)
            .envs(&launch.overrides)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Its own group: Ctrl-C in a terminal is for the stack, which ends its processes itself.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let (inbox, outbox) = mpsc::channel(1);
        let (exited, exit) = watch::channel(None);
        let worker = Arc::new(Worker {
            id: id.clone(),
            function_arn: function.arn.clone(),
            pid: child.id().unwrap_or_default(),
            inbox,
            outbox: tokio::sync::Mutex::new(outbox),
            polls: watch::Sender::new(0),
            served: Mutex::new(0),
            current: Mutex::new(None),
            exit,
            kill: Notify::new(),
        });
        lock(&workers.0).insert(id, Arc::clone(&worker));
        self.state().all.push(Arc::clone(&worker));
        self.pass_on(child.stdout.take());
        self.pass_on(child.stderr.take());
        tokio::spawn(self.clone().watch(child, Arc::clone(&worker), exited));
        Ok(worker)
    }

    /// Waits for the end of a process, or brings it about, and forgets the process.
    async fn watch(self, mut child: Child, worker: Arc<Worker>, exited: watch::Sender<Option<String>>) {
        // Held until the process has ended: see the head of this file.
        let lifeline = child.stdin.take();
        let (status, meant) = tokio::select! {
            status = child.wait() => (status, false),
            () = worker.kill.notified() => (end(&mut child).await, true),
            () = self.0.shutdown.begun() => (end(&mut child).await, true),
        };
        drop(lifeline);
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let served = worker.polls.borrow().to_owned() > 0;
        lock(&self.0.workers.0).remove(&worker.id);
        self.state().all.retain(|other| other.id != worker.id);
        if served && !self.0.shutdown.has_begun() {
            let why = if meant { "killed, it overstayed its timeout" } else { &how };
            let name = &self.0.function.name;
            self.0.output.notice(&format!("{name} process {} ended: {why}", worker.pid));
        }
        // Last, so that whoever learns of the end finds everything in order.
        exited.send_replace(Some(how));
    }

    fn pass_on(&self, stream: Option<impl AsyncRead + Unpin + Send + 'static>) {
        let Some(stream) = stream else { return };
        let output = self.0.output.clone();
        let name = self.0.function.name.clone();
        tokio::spawn(async move {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
                output.function_line(&name, String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

enum Delivered {
    NotTaken,
    Result(Result<Bytes, InvokeError>),
}

async fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    child.start_kill()?;
    child.wait().await
}

fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// What Lambda itself puts into a function's environment.
fn lambda_environment(function: &Function, worker: &str, runtime_api: &str) -> [(&'static str, String); 9] {
    [
        // With a scheme, which Lambda leaves out: an address with a path is no URI without one.
        ("AWS_LAMBDA_RUNTIME_API", format!("http://{runtime_api}/{worker}")),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "Text".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", worker.to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]
}

fn epoch_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// What these locks guard is whole after every operation, also after one that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
