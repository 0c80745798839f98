//! Raw exports against the simulator: ordered, told of, read as a stream, expired.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use sandbox::insider::Config;
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::consent::{Channel, Recipient};
use shared::insider::export::{ExportError, Link, Shown};
use shared::insider::{Client, Connection, Flag, InsiderError, Settings, Throttle};
use url::Url;

use crate::server::{Reply, Server};

const HOUR: i64 = 3600;

struct Unlimited;

#[async_trait]
impl Throttle for Unlimited {
    async fn slot(&self, _: &str, _: u32) -> Result<(), Timestamp> {
        Ok(())
    }
}

/// A clock for both sides that stands until it is moved.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> shared::clock::Clock {
        let seconds = Arc::clone(&self.0);
        let start: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        Arc::new(move || start + SignedDuration::from_secs(seconds.load(Ordering::SeqCst)))
    }
}

/// A simulated Insider and a receiver of its hook.
struct Insider {
    url: Url,
    hook: Server,
    hands: Hands,
}

impl Insider {
    async fn start() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let hands = Hands::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let config = Config { clock: hands.clock(), ..Config::default() };
        tokio::spawn(sandbox::insider::serve(listener, config, std::future::pending()));
        Self { url, hook: Server::start(|_| Reply::new(200, "{}")).await, hands }
    }

    fn client(&self, segment: u64, format: &str) -> Client {
        let mut document: Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
        document["insider"]["aramaAttribute"] = "iys_call_optin".into();
        document["insider"]["outbound"]["export"] = json!({"segmentId": segment, "hook": self.hook.url.as_str(), "format": format});
        let brand = Brand::read(&document.to_string()).unwrap();
        let mut settings = Settings::new(self.url.clone(), self.url.clone());
        settings.export_url = self.url.join("/insider-data-export").unwrap();
        settings.timeout = Duration::from_secs(10);
        Client::new(Connection::new(settings, self.hands.clock()), Arc::new(brand.insider), Arc::new(Unlimited))
    }

    /// Waits for what the hook is told.
    async fn told(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(request) = self.hook.requests().first() {
                return request.body.to_string();
            }
            assert!(Instant::now() < deadline, "the hook is told nothing");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn email(number: usize) -> Recipient {
    Recipient::parse(&format!("kisi{number}@example.com"), Channel::Eposta).unwrap()
}

fn phone(number: usize) -> Recipient {
    Recipient::parse(&format!("+9053211{number:05}"), Channel::Mesaj).unwrap()
}

async fn all(client: &Client, link: &Link) -> Result<Vec<Shown>, ExportError> {
    client.export(link).await?.try_collect().await
}

fn flag(recipient: Recipient, channel: Channel, allowed: bool) -> Flag {
    Flag { recipient, channel, allowed, told: None }
}

#[tokio::test]
async fn an_export_is_ordered_waited_for_and_read_back_in_both_forms_until_its_link_expires() {
    for format in ["csv", "json"] {
        let insider = Insider::start().await;
        let client = insider.client(1, format);
        let flags: Vec<_> = (0..1_500)
            .flat_map(|number| {
                let odd = number % 2 == 1;
                [
                    flag(email(number), Channel::Eposta, odd),
                    flag(phone(number), Channel::Mesaj, !odd),
                    flag(phone(number), Channel::Arama, odd),
                ]
            })
            .collect();
        assert!(client.upsert(&flags).await.iter().all(Result::is_ok));
        let link = client.order_export().await.unwrap();
        assert_eq!(all(&client, &link).await, Err(ExportError::NotReady));
        // Whoever keeps the link between two runs gets the same.
        let link: Link = serde_json::from_str(&serde_json::to_string(&link).unwrap()).unwrap();
        assert!(!format!("{link:?}").contains("http"), "{link:?}");

        insider.hands.advance(4 * HOUR);
        let told = insider.told().await;
        let hooked = client.export_link(told.as_bytes()).unwrap();
        assert!(hooked.until() > link.until());
        let shown = all(&client, &link).await.unwrap();
        assert_eq!(shown, all(&client, &hooked).await.unwrap());
        let mut states: Vec<_> =
            shown.iter().flat_map(Shown::states).map(|(address, channel, on)| (address.clone(), channel, on)).collect();
        states.sort_by_key(|(address, channel, _)| (address.expose().to_owned(), *channel));
        let mut expected: Vec<_> = flags.into_iter().map(|flag| (flag.recipient, flag.channel, flag.allowed)).collect();
        expected.sort_by_key(|(address, channel, _)| (address.expose().to_owned(), *channel));
        assert_eq!(states, expected, "{format}");

        // Our own count of the link's day ends first; then Insider's.
        insider.hands.advance(20 * HOUR);
        assert_eq!(all(&client, &link).await, Err(ExportError::Expired));
        assert_eq!(all(&client, &hooked).await.unwrap().len(), 3_000);
        insider.hands.advance(4 * HOUR);
        assert!(all(&client, &hooked).await.is_err());
    }
}

#[tokio::test]
async fn one_export_a_day_is_given_and_a_refused_order_does_not_count() {
    let insider = Insider::start().await;
    let refused = insider.client(77, "csv").order_export().await;
    assert!(matches!(&refused, Err(ExportError::Insider(InsiderError::Defect { .. }))), "{refused:?}");
    let client = insider.client(1, "csv");
    client.order_export().await.unwrap();
    let until: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
    assert_eq!(client.order_export().await, Err(ExportError::UsedUp { until }));
    insider.hands.advance(15 * HOUR);
    client.order_export().await.unwrap();
}

#[tokio::test]
async fn a_brand_without_a_segment_orders_nothing() {
    let insider = Insider::start().await;
    let brand = Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    let settings = Settings::new(insider.url.clone(), insider.url.clone());
    let client = Client::new(Connection::new(settings, insider.hands.clock()), Arc::new(brand.insider), Arc::new(Unlimited));
    assert_eq!(client.order_export().await, Err(ExportError::NotSetUp));
}

#[tokio::test]
async fn a_segment_of_the_suppressed_shows_who_is_on_a_list_which_no_flag_tells() {
    let insider = Insider::start().await;
    let client = insider.client(2, "csv");
    let flags: Vec<_> = (0..3).map(|number| flag(email(number), Channel::Eposta, true)).collect();
    client.upsert(&flags).await;
    client.unsubscribe(shared::insider::List::Email, &[email(1)]).await;
    let link = client.order_export().await.unwrap();
    insider.hands.advance(4 * HOUR);
    let shown = all(&client, &link).await.unwrap();
    assert_eq!(shown, [Shown { email: Some(email(1)), phone: None, flags: [(Channel::Eposta, true)].into() }]);
}

#[tokio::test]
async fn no_link_to_anywhere_else_is_followed_whatever_the_hook_is_told() {
    let insider = Insider::start().await;
    let client = insider.client(1, "csv");
    let (host, port) = (insider.url.host_str().unwrap(), insider.url.port().unwrap());
    for url in [
        "https://example.com/insider-data-export/demo/p/x.csv".to_owned(),
        format!("http://{host}:{port}/insider-data-export/another/p/x.csv"),
        format!("http://{host}:{port}/insider-data-export/demo/../another/p/x.csv"),
        format!("http://{host}:{port}/api/user/v1/profile"),
        format!("http://user:secret@{host}:{port}/insider-data-export/demo/p/x.csv"),
        format!("http://{host}:{}/insider-data-export/demo/p/x.csv", port.wrapping_add(1)),
        "169.254.169.254/latest/meta-data".to_owned(),
    ] {
        assert_eq!(client.export_link(json!({"url": url}).to_string().as_bytes()), Err(ExportError::NoLink), "{url}");
    }
    for body in ["", "not json", "{}", "[1, null, true]"] {
        assert_eq!(client.export_link(body.as_bytes()), Err(ExportError::NoLink), "{body}");
    }
    let good = format!("http://{host}:{port}/insider-data-export/demo/p/x.csv");
    assert!(client.export_link(json!({"data": [{"link": good}]}).to_string().as_bytes()).is_ok());
}

#[tokio::test]
async fn who_takes_slowly_slows_the_download_down_and_who_stops_ends_it() {
    // A file without an end: only as much of it is read as is taken.
    let sent = Arc::new(Mutex::new(0_usize));
    let counted = Arc::clone(&sent);
    let rows = futures::stream::repeat_with(move || {
        *counted.lock().unwrap() += 1;
        Ok::<_, std::convert::Infallible>("a,ayse@example.com,true\n".repeat(1_000))
    });
    let head = futures::stream::once(async { Ok("iid,a_email,a_email_optin\n".to_owned()) });
    let body = axum::body::Body::from_stream(head.chain(rows));
    let body = Arc::new(Mutex::new(Some(body)));
    let serve = move || {
        let body = body.lock().unwrap().take();
        async move { body.unwrap_or_default() }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(serve)).await });
    let insider = Insider { url, hook: Server::start(|_| Reply::new(200, "{}")).await, hands: Hands::default() };
    let client = insider.client(1, "csv");
    let link = format!("{}insider-data-export/demo/p/x.csv", insider.url);
    let link = client.export_link(json!({"url": link}).to_string().as_bytes()).unwrap();

    let mut profiles = client.export(&link).await.unwrap();
    for _ in 0..10_000 {
        assert!(profiles.next().await.unwrap().unwrap().email.is_some());
    }
    drop(profiles);
    let pieces = *sent.lock().unwrap();
    // Ten pieces were taken; what stands in the network's buffers is a few megabytes at most.
    assert!((10..2_000).contains(&pieces), "{pieces}");
}
