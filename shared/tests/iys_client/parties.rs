//! Against the simulator: retailers, partners, subscriptions and reconciliation, under its defaults and
//! under other readings of the documentation.

use jiff::{Timestamp, ToSpan};
use sandbox::iys::Config;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::brand;
use shared::consent::code::Hold;
use shared::consent::{Channel, ConsentDate, RecipientType, Status};
use shared::iys::{
    AgreementProcess, Answered, ChannelAccess, Confirmation, NewRetailer, PartnerBrand, Place, RetailerStatus, SubscriptionStatus,
};
use shared::registry::{Feed, RegistryError};

use crate::brand as demo;
use crate::simulator::{Simulator, recipient, record, simulator, transaction};

const BIREYSEL: RecipientType = RecipientType::Bireysel;
const PARTNER: u64 = 550_001;

/// A simulator whose settings are the quick ones and these.
async fn with(settings: Value) -> Simulator {
    let mut config = json!({"bulk_delay_seconds": 1, "pull_tail_seconds": 0});
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    simulator(serde_json::from_value::<Config>(config).unwrap()).await
}

fn yesterday() -> jiff::civil::Date {
    ConsentDate::at(Timestamp::now()).civil().date().saturating_sub(1.day())
}

/// Three movements of yesterday: two of the brand, one of a person.
fn seeds() -> Value {
    let seed = |recipient: &str, channel: &str, status: &str, source: &str, time: &str| {
        json!({"brandCode": 700001, "recipient": recipient, "type": channel, "status": status, "source": source,
               "consentDate": format!("{} {time}", yesterday()), "creationDate": format!("{} {time}", yesterday())})
    };
    json!([
        seed("a@example.com", "EPOSTA", "ONAY", "HS_WEB", "10:00:00"),
        seed("+905992000001", "MESAJ", "ONAY", "HS_WEB", "10:00:01"),
        seed("a@example.com", "EPOSTA", "RET", "IYS_WEB", "11:00:00"),
    ])
}

#[tokio::test]
async fn a_day_is_read_compared_and_confirmed_under_every_reading_of_its_hash() {
    for switches in [
        json!({}),
        json!({"hash_without_header": true}),
        json!({"hash_method": "SHA-256", "day_file_crlf": true}),
        json!({"day_file_header": false, "one_row_per_transaction": true}),
    ] {
        let iys = with(json!({"seed": seeds(), "switches": switches})).await;
        let (client, account, day) = (&iys.client, demo().iys, yesterday());
        let mut file = client.day_file(&account, day).await.unwrap().unwrap();
        let mut changes = Vec::new();
        while let Some(line) = file.next_line().await.unwrap() {
            changes.push(line.change.unwrap());
        }
        let told: Vec<_> = changes.iter().map(|change| (change.recipient.expose(), change.holding.status)).collect();
        assert_eq!(told, [("a@example.com", Status::Onay), ("+905992000001", Status::Onay), ("a@example.com", Status::Ret)]);
        let end = file.end().await.unwrap();
        let agreement = client.agreement(&account, day).await.unwrap().unwrap();
        assert_eq!((agreement.process, agreement.confirmed), (AgreementProcess::Completed, false));
        assert_eq!(end.matches(&agreement), Some(true), "{switches}");
        assert!(client.day_timestamp(&account, day).await.unwrap().unwrap().len() > 50);

        let summary = client.day_summary(&account, day, BIREYSEL).await.unwrap();
        let total =
            |channel, feed| summary.iter().find(|count| count.channel == channel && count.feed == feed).and_then(|count| count.total);
        assert_eq!(total(Channel::Eposta, Feed::Brand), Some(1));
        assert_eq!((total(Channel::Mesaj, Feed::Brand), total(Channel::Eposta, Feed::People)), (Some(1), Some(1)));

        assert_eq!(client.confirm_day(&account, day).await.unwrap(), Answered::Done(Confirmation::Captured));
        assert!(client.agreement(&account, day).await.unwrap().unwrap().confirmed);

        // A day without movements has nothing of it.
        let before = day.saturating_sub(1.day());
        assert!(client.day_file(&account, before).await.unwrap().is_none());
        assert_eq!(client.agreement(&account, before).await.unwrap(), None);
        assert_eq!(client.confirm_day(&account, before).await.unwrap(), Answered::Done(Confirmation::NoMovements));
        assert!(client.day_summary(&account, before, BIREYSEL).await.unwrap().is_empty());
    }
}

fn new_retailer() -> NewRetailer {
    NewRetailer {
        title: "XYZ Ticaret".into(),
        name: SecretString::from("Ayse Yilmaz"),
        tckn: SecretString::from("10000000146"),
        tin: SecretString::from("10000000146"),
        city: Place { code: 34, name: "İstanbul".into() },
        town: Place { code: 1, name: "Kadıköy".into() },
        mersis: None,
        alias: None,
        mobile: Some(SecretString::from("+905992000009")),
        status: None,
    }
}

#[tokio::test]
async fn retailers_come_and_go_and_are_let_at_consents() {
    for switches in [json!({}), json!({"accepted_without_body": true, "misspelt_code_key": true})] {
        let iys = with(json!({"switches": switches})).await;
        let (client, account, channel) = (&iys.client, demo().iys, Channel::Eposta);
        let Answered::Done(first) = client.create_retailer(&account, &new_retailer()).await.unwrap() else { panic!("refused") };
        let Answered::Refused(code) = client.create_retailer(&account, &new_retailer()).await.unwrap() else { panic!("created twice") };
        assert_eq!(code.to_string(), "H231");
        let other = NewRetailer { tckn: SecretString::from("10000000078"), status: Some(RetailerStatus::Passive), ..new_retailer() };
        let Answered::Done(second) = client.create_retailer(&account, &other).await.unwrap() else { panic!("refused") };
        let retailers = client.retailers(&account).await.unwrap();
        assert_eq!(retailers.iter().map(|retailer| retailer.retailer_code).collect::<Vec<_>>(), [Some(first), Some(second)]);
        let one = client.retailer(&account, second).await.unwrap().unwrap();
        assert_eq!((one.title.as_deref(), one.status), (Some("XYZ Ticaret"), Some(RetailerStatus::Passive)));
        assert!(client.retailer(&account, 99_999_999).await.unwrap().is_none());

        let onay = record("a@example.com", channel, Status::Onay, 60);
        let list = [onay.recipient.clone()];
        let nobody = client.add_retailer_access(&account, channel, BIREYSEL, &list[0], &[first]).await.unwrap();
        assert_eq!(nobody, Answered::Refused("H401".parse().unwrap()));
        transaction(client.add(&account, &onay).await.unwrap());
        let stranger = client.add_retailer_access(&account, channel, BIREYSEL, &list[0], &[first, 99_999_999]).await.unwrap();
        assert_eq!(stranger, Answered::Refused("H180".parse().unwrap()));
        let added = client.add_retailer_access(&account, channel, BIREYSEL, &list[0], &[first, second]).await.unwrap();
        assert!(matches!(added, Answered::Done(Some(_))));
        let allowed = async || {
            let mut allowed = client.retailer_access(&account, channel, BIREYSEL, &list[0]).await.unwrap();
            allowed.sort_unstable();
            allowed
        };
        assert_eq!(allowed().await, [first, second]);
        assert_eq!(client.remove_retailer_access(&account, channel, BIREYSEL, &list, &[first]).await.unwrap(), Answered::Done(()));
        assert_eq!(allowed().await, [second]);
        assert_eq!(client.replace_retailer_access(&account, channel, BIREYSEL, &list, &[first]).await.unwrap(), Answered::Done(()));
        assert_eq!(allowed().await, [first]);
        assert_eq!(client.remove_all_retailer_access(&account, channel, BIREYSEL, &list).await.unwrap(), Answered::Done(()));
        assert!(allowed().await.is_empty());

        assert_eq!(client.delete_retailer(&account, first).await.unwrap(), Answered::Done(()));
        assert_eq!(client.delete_retailer(&account, first).await.unwrap(), Answered::Refused("H058".parse().unwrap()));
    }
}

#[tokio::test]
async fn more_retailers_than_a_page_holds_are_all_read() {
    let codes: Vec<u64> = (58_000_001..58_000_251).collect();
    let brands = json!([{"brandCode": 700001, "name": "Demo", "master": true, "retailers": codes}]);
    let iys = with(json!({"providers": [{"brands": brands}]})).await;
    let read: Vec<_> = iys.client.retailers(&demo().iys).await.unwrap().into_iter().filter_map(|retailer| retailer.retailer_code).collect();
    assert_eq!(read, codes);
}

fn partner(grants: &Value) -> Value {
    json!([{"integratorCode": PARTNER, "title": "Partner", "username": "partner", "password": "partner-password",
            "subscription": {}, "grants": grants}])
}

/// The demo brand by the partner's API user.
fn by_partner() -> brand::Iys {
    brand::Iys { username: SecretString::from("partner"), password: SecretString::from("partner-password"), ..demo().iys }
}

#[tokio::test]
async fn a_partner_learns_what_it_may_do_in_every_spelling() {
    let grants = json!([{"brandCode": 700001, "MESAJ": "write", "EPOSTA": "read", "agreementControl": true}]);
    for (switches, reading_shown) in [
        (json!({}), true),
        (json!({"partner_codes": "texts", "subscription_id": "subscipritionId"}), true),
        (json!({"partner_codes": "numbers", "read_authority_hidden": true}), false),
    ] {
        let iys = with(json!({"partners": partner(&grants), "switches": switches})).await;
        let (client, account) = (&iys.client, by_partner());
        let brands = client.partner_brands(&account, PARTNER).await.unwrap();
        let mut channels = std::collections::BTreeMap::from([(Channel::Mesaj, ChannelAccess::Write)]);
        if reading_shown {
            channels.insert(Channel::Eposta, ChannelAccess::Read);
        }
        let name = Some("Demo".to_owned());
        assert_eq!(brands, [PartnerBrand { iys_code: 700_001, brand_code: 700_001, name, channels, agreement_control: true }]);
        assert_eq!(client.partner_providers(&account, PARTNER).await.unwrap(), brands);
        assert_eq!(client.partner_subscription(&account, PARTNER).await.unwrap().unwrap().status, SubscriptionStatus::Active);

        // The brand's own subscription, without its limits.
        let subscription = client.subscription(&account).await.unwrap().unwrap();
        assert_eq!((subscription.status, subscription.consent_limit), (SubscriptionStatus::Active, None));

        // What it may do, it does with its own token.
        transaction(client.add(&account, &record("+905992000001", Channel::Mesaj, Status::Onay, 60)).await.unwrap());
        let error = client.add(&account, &record("a@example.com", Channel::Eposta, Status::Onay, 60)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Held { why: Hold::Authority, .. }), "{error}");
        let address = recipient("a@example.com", Channel::Eposta);
        assert_eq!(client.holding(&account, Channel::Eposta, BIREYSEL, &address).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_partner_without_a_grant_and_a_provider_in_its_place_are_held() {
    let iys = with(json!({"partners": partner(&json!([]))})).await;
    for (account, code) in [(by_partner(), PARTNER), (demo().iys, PARTNER), (by_partner(), 1)] {
        let error = iys.client.partner_brands(&account, code).await.unwrap_err();
        assert!(matches!(error, RegistryError::Held { .. }), "{error}");
    }
    assert!(iys.client.partner_providers(&by_partner(), PARTNER).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_subscription_shows_its_state_its_limit_and_its_use() {
    let limited = json!({"consent_limit": 1, "expiration_date": "2099-12-31T23:59:59"});
    let iys = with(json!({"providers": [{"subscription": limited}], "switches": {"subscription_id": "subsciprtionId"}})).await;
    let (client, account) = (&iys.client, demo().iys);
    let subscription = client.subscription(&account).await.unwrap().unwrap();
    assert_eq!((subscription.consent_limit, subscription.used_consent_limit, subscription.is_full()), (Some(1), Some(0), false));
    assert_eq!(subscription.expiration_date.map(|date| date.to_string()).as_deref(), Some("2099-12-31 23:59:59"));
    transaction(client.add(&account, &record("a@example.com", Channel::Eposta, Status::Onay, 60)).await.unwrap());
    assert!(client.subscription(&account).await.unwrap().unwrap().is_full());
    let error = client.add(&account, &record("b@example.com", Channel::Eposta, Status::Onay, 60)).await.unwrap_err();
    assert!(matches!(error, RegistryError::Held { why: Hold::Quota, .. }), "{error}");

    let iys = with(json!({"providers": [{"subscription": {"status": "PAUSED"}}]})).await;
    assert_eq!(iys.client.subscription(&account).await.unwrap().unwrap().status, SubscriptionStatus::Paused);
    let error = iys.client.brands(&account).await.unwrap_err();
    assert!(matches!(error, RegistryError::Held { why: Hold::Subscription, .. }), "{error}");

    let iys = with(json!({"providers": [{"subscription": null}]})).await;
    assert_eq!(iys.client.subscription(&account).await.unwrap(), None);
}

#[tokio::test]
async fn cities_and_towns_are_those_of_the_country() {
    for switches in [json!({}), json!({"town_city_code_in_camel_case": true})] {
        let iys = with(json!({"switches": switches})).await;
        let (client, account) = (&iys.client, demo().iys);
        assert_eq!(client.cities(&account).await.unwrap().len(), 81);
        assert_eq!(client.city(&account, 34).await.unwrap().and_then(|city| city.name).as_deref(), Some("İstanbul"));
        assert_eq!(client.city(&account, 82).await.unwrap(), None);
        let towns = client.towns(&account).await.unwrap();
        assert!(towns.iter().all(|town| town.city_code.is_some_and(|code| (1..=81).contains(&code))));
        assert_eq!(client.town(&account, 1).await.unwrap().as_ref(), towns.first());
        assert_eq!(client.town(&account, 9999).await.unwrap(), None);
    }
}

#[tokio::test]
async fn where_the_simulator_has_no_second_version_the_first_is_used() {
    for refusal in ["not_found", "h363"] {
        let iys = with(json!({"switches": {"v2_refused": refusal}})).await;
        let onay = record("a@example.com", Channel::Eposta, Status::Onay, 60);
        transaction(iys.client.add(&demo().iys, &onay).await.unwrap());
        assert!(!iys.client.recognises_resends(&demo().iys));
    }
}
