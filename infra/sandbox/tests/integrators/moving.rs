//! A brand that moves from its own API user to one integrator after the other meets one registry.

use sandbox::{mysoft, netgsm, verimor};
use serde_json::{Value, json};

use super::{BRAND, Iys};
use crate::rig::{Served, answer};

const PERSON: &str = "+905992000001";

#[tokio::test]
async fn whoever_writes_for_a_brand_finds_what_the_others_wrote() {
    let iys = Iys::new().await;
    let registry = || iys.registry.clone();
    let netgsm_config = netgsm::Config {
        accounts: vec![netgsm::Account { brands: vec![BRAND], ..netgsm::Account::default() }],
        queue_delay_seconds: 0,
        ..netgsm::Config::default()
    };
    let header = verimor::Header { name: "MYBRAND".to_owned(), brand_code: Some(BRAND), ..verimor::Header::default() };
    let verimor_config = verimor::Config {
        accounts: vec![verimor::Account { headers: vec![header], ..verimor::Account::default() }],
        queue_delay_seconds: 0,
        ..verimor::Config::default()
    };
    let mut account = mysoft::Account::default();
    account.tenants[0].brands = vec![BRAND];
    let mysoft_config = mysoft::Config { accounts: vec![account.clone()], pull_delay_seconds: 0, ..mysoft::Config::default() };
    let at_netgsm = Served::over(|listener, stopped| netgsm::serve(listener, netgsm_config, registry(), stopped)).await;
    let at_verimor = Served::over(|listener, stopped| verimor::serve(listener, verimor_config, registry(), stopped)).await;
    let at_mysoft = Served::over(|listener, stopped| mysoft::serve(listener, mysoft_config, registry(), stopped)).await;

    let own = json!({
        "recipient": PERSON, "recipientType": "BIREYSEL", "type": "MESAJ", "status": "ONAY", "source": "HS_WEB",
        "consentDate": iys.clock.turkish(-600),
    });
    assert_eq!(iys.own_add(BRAND, &own).await.0, 200);
    let user = netgsm::Account::default();
    let header = json!({ "username": user.username, "password": user.password, "brandCode": BRAND.to_string() });
    let mut refusal = own.clone();
    (refusal["status"], refusal["consentDate"]) = (json!("RET"), json!(iys.clock.turkish(-300)));
    let call = |data: &Value| json!({ "header": header, "body": { "data": [data] } });
    assert_eq!(at_netgsm.post("/iys/add", &call(&refusal)).await.1["code"], "0");
    let found = at_netgsm.post("/iys/search", &call(&own)).await.1;
    assert_eq!(found["query"]["status"], "RET", "what Netgsm took stands over what the brand wrote");

    let user = verimor::Account::default();
    let again = json!({
        "username": user.username, "password": user.password, "consents": [{
            "type": "MESAJ", "source": "HS_WEB", "status": "RET", "recipient_type": "BIREYSEL",
            "consent_date": iys.clock.turkish(-200), "recipient": "905992000001",
        }],
    });
    let taken = at_verimor.request(reqwest::Method::POST, "/v2/iys_consents.json").json(&again).send().await.unwrap();
    let id = taken.text().await.unwrap();
    let query = format!("/v2/iys/campaigns/{id}/consents?username={}&password={}", user.username, user.password);
    let report = at_verimor.get(&query).await;
    assert!(report["records"][0]["request_error"].as_str().unwrap().starts_with("H174 "), "it is refused already: {report}");

    let client = &account;
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", client.client_id, client.client_secret);
    let (_, token) = answer(at_mysoft.request(reqwest::Method::POST, "/oauth/token").body(form).send().await.unwrap()).await;
    let ask = json!({ "tenantIdentifierNumber": client.tenants[0].tenant_identifier_number, "brandCode": BRAND });
    let request = at_mysoft.request(reqwest::Method::POST, "/api/Etk/consentTransactionList").json(&ask);
    let (_, rows) = answer(request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap()).await;
    let rows = rows["data"].as_array().unwrap();
    let seen: Vec<_> = rows.iter().map(|row| (row["status"].as_str().unwrap(), row["recordSource"].as_str().unwrap())).collect();
    assert_eq!(seen, [("ONAY", "PULL_SERVIS"), ("RET", "PULL_SERVIS")], "and Mysoft pulls both");
}
