//! The whole client against the simulator, which is written from İYS's documentation alone: under its
//! default settings, and under every other reading of what the documentation leaves open.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sandbox::iys::{ChannelRefusal, Config, ConsentType, NoRecord, Switches, TokenLimitBody, Unfinished};
use serde_json::{Value, json};
use shared::consent::code::Hold;
use shared::consent::{Channel, ConsentDate, Recipient, RecipientType, Retailers, Source, Status};
use shared::iys::{Client, IysRegistry, Settings};
use shared::ledger::Ledger;
use shared::registry::{Feed, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};
use url::Url;

use crate::harness::{self, PATIENCE};
use crate::{brand, kind};

const BIREYSEL: RecipientType = RecipientType::Bireysel;

pub(crate) struct Simulator {
    url: Url,
    ledger: Ledger,
    pub(crate) client: Client,
    registry: IysRegistry,
}

pub(crate) async fn simulator(config: Config) -> Simulator {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(sandbox::iys::serve(listener, config, std::future::pending()));
    let ledger = harness::ledger().await;
    let client = Client::new(Settings::new(url.clone()), ledger.clone(), shared::clock::system(), "worker");
    let registry = IysRegistry::new(client.clone(), Arc::new(brand()));
    Simulator { url, ledger, client, registry }
}

impl Simulator {
    async fn stats(&self) -> Value {
        let body = reqwest::get(self.url.join("_sandbox/stats").unwrap()).await.unwrap().text().await.unwrap();
        serde_json::from_str(&body).unwrap()
    }

    async fn citizen(&self, recipient: &str, channel: &str, status: &str) {
        let act = json!({"brandCode": 700001, "recipient": recipient, "type": channel, "status": status, "source": "IYS_MOBIL"});
        self.order("citizen", act).await;
    }

    /// The results of a list, once all of it is processed.
    async fn finished(&self, request_id: &str, records: usize) -> Vec<ResultLine> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines = self.registry.results(request_id).await.unwrap();
            if lines.len() == records && lines.iter().all(|line| line.verdict.is_some()) {
                return lines;
            }
            assert!(Instant::now() < deadline, "the list is never processed");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Posts to one of the simulator's control paths.
    async fn order(&self, control: &str, body: Value) {
        let url = self.url.join("_sandbox/").unwrap().join(control).unwrap();
        let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body.to_string());
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    }
}

pub(crate) fn recipient(text: &str, channel: Channel) -> Recipient {
    Recipient::parse(text, channel).unwrap()
}

/// A record dated some seconds ago.
pub(crate) fn record(text: &str, channel: Channel, status: Status, seconds_ago: i64) -> Record {
    let date = ConsentDate::at(Timestamp::now() - jiff::SignedDuration::from_secs(seconds_ago));
    Record {
        recipient: recipient(text, channel),
        recipient_type: BIREYSEL,
        channel,
        status,
        source: Source::HsWeb,
        consent_date: date,
        retailers: Retailers::default(),
    }
}

pub(crate) fn transaction(verdict: Verdict) -> String {
    match verdict {
        Verdict::Recorded { transaction_id: Some(id) } => id,
        other => panic!("{other:?}"),
    }
}

fn refused(verdict: Verdict) -> String {
    match verdict {
        Verdict::Refused(code) => code.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn everything(config: Config) {
    let iys = simulator(config).await;
    let registry = &iys.registry;

    // Single add: an identical record again is the same movement, the rules of İYS are its verdicts.
    let onay = record("a@example.com", Channel::Eposta, Status::Onay, 600);
    let first = transaction(registry.add(&onay).await.unwrap());
    assert_eq!(transaction(registry.add(&onay).await.unwrap()), first);
    let unknown = record("b@example.com", Channel::Eposta, Status::Ret, 60);
    assert_eq!(refused(registry.add(&unknown).await.unwrap()), "H175");
    let older = record("a@example.com", Channel::Eposta, Status::Ret, 1200);
    assert_eq!(refused(registry.add(&older).await.unwrap()), "H178");
    let late = record("a@example.com", Channel::Eposta, Status::Ret, 20 * 24 * 3600);
    assert_eq!(refused(registry.add(&late).await.unwrap()), "H467");

    // What it holds.
    let holding = registry.holding(Channel::Eposta, BIREYSEL, &onay.recipient).await.unwrap().unwrap();
    assert_eq!((holding.status, &holding.source, holding.consent_date), (Status::Onay, &Source::HsWeb, Some(onay.consent_date)));
    assert_eq!(holding.transaction_id.as_deref(), Some(first.as_str()));
    assert_eq!(registry.holding(Channel::Eposta, BIREYSEL, &unknown.recipient).await.unwrap(), None);

    // Many at once: taken, then processed.
    let records = [
        record("a@example.com", Channel::Eposta, Status::Ret, 30),
        record("c@example.com", Channel::Eposta, Status::Onay, 30),
        record("+905992000001", Channel::Mesaj, Status::Onay, 30),
        record("+905992000002", Channel::Mesaj, Status::Ret, 30),
    ];
    let Submitted::Taken { request_id, record_ids, .. } = registry.submit(&records).await.unwrap() else { panic!("not taken") };
    assert!(record_ids.iter().all(Option::is_some));
    let lines = iys.finished(&request_id, records.len()).await;
    let verdict = |at: usize| lines.iter().find(|line| line.record_id == record_ids[at]).unwrap().verdict.clone().unwrap();
    for at in 0..3 {
        transaction(verdict(at));
    }
    assert_eq!(refused(verdict(3)), "H175");

    // A wrong record refuses the list, and is named.
    let wrong =
        Record { consent_date: "2015-04-30 10:00:00".parse().unwrap(), ..record("d@example.com", Channel::Eposta, Status::Onay, 5) };
    let Submitted::Refused(errors) = registry.submit(&[records[1].clone(), wrong]).await.unwrap() else { panic!("taken") };
    assert_eq!(errors.iter().map(|(at, code)| (*at, code.to_string())).collect::<Vec<_>>(), [(1, "H156".to_owned())]);

    // Who may be written to.
    let asked: Vec<_> = ["a@example.com", "b@example.com", "c@example.com"].map(|text| recipient(text, Channel::Eposta)).to_vec();
    let onays = registry.onays(Channel::Eposta, BIREYSEL, &asked).await.unwrap();
    assert_eq!(onays, HashSet::from([asked[2].clone()]));

    // What people do at İYS, and what the brand did, page by page.
    iys.citizen("+905992000001", "MESAJ", "RET").await;
    iys.citizen("c@example.com", "EPOSTA", "RET").await;
    let people = registry.changes(Feed::People, None).await.unwrap();
    // Both may fall into one second, which İYS does not order by time.
    let seen: HashSet<_> = people.changes.iter().map(|change| change.recipient.clone()).collect();
    assert_eq!(seen, HashSet::from([recipient("+905992000001", Channel::Mesaj), asked[2].clone()]));
    assert!(people.changes.iter().all(|change| change.holding.status == Status::Ret));
    assert!(people.unreadable.is_empty() && people.changes.iter().all(|change| change.holding.source.as_str() == "IYS_MOBIL"));
    let none = registry.changes(Feed::People, people.cursor.as_deref()).await.unwrap();
    assert_eq!((none.changes.len(), none.cursor, none.more), (0, None, false));
    assert_eq!(registry.changes(Feed::Brand, None).await.unwrap().changes.len(), 4);
    let history = iys.client.history(&brand().iys, Channel::Eposta, BIREYSEL, &asked[0]).await.unwrap();
    let statuses: Vec<_> = history.changes.iter().map(|change| change.holding.status).collect();
    assert_eq!(statuses, [Status::Onay, Status::Ret]);

    // The brand itself.
    let brands = iys.client.brands(&brand().iys).await.unwrap();
    assert_eq!((brands[0].brand_code, brands[0].master), (700_001, true));
    assert_eq!(iys.client.push_connections(&brand().iys).await.unwrap(), []);

    let stats = iys.stats().await;
    assert!(stats["peak_per_second"].as_u64().unwrap() <= 10, "{stats}");
    assert!(stats["violations"].get("rate_limited:H124").is_none(), "{stats}");
}

fn quick() -> Config {
    Config { bulk_delay_seconds: 1, pull_tail_seconds: 0, ..Config::default() }
}

#[tokio::test]
async fn every_method_works_under_the_simulators_defaults() {
    everything(quick()).await;
}

#[tokio::test]
async fn every_method_works_under_the_other_readings_of_the_documentation() {
    let switches = Switches {
        token_limit_body: TokenLimitBody::TopLevel,
        lowercase_subrequest: true,
        cursor_in_milliseconds: true,
        late_status: 400,
        bulk_status: 200,
        index_from_one: true,
        unfinished: Unfinished::Enqueue,
        no_record: NoRecord::EmptyObject,
        v2_flag_as_text: true,
        misspelt_code_key: true,
        ..Switches::default()
    };
    everything(Config { switches, ..quick() }).await;
}

#[tokio::test]
async fn a_missing_authority_is_read_in_both_of_its_forms() {
    for (channel_refusal, misspelt_code_key) in [(ChannelRefusal::H355, false), (ChannelRefusal::H353, true)] {
        let mut config = quick();
        config.switches = Switches { channel_refusal, misspelt_code_key, no_record: NoRecord::NoContent, ..Switches::default() };
        config.providers[0].brands[0].channels = Some(vec![ConsentType::Mesaj]);
        let iys = simulator(config).await;
        let error = iys.registry.add(&record("a@example.com", Channel::Eposta, Status::Onay, 60)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Held { why: Hold::Authority, .. }), "{error}");
        let address = recipient("+905992000001", Channel::Mesaj);
        assert_eq!(iys.registry.holding(Channel::Mesaj, BIREYSEL, &address).await.unwrap(), None);
    }
}

#[tokio::test]
async fn calls_of_two_workers_at_once_stay_within_the_simulators_limit_of_any_second() {
    let iys = simulator(quick()).await;
    let mut settings = Settings::new(iys.url.clone());
    // Far below the limit, so that a machine that stands still for a moment does not break the test.
    settings.limits.calls_per_second = 5;
    let worker = |name: &str| Client::new(settings.clone(), iys.ledger.clone(), shared::clock::system(), name);
    let workers = [worker("one"), worker("two")];
    let account = brand().iys;
    let records: Vec<_> = (0..16).map(|at| record(&format!("a{at}@example.com"), Channel::Eposta, Status::Onay, 60)).collect();
    let calls = records.iter().zip(workers.iter().cycle()).map(|(record, worker)| worker.add(&account, record));
    for verdict in futures::future::join_all(calls).await {
        transaction(verdict.unwrap());
    }
    let stats = iys.stats().await;
    assert!(stats["peak_per_second"].as_u64().unwrap() <= 10, "{stats}");
    assert_eq!(stats["violations"], json!({}), "{stats}");
    let tokens = stats["calls"].as_array().unwrap().iter().filter(|calls| calls["path"].as_str().unwrap().ends_with("token"));
    assert_eq!(tokens.map(|calls| calls["count"].as_u64().unwrap()).sum::<u64>(), 1, "{stats}");
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_from_every_place_where_iys_may_tell_it() {
    let iys = simulator(quick()).await;
    let registry = &iys.registry;
    let onay = |text: &str| record(text, Channel::Eposta, Status::Onay, 60);
    let order = async |recipient: &str, at: &str, code: &str, http: u16| {
        iys.order("refusals", json!({"recipient": recipient, "type": "EPOSTA", "at": at, "code": code, "http": http})).await;
    };
    order("a@example.com", "add", "H486", 400).await;
    assert_eq!(refused(registry.add(&onay("a@example.com")).await.unwrap()), "H486");
    order("a@example.com", "add", "H525", 422).await;
    let error = registry.add(&onay("a@example.com")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Held { why: Hold::Quota, .. }), "{error}");
    transaction(registry.add(&onay("a@example.com")).await.unwrap());

    let list = ["b@example.com", "c@example.com"].map(onay);
    order("c@example.com", "list", "H120", 422).await;
    let Submitted::Refused(errors) = registry.submit(&list).await.unwrap() else { panic!("taken") };
    assert_eq!(errors.iter().map(|(at, code)| (*at, code.to_string())).collect::<Vec<_>>(), [(1, "H120".to_owned())]);
    order("c@example.com", "row", "H178", 200).await;
    let Submitted::Taken { request_id, record_ids, .. } = registry.submit(&list).await.unwrap() else { panic!("not taken") };
    let lines = iys.finished(&request_id, 2).await;
    let verdict = |at: usize| lines.iter().find(|line| line.record_id == record_ids[at]).unwrap().verdict.clone().unwrap();
    transaction(verdict(0));
    assert_eq!(refused(verdict(1)), "H178");

    let address = recipient("a@example.com", Channel::Eposta);
    order("a@example.com", "status", "H353", 403).await;
    assert_eq!(kind(&registry.holding(Channel::Eposta, BIREYSEL, &address).await.unwrap_err()), "held");
    order("a@example.com", "multi", "H192", 503).await;
    let asked = std::slice::from_ref(&address);
    assert_eq!(kind(&registry.onays(Channel::Eposta, BIREYSEL, asked).await.unwrap_err()), "busy");
    assert_eq!(registry.onays(Channel::Eposta, BIREYSEL, asked).await.unwrap().len(), 1);
}

#[tokio::test]
async fn where_the_second_version_is_missing_a_record_sent_again_is_refused_and_stored_once() {
    let iys = simulator(quick()).await;
    let missing = json!({"path": "/v2/", "kind": "status", "status": 404, "body": {}, "count": 1000});
    iys.order("faults", missing).await;
    let onay = record("a@example.com", Channel::Eposta, Status::Onay, 60);
    transaction(iys.registry.add(&onay).await.unwrap());
    assert!(!iys.client.recognises_resends(&brand().iys));

    let again = refused(iys.registry.add(&onay).await.unwrap());
    assert!(["H174", "H178"].contains(&again.as_str()), "{again}");
    let Submitted::Taken { request_id, .. } = iys.registry.submit(std::slice::from_ref(&onay)).await.unwrap() else { panic!("not taken") };
    let verdict = iys.finished(&request_id, 1).await.remove(0).verdict.unwrap();
    assert_eq!(refused(verdict), again);
    let history = iys.client.history(&brand().iys, Channel::Eposta, BIREYSEL, &onay.recipient).await.unwrap();
    assert_eq!(history.changes.len(), 1);
    // What the refusal has fetched is the same movement.
    let holding = iys.registry.holding(Channel::Eposta, BIREYSEL, &onay.recipient).await.unwrap().unwrap();
    assert_eq!((holding.status, holding.consent_date), (Status::Onay, Some(onay.consent_date)));
}

#[tokio::test]
async fn a_connection_lost_after_storing_is_unanswered_and_the_identical_record_is_recognised() {
    let iys = simulator(quick()).await;
    let fault = json!({"path": "/v2/sps", "kind": "timeout_after_apply", "count": 1});
    iys.order("faults", fault).await;
    let record = record("a@example.com", Channel::Eposta, Status::Onay, 60);
    let error = iys.registry.add(&record).await.unwrap_err();
    assert_eq!(kind(&error), "unanswered", "{error}");
    let id = transaction(iys.registry.add(&record).await.unwrap());
    let holding = iys.registry.holding(Channel::Eposta, BIREYSEL, &record.recipient).await.unwrap().unwrap();
    assert_eq!(holding.transaction_id, Some(id));
}
