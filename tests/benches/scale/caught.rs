//! A DynamoDB that answers as an empty table does and keeps what was put, so that items which the ledger
//! itself made can be loaded many at a time.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use dynoxide::Item;
use serde::Deserialize;
use shared::ledger::Ledger;

#[derive(Deserialize)]
struct Put {
    #[serde(rename = "Item")]
    item: Item,
}

/// The last item that was put under each key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caught(Arc<Mutex<HashMap<String, Item>>>);

impl Caught {
    /// A ledger whose writes are caught here.
    pub(crate) fn ledger(&self) -> Ledger {
        let connector = SharedHttpConnector::new(self.clone());
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
            .endpoint_url("http://127.0.0.1:9")
            .http_client(http_client_fn(move |_, _| connector.clone()));
        Ledger::new(Client::from_conf(config.build()), "caught".to_owned())
    }

    /// Takes what was caught.
    pub(crate) fn take(&self) -> Vec<Item> {
        mem::take(&mut *self.0.lock().unwrap()).into_values().collect()
    }
}

impl HttpConnector for Caught {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        match operation {
            "PutItem" => {
                let Put { item } = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
                let key = format!("{:?} {:?}", item["PK"], item["SK"]);
                self.0.lock().unwrap().insert(key, item);
            }
            "GetItem" => {}
            other => panic!("{other} of an empty table"),
        }
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"))))
    }
}
