//! Which methods of İYS are called: `docs/iys.md` names each once, and each is called as it says.

use std::collections::BTreeSet;

use serde_json::json;
use shared::consent::{Channel, RecipientType, Status};
use shared::iys::{NewRetailer, OPERATIONS, Operation, Place};
use shared::registry::Feed;

use crate::iys::Answer;
use crate::{brand, email, record, setup};

const PAGE: &str = include_str!("../../../docs/iys.md");

/// The cells of the table below the heading `Calls`, without its head.
fn rows() -> Vec<Vec<String>> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with("Calls\n")).expect("a heading Calls");
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The words in back quotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The source of a client method's module.
fn source(module: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/iys/client");
    std::fs::read_to_string(format!("{folder}/{module}.rs")).expect("a module of the client")
}

#[test]
fn the_page_names_every_call_exactly_once_and_as_the_code_has_it() {
    let told: Vec<_> = rows().into_iter().map(|row| row.into_iter().take(3).collect::<Vec<_>>()).collect();
    let expected: Vec<_> = OPERATIONS
        .iter()
        .map(|operation| vec![operation.name.to_owned(), format!("`{}`", operation.id), format!("`{} {}`", operation.verb, operation.path)])
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn the_page_names_every_method_of_the_client_where_it_is() {
    let rows = rows();
    let named: BTreeSet<(String, String)> = rows
        .iter()
        .flat_map(|row| quoted(&row[3]))
        .map(|path| path.split_once("::").map(|(module, method)| (module.to_owned(), method.to_owned())).expect("module::method"))
        .collect();
    let mut there = BTreeSet::new();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/iys/client")).unwrap() {
        let module = file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let source = source(&module);
        // Only the methods of the client: they take the account.
        let methods = source.split("pub async fn ").skip(1).filter(|rest| rest.split(')').next().unwrap().contains("account"));
        there.extend(methods.map(|rest| (module.clone(), rest.split('(').next().unwrap().to_owned())));
    }
    assert_eq!(named, there);
}

/// The method that a request was made by.
fn operation(verb: &str, path: &str) -> &'static Operation {
    let fits = |operation: &&Operation| {
        let (pattern, path): (Vec<_>, Vec<_>) = (operation.path.split('/').collect(), path.split('/').collect());
        let fits = |(pattern, part): (&&str, &&str)| pattern == part || (pattern.starts_with('{') && !part.is_empty());
        operation.verb.as_str() == verb && pattern.len() == path.len() && pattern.iter().zip(&path).all(fits)
    };
    // "request" and "changes" are no values of a brace in any other path of the same length and verb.
    let found: Vec<_> = OPERATIONS.iter().filter(fits).collect();
    assert_eq!(found.len(), 1, "{verb} {path}");
    found[0]
}

#[tokio::test]
async fn every_call_is_made_by_the_method_that_the_page_names() {
    let setup = setup().await;
    let (client, account) = (&setup.client, brand().iys);
    let pair = account.push.clone().unwrap();
    let (channel, kind, list, codes) = (Channel::Eposta, RecipientType::Bireysel, [email()], [12_313_344_u64]);
    let record = record(email(), channel, Status::Onay);
    let day = jiff::civil::date(2026, 11, 19);
    let place = Place { code: 34, name: "İstanbul".into() };
    let retailer = NewRetailer {
        title: "XYZ".into(),
        name: "A".into(),
        tckn: "5".into(),
        tin: "8".into(),
        city: place.clone(),
        town: place,
        mersis: None,
        alias: None,
        mobile: None,
        status: None,
    };
    let url = "https://hooks.example.com/iys".parse().unwrap();
    // Nothing is answered but that something failed: what counts is what was asked.
    macro_rules! call {
        ($($path:literal: $called:expr;)+) => {
            vec![$({
                let before = setup.iys.seen("").len();
                $called.await.map(drop).unwrap_err();
                let seen = setup.iys.seen("").split_off(before).into_iter().filter(|seen| !seen.uri.path().ends_with("token"));
                ($path, seen.map(|seen| operation(seen.method.as_str(), seen.uri.path()).name).collect::<Vec<_>>())
            }),+]
        };
    }
    let made = call! {
        "consents::add": client.add(&account, &record);
        "consents::submit": client.submit(&account, std::slice::from_ref(&record));
        "consents::results": client.results(&account, "0f5e7b1c-6f3a-4f0b-9c1e-1f2a3b4c5d6e");
        "queries::holding": client.holding(&account, channel, kind, &list[0]);
        "queries::onays": client.onays(&account, channel, kind, &list);
        "queries::history": client.history(&account, channel, kind, &list[0]);
        "queries::history_page": client.history_page(&account, channel, kind, &list[0], 100);
        "feeds::changes": client.changes(&account, Feed::People, None);
        "push::register_push": client.register_push(&account, channel, &url, &pair);
        "push::push_connections": client.push_connections(&account);
        "push::unregister_push": client.unregister_push(&account, channel, &url, &pair);
        "agreements::day_summary": client.day_summary(&account, day, kind);
        "agreements::agreement": client.agreement(&account, day);
        "day_file::day_file": client.day_file(&account, day);
        "agreements::day_timestamp": client.day_timestamp(&account, day);
        "agreements::confirm_day": client.confirm_day(&account, day);
        "account::brands": client.brands(&account);
        "account::subscription": client.subscription(&account);
        "partner::partner_providers": client.partner_providers(&account, 550_001);
        "partner::partner_brands": client.partner_brands(&account, 550_001);
        "partner::partner_subscription": client.partner_subscription(&account, 550_001);
        "retailers::retailers": client.retailers(&account);
        "retailers::retailer": client.retailer(&account, 58_954_386);
        "retailers::create_retailer": client.create_retailer(&account, &retailer);
        "retailers::delete_retailer": client.delete_retailer(&account, 58_954_386);
        "retailer_access::add_retailer_access": client.add_retailer_access(&account, channel, kind, &list[0], &codes);
        "retailer_access::replace_retailer_access": client.replace_retailer_access(&account, channel, kind, &list, &codes);
        "retailer_access::retailer_access": client.retailer_access(&account, channel, kind, &list[0]);
        "retailer_access::remove_retailer_access": client.remove_retailer_access(&account, channel, kind, &list, &codes);
        "retailer_access::remove_all_retailer_access": client.remove_all_retailer_access(&account, channel, kind, &list);
        "places::cities": client.cities(&account);
        "places::city": client.city(&account, 34);
        "places::towns": client.towns(&account);
        "places::town": client.town(&account, 1);
    };
    // Both versions: by one answer that the second is not there, whatever follows.
    for (path, fallback) in [("/consents", 0), ("/consents/request", 1), ("/consents/request/x", 2)] {
        setup.iys.answer(&format!("/v2/sps/700001/brands/700001{path}"), Answer::Body(405, String::new()));
        setup.iys.answer(&format!("/sps/700001/brands/700001{path}"), Answer::Body(405, String::new()));
        match fallback {
            0 => client.add(&account, &record).await.map(drop),
            1 => client.submit(&account, std::slice::from_ref(&record)).await.map(drop),
            _ => client.results(&account, "x").await.map(drop),
        }
        .unwrap_err();
    }
    let rows = rows();
    for (path, names) in &made {
        assert_eq!(names.len(), 1, "{path} makes one call");
        let row = rows.iter().find(|row| row[0] == names[0]).unwrap();
        assert!(quoted(&row[3]).contains(path), "{path} is not named beside {}", names[0]);
    }
    let asked: BTreeSet<_> = setup.iys.seen("").iter().map(|seen| operation(seen.method.as_str(), seen.uri.path()).name).collect();
    assert_eq!(asked, OPERATIONS.iter().map(|operation| operation.name).collect());
    // Every call had its token and, but for the token itself, its turn: none goes around the allowance.
    let tokenless = setup.iys.seen("").iter().filter(|seen| seen.authorization.is_none()).count();
    assert_eq!(tokenless, setup.iys.grants().len());
}

#[tokio::test]
async fn every_call_waits_for_its_turn() {
    let setup = setup().await;
    // A token, and then no turn for a while.
    setup.iys.answer("/info/city", Answer::json(200, json!([])));
    setup.client.cities(&brand().iys).await.unwrap();
    let minute = jiff::SignedDuration::from_mins(1);
    setup.ledger.pause_turns(&setup.client.settings().calls(), setup.clock.now(), minute).await.unwrap();
    let (client, account, day) = (&setup.client, brand().iys, jiff::civil::date(2026, 11, 19));
    for error in [
        client.retailers(&account).await.map(drop).unwrap_err(),
        client.retailer_access(&account, Channel::Eposta, RecipientType::Bireysel, &email()).await.map(drop).unwrap_err(),
        client.delete_retailer(&account, 1).await.map(drop).unwrap_err(),
        client.agreement(&account, day).await.map(drop).unwrap_err(),
        client.day_file(&account, day).await.map(drop).unwrap_err(),
        client.partner_brands(&account, 550_001).await.map(drop).unwrap_err(),
        client.subscription(&account).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(crate::kind(&error), "busy", "{error}");
    }
    assert_eq!(setup.iys.seen("").len(), 2);
}
