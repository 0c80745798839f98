//! What Insider's client writes in every set-up that an account may have.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::brand::{self, Brand};
use shared::consent::{Channel, ConsentDate, Recipient, Source};
use shared::insider::{Client, Connection, ConsentTold, Flag, List, Outcome, Settings, Throttle};

use crate::server::{Reply, Request, Server};

const AYSE: &str = "ayse@example.com";
const MEHMET: &str = "mehmet@example.com";
const PHONE: &str = "+905321112233";

struct Unlimited;

#[async_trait]
impl Throttle for Unlimited {
    async fn slot(&self, _: &str, _: u32) -> Result<(), Timestamp> {
        Ok(())
    }
}

/// An account whose outbound settings are these.
fn account(outbound: Value) -> brand::Insider {
    let mut document: Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    document["insider"]["outbound"] = outbound;
    Brand::read(&document.to_string()).unwrap().insider
}

fn client_of(server: &Server, account: brand::Insider) -> Client {
    let mut settings = Settings::new(server.url.clone(), server.url.clone());
    settings.timeout = Duration::from_secs(5);
    Client::new(Connection::new(settings, Arc::new(Timestamp::now)), Arc::new(account), Arc::new(Unlimited))
}

fn email(text: &str) -> Recipient {
    Recipient::parse(text, Channel::Eposta).unwrap()
}

fn phone(text: &str) -> Recipient {
    Recipient::parse(text, Channel::Mesaj).unwrap()
}

/// All is well, and the profiles of two people have uuids.
fn well(request: &Request) -> Reply {
    if request.path.ends_with("/upsert") {
        return Reply::new(200, json!({"data": {"successful": {"count": request.count("users")}, "fail": {}}}));
    }
    if request.path.ends_with("/profile") {
        let uuid = match request.body["identifiers"]["email"].as_str() {
            Some(AYSE) => "CRM-1001",
            Some(MEHMET) => "CRM-1002",
            _ => return Reply::new(404, json!({"error": "no such user for these identifiers: no data"})),
        };
        return Reply::new(200, json!({"attributes": {"uuid": uuid}, "events": {}, "quota": {"cost": 0.5, "used": 1, "total": 1000}}));
    }
    Reply::new(200, json!({"statusMessage": "OK"}))
}

/// The bodies that lists were sent, with their paths.
fn lists(server: &Server) -> Vec<(String, Value)> {
    let lists = server.requests().into_iter().filter(|request| request.path.ends_with("subscribe"));
    lists.map(|request| (request.path, request.body)).collect()
}

#[tokio::test]
async fn an_account_with_v1_only_is_told_of_one_address_a_call() {
    let server = Server::start(well).await;
    let mut account = account(json!({"listApi": "v1"}));
    account.uploader_email = Some("uploader@example.com".into());
    let client = client_of(&server, account);
    assert_eq!(client.unsubscribe(List::Email, &[email(AYSE), email(MEHMET), email(AYSE)]).await, vec![Ok(Outcome::Applied); 3]);
    for list in [List::Sms, List::Whatsapp] {
        assert_eq!(client.resubscribe(list, &[phone(PHONE)]).await, [Ok(Outcome::Applied)]);
    }
    let expected = [
        ("/email/v1/unsubscribe", json!({"email": AYSE})),
        ("/email/v1/unsubscribe", json!({"email": MEHMET})),
        ("/sms/v1/subscribe", json!({"phone_number": PHONE})),
        ("/whatsapp/v1/subscribe", json!({"phone_number": PHONE})),
    ];
    assert_eq!(lists(&server), expected.map(|(path, body)| (path.to_owned(), body)));
}

#[tokio::test]
async fn a_profile_based_account_is_told_of_people_by_their_uuid() {
    let both = [email(AYSE), email(MEHMET)];
    let users = json!({"users": [{"uuid": "CRM-1001", "email": AYSE}, {"uuid": "CRM-1002", "email": MEHMET}]});
    let parallel = json!({"uuids": ["CRM-1001", "CRM-1002"], "emails": [AYSE, MEHMET]});
    let alone = json!({"uuids": ["CRM-1001", "CRM-1002"]});
    for (flow, unsubscribing, resubscribing) in [("users", &users, &parallel), ("uuids", &alone, &alone)] {
        let server = Server::start(well).await;
        let client = client_of(&server, account(json!({"emailFlow": flow})));
        assert_eq!(client.unsubscribe(List::Email, &both).await, vec![Ok(Outcome::Applied); 2]);
        assert_eq!(client.resubscribe(List::Email, &both).await, vec![Ok(Outcome::Applied); 2]);
        let expected = [("/email/v2/unsubscribe", unsubscribing), ("/email/v2/subscribe", resubscribing)];
        assert_eq!(lists(&server), expected.map(|(path, body)| (path.to_owned(), body.clone())), "{flow}");
        // The flag goes to the same profile; numbers are identifiers in every flow.
        let flag = |recipient, channel| Flag { recipient, channel, allowed: false, told: None };
        let flags = [flag(email(AYSE), Channel::Eposta), flag(phone(PHONE), Channel::Mesaj)];
        assert_eq!(client.upsert(&flags).await, vec![Ok(Outcome::Applied); 2]);
        let upsert = server.requests().into_iter().find(|request| request.path.ends_with("/upsert")).unwrap().body;
        let identifiers: Vec<_> = upsert["users"].as_array().unwrap().iter().map(|user| user["identifiers"].clone()).collect();
        assert_eq!(identifiers, [json!({"uuid": "CRM-1001"}), json!({"phone_number": PHONE})]);
    }
}

#[tokio::test]
async fn a_person_whose_uuid_is_not_known_is_refused_alone_and_never_sent_without_one() {
    let server = Server::start(well).await;
    let client = client_of(&server, account(json!({"emailFlow": "users"})));
    let answers = client.unsubscribe(List::Email, &[email("kimse@example.com"), email(AYSE)]).await;
    assert_eq!(answers, [Ok(Outcome::Refused { code: "insider_no_uuid" }), Ok(Outcome::Applied)]);
    assert_eq!(client.resubscribe(List::Email, &[email("kimse@example.com")]).await, [Ok(Outcome::Refused { code: "insider_no_uuid" })]);
    let flags = [Flag { recipient: email("kimse@example.com"), channel: Channel::Eposta, allowed: true, told: None }];
    assert_eq!(client.upsert(&flags).await, [Ok(Outcome::Refused { code: "insider_no_uuid" })]);
    assert_eq!(lists(&server), [("/email/v2/unsubscribe".to_owned(), json!({"users": [{"uuid": "CRM-1001", "email": AYSE}]}))]);
}

#[tokio::test]
async fn no_call_can_name_a_group_and_no_empty_list_goes_out_in_any_set_up() {
    for outbound in [json!({}), json!({"listApi": "v1"}), json!({"emailFlow": "users"}), json!({"emailFlow": "uuids"})] {
        let server = Server::start(well).await;
        let client = client_of(&server, account(outbound.clone()));
        for list in [List::Email, List::Sms, List::Whatsapp] {
            // Nobody; somebody of another kind only; one who is right.
            let (right, wrong) = if list == List::Email { (email(AYSE), phone(PHONE)) } else { (phone(PHONE), email(AYSE)) };
            for recipients in [&[][..], std::slice::from_ref(&wrong), std::slice::from_ref(&right)] {
                client.unsubscribe(list, recipients).await;
                client.resubscribe(list, recipients).await;
            }
        }
        client.upsert(&[]).await;
        let lists = lists(&server);
        assert_eq!(lists.len(), 6, "one call each for the one who is right: {lists:?}");
        for (path, body) in lists {
            let body = body.as_object().unwrap();
            assert!(!body.is_empty());
            for (name, value) in body {
                assert!(["email", "emails", "phone_number", "phone_numbers", "users", "uuids"].contains(&name.as_str()), "{path}: {name}");
                assert!(value.as_array().is_none_or(|list| !list.is_empty()) && !value.is_null() && value != "", "{path}: {name}");
            }
        }
        assert!(server.requests().iter().all(|request| !request.path.ends_with("/upsert")));
    }
}

#[tokio::test]
async fn a_profile_shows_when_and_how_the_state_came_about_in_the_brands_attributes() {
    let server = Server::start(well).await;
    let mut account = account(json!({"consentAttributes": {
        "EPOSTA": {"date": "iys_email_date", "source": "iys_email_source"},
        "MESAJ": {"date": "iys_sms_date", "dateForm": "epoch-seconds"},
        "ARAMA": {"source": "iys_call_source"},
    }}));
    account.arama_attribute = Some("iys_call_optin".into());
    let told = |source| Some(ConsentTold { date: "2026-11-20 11:15:00".parse::<ConsentDate>().unwrap(), source });
    let flags = [
        Flag { recipient: email(AYSE), channel: Channel::Eposta, allowed: false, told: told(Source::HsWeb) },
        Flag { recipient: phone(PHONE), channel: Channel::Mesaj, allowed: true, told: told(Source::HsMesaj) },
        Flag { recipient: phone(PHONE), channel: Channel::Arama, allowed: false, told: told("IYS_3338".parse().unwrap()) },
        Flag { recipient: email(MEHMET), channel: Channel::Eposta, allowed: true, told: None },
    ];
    assert_eq!(client_of(&server, account).upsert(&flags).await, vec![Ok(Outcome::Applied); 4]);
    let users = server.requests()[0].body["users"].clone();
    let attributes: Vec<_> = users.as_array().unwrap().iter().map(|user| user["attributes"].clone()).collect();
    assert_eq!(
        attributes,
        [
            json!({"email_optin": false, "custom": {"iys_email_date": "2026-11-20T08:15:00Z", "iys_email_source": "HS_WEB"}}),
            json!({"sms_optin": true, "custom": {"iys_sms_date": 1795162500, "iys_call_optin": false, "iys_call_source": "IYS_3338"}}),
            json!({"email_optin": true}),
        ]
    );
}

#[tokio::test]
async fn gdpr_optin_is_never_written_and_whatsapp_only_where_a_refusal_of_messages_reaches_it() {
    for (outbound, whatsapp) in [(json!({}), false), (json!({"whatsappFollowsMesaj": true}), true)] {
        let server = Server::start(well).await;
        let mut account = account(outbound);
        account.arama_attribute = Some("iys_call_optin".into());
        let client = client_of(&server, account);
        for channel in Channel::ALL {
            for allowed in [true, false] {
                let recipient = if *channel == Channel::Eposta { email(AYSE) } else { phone(PHONE) };
                client.upsert(&[Flag { recipient, channel: *channel, allowed, told: None }]).await;
            }
        }
        let requests = server.requests();
        assert_eq!(requests.len(), 6);
        for request in requests {
            let body = request.body.to_string();
            assert!(!body.contains("gdpr_optin"), "{body}");
            let refused = body.contains(r#""sms_optin":false"#);
            assert_eq!(body.contains(r#""whatsapp_optin":false"#), whatsapp && refused, "{body}");
            assert!(!body.contains(r#""whatsapp_optin":true"#), "{body}");
        }
    }
}

#[tokio::test]
async fn users_that_fail_among_others_without_a_reason_go_once_more_alone() {
    let server = Server::start(|request| {
        let users = request.count("users");
        if users == 3 {
            let errors = json!({"users.0": ["unknown error."], "users.2.attributes.custom.x": ["no such attribute: x"]});
            return Reply::new(200, json!({"data": {"successful": {"count": 1}, "fail": {"count": 2, "errors": errors}}}));
        }
        Reply::new(200, json!({"data": {"successful": {"count": users}, "fail": {}}}))
    })
    .await;
    let flags = [AYSE, MEHMET, "zeynep@example.com"].map(|address| Flag {
        recipient: email(address),
        channel: Channel::Eposta,
        allowed: false,
        told: None,
    });
    let answers = client_of(&server, account(json!({}))).upsert(&flags).await;
    assert_eq!(answers, [Ok(Outcome::Applied), Ok(Outcome::Applied), Ok(Outcome::Refused { code: "insider_invalid_attribute" })]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].body["users"], json!([{"identifiers": {"email": AYSE}, "attributes": {"email_optin": false}}]));
}
