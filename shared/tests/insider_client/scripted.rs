//! Insider's client against a scripted server: what it sends, and what it makes of every answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::server::{Reply, Request, Server};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use shared::brand::{self, Brand};
use shared::consent::code::Hold;
use shared::consent::{Channel, Recipient};
use shared::insider::{Answer, Client, Connection, Flag, InsiderError, List, Outcome, Settings, Throttle};
use url::Url;

const AYSE: &str = "ayse@example.com";
const PHONE: &str = "+905321112233";

fn now() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// Notes every turn and refuses from the one given on.
#[derive(Default)]
struct Turns {
    taken: Mutex<Vec<(String, u32)>>,
    full_after: Option<usize>,
    keeps_pauses: bool,
    paused: Mutex<Vec<Timestamp>>,
}

#[async_trait]
impl Throttle for Turns {
    async fn slot(&self, pool: &str, per_minute: u32) -> Result<(), Timestamp> {
        let mut taken = self.taken.lock().unwrap();
        if self.full_after.is_some_and(|most| taken.len() >= most) {
            return Err(now() + jiff::SignedDuration::from_secs(42));
        }
        taken.push((pool.to_owned(), per_minute));
        Ok(())
    }

    async fn pause(&self, _: &str, _: u32, until: Timestamp) -> bool {
        self.paused.lock().unwrap().push(until);
        self.keeps_pauses
    }
}

fn account() -> brand::Insider {
    Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap().insider
}

fn client_of(url: &Url, account: brand::Insider, turns: Arc<Turns>) -> Client {
    let mut settings = Settings::new(url.clone(), url.clone());
    settings.timeout = Duration::from_millis(400);
    Client::new(Connection::new(settings, Arc::new(now)), Arc::new(account), turns)
}

fn client(url: &Url) -> Client {
    client_of(url, account(), Arc::default())
}

fn email(text: &str) -> Recipient {
    Recipient::parse(text, Channel::Eposta).unwrap()
}

fn phone(text: &str) -> Recipient {
    Recipient::parse(text, Channel::Mesaj).unwrap()
}

fn emails(count: usize) -> Vec<Recipient> {
    (0..count).map(|number| email(&format!("kisi{number}@example.com"))).collect()
}

/// What Insider answers when all is well.
fn well(request: &Request) -> Reply {
    if request.path.ends_with("/upsert") {
        return Reply::new(200, json!({"data": {"successful": {"count": request.count("users")}, "fail": {}}}));
    }
    Reply::new(200, json!({"statusMessage": "OK"}))
}

fn applied(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| **answer == Ok(Outcome::Applied)).count()
}

#[tokio::test]
async fn each_call_goes_to_its_path_with_its_own_key_and_nothing_but_addresses() {
    let server = Server::start(well).await;
    let turns = Arc::new(Turns::default());
    let client = client_of(&server.url, account(), Arc::clone(&turns));
    let (ayse, number) = ([email(AYSE)], [phone(PHONE)]);
    for answers in [
        client.unsubscribe(List::Email, &ayse).await,
        client.resubscribe(List::Email, &ayse).await,
        client.unsubscribe(List::Sms, &number).await,
        client.resubscribe(List::Sms, &number).await,
        client.unsubscribe(List::Whatsapp, &number).await,
        client.resubscribe(List::Whatsapp, &number).await,
    ] {
        assert_eq!(answers, [Ok(Outcome::Applied)]);
    }
    let seen: Vec<_> = server
        .requests()
        .iter()
        .map(|request| {
            assert_eq!(request.header("x-partner-name"), "demo");
            assert!(request.header("content-type").starts_with("application/json"));
            (request.path.clone(), request.header("x-request-token").to_owned(), request.body.clone())
        })
        .collect();
    let expected = [
        ("/email/v2/unsubscribe", "demo-unsubscribe-key", json!({"emails": [AYSE]})),
        ("/email/v2/subscribe", "demo-resubscribe-key", json!({"emails": [AYSE]})),
        ("/sms/v2/unsubscribe", "demo-unsubscribe-key", json!({"phone_numbers": [PHONE]})),
        ("/sms/v2/subscribe", "demo-resubscribe-key", json!({"phone_numbers": [PHONE]})),
        ("/whatsapp/v2/unsubscribe", "demo-unsubscribe-key", json!({"phone_numbers": [PHONE]})),
        ("/whatsapp/v2/subscribe", "demo-resubscribe-key", json!({"phone_numbers": [PHONE]})),
    ];
    assert_eq!(seen, expected.map(|(path, key, body)| (path.to_owned(), key.to_owned(), body)));
    assert_eq!(*turns.taken.lock().unwrap(), vec![("insider-contact".to_owned(), 600); 6]);
}

#[tokio::test]
async fn an_uploader_is_named_in_e_mail_lists_only_and_only_if_the_brand_names_one() {
    let server = Server::start(well).await;
    let mut account = account();
    account.uploader_email = Some("uploader@example.com".into());
    let client = client_of(&server.url, account, Arc::default());
    client.unsubscribe(List::Email, &[email(AYSE)]).await;
    client.unsubscribe(List::Sms, &[phone(PHONE)]).await;
    let bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [json!({"emails": [AYSE], "uploader_email": "uploader@example.com"}), json!({"phone_numbers": [PHONE]})]);
}

#[tokio::test]
async fn calls_have_no_list_at_insider_and_an_address_of_another_kind_is_never_sent() {
    let server = Server::start(well).await;
    let client = client(&server.url);
    assert_eq!(List::of(Channel::Arama), None);
    let answers = client.unsubscribe(List::Email, &[phone(PHONE), email(AYSE)]).await;
    assert_eq!(answers, [Ok(Outcome::Refused { code: "insider_wrong_channel" }), Ok(Outcome::Applied)]);
    assert!(client.unsubscribe(List::Email, &[]).await.is_empty());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn lists_are_cut_at_five_hundred_and_an_address_given_twice_is_sent_once() {
    let server = Server::start(well).await;
    let mut recipients = emails(1_100);
    recipients.push(email("kisi0@example.com"));
    let answers = client(&server.url).unsubscribe(List::Email, &recipients).await;
    assert_eq!((answers.len(), applied(&answers)), (1_101, 1_101));
    let counts: Vec<_> = server.requests().iter().map(|request| request.count("emails")).collect();
    assert_eq!(counts, [500, 500, 100]);
}

#[tokio::test]
async fn flags_are_upserted_without_webhooks_one_user_for_an_address() {
    let server = Server::start(well).await;
    let mut account = account();
    account.arama_attribute = Some("iys_call_optin".into());
    let turns = Arc::new(Turns::default());
    let client = client_of(&server.url, account, Arc::clone(&turns));
    let flags = [
        Flag { recipient: email(AYSE), channel: Channel::Eposta, allowed: false, told: None },
        Flag { recipient: phone(PHONE), channel: Channel::Mesaj, allowed: true, told: None },
        Flag { recipient: phone(PHONE), channel: Channel::Arama, allowed: true, told: None },
        Flag { recipient: phone(PHONE), channel: Channel::Mesaj, allowed: false, told: None },
    ];
    assert_eq!(applied(&client.upsert(&flags).await), 4);
    let requests = server.requests();
    assert_eq!(requests[0].path, "/api/user/v1/upsert");
    assert_eq!(requests[0].header("x-request-token"), "demo-ucd-key");
    assert_eq!(
        requests[0].body,
        json!({"skip_hook": true, "users": [
            {"identifiers": {"email": AYSE}, "attributes": {"email_optin": false}},
            {"identifiers": {"phone_number": PHONE}, "attributes": {"sms_optin": false, "custom": {"iys_call_optin": true}}},
        ]})
    );
    assert_eq!(*turns.taken.lock().unwrap(), [("insider-upsert".to_owned(), 25_000)]);
}

#[tokio::test]
async fn a_flag_that_the_brand_has_no_attribute_for_needs_nothing() {
    let server = Server::start(well).await;
    let flags = [Flag { recipient: phone(PHONE), channel: Channel::Arama, allowed: false, told: None }];
    assert_eq!(client(&server.url).upsert(&flags).await, [Ok(Outcome::NotNeeded)]);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn upserts_are_cut_at_a_thousand_users_and_stay_below_five_megabytes() {
    let server = Server::start(well).await;
    let mut account = account();
    let flag = |recipient: &Recipient| Flag { recipient: recipient.clone(), channel: Channel::Eposta, allowed: false, told: None };
    let flags: Vec<_> = emails(2_001).iter().map(flag).collect();
    assert_eq!(applied(&client_of(&server.url, account.clone(), Arc::default()).upsert(&flags).await), 2_001);
    let counts: Vec<_> = server.requests().iter().map(|request| request.count("users")).collect();
    assert_eq!(counts, [1_000, 1_000, 1]);
    // Only a long attribute name can make a thousand users that large.
    account.arama_attribute = Some("a".repeat(10_000));
    let flags: Vec<_> = (0..1_000)
        .map(|number| Flag { recipient: phone(&format!("532111{number:04}")), channel: Channel::Arama, allowed: true, told: None })
        .collect();
    assert_eq!(applied(&client_of(&server.url, account, Arc::default()).upsert(&flags).await), 1_000);
    let large: Vec<_> = server.requests()[3..].iter().map(|request| (request.size, request.count("users"))).collect();
    assert!(large.len() > 1 && large.iter().all(|(size, _)| *size <= 5_000_000), "{large:?}");
    assert_eq!(large.iter().map(|(_, users)| users).sum::<usize>(), 1_000);
}

#[tokio::test]
async fn errors_inside_a_200_reach_the_users_that_they_are_about() {
    let server = Server::start(|_| {
        let key = r"users.1.identifiers.*.regexp(^\+[1-9]\d{6,14}$)";
        Reply::new(
            200,
            json!({"data": {"successful": {"count": 2}, "fail": {"count": 1, "errors": {key: ["user has an invalid phone number: +905321112233"]}}}}),
        )
    })
    .await;
    let flags: Vec<_> = [email(AYSE), phone(PHONE), email("mehmet@example.com")]
        .into_iter()
        .map(|recipient| Flag {
            channel: if matches!(recipient, Recipient::Email(_)) { Channel::Eposta } else { Channel::Mesaj },
            recipient,
            allowed: true,
            told: None,
        })
        .collect();
    let answers = client(&server.url).upsert(&flags).await;
    assert_eq!(answers, [Ok(Outcome::Applied), Ok(Outcome::Refused { code: "insider_invalid_phone" }), Ok(Outcome::Applied)]);
    assert!(!format!("{answers:?}").contains("532"));
}

#[tokio::test]
async fn one_address_that_insider_refuses_costs_itself_only() {
    let server = Server::start(|request| {
        if request.body["emails"].as_array().unwrap().contains(&json!("kisi333@example.com")) {
            return Reply::new(400, json!({"statusMessage": "Bad request"}));
        }
        well(request)
    })
    .await;
    let answers = client(&server.url).unsubscribe(List::Email, &emails(700)).await;
    assert_eq!(applied(&answers), 699);
    assert_eq!(answers[333], Ok(Outcome::Refused { code: "insider_400" }));
    assert!(server.requests().len() < 24, "{}", server.requests().len());
}

#[tokio::test]
async fn when_nothing_is_taken_the_rest_is_given_up_as_a_defect() {
    let server = Server::start(|_| Reply::new(400, json!({"statusMessage": "Bad request"}))).await;
    let answers = client(&server.url).unsubscribe(List::Email, &emails(500)).await;
    assert!(server.requests().len() <= 24 + 9, "{}", server.requests().len());
    assert_eq!(applied(&answers), 0);
    assert!(matches!(&answers[499], Err(InsiderError::Defect { why }) if why.contains("insider_400")), "{:?}", answers[499]);
    let few = client(&server.url).unsubscribe(List::Email, &emails(3)).await;
    assert_eq!(few, vec![Ok(Outcome::Refused { code: "insider_400" }); 3]);
}

async fn answer_to(status: u16, headers: Vec<(&'static str, String)>, body: &'static str) -> InsiderError {
    let server = Server::start(move |_| Reply::With(status, headers.clone(), body.to_owned())).await;
    let mut answers = client(&server.url).unsubscribe(List::Email, &[email(AYSE)]).await;
    let error = answers.remove(0).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(AYSE), "{error}");
    error
}

#[tokio::test]
async fn a_limit_is_busy_whichever_of_its_two_bodies_it_has() {
    let seconds = |error: InsiderError| match error {
        InsiderError::Busy { until, .. } => until.as_second() - now().as_second(),
        other => panic!("{other}"),
    };
    for body in [r#"{"message":"Too Many Requests","status":429}"#, r#"{"error":"rejected: too many requests"}"#, "ayse@example.com"] {
        assert_eq!(seconds(answer_to(429, Vec::new(), body).await), 5);
        assert_eq!(seconds(answer_to(429, vec![("retry-after", "17".to_owned())], body).await), 17);
        assert_eq!(seconds(answer_to(429, vec![("retry-after", "9000".to_owned())], body).await), 300);
    }
    for status in [500, 503, 505, 599] {
        assert_eq!(seconds(answer_to(status, Vec::new(), r#"{"success":false,"message":"ayse@example.com unknown error."}"#).await), 5);
    }
}

#[tokio::test]
async fn a_gateway_that_gave_up_may_have_passed_the_request_on() {
    for status in [408, 502, 504, 520, 524] {
        let error = answer_to(status, Vec::new(), "<html>ayse@example.com</html>").await;
        assert!(matches!(error, InsiderError::Unanswered { .. }), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_limit_is_waited_out_by_all_workers_where_that_is_kept_and_the_call_goes_on() {
    let server = {
        let calls = std::sync::atomic::AtomicUsize::new(0);
        Server::start(move |request| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Reply::With(429, vec![("retry-after", "7".to_owned())], r#"{"message":"Too Many Requests","status":429}"#.to_owned()),
            1 => Reply::new(429, json!({"error": "rejected: too many requests"})),
            _ => well(request),
        })
        .await
    };
    let turns = Arc::new(Turns { keeps_pauses: true, ..Turns::default() });
    let client = client_of(&server.url, account(), Arc::clone(&turns));
    assert_eq!(client.unsubscribe(List::Email, &[email(AYSE)]).await, [Ok(Outcome::Applied)]);
    let paused: Vec<_> = turns.paused.lock().unwrap().iter().map(|until| until.as_second() - now().as_second()).collect();
    // The second answer names no time; it belongs to the same trouble.
    assert_eq!(paused, [7, 5]);
    assert_eq!((server.requests().len(), turns.taken.lock().unwrap().len()), (3, 3));
    // A limit that does not end is told of, rather than asked for again and again.
    let server = Server::start(|_| Reply::new(429, "")).await;
    let client = client_of(&server.url, account(), Arc::new(Turns { keeps_pauses: true, ..Turns::default() }));
    let answers = client.unsubscribe(List::Email, &[email(AYSE)]).await;
    assert!(matches!(&answers[0], Err(InsiderError::Busy { .. })), "{answers:?}");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn what_a_profile_read_costs_sets_the_pace_of_the_next_ones() {
    let server = Server::start(|_| Reply::new(200, json!({"attributes": {}, "quota": {"cost": 2.5, "used": 5, "total": 1000}}))).await;
    let turns = Arc::new(Turns::default());
    let client = client_of(&server.url, account(), Arc::clone(&turns));
    for _ in 0..2 {
        assert!(client.profile(&email(AYSE)).await.unwrap().is_some());
    }
    let pace: Vec<_> = turns.taken.lock().unwrap().iter().map(|(_, per_minute)| *per_minute).collect();
    assert_eq!(pace, [1_000, 400]);
}

#[tokio::test]
async fn a_wrong_key_holds_the_brand_for_credentials() {
    for (status, body, expected) in [
        (401, r#"{"statusMessage":"Unauthorized"}"#, "insider_401"),
        (403, r#"{"success":false,"message":"Access Denied."}"#, "insider_403"),
    ] {
        match answer_to(status, Vec::new(), body).await {
            InsiderError::Held { why: Hold::Credentials, code } => assert_eq!(code, expected),
            other => panic!("{other}"),
        }
    }
    let mut account = account();
    account.keys.unsubscribe = "two\nlines".into();
    let server = Server::start(well).await;
    let answers = client_of(&server.url, account, Arc::default()).unsubscribe(List::Email, &[email(AYSE)]).await;
    assert!(matches!(&answers[0], Err(InsiderError::Held { why: Hold::Configuration, .. })), "{:?}", answers[0]);
}

#[tokio::test]
async fn other_statuses_and_redirects_are_defects_and_nothing_is_followed() {
    for status in [302, 404, 405, 413, 415] {
        let error = answer_to(status, vec![("location", "http://127.0.0.1:1/".to_owned())], "ayse@example.com").await;
        assert!(matches!(error, InsiderError::Defect { .. }), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_request_without_an_answer_is_unanswered_and_one_without_a_connection_is_busy() {
    let silent = Server::start(|_| Reply::Never).await;
    let answers = client(&silent.url).unsubscribe(List::Email, &[email(AYSE)]).await;
    assert!(matches!(&answers[0], Err(InsiderError::Unanswered { .. })), "{:?}", answers[0]);

    let closing = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}", closing.local_addr().unwrap()).parse().unwrap();
    let accepted = tokio::spawn(async move {
        let (stream, _) = closing.accept().await.unwrap();
        stream.readable().await.unwrap();
    });
    let answers = client(&url).unsubscribe(List::Email, &[email(AYSE)]).await;
    assert!(matches!(&answers[0], Err(InsiderError::Unanswered { .. })), "{:?}", answers[0]);
    accepted.await.unwrap();

    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}", gone.local_addr().unwrap()).parse().unwrap();
    drop(gone);
    let answers = client(&url).unsubscribe(List::Email, &[email(AYSE)]).await;
    assert!(matches!(&answers[0], Err(InsiderError::Busy { .. })), "{:?}", answers[0]);
}

#[tokio::test]
async fn once_a_call_fails_the_rest_is_not_sent_and_what_was_taken_stays_taken() {
    let server = Server::start(|request| if request.count("emails") == 500 { well(request) } else { Reply::new(503, "") }).await;
    let mut recipients = emails(500);
    recipients.extend((0..3).map(|number| email(&format!("son{number}@example.com"))));
    let answers = client(&server.url).unsubscribe(List::Email, &recipients).await;
    assert_eq!(applied(&answers), 500);
    assert!(answers[500..].iter().all(|answer| matches!(answer, Err(InsiderError::Busy { .. }))));

    let held = Server::start(|_| Reply::new(401, "")).await;
    client(&held.url).unsubscribe(List::Email, &emails(2_000)).await;
    assert_eq!(held.requests().len(), 1);
}

#[tokio::test]
async fn a_used_up_allowance_is_busy_until_it_says() {
    let server = Server::start(well).await;
    let turns = Arc::new(Turns { full_after: Some(1), ..Turns::default() });
    let answers = client_of(&server.url, account(), turns).unsubscribe(List::Email, &emails(501)).await;
    assert_eq!(applied(&answers), 500);
    assert!(matches!(&answers[500], Err(InsiderError::Busy { until, .. }) if until.as_second() == now().as_second() + 42));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_profile_is_read_by_its_address_and_nobody_is_none() {
    let server = Server::start(|request| {
        if request.body["identifiers"]["email"] == AYSE {
            return Reply::new(
                200,
                json!({"attributes": {"email_optin": false, "c_iys_call_optin": true, "iid": "a"}, "events": {},
                       "quota": {"cost": 0.5, "used": 1, "total": 1000}}),
            );
        }
        Reply::new(404, json!({"error": "no such user for these identifiers: no data"}))
    })
    .await;
    let mut account = account();
    account.arama_attribute = Some("iys_call_optin".into());
    let turns = Arc::new(Turns::default());
    let client = client_of(&server.url, account, Arc::clone(&turns));
    let profile = client.profile(&email(AYSE)).await.unwrap().unwrap();
    assert_eq!(profile.flags, [(Channel::Eposta, false), (Channel::Arama, true)].into());
    assert_eq!(profile.quota.map(|quota| quota.cost), Some(0.5));
    assert_eq!(client.profile(&phone(PHONE)).await, Ok(None));
    let body = &server.requests()[0].body;
    assert_eq!(
        *body,
        json!({"identifiers": {"email": AYSE}, "attributes": ["c_iys_call_optin", "sms_optin", "email_optin"], "quota": true})
    );
    assert_eq!(turns.taken.lock().unwrap()[0], ("insider-profile".to_owned(), 1_000));
}

#[tokio::test]
async fn a_404_that_says_nothing_of_a_user_is_a_wrong_url_not_nobody() {
    let server = Server::start(|_| Reply::new(404, "<html>not found</html>")).await;
    assert!(matches!(client(&server.url).profile(&email(AYSE)).await, Err(InsiderError::Defect { .. })));
}

#[tokio::test]
async fn an_answer_of_another_form_is_a_defect_without_its_content() {
    let server =
        Server::start(|_| Reply::new(200, json!({"attributes": "ayse@example.com", "data": {"successful": "ayse@example.com"}}))).await;
    let client = client(&server.url);
    let read = client.profile(&email(AYSE)).await.unwrap_err();
    let written =
        client.upsert(&[Flag { recipient: email(AYSE), channel: Channel::Eposta, allowed: true, told: None }]).await.remove(0).unwrap_err();
    for (error, place) in [(read, "attributes"), (written, "data.successful")] {
        assert!(matches!(&error, InsiderError::Defect { why } if why.contains(place)), "{error}");
        assert!(!format!("{error} {error:?}").contains("ayse"), "{error}");
    }
}

#[tokio::test]
async fn no_debug_output_of_the_client_shows_a_key() {
    let server = Server::start(well).await;
    let client = client(&server.url);
    let shown = format!("{client:?} {:?}", Connection::new(Settings::new(server.url.clone(), server.url.clone()), Arc::new(now)));
    assert!(!shown.contains("-key"), "{shown}");
}
