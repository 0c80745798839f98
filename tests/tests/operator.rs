//! The operator's command against the running system: what it says, in which language, and how it ends.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::brand::Brand;
use shared::consent::{ConsentDate, ConsentKey, EventId, Head, Movement, Origin, Recipient, RecipientType, Retailers, Source, Status};
use shared::evidence::{Payload, day_of};
use shared::ledger::Ledger;
use tests::{Crowd, Operator, Said, Search, Setup, World, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_operator");

/// Every check of a brand that is the provider's own.
const CHECKS: [&str; 18] = [
    "document",
    "token",
    "brand",
    "subscription",
    "quota",
    "authority.ARAMA",
    "authority.MESAJ",
    "authority.EPOSTA",
    "mutabakat",
    "push.ARAMA",
    "push.MESAJ",
    "push.EPOSTA",
    "egress",
    "clock",
    "allowance.tokens",
    "allowance.single_status",
    "allowance.history",
    "quality",
];

/// What a retailer's description holds that is nobody's business.
const PERSONAL: [&str; 4] = ["Ayse Gizli", "57703411244", "8450525470", "+905992000001"];

fn description() -> Value {
    json!({
        "title": "Deneme Ticaret", "name": PERSONAL[0], "tckn": PERSONAL[1], "tin": PERSONAL[2], "mobile": PERSONAL[3],
        "city": { "code": 35 }, "town": { "code": 1 }, "alias": "Konak",
    })
}

/// The line of a check, with what stands below it.
fn line<'a>(said: &'a Said, name: &str) -> Vec<&'a str> {
    let mut lines = said.stdout.lines().skip_while(|line| !line.split_whitespace().any(|word| word == name));
    let first = lines.next().unwrap_or_else(|| panic!("no line {name} in:\n{}", said.stdout));
    std::iter::once(first).chain(lines.take_while(|line| line.starts_with("    "))).collect()
}

fn has(said: &Said, code: i32, texts: &[&str]) {
    assert_eq!(said.code, code, "{said:?}");
    let all = format!("{}{}", said.stdout, said.stderr);
    for text in texts {
        assert!(all.contains(text), "{text} is missing in:\n{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_is_right_what_is_wrong_and_what_to_do_about_it() {
    let world = World::start(Setup::new(env!("CARGO_BIN_EXE_stack"))).await;
    let operator = Operator::of(PROGRAM, &world);
    a_brand_that_is_right(&world, &operator).await;
    retailers_come_and_go(&operator).await;
    jobs_run_now(&operator).await;
    an_address_is_explained(&world, &operator).await;
    a_sample_is_made_at_insider(&world, &operator).await;
    wrong_credentials_and_names(&world, &operator).await;
    a_profile_signs_in(&operator).await;
    dead_letters_are_brought_back(&world, &operator).await;
    a_channel_without_authority(&world, &operator).await;
    an_address_that_is_not_listed(&world, &operator).await;
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}

async fn a_brand_that_is_right(world: &World, operator: &Operator) {
    // The schedule sees to the push connections.
    let said = until("the brand is right", async || {
        let said = operator.run(&["brand", "check"]).await;
        if said.code == 0 { Ok(said) } else { Err(format!("{said:?}")) }
    })
    .await;
    assert_eq!(said.stderr, "");
    for name in CHECKS {
        let words: Vec<&str> = line(&said, name)[0].split_whitespace().collect();
        assert!(matches!(words[..2], ["✓", "ok"] | ["!", "warning"] | ["-", "skipped"]), "{words:?}");
        assert_eq!(words[2], name);
    }
    assert!(said.stdout.lines().last().unwrap().starts_with("18 checks: "), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'), "a style where there is no terminal");

    let said = operator.run(&["brand", "check", "--json"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    let names: Vec<&str> = answer["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(names, CHECKS);

    let said = operator.clone().with("LANG", "tr_TR.UTF-8").run(&["status"]).await;
    has(&said, 0, &["Marka demo", "Açık işler", "İYS'nin markaya izin verdikleri", "ARAMA", "mutabakat", "jeton isteği"]);
    let said = operator.run(&["status", "--json"]).await;
    let (told, now): (Value, Value) = (serde_json::from_str(&said.stdout).unwrap(), world.status("demo").await);
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((said.code, fields(&told)), (0, fields(&now)));
}

async fn retailers_come_and_go(operator: &Operator) {
    let mut heard = Vec::new();
    let said = operator.run(&["retailers", "list"]).await;
    has(&said, 0, &["no retailers"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bayi.json");
    std::fs::write(&file, description().to_string()).unwrap();
    let file = file.to_str().unwrap();
    let said = operator.run(&["retailers", "create", file, "--json"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let code = serde_json::from_str::<Value>(&said.stdout).unwrap()["created"].as_u64().unwrap().to_string();
    heard.push(said);

    let said = operator.run(&["retailers", "list"]).await;
    has(&said, 0, &[&code, "Deneme Ticaret", "Konak", "İzmir", "Seyhan", "active"]);
    heard.push(said);
    let said = operator.run(&["retailers", "show", &code, "--language", "tr"]).await;
    has(&said, 0, &[&code, "unvan", "Deneme Ticaret", "İzmir"]);
    heard.push(said);

    // The same once more: İYS knows the identity number.
    let said = operator.run_with(&["retailers", "create", "-", "--language", "tr"], &description().to_string()).await;
    has(&said, 1, &["İYS reddediyor: H231", "kod", "neden  Bu T.C. kimlik numarası başka bir bayide kayıtlı.", "çözüm"]);
    heard.push(said);
    for (change, place) in
        [(json!({ "town": { "code": 99_999 } }), "town.code"), (json!({ "tckn": [] }), "tckn"), (json!({ "tin": null }), "tin")]
    {
        let mut wrong = description();
        wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let said = operator.run_with(&["retailers", "create", "-"], &wrong.to_string()).await;
        has(&said, 1, &[&format!("does not fit at {place}. Nothing was sent")]);
        heard.push(said);
    }
    let said = operator.run_with(&["retailers", "create", "-"], &format!("{{\"name\": \"{}\" ", PERSONAL[0])).await;
    has(&said, 2, &["standard input cannot be used: line 1, column", "no JSON"]);
    heard.push(said);
    let said = operator.run(&["retailers", "create", "/nowhere/bayi.json"]).await;
    has(&said, 2, &["/nowhere/bayi.json"]);

    let said = operator.run(&["retailers", "delete", &code]).await;
    has(&said, 0, &["Deleted", &code]);
    let said = operator.run(&["retailers", "delete", &code]).await;
    has(&said, 1, &["H058", "remedy"]);
    let said = operator.run(&["retailers", "show", &code]).await;
    has(&said, 1, &["no such retailer"]);

    for said in heard {
        for personal in PERSONAL {
            assert!(!said.stdout.contains(personal) && !said.stderr.contains(personal), "{said:?}");
        }
    }
}

async fn jobs_run_now(operator: &Operator) {
    for (arguments, texts) in [
        (vec!["job", "pull"], vec!["movements read", "of them new"]),
        (vec!["job", "sweep", "--language", "tr"], vec!["yeniden kuyruğa konan"]),
        (vec!["job", "clock"], vec!["movements waiting for İYS", "of them late"]),
        (vec!["job", "standing"], vec!["accounts looked at  1"]),
        (vec!["job", "push-service", "--brand", "demo"], vec!["connections registered"]),
    ] {
        has(&operator.run(&arguments).await, 0, &texts);
    }
    let said = operator.run(&["job", "pull", "--json"]).await;
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(report["movements"].is_u64() && report["failed"] == 0, "{report}");

    // For a brand that is not there the job fails, and with it the function.
    let said = operator.run(&["job", "standing", "--brand", "yok"]).await;
    has(&said, 3, &["the function failed", "log of reconcile"]);
    assert_eq!(said.stdout, "");
    // The check is answered, and says what is wrong.
    let said = operator.run(&["brand", "check", "--brand", "yok"]).await;
    has(&said, 1, &["no usable document", "1 failed"]);
}

async fn an_address_is_explained(world: &World, operator: &Operator) {
    let crowd = Crowd::new(83);
    let (refused, allowed, unknown) = (crowd.email(1), crowd.phone(2), crowd.email(3));
    world.add_one(&refused, "EPOSTA", "RET").await;
    world.add_one(&allowed, "MESAJ", "ONAY").await;
    world.until_settled(&refused, "EPOSTA").await;
    world.until_check_says("MESAJ", &allowed, "allowed").await;

    let said = operator.run(&["explain", &refused]).await;
    has(&said, 0, &[&refused, "EPOSTA BIREYSEL", "may not be messaged: the person refused", "History", "RET", "HS_WEB", "the brand"]);
    // The way in which a person typed it stays, and nothing is said of another.
    let typed = allowed.replace("+90", "0");
    let said = operator.run(&["explain", &typed, "--language", "tr"]).await;
    has(&said, 0, &[&typed, "ileti gönderilebilir", "bizden aldı", "Geçmiş"]);
    assert!(!said.stdout.contains(&allowed), "{said:?}");
    // What was not typed is not shown.
    let said = operator.run_with(&["explain"], &format!("{refused}\n")).await;
    has(&said, 0, &["The address (", "may not be messaged"]);
    let nothing_of = Search::new(&[refused.clone(), allowed.clone(), unknown.clone()]);
    nothing_of.must_find_nothing("an answer about an address that was not typed", &format!("{}{}", said.stdout, said.stderr));
    has(&operator.run(&["explain", &unknown]).await, 0, &["never heard of it"]);

    let said = operator.run(&["explain", "--json", &refused]).await;
    let story: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((said.code, &story), (0, &world.lookup(&refused).await));
    let said = operator.run(&["explain", "kisi@example"]).await;
    has(&said, 1, &["the API refuses the request"]);
    has(&operator.run_with(&["explain"], "\n").await, 2, &["which address?"]);
}

async fn a_sample_is_made_at_insider(world: &World, operator: &Operator) {
    let crowd = Crowd::new(85);
    let (refused, unknown) = (crowd.email(1), crowd.phone(2));
    world.add_one(&refused, "EPOSTA", "RET").await;
    world.until_settled(&refused, "EPOSTA").await;

    // Where nobody can be asked, it must be said beforehand.
    let said = operator.run(&["insider", "sample", "--email", &refused]).await;
    has(&said, 2, &["--yes"]);
    assert!(said.stdout.is_empty() && !said.stderr.contains(&refused), "{said:?}");

    let said = operator.run(&["insider", "sample", "--email", &refused, "--phone", &unknown, "--yes"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    for name in ["key.ucd.read.email", "key.unsubscribe.EPOSTA", "key.ucd.write.MESAJ", "key.resubscribe.EPOSTA", "partner", "webhook"] {
        assert!(line(&said, name)[0].starts_with("✓ ok"), "{}", said.stdout);
    }
    has(&said, 0, &["left.EPOSTA", "The ledger holds a refusal", "left.MESAJ", "/v1/demo/insider/events"]);
    let nothing_of = Search::new(&[refused.clone(), unknown.clone()]);
    nothing_of.must_find_nothing("the answer about a sample", &said.stdout);
    world.until_insider_suppresses(&refused).await;
    assert_eq!(world.reachable_at_insider(&unknown).await, (true, json!(false)), "suppressed by list and flag");

    // By standard input; and in the other language.
    let said = operator.run_with(&["insider", "sample", "--yes", "--json"], &format!("{unknown}\n")).await;
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((said.code, &answer["checks"][0]["check"]), (0, &json!("key.ucd.read.phone")));
    let said = operator.run(&["insider", "sample", "--yes", "--phone", "05x", "--language", "tr"]).await;
    has(&said, 1, &["✗ hata", "phone, İYS'nin kabul ettiği bir telefon numarası değil", "çözüm"]);
}

async fn wrong_credentials_and_names(world: &World, operator: &Operator) {
    let wrong = operator.clone().with("IYSYNC_API_KEY", "wrong-key");
    let said = wrong.run(&["status"]).await;
    has(&said, 3, &["error: the API does not take the key", "--api-key-file"]);
    assert!(!said.stderr.contains("wrong-key") && said.stdout.is_empty(), "{said:?}");
    has(&wrong.run(&["explain", "a@example.com", "--language", "tr"]).await, 3, &["hata: API anahtarı kabul etmiyor"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "demo-api-key\n").unwrap();
    has(&wrong.run(&["status", "--api-key-file", file.to_str().unwrap()]).await, 0, &["Open work"]);

    has(&operator.run(&["status", "--brand", "yok"]).await, 3, &["does not know this brand"]);
    has(&operator.run(&["brand", "check", "--function", "yok"]).await, 3, &["there is no function yok", "ReconcileFunctionName"]);
    // Another server at the address of the API.
    let iys = world.iys_url();
    has(&operator.run(&["status", "--api-url", iys]).await, 3, &["error: "]);
    has(&operator.run(&["brand", "check", "--invoke-url", iys]).await, 3, &["error: "]);
}

async fn dead_letters_are_brought_back(world: &World, operator: &Operator) {
    let queues = ["IysPushDeadLetterQueue", "UnsubscribeRelayDeadLetterQueue"];
    let keys = r#""brand":"demo","keys":[["AAAAAAAAAAAAAAAAAAAAAA","EPOSTA","BIREYSEL"]]"#;
    for (queue, group, kind) in [(queues[0], None, r#""kind":"keys","#), (queues[1], Some("demo-1"), "")] {
        world.put_message(queue, group, "usable", &format!("{{{kind}{keys}}}")).await;
        world.put_message(queue, group.map(|_| "demo-2"), "garbage", "kein json").await;
    }
    let said = operator.run(&["redrive"]).await;
    has(&said, 1, &["on their way again  2", "unusable            2", "of them deleted     0", "--discard"]);
    assert_eq!((world.messages_in(queues[0]).await, world.messages_in(queues[1]).await), (1, 1));
    let said = operator.run(&["redrive", "--discard", "--language", "tr"]).await;
    has(&said, 0, &["yeniden yola çıkan  0", "bunlardan silinen   2"]);
    assert_eq!((world.messages_in(queues[0]).await, world.messages_in(queues[1]).await), (0, 0));
}

/// As in AWS, but for who listens.
async fn a_profile_signs_in(operator: &Operator) {
    let folder = tempfile::tempdir().unwrap();
    let (config, credentials) = (folder.path().join("config"), folder.path().join("credentials.json"));
    std::fs::write(&credentials, r#"{"Version":1,"AccessKeyId":"a","SecretAccessKey":"b"}"#).unwrap();
    let helper = format!("[profile firm]\nregion = eu-central-1\ncredential_process = /bin/cat {}\n", credentials.display());
    std::fs::write(&config, helper).unwrap();
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:reconcile";
    let operator =
        operator.clone().with("AWS_CONFIG_FILE", config.to_str().unwrap()).with("PATH", "/bin:/usr/bin").with("IYSYNC_AWS", "true");
    let arguments = ["job", "standing", "--function", arn, "--brand", "demo"];
    has(&operator.run(&[&arguments[..], &["--profile", "firm"]].concat()).await, 0, &["accounts looked at"]);
    std::fs::write(&credentials, "nothing").unwrap();
    has(&operator.run(&[&arguments[..], &["--profile", "firm"]].concat()).await, 3, &["there are no AWS credentials", "aws sso login"]);
}

async fn a_channel_without_authority(world: &World, operator: &Operator) {
    let crowd = Crowd::new(84);
    world.change_account(json!({ "brandCode": 700_001, "channels": ["MESAJ", "EPOSTA"] })).await;
    let held = crowd.phone(1);
    world.add_one(&held, "ARAMA", "ONAY").await;
    world.until_check_says("ARAMA", &held, "held").await;

    let said = operator.run(&["brand", "check", "--language", "tr"]).await;
    assert_eq!(said.code, 1, "{said:?}");
    let about = line(&said, "authority.ARAMA").join("\n");
    assert!(about.starts_with("✗ hata") && about.contains("kod    H355") && about.contains("neden  "), "{about}");
    assert!(about.contains("çözüm  ") && about.contains("İYS Web'de"), "{about}");
    assert!(line(&said, "authority.MESAJ")[0].starts_with("✓ tamam"), "{}", said.stdout);

    let said = operator.run(&["explain", &held, "--language", "tr"]).await;
    has(&said, 0, &["ARAMA BIREYSEL", "ileti gönderilemez", "bekletiliyor: yetki", "kod    H355", "neden  ", "çözüm  "]);
    let said = operator.run(&["status"]).await;
    has(&said, 0, &["1 held", "ARAMA", "denied", "remedy"]);
    Search::new(&[held]).must_find_nothing("the status", &said.stdout);
}

async fn an_address_that_is_not_listed(world: &World, operator: &Operator) {
    world.list_addresses(json!(["203.0.113.7"])).await;
    let said = operator.run(&["brand", "check"]).await;
    assert_eq!(said.code, 1, "{said:?}");
    let about = line(&said, "egress").join("\n");
    assert!(about.starts_with("✗ failed") && about.contains("remedy  Ask İYS"), "{about}");
    world.list_addresses(Value::Null).await;
}

#[tokio::test]
async fn where_nobody_answers_the_command_says_so_and_ends_with_its_own_code() {
    // A port that was free a moment ago.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let place = format!("http://127.0.0.1:{port}");
    let operator = Operator::new(PROGRAM).with("IYSYNC_API_URL", &place).with("IYSYNC_INVOKE_URL", &place);
    for arguments in
        [vec!["brand", "check"], vec!["retailers", "list"], vec!["job", "pull"], vec!["status"], vec!["explain", "a@example.com"]]
    {
        for json in [false, true] {
            let arguments: Vec<&str> = arguments.iter().copied().chain(json.then_some("--json")).collect();
            let said = operator.run(&arguments).await;
            has(&said, 3, &[&format!("error: nobody answers at {place}"), "cargo run"]);
            assert!(said.stdout.is_empty() && !said.stderr.contains("example.com"), "{said:?}");
        }
    }
    has(&operator.run(&["status", "--language", "tr"]).await, 3, &["hata: ", "yanıt vermiyor"]);
}

#[tokio::test]
async fn a_deployed_system_needs_names_a_key_and_credentials() {
    let operator = Operator::new(PROGRAM).with("AWS_EC2_METADATA_DISABLED", "true");
    for (arguments, missing) in [
        (vec!["brand", "check", "--aws"], "--brand"),
        (vec!["brand", "check", "--aws", "--brand", "a"], "--function"),
        (vec!["brand", "check", "--aws", "--brand", "a", "--function", "f"], "--region"),
        (vec!["brand", "check", "--region", "eu-central-1"], "--aws"),
        (vec!["status", "--api-url", "https://izin.example.com"], "--brand"),
        (vec!["status", "--api-url", "https://izin.example.com", "--brand", "a"], "--api-key-file"),
        (vec!["status", "--api-url", "http://izin.example.com", "--brand", "a"], "https"),
    ] {
        let said = operator.run(&arguments).await;
        has(&said, 2, &[missing]);
        assert_eq!(said.stdout, "");
    }
    let said = operator.run(&["brand", "check", "--aws", "--brand", "a", "--function", "f", "--region", "eu-central-1"]).await;
    has(&said, 3, &["error: there are no AWS credentials", "aws sso login"]);
}

#[tokio::test]
async fn every_shell_gets_its_completions() {
    let operator = Operator::new(PROGRAM);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = operator.run(&["completions", shell]).await;
        has(&said, 0, &["iysync", "retailers", "push-service"]);
        assert_eq!(said.stderr, "", "{shell}");
    }
}

/// The system's table, past the functions.
fn ledger(world: &World) -> Ledger {
    let (address, table) = world.table();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .http_client(Builder::new().build_http())
        .endpoint_url(address);
    Ledger::new(aws_sdk_dynamodb::Client::from_conf(config.build()), table)
}

/// A refusal that the brand told of at a moment. Nobody can wait for the end of a day.
async fn was_told(world: &World, address: &str, received_at: Timestamp, body: &[u8]) {
    let brand = Brand::read(include_str!("../../infra/local/brands/demo.json")).unwrap();
    let recipient = Recipient::parse_any(address).unwrap();
    let recipient_id = recipient.id(&brand.recipient_id_key, &brand.name);
    let movement = Movement {
        key: ConsentKey {
            brand: brand.name,
            recipient_id,
            channel: shared::consent::Channel::Eposta,
            recipient_type: RecipientType::Bireysel,
        },
        recipient,
        head: Head {
            status: Status::Ret,
            source: Source::HsWeb,
            consent_date: ConsentDate::at(received_at),
            origin: Origin::Api,
            event_id: EventId::derive("api", [received_at.to_string().as_str()]),
            received_at,
            retailers: Retailers::default(),
        },
    };
    ledger(world).record_from(&movement, Some(Payload::of(body)), received_at, received_at).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evidence_of_an_address_is_exported_and_verified_by_a_stranger_and_no_byte_of_it_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let world = World::start(Setup { data: Some(data.clone()), ..Setup::new(env!("CARGO_BIN_EXE_stack")) }).await;
    let operator = Operator::of(PROGRAM, &world);
    let crowd = Crowd::new(87);
    let (address, other) = (crowd.email(1), crowd.email(2));
    let then = Timestamp::now() - SignedDuration::from_hours(60);
    let body = format!(r#"{{"recipient":"{address}","type":"EPOSTA","status":"RET"}}"#);
    was_told(&world, &address, then, body.as_bytes()).await;
    was_told(&world, &other, then, b"{}").await;
    world.add_one(&address, "EPOSTA", "RET").await;

    let said = operator.run(&["job", "evidence"]).await;
    has(&said, 0, &["days closed"]);
    has(&operator.run(&["job", "evidence", "--language", "tr"]).await, 0, &["kapatılan gün"]);
    let root = std::fs::read_to_string(data.join(format!("evidence/demo/{}.json", day_of(then)))).unwrap();
    let root: Value = serde_json::from_str(&root).unwrap();
    assert_eq!(root["count"], 2, "{root}");

    let (file, body_file) = (folder.path().join("evidence.json"), folder.path().join("body.json"));
    std::fs::write(&body_file, &body).unwrap();
    let (file, body_file) = (file.to_str().unwrap(), body_file.to_str().unwrap());
    let said = operator.run_with(&["evidence", "export", "--payloads", "--output", file], &format!("{address}\n")).await;
    has(&said, 0, &["Written to", "Movement 1: EPOSTA BIREYSEL RET", "told by the brand", "not closed yet"]);
    Search::new(&[address.clone(), other.clone()]).must_find_nothing("what the export says", &format!("{}{}", said.stdout, said.stderr));

    // A stranger has the file, a link from elsewhere, and nothing else.
    let stranger = Operator::new(PROGRAM);
    let known = format!("{}={}", day_of(then), root["chained"].as_str().unwrap());
    let said = stranger.run(&["evidence", "verify", file, "--root", &known, "--payload", body_file]).await;
    has(&said, 0, &["✓ The chain of", "✓ The file agrees", "✓ Movement 1", "✓ Movement 1 was made from a payload", "○ Movement 2"]);
    let said = stranger.run(&["evidence", "verify", file, "--language", "tr", "--json"]).await;
    let verdict: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((said.code, &verdict["result"]), (0, &json!("open")), "{verdict}");
    let wrong = format!("{}={}", day_of(then), "0".repeat(64));
    has(&stranger.run(&["evidence", "verify", file, "--root", &wrong, "--language", "tr"]).await, 1, &["✗ Dosya", "Doğrulanmadı"]);
    has(&stranger.run(&["evidence", "verify", file, "--root", "yesterday"]).await, 2, &["--root takes a day"]);
    has(&stranger.run(&["evidence", "verify", "/nowhere/evidence.json"]).await, 2, &["/nowhere/evidence.json"]);
    let text = std::fs::read_to_string(file).unwrap();
    has(&stranger.run_with(&["evidence", "verify", "-"], &text.replace("HS_WEB", "HS_WEC")).await, 1, &["✗ Movement 1 does not hold"]);

    reports_are_made_and_shown(&operator, &data, folder.path(), &day_of(then).to_string(), &Search::new(&[address.clone(), other])).await;

    has(&operator.run(&["evidence", "export", "kisi@example", "--output", file]).await, 1, &["no address"]);
    has(&operator.run(&["evidence", "export", &address, "--brand", "yok", "--output", file]).await, 1, &["no usable document"]);
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}

/// The report of a day on which two refusals were received, which is closed.
async fn reports_are_made_and_shown(operator: &Operator, data: &Path, folder: &Path, day: &str, addresses: &Search) {
    has(&operator.run(&["job", "report"]).await, 0, &["reports made"]);
    let kept: Vec<_> = std::fs::read_dir(data.join("evidence/demo")).unwrap().map(|file| file.unwrap().path()).collect();
    let ends = |ending: &str| kept.iter().find(|path| path.to_string_lossy().ends_with(ending)).unwrap_or_else(|| panic!("no {ending}"));
    let document = ends(".report.json");
    ends(".report.en.html");
    let page = std::fs::read_to_string(ends(".report.tr.html")).unwrap();

    // The day that is kept, as it is kept.
    let name = document.file_name().unwrap().to_string_lossy().into_owned();
    let kept_day = name.split('.').next().unwrap();
    let said = operator.run(&["report", "--day", kept_day, "--format", "json"]).await;
    assert_eq!((said.code, said.stdout.trim_end()), (0, std::fs::read_to_string(document).unwrap().trim_end()));
    let file = folder.join("report.html");
    let said = operator.run(&["report", "--day", kept_day, "--lang", "tr", "--output", file.to_str().unwrap()]).await;
    has(&said, 0, &["dosyasına yazıldı", "günlük rapor"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), page);

    // An earlier one, which nobody made: as it stands now.
    let said = operator.run(&["report", "--day", day]).await;
    has(&said, 0, &["Brand demo", "movements received", "root of the day"]);
    addresses.must_find_nothing("what the report says", &format!("{}{}", said.stdout, said.stderr));
    let said = operator.run(&["report", "--day", day, "--json"]).await;
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    let report = &answer["report"]["report"];
    assert_eq!(
        (&answer["report"]["isKept"], &report["received"]["total"], &report["evidence"]["matches"]),
        (&json!(false), &json!(2), &json!(true))
    );
    has(&operator.run(&["report", "--day", day, "--kind", "final"]).await, 1, &["no such report"]);
    has(&operator.run(&["report", "--day", "9998-01-01", "--language", "tr"]).await, 1, &["Böyle bir rapor yok"]);
    has(&operator.run(&["report", "--day", "2026-13-01"]).await, 2, &["--day"]);
    has(&operator.run(&["report", "--brand", "yok"]).await, 1, &["no usable document"]);
}
