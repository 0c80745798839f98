//! The handler with a ledger, queues, brand and clock of its own.

use jiff::SignedDuration;
use lambda_http::http::{HeaderName, HeaderValue, Method, Request};
use lambda_http::{Body, RequestExt};
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::brands::Brands;
use shared::consent::{
    Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientType, Retailers, Source, Status,
};
use shared::door::Door;
use shared::intake::Intake;
use shared::iys::Limits;
use shared::keyring::Keyring;
use shared::ledger::Story;
use shared::queue::{PushMessage, Queues};

use crate::harness::{self, ManualClock};
use crate::sqs;

/// A Friday, 13:00 in Türkiye.
const START: &str = "2026-11-20T10:00:00Z";
const BRANDS: &str = "/brands/";
/// Where links of exports lead.
pub(crate) const EXPORTS: &str = "https://insider-data-export.useinsider.com";
/// The header that proves where a webhook comes from.
pub(crate) const PROOF: (&str, &str) = ("x-insider-secret", "demo-insider-secret");

pub(crate) struct Desk {
    pub(crate) clock: ManualClock,
    pub(crate) brand: Brand,
    door: Door,
    sqs: aws_sdk_sqs::Client,
    push_url: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Desk {
    /// A desk for the local brand with other settings of its Insider side.
    pub(crate) async fn new(settings: Value) -> Self {
        Self::with(|document| document["insider"].as_object_mut().unwrap().extend(settings.as_object().unwrap().clone())).await
    }

    /// A desk for the local brand at an integrator.
    pub(crate) async fn at_integrator(registry: Value) -> Self {
        Self::with(|document| {
            document["iys"] = json!({"iysCode": 700_001, "brandCode": 700_001, "channels": ["ARAMA", "MESAJ", "EPOSTA"]});
            document["registry"] = registry;
        })
        .await
    }

    /// A desk for the local brand with a changed document.
    pub(crate) async fn with(change: impl FnOnce(&mut Value)) -> Self {
        let mut document = serde_json::from_str(include_str!("../../../../infra/local/brands/demo.json")).unwrap();
        change(&mut document);
        Self::of(document).await
    }

    async fn of(document: Value) -> Self {
        let clock = ManualClock::at(START);
        let ledger = harness::ledger().await;
        let (client, push_url, relay_url) = sqs::queues(|config| config).await;
        let door = Door {
            brands: parameters(&document).await,
            intake: Intake::new(ledger.clone(), Queues::new(client.clone(), push_url.clone(), relay_url), SignedDuration::from_mins(15)),
            keyring: Keyring::new(ledger.clone()),
            ledger,
            clock: clock.clock(),
            limits: Limits::default(),
            insider_exports: Some(EXPORTS.parse().unwrap()),
        };
        Self { clock, brand: Brand::read(&document.to_string()).unwrap(), door, sqs: client, push_url }
    }

    /// Posts Insider's events with the right proof.
    pub(crate) async fn events(&self, body: &Value) -> Value {
        let answer = self.post("/v1/demo/insider/events", &[PROOF], body.to_string().into_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Any POST.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let raw = path.split('?').next().unwrap_or_default();
        let mut request = Request::builder().method(Method::POST).uri(path).body(Body::Binary(body)).unwrap().with_raw_http_path(raw);
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let response = webhook_ingest::route(&self.door, &request).await.unwrap_or_else(|problem| problem.into_response());
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        Answer { status: response.status().as_u16(), text }
    }

    /// The brand's systems record a consent or refusal now.
    pub(crate) async fn says(&self, address: &str, channel: Channel, recipient_type: RecipientType, status: Status) {
        let now = self.clock.now();
        let recipient = Recipient::parse(address, channel).unwrap();
        let key = ConsentKey {
            recipient_id: recipient.id(&self.brand.recipient_id_key, &self.brand.name),
            brand: self.brand.name.clone(),
            channel,
            recipient_type,
        };
        let consent_date = ConsentDate::at(now);
        let event_id = EventId::derive("api", [status.as_str(), &consent_date.to_string()]);
        let (source, retailers) = (Source::HsWeb, Retailers::default());
        let head = Head { status, source, consent_date, origin: Origin::Api, event_id, received_at: now, retailers };
        let taken = self.door.intake.take(vec![Movement { key, recipient, head }], now).await;
        assert!(taken.iter().all(Result::is_ok));
    }

    /// Everything about an address.
    pub(crate) async fn story(&self, address: &str) -> Story {
        let recipient = Recipient::parse_any(address).unwrap();
        let id = recipient.id(&self.brand.recipient_id_key, &self.brand.name);
        self.door.ledger.story(&self.brand.name, &id).await.unwrap()
    }

    /// The messages to the registry that wait.
    pub(crate) async fn push_messages(&self) -> Vec<PushMessage> {
        let answer = self.sqs.receive_message().queue_url(&self.push_url).max_number_of_messages(10).send().await.unwrap();
        answer.messages.unwrap_or_default().iter().map(|message| serde_json::from_str(message.body().unwrap()).unwrap()).collect()
    }

    /// The ledger.
    pub(crate) fn ledger(&self) -> &shared::ledger::Ledger {
        &self.door.ledger
    }
}

/// A parameter store that holds the brand.
async fn parameters(document: &Value) -> Brands {
    let body = json!({ "Parameters": [{ "Name": format!("{BRANDS}demo"), "Value": document.to_string() }] }).to_string();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = move || {
        let body = body.clone();
        async move { ([("content-type", "application/x-amz-json-1.1")], body) }
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let config = aws_sdk_ssm::Config::builder()
        .behavior_version(aws_sdk_ssm::config::BehaviorVersion::latest())
        .region(aws_sdk_ssm::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_ssm::config::Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint);
    Brands::new(aws_sdk_ssm::Client::from_conf(config.build()), BRANDS)
}
