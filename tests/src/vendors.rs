//! The simulators' control paths: what people do at İYS and Insider, what stands there, what goes wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::until;
use crate::world::World;

/// One of the outside systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// İYS.
    Iys,
    /// Insider.
    Insider,
    /// Netgsm, an integrator before İYS.
    Netgsm,
    /// Verimor, another.
    Verimor,
    /// Mysoft, another.
    Mysoft,
}

impl World {
    fn url(&self, vendor: Vendor, path: &str) -> String {
        let base = match vendor {
            Vendor::Iys => self.stack.iys_url(),
            Vendor::Insider => self.stack.insider_url(),
            Vendor::Netgsm => self.stack.netgsm_url(),
            Vendor::Verimor => self.stack.verimor_url(),
            Vendor::Mysoft => self.stack.mysoft_url(),
        };
        // At Insider each brand of a world has an account of its own.
        let account = if vendor == Vendor::Insider { format!("?partner={}", self.brand.partner) } else { String::new() };
        format!("{base}/_sandbox/{path}{account}")
    }

    async fn look(&self, vendor: Vendor, path: &str, query: &[(&str, &str)]) -> Value {
        let response = self.http.get(self.url(vendor, path)).query(query).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap()
    }

    async fn act(&self, vendor: Vendor, path: &str, body: &Value) -> Value {
        let response = self.http.post(self.url(vendor, path)).json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap_or_default()
    }

    /// Does something at a simulator's control paths; answers with what it says.
    pub async fn control(&self, vendor: Vendor, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let response = self.http.request(method, self.url(vendor, path)).json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap_or_default()
    }

    /// A simulator's counters.
    pub async fn stats(&self, vendor: Vendor) -> Value {
        self.look(vendor, "stats", &[]).await
    }

    /// A simulator's totals.
    pub async fn summary(&self, vendor: Vendor) -> Value {
        self.look(vendor, "summary", &[]).await
    }

    /// Orders a fault.
    pub async fn fault(&self, vendor: Vendor, fault: Value) {
        self.act(vendor, "faults", &fault).await;
    }

    /// Plants a refusal at İYS for one address.
    pub async fn plant(&self, refusal: Value) {
        self.act(Vendor::Iys, "refusals", &refusal).await;
    }

    /// How many requests the ordered faults still wait for.
    pub async fn faults_left(&self, vendor: Vendor) -> u64 {
        let left = self.look(vendor, "faults", &[]).await;
        left.as_array().into_iter().flatten().filter_map(|fault| fault["count"].as_u64()).sum()
    }

    /// Forgets all faults.
    pub async fn clear_faults(&self, vendor: Vendor) {
        let response = self.http.delete(self.url(vendor, "faults")).send().await.unwrap();
        assert!(response.status().is_success());
    }

    /// Changes an account at İYS while it runs.
    pub async fn change_account(&self, change: Value) {
        let response = self.http.patch(self.url(Vendor::Iys, "accounts")).json(&change).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
    }

    /// Sets the callers that İYS lets in.
    pub async fn list_addresses(&self, addresses: Value) {
        let response = self.http.put(self.url(Vendor::Iys, "listed_addresses")).json(&addresses).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
    }

    /// Has İYS drop the brand's push connections of a channel.
    pub async fn drop_push(&self, channel: &str, how: &str) {
        let answer = self.act(Vendor::Iys, "push/drop", &json!({ "brandCode": self.brand.code, "type": channel, "how": how })).await;
        assert_eq!(answer["dropped"], 1, "{answer}");
    }

    /// How many calls İYS had so far: by method and path, with the answer's status.
    pub async fn calls_of_iys(&self) -> BTreeMap<(String, String, u64), u64> {
        let stats = self.stats(Vendor::Iys).await;
        let text = |call: &Value, name: &str| call[name].as_str().unwrap_or_default().to_owned();
        let read = |call: &Value| Some(((text(call, "method"), text(call, "path"), call["status"].as_u64()?), call["count"].as_u64()?));
        stats["calls"].as_array().into_iter().flatten().filter_map(read).collect()
    }

    /// Records that stood at İYS before: type and status of each address, thirty days old.
    pub async fn seed(&self, records: &[(&str, &str, &str)]) {
        let records: Vec<Value> = records
            .iter()
            .map(|(recipient, channel, status)| json!({ "brandCode": self.brand.code, "recipient": recipient, "type": channel, "status": status }))
            .collect();
        self.act(Vendor::Iys, "consents", &Value::Array(records)).await;
    }

    /// A person acts at İYS.
    pub async fn citizen(&self, recipient: &str, recipient_type: &str, channel: &str, status: &str) {
        let body = json!({
            "brandCode": self.brand.code, "recipient": recipient, "recipientType": recipient_type, "type": channel, "status": status,
        });
        self.act(Vendor::Iys, "citizen", &body).await;
    }

    /// A person acted at İYS as a BIREYSEL at this Turkish time, and İYS hears of it now.
    pub async fn citizen_at(&self, date: &str, recipient: &str, channel: &str, status: &str) {
        let body = json!({ "brandCode": self.brand.code, "recipient": recipient, "type": channel, "status": status, "consentDate": date });
        self.act(Vendor::Iys, "citizen", &body).await;
    }

    /// What the brand did at İYS by another road, a moment ago: nobody is told.
    pub async fn silently_at_iys(&self, recipient: &str, channel: &str, status: &str) {
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(3)));
        let date = now.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let record =
            json!({ "brandCode": self.brand.code, "recipient": recipient, "type": channel, "status": status, "consentDate": date });
        self.act(Vendor::Iys, "consents", &json!([record])).await;
    }

    /// İYS loses the newest movement of a BIREYSEL key, and nobody is told.
    pub async fn lost_at_iys(&self, recipient: &str, channel: &str) {
        let record = json!({ "brandCode": self.brand.code, "recipient": recipient, "type": channel });
        let answer = self.control(Vendor::Iys, reqwest::Method::DELETE, "consents", &record).await;
        assert!(answer["lost"].is_string(), "{answer}");
    }

    /// All that İYS holds for an address.
    pub async fn at_iys(&self, recipient: &str) -> Value {
        self.look(Vendor::Iys, "consents", &[("recipient", recipient)]).await
    }

    /// İYS's movements of an address, oldest first.
    pub async fn movements_at_iys(&self, recipient: &str) -> Vec<Value> {
        self.at_iys(recipient).await["movements"].as_array().cloned().unwrap_or_default()
    }

    /// The record of a key at İYS; null if there is none.
    pub async fn record_at_iys(&self, recipient: &str, channel: &str, recipient_type: &str) -> Value {
        let held = self.at_iys(recipient).await;
        let records = held["records"].as_array().cloned().unwrap_or_default();
        records.into_iter().find(|record| record["type"] == channel && record["recipientType"] == recipient_type).unwrap_or_default()
    }

    /// Waits until İYS holds a status for a BIREYSEL key; answers with the record.
    pub async fn until_iys_holds(&self, recipient: &str, channel: &str, status: &str) -> Value {
        until(&format!("İYS holds {status}"), async || {
            let record = self.record_at_iys(recipient, channel, "BIREYSEL").await;
            if record["status"] == status { Ok(record) } else { Err(record.to_string()) }
        })
        .await
    }

    /// All that Insider holds for an address.
    pub async fn at_insider(&self, recipient: &str) -> Value {
        let name = if recipient.starts_with('+') { "phone_number" } else { "email" };
        self.look(Vendor::Insider, "profiles", &[(name, recipient)]).await
    }

    /// A person unsubscribes in a message that Insider sent.
    pub async fn unsubscribe_at_insider(&self, recipient: &str) {
        let name = if recipient.starts_with('+') { "phone_number" } else { "email" };
        let answer = self.act(Vendor::Insider, "unsubscribe", &json!({ name: recipient })).await;
        assert_eq!(answer["webhook"], "queued");
    }

    /// A test call from Insider's panel; answers with the receiver's status and body, and what was sent.
    pub async fn test_call(&self, call: &Value) -> Value {
        self.act(Vendor::Insider, "emit", call).await
    }

    /// Whether Insider would message an address: its suppression list and opt-in flag.
    pub async fn reachable_at_insider(&self, recipient: &str) -> (bool, Value) {
        let held = self.at_insider(recipient).await;
        let (list, flag) = if recipient.starts_with('+') { ("sms", "sms_optin") } else { ("email", "email_optin") };
        (held["suppressed"][list] == true, held["profile"][flag].clone())
    }

    /// Changes an e-mail address's flag at Insider so that nobody is told, as an import does.
    pub async fn set_flag_at_insider(&self, email: &str, flag: &str, allowed: bool) {
        let users = json!([{ "identifiers": { "email": email }, "attributes": { flag: allowed } }]);
        let request = self.http.post(format!("{}/api/user/v1/upsert", self.stack.insider_url()));
        let request = request.header("x-partner-name", &self.brand.partner).header("x-request-token", &self.brand.ucd);
        let response = request.json(&json!({ "skip_hook": true, "users": users })).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
    }

    /// Waits until Insider suppresses an address, by list and by flag.
    pub async fn until_insider_suppresses(&self, recipient: &str) {
        self.until_insider_has(recipient, (true, Value::Bool(false))).await;
    }

    /// Waits until Insider may message an address, by list and by flag.
    pub async fn until_insider_allows(&self, recipient: &str) {
        self.until_insider_has(recipient, (false, Value::Bool(true))).await;
    }

    async fn until_insider_has(&self, recipient: &str, expected: (bool, Value)) {
        until(&format!("suppressed and flag {expected:?} at Insider"), async || {
            let held = self.reachable_at_insider(recipient).await;
            if held == expected { Ok(()) } else { Err(format!("{held:?}")) }
        })
        .await;
    }

    /// What the system itself told a vendor of an address.
    pub async fn told(&self, vendor: Vendor, recipient: &str) -> Vec<String> {
        match vendor {
            // An integrator hands on to İYS what it is told.
            Vendor::Iys | Vendor::Netgsm | Vendor::Verimor | Vendor::Mysoft => {
                let movements = self.movements_at_iys(recipient).await;
                let sources = movements.iter().filter_map(|movement| movement["source"].as_str());
                sources.filter(|source| !source.starts_with("IYS_")).map(str::to_owned).collect()
            }
            Vendor::Insider => {
                let held = self.at_insider(recipient).await;
                let calls = held["calls"].as_array().cloned().unwrap_or_default();
                let paths = calls.iter().filter_map(|call| call["path"].as_str());
                paths.filter(|path| !path.starts_with("/_sandbox/")).map(str::to_owned).collect()
            }
        }
    }
}
