//! Subscriptions, brands and what a business partner may do.

use serde_json::json;
use shared::consent::Channel;
use shared::consent::code::Hold;
use shared::iys::{ChannelAccess, SubscriptionStatus};
use shared::registry::RegistryError;

use crate::iys::Answer;
use crate::{brand, kind, setup};

const SUBSCRIPTION: &str = "/sps/700001/subscription";
const PARTNER: &str = "/integrator/550001/sps/700001";

#[tokio::test]
async fn a_subscription_is_read_in_every_spelling_and_with_what_it_does_not_show() {
    let setup = setup().await;
    setup.iys.answer(
        SUBSCRIPTION,
        Answer::json(
            200,
            json!({"subscipritionId": "12345879", "startDate": "2026-06-21 12:24:55", "expirationDate": "2028-06-21 12:24:55",
                   "subscriptionPackageName": "İleti-5 (Seviye 1)", "status": "ACTIVE", "consentLimit": "5000", "consentLimitExceed": "false",
                   "usedConsentLimit": 4999, "viaSubscriptionPackage": {"viaCredit": -1}, "new": [1]}),
        ),
    );
    let subscription = setup.client.subscription(&brand().iys).await.unwrap().unwrap();
    assert_eq!(subscription.status, SubscriptionStatus::Active);
    assert_eq!(subscription.expiration_date.map(|date| date.to_string()).as_deref(), Some("2028-06-21 12:24:55"));
    assert_eq!(subscription.package.as_deref(), Some("İleti-5 (Seviye 1)"));
    let counts = (subscription.consent_limit, subscription.consent_limit_exceed, subscription.used_consent_limit);
    assert_eq!(counts, (Some(5000), Some(false), Some(4999)));
    assert!(!subscription.is_full());

    // A partner sees neither limits nor use.
    setup.iys.answer(SUBSCRIPTION, Answer::json(200, json!({"subsciprtionId": 1, "expirationDate": "2027-01-31", "status": "paused"})));
    let subscription = setup.client.subscription(&brand().iys).await.unwrap().unwrap();
    assert_eq!((subscription.status, subscription.consent_limit, subscription.is_full()), (SubscriptionStatus::Paused, None, false));
    assert_eq!(subscription.expiration_date.map(|date| date.to_string()).as_deref(), Some("2027-01-31 23:59:59"));

    for (word, status) in
        [("EXPIRED", SubscriptionStatus::Expired), ("CLOSED", SubscriptionStatus::Closed), ("YENİ", SubscriptionStatus::Unknown)]
    {
        setup.iys.answer(SUBSCRIPTION, Answer::json(200, json!({"status": word, "expirationDate": "2026-11-20T21:00:00Z"})));
        let subscription = setup.client.subscription(&brand().iys).await.unwrap().unwrap();
        assert_eq!(subscription.status, status);
        assert_eq!(subscription.expiration_date.map(|date| date.to_string()).as_deref(), Some("2026-11-21 00:00:00"));
    }
}

#[tokio::test]
async fn a_package_is_full_when_every_place_is_used_and_more_are_not_allowed() {
    let setup = setup().await;
    for (limit, exceed, used, full) in [
        (json!(5000), json!(false), json!(5000), true),
        (json!(5000), json!(false), json!(5001), true),
        (json!(5000), json!(true), json!(5001), false),
        (json!(5000), json!(null), json!(5001), false),
        (json!(-1), json!(false), json!(5001), false),
        (json!(5000), json!(false), json!(null), false),
    ] {
        let body = json!({"status": "ACTIVE", "consentLimit": limit, "consentLimitExceed": exceed, "usedConsentLimit": used});
        setup.iys.answer(SUBSCRIPTION, Answer::json(200, body.clone()));
        assert_eq!(setup.client.subscription(&brand().iys).await.unwrap().unwrap().is_full(), full, "{body}");
    }
}

#[tokio::test]
async fn no_subscription_is_an_answer_and_an_unknown_number_is_not() {
    let setup = setup().await;
    for answer in [
        Answer::error(404, "H437"),
        Answer::error(400, "H437"),
        Answer::Body(404, String::new()),
        Answer::Body(404, "<html>".into()),
        Answer::Body(204, String::new()),
        Answer::Body(200, String::new()),
    ] {
        setup.iys.answer(SUBSCRIPTION, answer);
        assert_eq!(setup.client.subscription(&brand().iys).await.unwrap(), None);
    }
    for (status, answered, hold) in [
        (404, "H001", Hold::Configuration),
        (403, "H524", Hold::Subscription),
        (403, "H353", Hold::Authority),
        (403, "H586", Hold::Subscription),
    ] {
        setup.iys.answer(SUBSCRIPTION, Answer::error(status, answered));
        let error = setup.client.subscription(&brand().iys).await.unwrap_err();
        assert!(matches!(&error, RegistryError::Held { why, .. } if *why == hold), "{error}");
    }
    setup.iys.answer(SUBSCRIPTION, Answer::Body(200, "<html>".into()));
    assert_eq!(kind(&setup.client.subscription(&brand().iys).await.unwrap_err()), "defect");
}

#[tokio::test]
async fn brands_are_read_with_counts_in_arrays_as_well() {
    let setup = setup().await;
    let body = json!([{"brandCode": 700001, "master": true, "stats": [{"consents": [{"approval": 57, "rejection": 30, "total": 87}]}]}]);
    setup.iys.answer("/sps/700001/brands", Answer::json(200, body));
    let brands = setup.client.brands(&brand().iys).await.unwrap();
    assert_eq!((brands[0].approvals, brands[0].rejections, brands[0].total), (Some(57), Some(30), Some(87)));
}

#[tokio::test]
async fn a_partners_brands_are_read_page_by_page_with_texts_or_numbers() {
    let setup = setup().await;
    let row = |brand: u64| {
        json!({"brandCode": brand.to_string(), "name": "A", "master": true, "title": "A AŞ", "iysCode": "700001", "MESAJ": "write",
               "ARAMA": "READ", "agreementControl": brand == 700_001, "viaControl": false})
    };
    let page = |brands: std::ops::Range<u64>, offset: u64| {
        let rows: Vec<_> = brands.map(row).collect();
        Answer::json(200, json!({"pagination": {"offset": offset, "totalCount": "102", "pageSize": rows.len()}, "list": rows}))
    };
    setup.iys.answer(PARTNER, page(700_001..700_101, 0));
    setup.iys.answer(PARTNER, page(700_101..700_103, 100));
    let brands = setup.client.partner_brands(&brand().iys, 550_001).await.unwrap();
    assert_eq!(brands.len(), 102);
    assert_eq!((brands[0].iys_code, brands[0].brand_code, brands[0].agreement_control), (700_001, 700_001, true));
    assert_eq!(brands[0].channels, [(Channel::Arama, ChannelAccess::Read), (Channel::Mesaj, ChannelAccess::Write)].into());
    assert!(!brands[1].agreement_control);
    let queries: Vec<_> = setup.iys.seen(PARTNER).iter().map(|seen| seen.uri.query().unwrap().to_owned()).collect();
    assert_eq!(queries, ["limit=100&offset=0", "limit=100&offset=100"]);

    // The shape of 2020: a bare array without the provider's number; numbers as numbers.
    setup.iys.answer(PARTNER, Answer::json(200, json!([{"brandCode": 700002, "EPOSTA": "write", "stats": {"consents": {}}}, 7])));
    let brands = setup.client.partner_brands(&brand().iys, 550_001).await.unwrap();
    assert_eq!((brands.len(), brands[0].iys_code, brands[0].brand_code), (1, 700_001, 700_002));
    assert_eq!(brands[0].channels, [(Channel::Eposta, ChannelAccess::Write)].into());

    for answer in [Answer::Body(204, String::new()), Answer::json(200, json!({"list": [], "pagination": {"totalCount": 5}}))] {
        setup.iys.answer(PARTNER, answer);
        assert!(setup.client.partner_brands(&brand().iys, 550_001).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_partner_is_told_all_its_providers_and_its_own_subscription() {
    let setup = setup().await;
    let list = json!({"list": [{"brandCode": 700001, "iysCode": 700001, "MESAJ": "write"}, {"brandCode": 800002, "iysCode": 800001}]});
    setup.iys.answer("/integrator/550001/sps", Answer::json(200, list));
    let brands = setup.client.partner_providers(&brand().iys, 550_001).await.unwrap();
    assert_eq!(brands.iter().map(|brand| (brand.iys_code, brand.brand_code)).collect::<Vec<_>>(), [(700_001, 700_001), (800_001, 800_002)]);
    assert!(brands[1].channels.is_empty());

    let body = json!({"subscriptionId": "x", "iysCode": 74112691, "status": "ACTIVE", "subscriptionPackageName": "IO"});
    setup.iys.answer("/integrator/550001/subscription", Answer::json(200, body));
    let subscription = setup.client.partner_subscription(&brand().iys, 550_001).await.unwrap().unwrap();
    assert_eq!((subscription.status, subscription.package.as_deref()), (SubscriptionStatus::Active, Some("IO")));

    for (status, answered, hold) in
        [(404, "H129", Hold::Configuration), (400, "H522", Hold::Authority), (403, "H353", Hold::Authority), (400, "H363", Hold::Authority)]
    {
        setup.iys.answer("/integrator/550001/sps", Answer::error(status, answered));
        let error = setup.client.partner_providers(&brand().iys, 550_001).await.unwrap_err();
        assert!(matches!(&error, RegistryError::Held { why, .. } if *why == hold), "{error}");
    }
}
