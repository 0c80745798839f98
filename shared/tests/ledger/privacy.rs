//! Where addresses stand in the table, and where they do not.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use shared::consent::{Answer, Channel, Known, Origin, Outcome, Status, Target};
use shared::ledger::{Member, Submission, Trail, UnknownKind};

use crate::support::dynamodb::Store;
use crate::support::people::{Person, at};

/// All that must not be found: whole addresses, and the parts that give them away.
const TRACES: [&str; 6] = ["ayse.yilmaz", "@", "905321112233", "5321112233", "0532", "11223"];

fn traces(text: &str) -> Vec<&'static str> {
    TRACES.into_iter().filter(|trace| text.to_lowercase().contains(trace)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_6_an_address_stands_in_the_recipient_of_states_and_movements_and_in_no_key_index_or_other_item() {
    let store = Store::new().await;
    let ledger = store.ledger();
    let people = [
        Person::new("Ayse.Yilmaz@example.com", Channel::Eposta),
        Person::new("0532 111 22 33", Channel::Mesaj),
        Person::new("0532 111 22 33", Channel::Arama),
    ];
    let brand = people[0].key.brand.clone();
    let mut members = Vec::new();
    for person in &people {
        for (second, origin) in [(0, Origin::Api), (10, Origin::Insider), (20, Origin::Registry), (30, Origin::Api)] {
            let status = if second == 10 { Status::Onay } else { Status::Ret };
            ledger.record(&person.says(status, second, origin), at(40), at(60)).await.unwrap();
        }
        let sent = person.says(Status::Ret, 30, Origin::Api).head.sent();
        let settled = Answer::Settled { outcome: Outcome::Applied, transaction_id: Some("t".into()) };
        let state = ledger.state(&person.key).await.unwrap().unwrap();
        ledger.learn(&state, Some(Known::of(Status::Onay, None)), None, at(50), at(60)).await.unwrap().unwrap();
        ledger.answered(&person.key, Target::Insider, &sent, settled, at(50), at(60)).await.unwrap();
        ledger.requeued(&person.key, &Target::ALL, at(70)).await.unwrap();
        let mark = Answer::Submitted { submission: "s".into(), due: at(90) };
        ledger.answered(&person.key, Target::Registry, &sent, mark, at(50), at(60)).await.unwrap();
        members.push(Member { key: person.key.clone(), sent, record_id: None });
    }
    for member in &mut members {
        member.record_id = Some("i".into());
    }
    let submission = Submission {
        brand: brand.clone(),
        id: "s".into(),
        request_id: Some("r".into()),
        ready_at: None,
        created_at: at(40),
        checks: 0,
        again: false,
        members,
    };
    ledger.write_submission(&submission, at(60)).await.unwrap();
    assert!(ledger.note_taken(&submission, at(60)).await.unwrap());
    let mut trail = Trail::default();
    trail.note("c".into(), at(0), SignedDuration::from_mins(10));
    ledger.put_trail(&brand, "people", &trail).await.unwrap();
    ledger.try_lease(&brand, "pull", at(0), at(60)).await.unwrap();
    ledger.note_unknown(&brand, UnknownKind::Event, "email_dropped", 1, Some("{}"), at(0)).await.unwrap();

    let items = store.items().await;
    let (mut with_address, mut without) = (0, 0);
    for ((pk, sk), item) in &items {
        assert_eq!(traces(&format!("{pk} {sk}")), [""; 0], "a key of {sk}");
        for (name, value) in item {
            if name == "recipient" {
                assert!(sk.starts_with("S#") || sk.starts_with("M#"), "{sk} is neither a state nor a movement");
                let AttributeValue::S(address) = value else { panic!("an address is a text") };
                assert_eq!(traces(address).len(), if address.contains('@') { 2 } else { 4 }, "the traces do find addresses");
                with_address += 1;
            } else if ["digest", "payload", "seed"].contains(&name.as_str()) {
                // Random digits, among which any four may be found.
                let AttributeValue::S(digits) = value else { panic!("{name} is a text") };
                assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name} of {sk}");
            } else {
                assert_eq!(traces(&format!("{name} {value:?}")), [""; 0], "attribute {name} of {sk}");
            }
        }
        without += usize::from(!item.contains_key("recipient"));
    }
    assert_eq!(with_address, people.len() * (1 + 4), "each a state and four movements");
    assert_eq!(without, 6, "the submission with its members and ids, the cursor, the lease and the count");

    let work = store.work().await;
    assert_eq!(work.len(), people.len() + 1, "the open states and the submission");
    assert_eq!(traces(&format!("{work:?}")), [""; 0], "the index");
    for (number, person) in people.iter().enumerate() {
        let story = ledger.story(&brand, &person.key.recipient_id).await.unwrap();
        assert_eq!(traces(&format!("{story:?}")), [""; 0], "what the ledger reads back, as a log would show it, person {number}");
    }
}
