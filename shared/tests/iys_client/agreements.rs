//! Reconciliation: what İYS counted, its file with its hash, its time stamp, and the confirmation.

use jiff::civil::{Date, date};
use serde_json::json;
use sha2::{Digest, Sha256, Sha384};
use shared::consent::code::Hold;
use shared::consent::{Channel, RecipientType, Status};
use shared::iys::{Agreement, AgreementProcess, Answered, Confirmation, DayCount, DayFile, DayFileEnd, DayLine};
use shared::registry::{Feed, RegistryError};

use crate::iys::Answer;
use crate::{EMAIL, PHONE, Setup, brand, kind, phone, setup};

const DAY: Date = date(2026, 11, 19);
const AGREEMENT: &str = "/sps/700001/brands/700001/agreements/2026-11-19";
const FILE: &str = "/sps/700001/brands/700001/changes/2026-11-19/file";
const HEADER: &str = "creationDate,transactionId,recipient,recipientType,type,status,consentDate,source\n";

fn hash(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha384::digest(bytes))
}

async fn agreement(setup: &Setup, body: serde_json::Value) -> Agreement {
    setup.iys.answer(AGREEMENT, Answer::json(200, body));
    setup.client.agreement(&brand().iys, DAY).await.unwrap().unwrap()
}

async fn open(setup: &Setup, answer: Answer) -> DayFile {
    setup.iys.answer(FILE, answer);
    setup.client.day_file(&brand().iys, DAY).await.unwrap().unwrap()
}

async fn read(setup: &Setup, file: &[u8]) -> (Vec<DayLine>, DayFileEnd) {
    let mut file = open(setup, Answer::Pieces(file.chunks(7).map(<[u8]>::to_vec).collect(), false)).await;
    let mut lines = Vec::new();
    while let Some(line) = file.next_line().await.unwrap() {
        lines.push(line);
    }
    (lines, file.end().await.unwrap())
}

fn row(recipient: &str, channel: &str, status: &str) -> String {
    format!("2026-11-19 10:00:05,9b0c,{recipient},BIREYSEL,{channel},{status},2026-11-19 10:00:00,HS_WEB\n")
}

#[tokio::test]
async fn the_hash_and_how_far_the_file_is_are_read() {
    let setup = setup().await;
    let body = json!({"processStatus": "completed", "hashValue": "F0823D", "hashMethod": "SHA-384", "agreementStatus": "true", "new": {}});
    let known = agreement(&setup, body).await;
    assert_eq!((known.process, known.hash_value.as_deref(), known.confirmed), (AgreementProcess::Completed, Some("f0823d"), true));
    assert_eq!(known.hash_method.as_deref(), Some("SHA-384"));
    for (word, process) in [
        ("queued", AgreementProcess::Queued),
        ("inprogress", AgreementProcess::InProgress),
        ("error", AgreementProcess::Error),
        ("yeni", AgreementProcess::Unknown),
    ] {
        let known = agreement(&setup, json!({"processStatus": word, "agreementStatus": false})).await;
        assert_eq!((known.process, known.hash_value, known.confirmed), (process, None, false));
    }
    setup.iys.answer(AGREEMENT, Answer::Body(204, String::new()));
    assert_eq!(setup.client.agreement(&brand().iys, DAY).await.unwrap(), None);
}

#[tokio::test]
async fn a_day_is_counted_by_channel_and_side() {
    let setup = setup().await;
    let counts = |source: &str| json!({"source": source, "approval": 10, "rejection": "1", "pending": 0, "total": 11});
    let body = json!({"changeStats": [{"type": "ARAMA", "consents": [counts("HS"), counts("IYS")]}, {"type": "MESAJ", "consents": []},
                                      {"type": "FAKS", "consents": [counts("HS")]}, {"type": "EPOSTA", "consents": [counts("YENİ")]}]});
    setup.iys.answer("/changes/2026-11-19/recipients/TACIR", Answer::json(200, body));
    let summary = setup.client.day_summary(&brand().iys, DAY, RecipientType::Tacir).await.unwrap();
    let count =
        |feed| DayCount { channel: Channel::Arama, feed, approval: Some(10), rejection: Some(1), pending: Some(0), total: Some(11) };
    assert_eq!(summary, [count(Feed::Brand), count(Feed::People)]);
    setup.iys.answer("/changes/2026-11-19/recipients/BIREYSEL", Answer::Body(204, String::new()));
    assert!(setup.client.day_summary(&brand().iys, DAY, RecipientType::Bireysel).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_file_is_read_line_by_line_however_it_is_cut_and_its_hash_is_compared() {
    let setup = setup().await;
    let merchant = "2026-11-19 10:00:06,9b0d,+902121230000,TACIR,ARAMA,RET,,IYS_AHS_HAT_KAPATMA\n";
    let file = format!("{HEADER}{}{}{merchant}", row(PHONE, "MESAJ", "ONAY"), row(EMAIL, "EPOSTA", "RET"));
    let (lines, end) = read(&setup, file.as_bytes()).await;
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 3, 4]);
    let changes: Vec<_> = lines.iter().map(|line| line.change.clone().unwrap()).collect();
    assert_eq!((&changes[0].recipient, changes[0].channel, changes[0].holding.status), (&phone(), Channel::Mesaj, Status::Onay));
    assert_eq!(changes[1].holding.transaction_id.as_deref(), Some("9b0c"));
    assert_eq!((changes[2].recipient_type, changes[2].holding.source.as_str()), (RecipientType::Tacir, "IYS_AHS_HAT_KAPATMA"));
    assert_eq!(changes[2].holding.consent_date, changes[2].holding.creation_date);
    assert_eq!((end.changes, end.unreadable, end.bytes), (3, 0, file.len() as u64));

    let with = |hash: String| json!({"processStatus": "completed", "hashValue": hash});
    let rest = &file.as_bytes()[HEADER.len()..];
    for (hash, matches) in [
        (hash(file.as_bytes()), true),
        (hash(file.as_bytes()).to_uppercase(), true),
        (data_encoding::HEXLOWER.encode(&Sha256::digest(file.as_bytes())), true),
        (hash(rest), true),
        (hash(&rest[1..]), false),
    ] {
        assert_eq!(end.matches(&agreement(&setup, with(hash)).await), Some(matches));
    }
    assert_eq!(end.matches(&agreement(&setup, json!({"processStatus": "queued"})).await), None);
}

#[tokio::test]
async fn a_line_that_cannot_be_read_costs_itself_and_is_known_by_its_number() {
    let setup = setup().await;
    let mut file = b"\xEF\xBB\xBF".to_vec();
    for line in [
        row(PHONE, "MESAJ", "ONAY").replace('\n', "\r\n").into_bytes(),
        row("not an address", "EPOSTA", "RET").into_bytes(),
        b"\n".to_vec(),
        b"2026-11-19 10:00:05,9b0c\n".to_vec(),
        row(EMAIL, "FAKS", "RET").into_bytes(),
        b"\xFF\xFE,,,,,,,\n".to_vec(),
        [vec![b'x'; 200_000], b"\n".to_vec()].concat(),
        row(&format!("\"{EMAIL}\""), "EPOSTA", "RET").into_bytes(),
        row(&format!("\"{EMAIL}"), "EPOSTA", "RET").trim_end().as_bytes().to_vec(),
    ] {
        file.extend(line);
    }
    let (lines, end) = read(&setup, &file).await;
    let told: Vec<_> = lines.iter().map(|line| (line.number, line.change.as_ref().err().copied())).collect();
    let expected = [
        (1, None),
        (2, Some("recipient")),
        (4, Some("columns")),
        (5, Some("type")),
        (6, Some("line")),
        (7, Some("line")),
        (8, None),
        (9, None),
    ];
    assert_eq!(told, expected);
    assert_eq!((end.changes, end.unreadable, end.without_header.is_none()), (3, 5, true));
    assert_eq!(end.sha384, hash(&file));
}

#[tokio::test]
async fn the_first_line_may_name_the_columns_in_another_order() {
    let setup = setup().await;
    let file = "recipient,recipientType,type,source,consentDate,STATUS,creationDate,transactionId,yeni\n\
                +905992000001,BIREYSEL,MESAJ,IYS_WEB,2026-11-19 10:00:00,RET,2026-11-19 10:00:05,9b0c,1\n\
                +905992000001,BIREYSEL,MESAJ,IYS_WEB\n";
    let (lines, _) = read(&setup, file.as_bytes()).await;
    let change = lines[0].change.clone().unwrap();
    assert_eq!((change.holding.status, change.holding.source.as_str()), (Status::Ret, "IYS_WEB"));
    assert_eq!((lines[1].number, &lines[1].change), (3, &Err("columns")));
}

#[tokio::test]
async fn there_may_be_no_file_or_an_empty_one() {
    let setup = setup().await;
    setup.iys.answer(FILE, Answer::Body(204, String::new()));
    assert!(setup.client.day_file(&brand().iys, DAY).await.unwrap().is_none());
    for empty in ["", HEADER] {
        let (lines, end) = read(&setup, empty.as_bytes()).await;
        assert_eq!((lines.len(), end.changes, end.sha384), (0, 0, hash(empty.as_bytes())));
    }
}

#[tokio::test]
async fn a_file_that_does_not_arrive_whole_has_no_end() {
    let setup = setup().await;
    let mut file = open(&setup, Answer::Pieces(vec![row(PHONE, "MESAJ", "ONAY").into_bytes(), b"2026".to_vec()], true)).await;
    let mut read = 0;
    let error = loop {
        match file.next_line().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("the file has an end"),
            Err(error) => break error,
        }
    };
    assert_eq!((read, kind(&error)), (1, "unanswered"));

    let file = open(&setup, Answer::Pieces(vec![row(PHONE, "MESAJ", "ONAY").into_bytes()], true)).await;
    assert_eq!(kind(&file.end().await.unwrap_err()), "unanswered");
}

#[tokio::test]
async fn a_refused_file_is_judged_and_a_refused_token_renewed() {
    let setup = setup().await;
    setup.iys.answer(FILE, Answer::error(401, "H351"));
    setup.iys.answer(FILE, Answer::Body(200, row(PHONE, "MESAJ", "ONAY")));
    let file = setup.client.day_file(&brand().iys, DAY).await.unwrap().unwrap();
    assert_eq!(file.end().await.unwrap().changes, 1);
    assert_eq!(setup.iys.grants().len(), 2);
    for (answer, expected) in
        [(Answer::error(403, "H353"), "held"), (Answer::error(429, "H124"), "busy"), (Answer::error(422, "H502"), "defect")]
    {
        setup.iys.answer(FILE, answer);
        assert_eq!(kind(&setup.client.day_file(&brand().iys, DAY).await.err().unwrap()), expected);
    }
}

#[tokio::test]
async fn the_time_stamp_is_bytes() {
    let setup = setup().await;
    let path = format!("{AGREEMENT}/timestamp");
    let stamp = vec![0x30, 0x82, 0x00, 0xff, 0x0a];
    setup.iys.answer(&path, Answer::Pieces(vec![stamp.clone()], false));
    assert_eq!(setup.client.day_timestamp(&brand().iys, DAY).await.unwrap(), Some(stamp));
    setup.iys.answer(&path, Answer::Body(204, String::new()));
    assert_eq!(setup.client.day_timestamp(&brand().iys, DAY).await.unwrap(), None);
}

#[tokio::test]
async fn a_day_is_confirmed_in_both_spellings_or_has_nothing_to_confirm() {
    let setup = setup().await;
    let confirm = async || setup.client.confirm_day(&brand().iys, DAY).await;
    for spelling in ["agreementCaptured", "aggrementCaptured"] {
        setup.iys.answer(AGREEMENT, Answer::json(200, json!({spelling: true})));
        assert_eq!(confirm().await.unwrap(), Answered::Done(Confirmation::Captured));
    }
    let seen = setup.iys.seen(AGREEMENT).remove(0);
    assert_eq!((seen.method.as_str(), seen.json()), ("PUT", json!({"agreementStatus": true})));
    setup.iys.answer(AGREEMENT, Answer::Body(204, String::new()));
    assert_eq!(confirm().await.unwrap(), Answered::Done(Confirmation::NoMovements));
    setup.iys.answer(AGREEMENT, Answer::error(422, "H502"));
    assert_eq!(confirm().await.unwrap(), Answered::Refused("H502".parse().unwrap()));
    for (answer, expected) in [
        (Answer::json(200, json!({"agreementCaptured": false})), "defect"),
        (Answer::error(503, "H192"), "unanswered"),
        (Answer::Body(200, "<html>".into()), "unanswered"),
    ] {
        setup.iys.answer(AGREEMENT, answer);
        assert_eq!(kind(&confirm().await.unwrap_err()), expected);
    }
}

#[tokio::test]
async fn invariant_8_reconciliation_is_never_called_without_authority_nor_about_days_that_iys_refuses() {
    let setup = setup().await;
    let mut account = brand().iys;
    account.mutabakat = false;
    let client = &setup.client;
    for error in [
        client.agreement(&account, DAY).await.unwrap_err(),
        client.day_summary(&account, DAY, RecipientType::Bireysel).await.unwrap_err(),
        client.day_file(&account, DAY).await.err().unwrap(),
        client.day_timestamp(&account, DAY).await.unwrap_err(),
        client.confirm_day(&account, DAY).await.unwrap_err(),
    ] {
        assert!(matches!(error, RegistryError::Held { why: Hold::Authority, .. }), "{error}");
    }
    // It is 13:00 in Türkiye on the 20th.
    for day in [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 12)] {
        assert_eq!(kind(&client.agreement(&brand().iys, day).await.unwrap_err()), "defect");
    }
    assert!(setup.iys.seen("").is_empty(), "not even a token was asked for");
    setup.iys.answer("/agreements/2026-11-13", Answer::Body(204, String::new()));
    assert_eq!(client.agreement(&brand().iys, date(2026, 11, 13)).await.unwrap(), None);
}
