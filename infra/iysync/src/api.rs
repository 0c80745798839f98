//! Asks the system's HTTP API, with a key of the brand.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use shared::http::Http;
use url::Url;

use crate::cli::{BrandName, Place};
use crate::failure::Failure;
use crate::input;
use crate::language::Language;
use crate::place::{brand_name, is_loopback};
use crate::progress::Waiting;

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than API Gateway waits for a function (30 seconds).
const TIMEOUT: Duration = Duration::from_secs(40);
/// Environment variable that holds a key.
const KEY: &str = "IYSYNC_API_KEY";
/// The key of the brand that the local stack brings along. It opens nothing but that.
const LOCAL_KEY: &str = "demo-api-key";

/// The HTTP API of one brand.
pub(crate) struct Api {
    base: Url,
    brand: String,
    key: SecretString,
    http: Http,
}

/// An error of the API (RFC 9457).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

impl Api {
    /// The API that the command line names.
    pub(crate) fn of(place: &Place, brand: &BrandName) -> Result<Self, Failure> {
        let base = place.api_url.clone();
        let is_local = is_loopback(&base);
        match base.scheme() {
            "https" => {}
            "http" if is_local => {}
            "http" => return Err(Failure::Usage("--api-url must be https: a key is not sent over the network in the clear".to_owned())),
            _ => return Err(Failure::Usage("--api-url must be an address with https".to_owned())),
        }
        let brand = brand_name(brand, is_local)?;
        Ok(Self { key: key(place, is_local)?, base, brand, http: Http::new(CONNECT_TIMEOUT) })
    }

    /// Gets what stands at a path of the brand's.
    pub(crate) async fn get(&self, path: &[&str], language: Language) -> Result<Vec<u8>, Failure> {
        self.ask(Method::GET, path, None, language).await
    }

    /// Posts a question to a path of the brand's.
    pub(crate) async fn post(&self, path: &[&str], question: &Value, language: Language) -> Result<Vec<u8>, Failure> {
        self.ask(Method::POST, path, Some(question), language).await
    }

    async fn ask(&self, method: Method, path: &[&str], question: Option<&Value>, language: Language) -> Result<Vec<u8>, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["v1", &self.brand]).extend(path);
        }
        let client = self.http.client().map_err(|error| self.unreachable(error))?;
        let mut request = client.request(method, url).bearer_auth(self.key.expose_secret()).timeout(TIMEOUT);
        if let Some(question) = question {
            request = request.json(question);
        }
        let _waiting = Waiting::on(language.say("asking the API".to_owned(), "API'ye soruluyor".to_owned()));
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| self.unreachable(error))?.to_vec();
        if status == StatusCode::OK { Ok(body) } else { Err(failure(status, body)) }
    }

    /// Nobody answered. The error's address is left out: its place is said.
    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let place = self.base.as_str().trim_end_matches('/').to_owned();
        Failure::Unreachable { place, why: crate::failure::root(&error.without_url()) }
    }
}

fn failure(status: StatusCode, answer: Vec<u8>) -> Failure {
    let problem: Problem = serde_json::from_slice(&answer).unwrap_or_default();
    let title = problem.title.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Key,
        StatusCode::NOT_FOUND => Failure::NoBrand,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Failure::Refused { detail: problem.detail.unwrap_or(title), answer },
        _ => Failure::Api { status: status.as_u16(), title },
    }
}

/// A key: from the file that is named, else from the environment, else that of the local stack.
fn key(place: &Place, is_local: bool) -> Result<SecretString, Failure> {
    let of_environment = std::env::var(KEY).ok().filter(|key| !key.is_empty());
    let text = match (&place.api_key_file, of_environment) {
        (Some(file), _) => input::file(file)?,
        (None, Some(key)) => key,
        (None, None) if is_local => LOCAL_KEY.to_owned(),
        (None, None) => return Err(Failure::Usage(format!("no key of the API: name a file with --api-key-file, or set {KEY}"))),
    };
    Ok(text.trim().into())
}
