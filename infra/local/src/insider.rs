//! Insider's accounts, completed by the stack's brands: partners, keys, and where a person in the panel has events go.

use std::collections::BTreeSet;

use sandbox::insider;
use secrecy::{ExposeSecret, SecretString};
use shared::brand::{Brand, WebhookAuth};

/// An account for each partner. Brands of one partner share it, and the first of them has its webhooks.
pub(crate) fn at_insider(common: &insider::Config, brands: &[Brand], gateway_url: &str) -> Vec<insider::Config> {
    let mut partners = BTreeSet::new();
    let first = brands.iter().filter(|brand| partners.insert(brand.insider.partner.clone()));
    first.map(|brand| account(common.clone(), brand, gateway_url)).collect()
}

fn account(mut config: insider::Config, brand: &Brand, gateway_url: &str) -> insider::Config {
    let keys = &brand.insider.keys;
    config.partner.clone_from(&brand.insider.partner);
    config.keys = insider::Keys {
        unsubscribe: keys.unsubscribe.expose_secret().to_owned(),
        resubscribe: keys.resubscribe.expose_secret().to_owned(),
        ucd: keys.ucd.expose_secret().to_owned(),
    };
    let auth = brand.insider.webhook_auth.first();
    let webhook = || insider::Webhook {
        url: format!("{gateway_url}/v1/{}/insider/events{}", brand.name, auth.map(query).unwrap_or_default()),
        headers: auth.and_then(header).into_iter().collect(),
        auth: auth.and_then(proof),
        family: None,
        body: None,
    };
    for place in [&mut config.webhooks.email, &mut config.webhooks.sms] {
        match place {
            // A family that was chosen stays; where it goes is the stack's.
            Some(chosen) => *chosen = insider::Webhook { family: chosen.family, body: chosen.body.take(), ..webhook() },
            None => *place = Some(webhook()),
        }
    }
    config
}

/// The static header of a way of authentication, if it is one.
fn header(auth: &WebhookAuth) -> Option<(String, String)> {
    match auth {
        WebhookAuth::Header { name, secret } => Some((name.clone(), secret.expose_secret().to_owned())),
        _ => None,
    }
}

/// What stands behind the address, where that is the way of authentication.
fn query(auth: &WebhookAuth) -> String {
    match auth {
        WebhookAuth::Query { name, secret } => {
            let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, secret.expose_secret()).finish();
            format!("?{pair}")
        }
        _ => String::new(),
    }
}

/// Any other way of authentication, as the simulator knows it.
fn proof(auth: &WebhookAuth) -> Option<insider::Auth> {
    let text = |secret: &SecretString| secret.expose_secret().to_owned();
    Some(match auth {
        WebhookAuth::Header { .. } | WebhookAuth::Query { .. } => return None,
        WebhookAuth::HmacSha1Hex { secret } => insider::Auth::HmacHex { secret: text(secret) },
        WebhookAuth::HmacSha1Base64 { secret } => insider::Auth::HmacBase64 { secret: text(secret) },
        WebhookAuth::StaticSecret { secret } => insider::Auth::Secret { secret: text(secret) },
        WebhookAuth::Basic { username, password } => insider::Auth::Basic { username: text(username), password: text(password) },
        WebhookAuth::Bearer { token } => insider::Auth::Bearer { token: text(token) },
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn each_partner_has_an_account_and_brands_that_share_one_have_the_first_ones_webhooks() {
        let demo = include_str!("../brands/demo.json");
        let integrator = include_str!("../brands/demo-integrator.json");
        let another = demo.replacen("\"demo\"", "\"yarim\"", 1);
        let brands: Vec<_> = [demo, integrator, &another].into_iter().map(|document| Brand::read(document).unwrap()).collect();
        let accounts = at_insider(&insider::Config::default(), &brands, "http://here");
        let told: Vec<_> = accounts
            .iter()
            .map(|account| (account.partner.as_str(), account.keys.ucd.as_str(), account.webhooks.sms.as_ref().unwrap().url.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("demo", "demo-ucd-key", "http://here/v1/demo/insider/events"),
                ("demo-integrator", "demo-integrator-ucd-key", "http://here/v1/demo-integrator/insider/events"),
            ]
        );
    }
}
