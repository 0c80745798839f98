//! `docs/openapi.yaml` against the template and the code: routes, limits and words. (Its examples are sent to the
//! running system by `tests/tests/scenarios/openapi.rs`, and all else of it by `.ci/schemathesis`.)
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use local::template::{Surroundings, TEMPLATE, Template};
use serde_json::{Value, json};
use shared::consent::code::Hold;
use shared::consent::{Channel, RecipientType, Source, Status};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

fn document() -> Value {
    serde_saphyr::from_str(include_str!("../../../docs/openapi.yaml")).unwrap()
}

/// Every operation: method in capitals, path, and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| METHODS.iter().filter_map(move |method| named(path, method, item))).collect()
}

fn named<'a>(path: &str, method: &str, item: &'a Value) -> Option<(String, String, &'a Value)> {
    Some((method.to_uppercase(), path.to_owned(), item.get(method)?))
}

fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "there is no schema {name}");
    schema
}

/// The words of a list, without those that stand for a missing one.
fn words(list: &Value) -> BTreeSet<&str> {
    list["enum"].as_array().unwrap().iter().filter_map(Value::as_str).filter(|word| !word.is_empty()).collect()
}

#[test]
fn the_document_has_the_routes_of_the_template_and_no_other() {
    let surroundings =
        Surroundings { region: "eu-central-1".to_owned(), account: "000000000000".to_owned(), sqs_url: "http://127.0.0.1:4004".to_owned() };
    let system = Template::parse(TEMPLATE).unwrap().resolve(&BTreeMap::new(), &surroundings).unwrap();
    let deployed: BTreeSet<_> = system.routes.into_iter().map(|route| (route.method, route.path)).collect();
    let document = document();
    let documented: BTreeSet<_> = operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    assert!(!deployed.is_empty());
    assert_eq!(documented, deployed);
}

#[test]
fn every_operation_tells_of_every_answer_that_its_kind_can_get() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        let secured = operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
        let expected = [
            ("200", true),
            ("401", secured),
            ("404", path.contains("{brand}")),
            ("413", method == "POST"),
            ("429", true),
            ("500", true),
            ("503", true),
        ];
        for (status, expected) in expected {
            assert_eq!(operation["responses"].get(status).is_some(), expected, "{method} {path}: {status}");
        }
        assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{method} {path}");
    }
}

#[test]
fn the_documents_limits_are_those_of_the_code() {
    let document = document();
    let event = "/paths/~1v1~1{brand}~1insider~1events/post/requestBody/content/application~1json/schema/anyOf/1/maxItems";
    assert_eq!(document.pointer(event).unwrap(), shared::insider::webhook::MOST_ELEMENTS);
    let consent = &schema(&document, "Consent")["properties"];
    assert_eq!(consent["externalId"]["maxLength"], shared::consent::rules::EXTERNAL_ID_LENGTH);
    assert_eq!(consent["retailerAccess"]["maxItems"], shared::consent::RETAILER_ACCESS);
    assert_eq!(shared::problem::BODY_LIMIT, 1_048_576);
    for text in [&document["info"]["description"], &document["components"]["responses"]["TooLarge"]["description"]] {
        assert!(text.as_str().unwrap().contains("1,048,576 bytes"), "{text}");
    }
}

#[test]
fn the_documents_words_are_those_of_the_code() {
    let document = document();
    let of = |name: &str| words(schema(&document, name));
    assert_eq!(of("Channel"), Channel::ALL.iter().map(|word| word.as_str()).collect());
    assert_eq!(of("RecipientType"), RecipientType::ALL.iter().map(|word| word.as_str()).collect());
    assert_eq!(of("ConsentStatus"), Status::ALL.iter().map(|word| word.as_str()).collect());
    for word in of("SentSource") {
        assert!(word.parse::<Source>().is_ok_and(|source| source.is_sendable()), "{word}");
    }
    let consent = &schema(&document, "Consent")["properties"];
    assert_eq!(words(&consent["source"]), of("SentSource"));
    assert_eq!(words(&consent["recipientType"]), of("RecipientType"));
    let holds = [Hold::Authority, Hold::Subscription, Hold::Quota, Hold::Configuration, Hold::Credentials];
    let holds = holds.map(|hold| json!(hold));
    assert_eq!(of("Hold"), holds.iter().filter_map(Value::as_str).collect());
}
