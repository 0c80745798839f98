//! The system's own HTTP API, as its callers use it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, counts};
use crate::{until, waiting};

/// An answer of the HTTP API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub media_type: String,
    /// The body.
    pub text: String,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

/// The moment of a date as İYS writes it, Turkish time in seconds.
#[must_use]
pub fn moment(date: &Value) -> jiff::Timestamp {
    let date: jiff::civil::DateTime = date.as_str().unwrap().replace(' ', "T").parse().unwrap();
    date.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(3))).unwrap().timestamp()
}

/// One consent as a caller writes it.
fn item(recipient: &str, channel: &str, status: &str) -> Value {
    json!({ "recipient": recipient, "type": channel, "status": status })
}

impl World {
    /// Any request. `authorization` is the header's value.
    pub async fn request(&self, method: Method, path: &str, authorization: Option<&str>, body: impl Into<String>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.stack.gateway_url()));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        self.send(request.header("content-type", "application/json").body(body.into())).await
    }

    /// Any request, with its headers.
    pub async fn request_with(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.stack.gateway_url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap_or_else(|error| panic!("the gateway gave no answer: {error}"))
    }

    async fn try_send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer { status, media_type, text, json })
    }

    /// A request with the brand's key; the answer must be a 200.
    pub async fn ask(&self, path: &str, body: &Value) -> Value {
        let answer = self.request(Method::POST, path, Some(&self.authorization()), body.to_string()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.brand.key)
    }

    /// Hands consents in; answers with one result each.
    pub async fn add(&self, consents: Value) -> Vec<Value> {
        self.add_for(self.brand(), consents).await
    }

    /// Hands consents in for a brand; answers with one result each.
    pub async fn add_for(&self, brand: &str, consents: Value) -> Vec<Value> {
        let count = consents.as_array().map(Vec::len);
        let answer = self.ask(&format!("/v1/{brand}/consents"), &json!({ "consents": consents })).await;
        let results = answer["results"].as_array().cloned().unwrap_or_default();
        assert_eq!(Some(results.len()), count);
        results
    }

    /// Hands one consent in, which must be accepted.
    pub async fn add_one(&self, recipient: &str, channel: &str, status: &str) {
        let results = self.add(json!([item(recipient, channel, status)])).await;
        assert_eq!(results[0]["result"], "accepted", "{results:?}");
    }

    /// Hands consents in as a patient caller does: again after any failure, until all are accepted.
    /// A consent that was taken by a try whose answer was lost comes back as a duplicate.
    pub async fn add_patiently(&self, consents: &[Value]) {
        self.add_patiently_within(waiting::DEADLINE, consents).await;
    }

    /// Like [`World::add_patiently`], with another deadline.
    pub async fn add_patiently_within(&self, longest: Duration, consents: &[Value]) {
        let body = json!({ "consents": consents }).to_string();
        waiting::until_within(longest, "consents are accepted", async || {
            let request = self
                .http
                .post(format!("{}/v1/{}/consents", self.stack.gateway_url(), self.brand()))
                .header("authorization", self.authorization())
                .header("content-type", "application/json")
                .body(body.clone());
            let answer = self.try_send(request).await.map_err(|error| error.to_string())?;
            if answer.status >= 500 {
                return Err(format!("status {}", answer.status));
            }
            assert_eq!(answer.status, 200, "{}", answer.text);
            let results = answer.json["results"].as_array().cloned().unwrap_or_default();
            let left = results.iter().filter(|line| line["result"] == "rejected").count();
            let other = results.iter().find(|line| line["result"] == "rejected" && line["code"] != "unavailable");
            assert_eq!(other, None, "a good consent was rejected");
            if left == 0 { Ok(()) } else { Err(format!("{left} not taken")) }
        })
        .await;
    }

    /// Whether an address may be messaged: `allowed`, or the reason why not.
    pub async fn check(&self, brand: &str, channel: &str, recipient_type: &str, recipient: &str) -> String {
        let body = json!({ "type": channel, "recipientType": recipient_type, "recipients": [recipient] });
        let answer = self.ask(&format!("/v1/{brand}/consents/check"), &body).await;
        match answer["allowed"].as_array().map(Vec::len) {
            Some(1) => "allowed".to_owned(),
            _ => answer["denied"][0]["reason"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Waits until a check of a BIREYSEL address answers so.
    pub async fn until_check_says(&self, channel: &str, recipient: &str, expected: &str) {
        until(&format!("check says {expected}"), async || match self.check(self.brand(), channel, "BIREYSEL", recipient).await {
            said if said == expected => Ok(()),
            other => Err(other),
        })
        .await;
    }

    /// The whole story of an address.
    pub async fn lookup(&self, recipient: &str) -> Value {
        self.lookup_for(self.brand(), recipient).await
    }

    /// A brand's whole story of an address.
    pub async fn lookup_for(&self, brand: &str, recipient: &str) -> Value {
        self.ask(&format!("/v1/{brand}/consents/lookup"), &json!({ "recipient": recipient })).await
    }

    /// The story's state of one key; null if there is none.
    pub async fn state(&self, recipient: &str, channel: &str, recipient_type: &str) -> Value {
        let story = self.lookup(recipient).await;
        let states = story["states"].as_array().cloned().unwrap_or_default();
        states.into_iter().find(|state| state["type"] == channel && state["recipientType"] == recipient_type).unwrap_or_default()
    }

    /// Waits until both targets have the state of a BIREYSEL key, or will not have it; answers with
    /// the story's state.
    pub async fn until_settled(&self, recipient: &str, channel: &str) -> Value {
        self.until_key_settled(recipient, channel, "BIREYSEL").await
    }

    /// Like [`World::until_settled`], for a recipient type.
    pub async fn until_key_settled(&self, recipient: &str, channel: &str, recipient_type: &str) -> Value {
        until("both targets are settled", async || {
            let state = self.state(recipient, channel, recipient_type).await;
            let is_final = |target: &str| state[target]["state"] == "settled" || state[target]["state"] == "rejected";
            if is_final("iys") && is_final("insider") { Ok(state) } else { Err(state.to_string()) }
        })
        .await
    }

    /// Waits until a date of the system's answers, which counts in seconds, has passed: what happens
    /// then happens later.
    pub async fn until_second_after(&self, date: &Value) {
        let next = moment(date) + jiff::SignedDuration::from_secs(1);
        until("the next second begins", async || if jiff::Timestamp::now() >= next { Ok(()) } else { Err("not yet".to_owned()) }).await;
    }

    /// A brand's status.
    pub async fn status(&self, brand: &str) -> Value {
        let answer = self.request(Method::GET, &format!("/v1/{brand}/status"), Some(&self.authorization()), "").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// Waits until the brand has no unfinished work; what is refused is finished.
    pub async fn until_nothing_waits(&self, longest: Duration) {
        waiting::until_within(longest, "nothing waits", async || {
            let status = self.status(self.brand()).await;
            let states = counts(&status["iys"]).into_iter().chain(counts(&status["insider"]));
            let waiting = states.filter(|(state, count)| state != "rejected" && *count > 0).count();
            if waiting == 0 { Ok(()) } else { Err(format!("İYS {}, Insider {}", status["iys"], status["insider"])) }
        })
        .await;
    }
}
