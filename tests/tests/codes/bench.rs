//! The handlers of `iys-push` and `reconcile` over a ledger, a queue and a simulated İYS of their own, all
//! under one clock that stands until it is moved.

use std::cell::Cell;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use jiff::{SignedDuration, Timestamp};
use reconcile::Egress;
use sandbox::iys::{Authority, Config, Grant, Partner, Subscription};
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::consent::code::{Code, Entry};
use shared::consent::{Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientType, Source, Status, Sync};
use shared::insider;
use shared::intake::Intake;
use shared::iys::{Client, IysRegistry, Settings};
use shared::ledger::Ledger;
use shared::queue::Queues;
use url::Url;

use crate::harness::{self, ManualClock};
use crate::{parameters, sqs};

/// A Monday, 10:00 in Türkiye.
const START: &str = "2026-11-23T07:00:00Z";
/// What the template gives its functions.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(15);
const PAUSE: SignedDuration = SignedDuration::from_mins(30);
pub(crate) const RESULT_WAIT: SignedDuration = SignedDuration::from_secs(300);
/// İYS number of the business partner.
pub(crate) const PARTNER: u64 = 550_001;
const EPOSTA: Channel = Channel::Eposta;

/// Everything that a code passes through.
pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) ledger: Ledger,
    intake: Intake,
    pub(crate) brand: Brand,
    push: iys_push::App,
    reconcile: reconcile::App,
    sqs: aws_sdk_sqs::Client,
    push_url: String,
    iys: Url,
    http: reqwest::Client,
    people: Cell<u32>,
}

impl Bench {
    /// The local brand, by its own API user.
    pub(crate) async fn start() -> Self {
        Self::of(serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap(), Config::default()).await
    }

    /// The local brand, by the API user of a business partner that has all authority.
    pub(crate) async fn of_a_partner() -> Self {
        let mut document: Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
        document["iys"]["integratorCode"] = PARTNER.into();
        document["iys"]["username"] = "partner-api-user".into();
        document["iys"]["password"] = "partner-password".into();
        let write = Some(Authority::Write);
        let grant = Grant { brand_code: 700_001, arama: write, mesaj: write, eposta: write, agreement_control: true, via_control: false };
        let partner = Partner {
            integrator_code: PARTNER,
            username: "partner-api-user".to_owned(),
            password: "partner-password".to_owned(),
            subscription: Some(Subscription::default()),
            grants: vec![grant],
            ..Partner::default()
        };
        Self::of(document, Config { partners: vec![partner], ..Config::default() }).await
    }

    async fn of(document: Value, config: Config) -> Self {
        // The first to come installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = ManualClock::at(START);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let iys: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        // The clock stands while calls are made, so a second has as many as come.
        let config = Config { clock: clock.clock(), calls_per_second: 1000, pull_tail_seconds: 0, allow_http_push: true, ..config };
        tokio::spawn(sandbox::iys::serve(listener, config, std::future::pending()));
        let ledger = harness::ledger().await;
        let (client, push_url, relay_url) = sqs::queues(|config| config).await;
        let queues = Queues::new(client.clone(), push_url.clone(), relay_url);
        let intake = Intake::new(ledger.clone(), queues.clone(), GRACE);
        let mut settings = Settings::new(iys.clone());
        settings.limits.calls_per_second = 500;
        let calls = Client::new(settings, ledger.clone(), clock.clock(), "worker");
        let brand = Brand::read(&document.to_string()).unwrap();
        let documents = vec![document.to_string()];
        let registry = calls.clone();
        let push = iys_push::App {
            brands: parameters::brands(documents.clone()).await,
            ledger: ledger.clone(),
            queues: queues.clone(),
            registry: Arc::new(move |brand| Box::new(IysRegistry::new(registry.clone(), brand.clone()))),
            clock: clock.clock(),
            grace: GRACE,
            result_wait: RESULT_WAIT,
        };
        let reconcile = reconcile::App {
            brands: parameters::brands(documents).await,
            ledger: ledger.clone(),
            queues,
            intake: intake.clone(),
            iys: calls,
            integrators: shared::integrators::Integrators::new(ledger.clone(), clock.clock()),
            // Nobody asks it anything here.
            insider: insider::Connection::new(insider::Settings::new(iys.clone(), iys.clone()), clock.clock()),
            clock: clock.clock(),
            grace: GRACE,
            pause: PAUSE,
            api: receiver().await,
            egress: Egress::new(None),
            metrics: shared::metrics::Sink::new("codes"),
            dead_letters: None,
            verify_percent: 50,
            verify_rest: SignedDuration::from_mins(10),
            archive: None,
        };
        let http = reqwest::Client::new();
        Self { clock, ledger, intake, brand, push, reconcile, sqs: client, push_url, iys, http, people: Cell::new(0) }
    }

    /// Somebody who was not there before.
    pub(crate) fn person(&self) -> Recipient {
        self.people.set(self.people.get() + 1);
        Recipient::parse(&format!("kisi{}@example.com", self.people.get()), EPOSTA).unwrap()
    }

    pub(crate) fn key(&self, person: &Recipient) -> ConsentKey {
        ConsentKey {
            recipient_id: person.id(&self.brand.recipient_id_key, &self.brand.name),
            brand: self.brand.name.clone(),
            channel: EPOSTA,
            recipient_type: RecipientType::Bireysel,
        }
    }

    async fn control(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let response = self.http.request(method, self.iys.join(&format!("_sandbox/{path}")).unwrap()).json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap()
    }

    /// İYS holds these people's consents from before.
    pub(crate) async fn seed(&self, people: &[Recipient]) {
        let record = |person: &Recipient| json!({ "brandCode": 700_001, "recipient": person.expose(), "type": "EPOSTA", "status": "ONAY" });
        self.control(reqwest::Method::POST, "consents", &people.iter().map(record).collect()).await;
    }

    /// Somebody refuses at İYS itself.
    pub(crate) async fn refuses_at_iys(&self, person: &Recipient) {
        let act = json!({ "brandCode": 700_001, "recipient": person.expose(), "type": "EPOSTA", "status": "RET" });
        self.control(reqwest::Method::POST, "citizen", &act).await;
    }

    /// The next question or record of a person is answered with a code. Whoever may not use the second
    /// version of a method at all is served by the first: both refuse then.
    pub(crate) async fn plant(&self, person: &Recipient, at: &str, entry: &Entry) {
        let both = at == "add" && is_of_the_version(entry);
        let refusal = json!({
            "recipient": person.expose(), "at": at, "code": entry.code, "http": entry.http, "count": if both { 2 } else { 1 },
        });
        self.control(reqwest::Method::POST, "refusals", &refusal).await;
    }

    /// The next request to a path is answered with a code.
    pub(crate) async fn order(&self, path: &str, entry: &Entry) {
        self.order_of(None, path, entry).await;
    }

    /// The same of the requests of one method.
    pub(crate) async fn order_of(&self, method: Option<&str>, path: &str, entry: &Entry) {
        let body = json!({ "errors": [{ "code": entry.code, "message": "-" }] });
        let mut fault = json!({ "path": path, "kind": "status", "status": entry.http, "body": body, "count": 1 });
        if let Some(method) = method {
            fault["method"] = method.into();
        }
        self.control(reqwest::Method::POST, "faults", &fault).await;
    }

    /// The next request to a path of the second version is answered with a code; where the first version
    /// takes its place then, that is, too.
    pub(crate) async fn order_both(&self, path: &str, entry: &Entry) {
        self.order(&format!("/v2{path}"), entry).await;
        if is_of_the_version(entry) {
            self.order(path, entry).await;
        }
    }

    /// What was ordered or planted has struck.
    pub(crate) async fn has_struck(&self, what: &str) {
        for kind in ["faults", "refusals"] {
            let left = self.http.get(self.iys.join(&format!("_sandbox/{kind}")).unwrap()).send().await.unwrap();
            assert_eq!(left.json::<Value>().await.unwrap(), json!([]), "{what} was met by no call");
        }
    }

    /// Sources of a person's movements at İYS, oldest first.
    pub(crate) async fn at_iys(&self, person: &Recipient) -> Vec<String> {
        let held = self.http.get(self.iys.join("_sandbox/consents").unwrap()).query(&[("recipient", person.expose())]);
        let held: Value = held.send().await.unwrap().json().await.unwrap();
        let movements = held["movements"].as_array().unwrap();
        movements
            .iter()
            .map(|movement| format!("{} {}", movement["status"].as_str().unwrap(), movement["source"].as_str().unwrap()))
            .collect()
    }

    /// These people refuse in the brand's shop, a minute ago.
    pub(crate) async fn refuse(&self, people: &[Recipient]) {
        let consent_date = ConsentDate::at(self.clock.now() - SignedDuration::from_mins(1));
        let movement = |person: &Recipient| Movement {
            key: self.key(person),
            recipient: person.clone(),
            head: Head {
                status: Status::Ret,
                source: Source::HsWeb,
                consent_date,
                origin: Origin::Api,
                event_id: EventId::derive("api", [person.expose()]),
                received_at: self.clock.now(),
                retailers: shared::consent::Retailers::default(),
            },
        };
        let taken = self.intake.take(people.iter().map(movement).collect(), self.clock.now()).await;
        assert!(taken.iter().all(Result::is_ok), "{taken:?}");
    }

    /// `iys-push` handles what its queue holds.
    pub(crate) async fn work(&self) {
        let mut event = SqsEvent::default();
        loop {
            let received = self.sqs.receive_message().queue_url(&self.push_url).max_number_of_messages(10).send().await.unwrap();
            let messages = received.messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            for message in messages {
                self.sqs.delete_message().queue_url(&self.push_url).receipt_handle(message.receipt_handle.unwrap()).send().await.unwrap();
                let mut record = SqsMessage::default();
                (record.message_id, record.body) = (message.message_id, message.body);
                event.records.push(record);
            }
        }
        // What comes again is left to the sweep, as if the queue had given it up.
        self.push.handle(event, self.clock.now() + TIMEOUT).await;
    }

    /// `reconcile` is invoked.
    pub(crate) async fn invoke(&self, payload: Value) -> Result<Value, String> {
        self.reconcile.invoke(payload).await.map_err(|error| error.to_string())
    }

    /// Time goes by, and with it the scheduled jobs and what they call for.
    pub(crate) async fn later(&self, by: SignedDuration) {
        self.clock.advance(by);
        // A job that fails is run again by its schedule.
        for job in [json!({ "job": "standing", "brand": "demo" }), json!({ "job": "sweep" })] {
            let _ = self.invoke(job).await;
        }
        self.work().await;
    }

    /// How far İYS has a person's state.
    pub(crate) async fn sync(&self, person: &Recipient) -> Sync {
        self.ledger.states(&[self.key(person)]).await.unwrap().remove(0).registry
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Whether the code makes the first version of a method take the place of the second.
fn is_of_the_version(entry: &Entry) -> bool {
    entry.code == Code::NOT_ENTITLED.to_string()
}

/// Where the API would be: it refuses whoever shows no credentials, as İYS demands of a push address.
async fn receiver() -> Url {
    use axum::http::{HeaderMap, StatusCode, header};
    let answer = |headers: HeaderMap| async move {
        if headers.contains_key(header::AUTHORIZATION) { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    url
}
