//! The simulators of integrators over real HTTP, each in front of a simulated İYS.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod moving;
mod mysoft;
mod netgsm;
#[path = "../it/receiver.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod receiver;
#[path = "../it/rig.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod rig;
mod verimor;

use sandbox::iys::{self, Registry};
use serde_json::{Value, json};

use rig::{HandClock, Served};

/// Brands at İYS: two of one company, one of another.
const BRAND: u64 = 600_001;
const SECOND: u64 = 600_002;
const STRANGE: u64 = 800_001;

/// An İYS with its server, whose clock is moved by hand.
struct Iys {
    registry: Registry,
    served: Served,
    clock: HandClock,
}

impl Iys {
    async fn new() -> Self {
        let clock = HandClock::new();
        let brand = |code| iys::Brand { brand_code: code, name: code.to_string(), ..iys::Brand::default() };
        let mut first = brand(BRAND);
        first.retailers = vec![66_438_915, 66_438_916];
        let config = iys::Config {
            providers: vec![
                iys::Provider { iys_code: BRAND, brands: vec![first, brand(SECOND)], ..iys::Provider::default() },
                iys::Provider { iys_code: STRANGE, username: "other".to_owned(), brands: vec![brand(STRANGE)], ..iys::Provider::default() },
            ],
            calls_per_second: usize::MAX,
            clock: clock.clock(),
            ..iys::Config::default()
        };
        let registry = Registry::new(config).unwrap();
        let shared = registry.clone();
        let served = Served::over(|listener, stopped| async move { iys::serve_registry(listener, &shared, stopped).await }).await;
        Self { registry, served, clock }
    }

    /// What a person does at İYS.
    async fn citizen(&self, brand: u64, recipient: &str, status: &str) {
        let act = json!({ "brandCode": brand, "recipient": recipient, "type": "MESAJ", "status": status, "source": "IYS_MOBIL" });
        assert_eq!(self.served.post("/_sandbox/citizen", &act).await.0, 200);
    }

    /// What stands for an address.
    async fn records(&self, brand: u64, recipient: &str) -> Vec<Value> {
        let path = format!("/_sandbox/consents?recipient={}&brandCode={brand}", recipient.replace('+', "%2B"));
        self.served.get(&path).await["records"].as_array().unwrap().clone()
    }

    /// Changes an account.
    async fn account(&self, change: &Value) {
        let request = self.served.request(reqwest::Method::PATCH, "/_sandbox/accounts").json(change);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200, "{change}");
    }

    /// An add by the brand's own API user.
    async fn own_add(&self, brand: u64, consent: &Value) -> (u16, Value) {
        let user = json!({
            "username": iys::Provider::default().username, "password": iys::Provider::default().password, "grant_type": "password",
        });
        let (_, token) = self.served.post("/oauth2/token", &user).await;
        let request = self.served.request(reqwest::Method::POST, &format!("/v2/sps/{BRAND}/brands/{brand}/consents"));
        rig::answer(request.bearer_auth(token["access_token"].as_str().unwrap()).json(consent).send().await.unwrap()).await
    }
}

/// A sample by its file name.
fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
