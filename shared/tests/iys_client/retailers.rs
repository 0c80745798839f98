//! Retailers, their access to consents, and the places that they are at.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use shared::consent::{Channel, Recipient, RecipientType};
use shared::iys::{Answered, City, NewRetailer, Place, RetailerStatus, Town};

use crate::iys::Answer;
use crate::{EMAIL, brand, email, kind, setup};

const RETAILERS: &str = "/sps/700001/brands/700001/retailers";
const ONE: &str = "/sps/700001/brands/700001/retailers/58954386";
const ACCESS: &str = "/sps/700001/brands/700001/consents/retailers/access";

fn new_retailer() -> NewRetailer {
    NewRetailer {
        title: "XYZ Ticaret".into(),
        name: SecretString::from("Ayse Yilmaz"),
        tckn: SecretString::from("57703411244"),
        tin: SecretString::from("8450525470"),
        city: Place { code: 34, name: "İstanbul".into() },
        town: Place { code: 1, name: "Kadıköy".into() },
        mersis: None,
        alias: None,
        mobile: None,
        status: None,
    }
}

#[tokio::test]
async fn retailers_are_read_page_by_page_with_texts_or_numbers() {
    let setup = setup().await;
    let row = |code: u64| {
        json!({"retailerCode": code, "title": "XYZ Ticaret", "mersis": 56518556720_u64, "alias": "Şişli", "name": "Ayse Yilmaz",
               "tckn": "57703411244", "mobile": "+905992000001", "tin": "8450525470", "city": {"name": "ISTANBUL", "code": "34"},
               "town": {"name": "SARIYER", "code": 2}, "status": "active", "retailerAccessCount": 1})
    };
    let full: Vec<_> = (0..100).map(|at| row(58_954_386 + at)).collect();
    setup.iys.answer(RETAILERS, Answer::json(200, json!({"pagination": {"offset": 0, "pageSize": 100, "totalCount": 101}, "list": full})));
    // The schema has one object in place of the list.
    setup
        .iys
        .answer(RETAILERS, Answer::json(200, json!({"pagination": {"totalCount": 101}, "list": {"title": "Son", "status": "pending"}})));
    let retailers = setup.client.retailers(&brand().iys).await.unwrap();
    assert_eq!(retailers.len(), 101);
    let first = &retailers[0];
    assert_eq!((first.retailer_code, first.title.as_deref(), first.access_count), (Some(58_954_386), Some("XYZ Ticaret"), Some(1)));
    assert_eq!((first.city.clone(), first.status), (Some(Place { code: 34, name: "ISTANBUL".into() }), Some(RetailerStatus::Active)));
    assert_eq!(first.mersis.as_ref().map(ExposeSecret::expose_secret), Some("56518556720"));
    assert_eq!((retailers[100].retailer_code, retailers[100].status), (None, Some(RetailerStatus::Pending)));
    let shown = format!("{retailers:?} {:?}", new_retailer());
    for secret in ["Ayse", "57703411244", "8450525470", "56518556720", "5992000001"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_retailer_that_iys_does_not_know_is_none() {
    let setup = setup().await;
    setup.iys.answer(ONE, Answer::json(200, json!({"title": "XYZ Ticaret", "canBeDeleted": true})));
    let retailer = setup.client.retailer(&brand().iys, 58_954_386).await.unwrap().unwrap();
    assert_eq!((retailer.retailer_code, retailer.title.as_deref()), (Some(58_954_386), Some("XYZ Ticaret")));
    for answer in [Answer::error(404, "H058"), Answer::Body(404, String::new()), Answer::Body(204, String::new())] {
        setup.iys.answer(ONE, answer);
        assert!(setup.client.retailer(&brand().iys, 58_954_386).await.unwrap().is_none());
    }
    setup.iys.answer(ONE, Answer::error(404, "H018"));
    assert_eq!(kind(&setup.client.retailer(&brand().iys, 58_954_386).await.unwrap_err()), "held");
}

#[tokio::test]
async fn a_retailer_is_created_with_exactly_the_fields_that_are_there() {
    let setup = setup().await;
    setup.iys.answer(RETAILERS, Answer::json(201, json!({"retailerCode": "58954386"})));
    assert_eq!(setup.client.create_retailer(&brand().iys, &new_retailer()).await.unwrap(), Answered::Done(58_954_386));
    let least = json!({"title": "XYZ Ticaret", "name": "Ayse Yilmaz", "tckn": "57703411244", "tin": "8450525470",
                       "city": {"code": "34", "name": "İstanbul"}, "town": {"code": "01", "name": "Kadıköy"}});
    assert_eq!(setup.iys.seen(RETAILERS)[0].json(), least);

    let mobile = Some(SecretString::from("+905992000001"));
    let mersis = Some(SecretString::from("0123456789012345"));
    let whole = NewRetailer { alias: Some("Şişli".into()), status: Some(RetailerStatus::Passive), mobile, mersis, ..new_retailer() };
    setup.iys.answer(RETAILERS, Answer::error(400, "H230"));
    assert_eq!(setup.client.create_retailer(&brand().iys, &whole).await.unwrap(), Answered::Refused("H230".parse().unwrap()));
    let sent = setup.iys.seen(RETAILERS)[1].json();
    assert_eq!(
        [&sent["alias"], &sent["status"], &sent["mobile"], &sent["mersis"]],
        ["Şişli", "passive", "+905992000001", "0123456789012345"]
    );

    // Whether it was created is not known.
    for answer in [Answer::json(201, json!({})), Answer::Broken, Answer::error(503, "H192")] {
        setup.iys.answer(RETAILERS, answer);
        assert_eq!(kind(&setup.client.create_retailer(&brand().iys, &whole).await.unwrap_err()), "unanswered");
    }
}

#[tokio::test]
async fn a_retailer_is_deleted_whatever_the_success_says() {
    let setup = setup().await;
    setup.iys.answer(ONE, Answer::Body(200, "Başarı".into()));
    assert_eq!(setup.client.delete_retailer(&brand().iys, 58_954_386).await.unwrap(), Answered::Done(()));
    assert_eq!(setup.iys.seen(ONE)[0].method, "DELETE");
    setup.iys.answer(ONE, Answer::error(404, "H058"));
    assert_eq!(setup.client.delete_retailer(&brand().iys, 58_954_386).await.unwrap(), Answered::Refused("H058".parse().unwrap()));
    setup.iys.answer(ONE, Answer::error(500, "H061"));
    assert_eq!(kind(&setup.client.delete_retailer(&brand().iys, 58_954_386).await.unwrap_err()), "busy");
}

#[tokio::test]
async fn access_is_added_replaced_and_removed_with_exactly_the_documented_fields() {
    let setup = setup().await;
    let (client, account) = (&setup.client, brand().iys);
    let (channel, kind, list) = (Channel::Eposta, RecipientType::Bireysel, [email()]);
    let retailers = [12_313_344, 23_456_677];

    setup.iys.answer(ACCESS, Answer::json(200, json!({"transactionId": "27bb", "creationDate": "2026-11-20 13:00:00"})));
    let added = client.add_retailer_access(&account, channel, kind, &list[0], &retailers).await.unwrap();
    assert_eq!(added, Answered::Done(Some("27bb".into())));
    let consent = json!({"type": "EPOSTA", "recipientType": "BIREYSEL", "recipient": EMAIL, "retailerAccess": retailers});
    assert_eq!(setup.iys.seen(ACCESS)[0].json(), consent);
    setup.iys.answer(ACCESS, Answer::error(400, "H401"));
    let refused = client.add_retailer_access(&account, channel, kind, &list[0], &retailers).await.unwrap();
    assert_eq!(refused, Answered::Refused("H401".parse().unwrap()));

    setup.iys.answer(ACCESS, Answer::Body(202, "1".into()));
    assert_eq!(client.replace_retailer_access(&account, channel, kind, &list, &retailers).await.unwrap(), Answered::Done(()));
    let seen = setup.iys.seen(ACCESS).remove(2);
    let many = json!({"type": "EPOSTA", "recipientType": "BIREYSEL", "recipients": [EMAIL], "retailerAccess": retailers});
    assert_eq!((seen.method.as_str(), seen.json()), ("PUT", many.clone()));

    setup.iys.answer("/consents/retailers/access/remove", Answer::Body(202, String::new()));
    assert_eq!(client.remove_retailer_access(&account, channel, kind, &list, &retailers).await.unwrap(), Answered::Done(()));
    assert_eq!(setup.iys.seen("/access/remove")[0].json(), many);

    setup.iys.answer("/consents/retailers/access/remove/all", Answer::Body(202, "1".into()));
    assert_eq!(client.remove_all_retailer_access(&account, channel, kind, &list).await.unwrap(), Answered::Done(()));
    let all = json!({"type": "EPOSTA", "recipientType": "BIREYSEL", "recipients": [EMAIL]});
    assert_eq!(setup.iys.seen("/access/remove/all")[0].json(), all);

    let rows = json!([{"retailerCode": "54856321", "name": "Ayse Yilmaz", "title": "XYZ"}, {"retailerCode": 54856322}]);
    let page = json!({"pagination": {"offset": 0, "pageSize": 100, "totalCount": 2}, "list": rows});
    setup.iys.answer("/consent/retailers/access/list", Answer::json(200, page));
    assert_eq!(client.retailer_access(&account, channel, kind, &list[0]).await.unwrap(), [54_856_321, 54_856_322]);
    let seen = setup.iys.seen("/access/list").remove(0);
    assert_eq!(seen.uri.query(), Some("limit=100&offset=0"));
    assert_eq!(seen.json(), json!({"type": "EPOSTA", "recipientType": "BIREYSEL", "recipient": EMAIL}));
    setup.iys.answer("/consent/retailers/access/list", Answer::json(200, json!({"list": [{"title": "XYZ"}]})));
    assert_eq!(crate::kind(&client.retailer_access(&account, channel, kind, &list[0]).await.unwrap_err()), "defect");
}

#[tokio::test]
async fn lists_that_iys_refuses_are_not_sent() {
    let setup = setup().await;
    let (client, account) = (&setup.client, brand().iys);
    let (channel, recipient_type) = (Channel::Eposta, RecipientType::Bireysel);
    let many: Vec<Recipient> = (0..101).map(|at| Recipient::parse(&format!("a{at}@example.com"), channel).unwrap()).collect();
    let codes: Vec<u64> = (10_000_000..10_000_101).collect();
    for error in [
        client.add_retailer_access(&account, channel, recipient_type, &email(), &codes).await.unwrap_err(),
        client.replace_retailer_access(&account, channel, recipient_type, &many, &codes[..1]).await.unwrap_err(),
        client.replace_retailer_access(&account, channel, recipient_type, &many[..1], &codes).await.unwrap_err(),
        client.replace_retailer_access(&account, channel, recipient_type, &many[..1], &[]).await.unwrap_err(),
        client.remove_retailer_access(&account, channel, recipient_type, &[], &codes[..1]).await.unwrap_err(),
        client.remove_all_retailer_access(&account, channel, recipient_type, &[email(), email()]).await.unwrap_err(),
    ] {
        assert_eq!(kind(&error), "defect");
    }
    assert!(setup.iys.seen("").is_empty(), "not even a token was asked for");
}

#[tokio::test]
async fn cities_and_towns_are_read_in_both_spellings() {
    let setup = setup().await;
    let (client, account) = (&setup.client, brand().iys);
    setup
        .iys
        .answer("/info/city", Answer::json(200, json!([{"code": 1, "name": "Adana"}, {"code": "02", "name": "Adıyaman"}, {"name": "?"}])));
    let city = |code, name: &str| City { code, name: Some(name.to_owned()) };
    assert_eq!(client.cities(&account).await.unwrap(), [city(1, "Adana"), city(2, "Adıyaman")]);
    setup.iys.answer("/info/city/34", Answer::json(200, json!({"code": "34", "name": "Istanbul"})));
    assert_eq!(client.city(&account, 34).await.unwrap(), Some(city(34, "Istanbul")));
    setup.iys.answer("/info/city/82", Answer::Body(204, String::new()));
    assert_eq!(client.city(&account, 82).await.unwrap(), None);

    setup
        .iys
        .answer("/info/town", Answer::json(200, json!([{"name": "Seyhan", "code": 1, "city_code": 1}, {"code": "2", "cityCode": "1"}])));
    let town = |code, name: Option<&str>| Town { code, name: name.map(str::to_owned), city_code: Some(1) };
    assert_eq!(client.towns(&account).await.unwrap(), [town(1, Some("Seyhan")), town(2, None)]);
    setup.iys.answer("/info/town/1", Answer::json(200, json!({"code": 1, "name": "Seyhan", "city_code": 1})));
    assert_eq!(client.town(&account, 1).await.unwrap(), Some(town(1, Some("Seyhan"))));
}
