//! A brand's book of consents goes into the running system by the operator's command.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::{Crowd, Operator, Said, Search, Setup, Vendor, World, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_operator");
const OLD: &str = "2024-03-01 12:00:00";

/// What the command said as JSON, without an address in it.
fn told(said: &Said, addresses: &Search) -> Value {
    addresses.must_find_nothing("what an import says", &format!("{}{}", said.stdout, said.stderr));
    serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"))
}

/// Turkish time of a moment ago, as a table has it.
fn just_now() -> String {
    let moment = jiff::Timestamp::now() - SignedDuration::from_mins(5) + SignedDuration::from_hours(3);
    moment.strftime("%d.%m.%Y %H:%M:%S").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brands_book_goes_in_and_iys_and_insider_hear_of_the_differences_only() {
    let world = World::start(Setup::new(env!("CARGO_BIN_EXE_stack"))).await;
    let operator = Operator::of(PROGRAM, &world);
    let folder = tempfile::tempdir().unwrap();
    the_book_of_a_shop(&world, &operator, folder.path()).await;
    an_import_that_is_killed_goes_on(&world, &operator, folder.path()).await;
    an_import_of_nobody(&operator, folder.path()).await;
    world.check_silences().await;
    world.check_that_no_address_left_its_place().await;
    world.end().await;
}

async fn the_book_of_a_shop(world: &World, operator: &Operator, folder: &Path) {
    let crowd = Crowd::new(61);
    let (there, refused, new, late) = (crowd.email(1), crowd.phone(2), crowd.email(3), crowd.phone(4));
    let (bad, wide) = (crowd.invalid("@"), crowd.email(5));
    let addresses = Search::new(&[there.clone(), refused.clone(), new.clone(), late.clone(), bad.clone(), wide.clone()]);
    world.seed(&[(&there, "EPOSTA", "ONAY")]).await;
    world.watch_silence(Vendor::Insider, &there);

    // As Excel in Turkish writes it: Windows-1254, semicolons, dates with points.
    let now = just_now();
    let text = format!(
        "ALICI;İzin Türü;Durum;İzin Tarihi;Şube\r\n{there};e-posta;Onay;01.03.2024 12:00;1\r\n{refused};SMS;Ret;01.03.2024;2\r\n\
         {new};e-posta;Onay;{now};3\r\n{late};ARAMA;ONAY;{OLD};4\r\n{bad};e-posta;RET;{OLD};5\r\n{wide};e-posta;RET;{OLD};6;7\r\n"
    );
    let letters = text.chars().map(|letter| match letter {
        'İ' => 0xdd,
        'Ş' => 0xde,
        'ü' => 0xfc,
        other => u8::try_from(u32::from(other)).unwrap(),
    });
    let (book, rejects) = (folder.join("defter.csv"), folder.join("red.csv"));
    std::fs::write(&book, letters.collect::<Vec<_>>()).unwrap();
    let (book, rejects) = (book.to_str().unwrap(), rejects.to_str().unwrap());

    let said = operator.run(&["import", book, "--dry-run", "--json"]).await;
    let counts = told(&said, &addresses);
    assert_eq!((said.code, &counts["rows"], &counts["accepted"], &counts["asked"]), (1, &json!(6), &json!(4), &json!(4)));
    assert_eq!((&counts["rejected"], &counts["unknownColumns"]), (&json!({"H120": 1, "columns": 1}), &json!(["Şube"])));
    assert_eq!(world.lookup(&refused).await["states"], json!([]));

    let said = operator.run(&["import", book, "--rejects", rejects, "--json"]).await;
    let counts = told(&said, &addresses);
    let ends = ["accepted", "atIys", "notRegistered", "toPush", "asked"].map(|name| counts[name].as_u64().unwrap());
    assert_eq!((said.code, ends, &counts["refusedAtIys"]), (1, [4, 1, 1, 1, 4], &json!({"H467": 1})), "{counts}");
    world.until_check_says("EPOSTA", &there, "allowed").await;
    world.until_insider_suppresses(&refused).await;
    world.until_iys_holds(&new, "EPOSTA", "ONAY").await;
    world.until_check_says("EPOSTA", &new, "allowed").await;
    assert!(world.movements_at_iys(&refused).await.is_empty() && world.movements_at_iys(&late).await.is_empty());
    assert_eq!(world.movements_at_iys(&there).await.len(), 1, "it stood there");

    // The rows without effect, as they stood, for nobody else.
    assert_eq!(std::fs::metadata(rejects).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(rejects).unwrap();
    let mut lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines.remove(0), "iysync_line;iysync_code;iysync_field;iysync_reason;ALICI;İzin Türü;Durum;İzin Tarihi;Şube");
    lines.sort_unstable();
    assert!(lines[0].starts_with("5;H467;consentDate;") && lines[0].ends_with(&format!(";{late};ARAMA;ONAY;{OLD};4")), "{text}");
    assert!(lines[1].starts_with("6;H120;recipient;") && lines[2].starts_with("7;columns;;") && lines.len() == 3, "{text}");
    let said = operator.run(&["import", book, "--rejects", rejects]).await;
    assert!(said.code == 2 && said.stderr.contains("there is one already"), "{said:?}");

    // Mended and imported again; nothing else is new.
    let mended = text.replace(&bad, &wide).replace(";6;7", ";6").replace("e-posta;RET", "EPOSTA;RET");
    let mended_book = folder.join("red-2.csv");
    std::fs::write(&mended_book, mended).unwrap();
    let said = operator.run(&["import", mended_book.to_str().unwrap(), "--json", "--language", "tr"]).await;
    let counts = told(&said, &addresses);
    assert_eq!((&counts["accepted"], &counts["duplicate"], &counts["rejected"]), (&json!(1), &json!(2), &json!({})), "{counts}");
    let said = operator.run(&["import", book, "--language", "tr"]).await;
    addresses.must_find_nothing("what an import says", &format!("{}{}", said.stdout, said.stderr));
    assert!(said.stdout.contains("önceden bilinen") && said.stdout.contains("kullanılmayan sütun: Şube"), "{said:?}");
}

async fn an_import_that_is_killed_goes_on(world: &World, operator: &Operator, folder: &Path) {
    const PEOPLE: u32 = 4500;
    let crowd = Crowd::new(62);
    let emails: Vec<String> = (0..PEOPLE).map(|person| crowd.email(person)).collect();
    let seeds: Vec<_> = emails.iter().map(|email| (email.as_str(), "EPOSTA", "ONAY")).collect();
    world.seed(&seeds).await;
    let mut text = "recipient,type,status,consentDate\n".to_owned();
    emails.iter().for_each(|email| text.push_str(&format!("{email},EPOSTA,ONAY,{OLD}\n")));
    text.push_str("nobody,EPOSTA,ONAY,2024-03-01 12:00:00\n");
    let (book, rejects) = (folder.join("big.csv"), folder.join("big-red.csv"));
    std::fs::write(&book, text).unwrap();
    let journal = folder.join("big.csv.iysync-journal");
    let arguments = ["import", book.to_str().unwrap(), "--rejects", rejects.to_str().unwrap(), "--at-once", "1", "--resume", "--json"];

    let mut running = operator.start(&arguments);
    until("a chunk is done", async || {
        let done = std::fs::read_to_string(&journal).unwrap_or_default().lines().count();
        if done > 1 { Ok(()) } else { Err(format!("{done} lines")) }
    })
    .await;
    running.kill().await.unwrap();
    let written = std::fs::read_to_string(&journal).unwrap();
    assert!(!written.contains("example.com") && written.lines().count() < 6, "{written}");

    let said = operator.run(&arguments).await;
    let counts = told(&said, &Search::new(&emails));
    let rows = u64::from(PEOPLE);
    assert_eq!((said.code, counts["rows"].as_u64(), counts["atIys"].as_u64()), (1, Some(rows + 1), Some(rows)), "{counts}");
    assert!(counts["resumedRows"].as_u64().unwrap() >= 1000, "{counts}");
    assert!(!journal.exists());
    assert_eq!(std::fs::read_to_string(&rejects).unwrap().lines().count(), 2);
    for person in [0, PEOPLE / 2, PEOPLE - 1] {
        world.until_check_says("EPOSTA", &crowd.email(person), "allowed").await;
    }
    // Again, from the beginning: all is known.
    let said = operator.run(&["import", book.to_str().unwrap(), "--json"]).await;
    let counts = told(&said, &Search::new(&emails));
    assert_eq!((&counts["duplicate"], &counts["accepted"], &counts["asked"]), (&json!(PEOPLE), &json!(0), &json!(0)));
}

async fn an_import_of_nobody(operator: &Operator, folder: &Path) {
    let book = folder.join("small.csv");
    std::fs::write(&book, "kisi@example.com;EPOSTA;ONAY\n").unwrap();
    let said = operator.run(&["import", book.to_str().unwrap()]).await;
    assert!(said.code == 2 && said.stderr.contains("--columns type=HEADER") && !said.stderr.contains("kisi"), "{said:?}");
    std::fs::write(&book, "recipient;type;status;consentDate\nkisi@example.com;EPOSTA;ONAY;2024-03-01\n").unwrap();
    let said = operator.run(&["import", book.to_str().unwrap(), "--brand", "yok"]).await;
    assert!(said.code == 3 && said.stderr.contains("no parameter of this name") && !said.stderr.contains("kisi"), "{said:?}");
    let said = operator.run(&["import", "/nowhere/book.csv"]).await;
    assert!(said.code == 2 && said.stderr.contains("/nowhere/book.csv"), "{said:?}");
}

/// A function that does not answer as it should, and what it was asked.
async fn troubled_function() -> (String, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let answer = move |body: &str| {
        let question: Value = serde_json::from_str(body).unwrap();
        let attempt = {
            let mut seen = seen.lock().unwrap();
            seen.push(question.clone());
            seen.len()
        };
        let rows = question["rows"].as_array().unwrap().len();
        let throttled = [("x-amzn-errortype", "TooManyRequestsException"), ("x-amz-function-error", "")];
        match attempt {
            1 => (StatusCode::TOO_MANY_REQUESTS, throttled, json!({"message": "Rate Exceeded."}).to_string()),
            2 => (
                StatusCode::OK,
                [("x-amzn-errortype", ""), ("x-amz-function-error", "Unhandled")],
                json!({"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 300 seconds"}).to_string(),
            ),
            // All but the second row, of which nothing is known, and the third, which breaks a rule.
            3 => {
                let refused = json!([{"row": 2, "code": "H120", "field": "recipient", "rule": {"en": "e", "tr": "t"}}]);
                let counts = json!({"rows": rows - 1, "accepted": rows - 2, "rejected": {"H120": 1}});
                let answer = json!({"counts": counts, "refused": refused, "unfinished": {"rows": [1], "seconds": 0, "why": "x"}});
                (StatusCode::OK, [("x-amzn-errortype", ""), ("x-amz-function-error", "")], answer.to_string())
            }
            _ => {
                let answer = json!({"counts": {"rows": rows, "accepted": rows}});
                (StatusCode::OK, [("x-amzn-errortype", ""), ("x-amz-function-error", "")], answer.to_string())
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let handler = move |body: String| {
        let (status, headers, body) = answer(&body);
        let mut response = axum::response::Response::new(axum::body::Body::from(body));
        *response.status_mut() = status;
        for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        std::future::ready(response)
    };
    let router = axum::Router::new().route("/2015-03-31/functions/reconcile/invocations", axum::routing::post(handler));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (place, asked)
}

#[tokio::test]
async fn a_chunk_that_is_throttled_lost_or_half_done_is_sent_again_until_every_row_is_done() {
    let (place, asked) = troubled_function().await;
    let operator = Operator::new(PROGRAM).with("IYSYNC_INVOKE_URL", &place);
    let folder = tempfile::tempdir().unwrap();
    let (book, rejects) = (folder.path().join("book.csv"), folder.path().join("rejects.csv"));
    std::fs::write(&book, "recipient,type,status\nkisi1,EPOSTA,RET\nkisi2,EPOSTA,RET\nkisi3,EPOSTA,RET\nkisi4,EPOSTA,RET\n").unwrap();
    let said = operator.run(&["import", book.to_str().unwrap(), "--rejects", rejects.to_str().unwrap(), "--json"]).await;
    let counts = told(&said, &Search::new(&["kisi1", "kisi2", "kisi3", "kisi4"].map(str::to_owned)));
    assert_eq!((&counts["rows"], &counts["accepted"], &counts["rejected"]), (&json!(4), &json!(3), &json!({"H120": 1})));
    let asked = asked.lock().unwrap();
    let sent: Vec<Vec<&str>> = asked
        .iter()
        .map(|question| question["rows"].as_array().unwrap().iter().map(|row| row["recipient"].as_str().unwrap()).collect())
        .collect();
    let all = vec!["kisi1", "kisi2", "kisi3", "kisi4"];
    assert_eq!(sent, [all.clone(), all.clone(), all, vec!["kisi2"]]);
    assert!(std::fs::read_to_string(&rejects).unwrap().lines().nth(1).unwrap().starts_with("4,H120,recipient,e,kisi3"));
}
