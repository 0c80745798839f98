//! The little of SSM Parameter Store that the functions use: reading the brands' documents.
//!
//! Every file `<brand>.json` of the brands folder is the SecureString parameter `<path><brand>`.
//! Files are read anew for each request, so that an edited document takes effect as it would in the
//! cloud.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::registry::{Registries, here};
use crate::template::Surroundings;

/// SSM's own bound and default for one page.
const PAGE: usize = 10;

/// Where the parameters come from.
#[derive(Clone, Debug)]
pub(crate) struct Brands {
    /// Folder of the JSON files.
    pub(crate) folder: PathBuf,
    /// Path in front of every name, with slashes at both ends.
    pub(crate) path: String,
    /// Where the integrators are called that a document names without an address.
    pub(crate) registries: Registries,
    /// For ARNs.
    pub(crate) surroundings: Surroundings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ByPath {
    path: String,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    with_decryption: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ByName {
    name: String,
    #[serde(default)]
    with_decryption: bool,
}

/// An error of the service: its type and message.
struct Refusal(&'static str, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({"__type": self.0, "message": self.1}))).into_response()
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self("SerializationException", error.to_string())
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self("InternalServerError", format!("the brands folder cannot be read: {error}"))
    }
}

/// The service.
pub(crate) fn router(brands: Brands) -> Router {
    Router::new().route("/", post(operation)).with_state(Arc::new(brands))
}

async fn operation(State(brands): State<Arc<Brands>>, headers: HeaderMap, body: Bytes) -> Result<Json<Value>, Refusal> {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    match target.unwrap_or_default() {
        "AmazonSSM.GetParametersByPath" => brands.by_path(serde_json::from_slice(&body)?),
        "AmazonSSM.GetParameter" => brands.by_name(serde_json::from_slice(&body)?),
        other => Err(Refusal("UnknownOperationException", format!("{other} is not served here"))),
    }
    .map(Json)
}

impl Brands {
    /// The documents by the brand's name.
    pub(crate) fn documents(&self) -> io::Result<BTreeMap<String, String>> {
        let mut documents = BTreeMap::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let file = entry?.path();
            let brand = file.file_stem().and_then(|stem| stem.to_str());
            if let (Some(brand), Some("json")) = (brand, file.extension().and_then(|ext| ext.to_str())) {
                documents.insert(brand.to_owned(), here(std::fs::read_to_string(&file)?, &self.registries));
            }
        }
        Ok(documents)
    }

    /// The documents by the parameter's name.
    fn parameters(&self) -> io::Result<BTreeMap<String, String>> {
        let documents = self.documents()?.into_iter();
        Ok(documents.map(|(brand, document)| (format!("{}{brand}", self.path), document)).collect())
    }

    fn by_path(&self, request: ByPath) -> Result<Value, Refusal> {
        let prefix = format!("{}/", request.path.trim_end_matches('/'));
        let page = request.max_results.unwrap_or(PAGE);
        if page == 0 || page > PAGE {
            let message = format!("MaxResults must be between 1 and {PAGE}");
            return Err(Refusal("ValidationException", message));
        }
        let start = match &request.next_token {
            None => 0,
            Some(token) => {
                token.parse::<usize>().map_err(|_| Refusal("InvalidNextToken", "the token is not one of this service".to_owned()))?
            }
        };
        let documents = self.parameters()?;
        let matching: Vec<_> = documents
            .iter()
            .filter(|(name, _)| name.strip_prefix(&prefix).is_some_and(|rest| request.recursive || !rest.contains('/')))
            .collect();
        let parameters: Vec<Value> = matching
            .iter()
            .skip(start)
            .take(page)
            .map(|(name, document)| self.parameter(name, document, request.with_decryption))
            .collect();
        let mut answer = json!({"Parameters": parameters});
        if start + page < matching.len() {
            answer["NextToken"] = (start + page).to_string().into();
        }
        Ok(answer)
    }

    fn by_name(&self, request: ByName) -> Result<Value, Refusal> {
        let documents = self.parameters()?;
        let document = documents.get(&request.name).ok_or_else(|| Refusal("ParameterNotFound", String::new()))?;
        Ok(json!({"Parameter": self.parameter(&request.name, document, request.with_decryption)}))
    }

    fn parameter(&self, name: &str, document: &str, decrypt: bool) -> Value {
        // Who forgets to ask for decryption gets no JSON in the cloud either.
        let value = if decrypt { document.to_owned() } else { BASE64_STANDARD.encode(document.as_bytes()) };
        json!({
            "ARN": self.surroundings.arn("ssm", &format!("parameter{name}")),
            "DataType": "text",
            "Name": name,
            "Type": "SecureString",
            "Value": value,
            "Version": 1,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn brands(names: &[&str]) -> (tempfile::TempDir, Brands) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(format!("{name}.json")), format!("{{\"n\":\"{name}\"}}")).unwrap();
        }
        std::fs::write(folder.path().join("README.md"), "no brand").unwrap();
        let brands = Brands {
            folder: folder.path().to_owned(),
            path: "/x/brands/".to_owned(),
            registries: Registries::new(),
            surroundings: Surroundings { region: "eu-central-1".to_owned(), account: "000000000000".to_owned(), sqs_url: String::new() },
        };
        (folder, brands)
    }

    fn by_path(brands: &Brands, request: Value) -> Result<Value, &'static str> {
        brands.by_path(serde_json::from_value(request).unwrap()).map_err(|refusal| refusal.0)
    }

    #[test]
    fn brands_are_listed_page_by_page_and_decrypted_only_on_demand() {
        let names: Vec<String> = (0..12).map(|number| format!("brand-{number:02}")).collect();
        let (_folder, brands) = brands(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let first = by_path(&brands, json!({"Path": "/x/brands/", "WithDecryption": true})).unwrap();
        assert_eq!(first["Parameters"].as_array().unwrap().len(), 10);
        assert_eq!(first["Parameters"][0]["Name"], "/x/brands/brand-00");
        assert_eq!(first["Parameters"][0]["Value"], "{\"n\":\"brand-00\"}");
        let token = &first["NextToken"];
        let second = by_path(&brands, json!({"Path": "/x/brands", "NextToken": token})).unwrap();
        assert_eq!(second["Parameters"].as_array().unwrap().len(), 2);
        assert!(second.get("NextToken").is_none());
        assert!(serde_json::from_str::<Value>(second["Parameters"][0]["Value"].as_str().unwrap()).is_err());
    }

    #[test]
    fn parameters_outside_the_path_are_not_listed() {
        let (_folder, brands) = brands(&["a"]);
        let elsewhere = by_path(&brands, json!({"Path": "/y/"})).unwrap();
        assert_eq!(elsewhere, json!({"Parameters": []}));
        let above = by_path(&brands, json!({"Path": "/x/"})).unwrap();
        assert_eq!(above, json!({"Parameters": []}));
        let below = by_path(&brands, json!({"Path": "/x/", "Recursive": true})).unwrap();
        assert_eq!(below["Parameters"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_parameter_is_found_by_name_or_refused_as_aws_refuses_it() {
        let (_folder, brands) = brands(&["a"]);
        let request = |name: &str| ByName { name: name.to_owned(), with_decryption: true };
        let found = brands.by_name(request("/x/brands/a"));
        assert_eq!(found.ok().unwrap()["Parameter"]["Value"], "{\"n\":\"a\"}");
        assert_eq!(brands.by_name(request("/x/brands/b")).err().unwrap().0, "ParameterNotFound");
    }
}
