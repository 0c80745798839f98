//! The integrators' settings, completed by the stack's brands, and where their callbacks go, as a person sets it in
//! their portals.
//!
//! A brand whose document names an account is with that one. The first account that no document names has all
//! brands, for whoever calls it by hand.

use std::collections::BTreeSet;

use sandbox::{mysoft, netgsm, verimor};
use secrecy::{ExposeSecret, SecretString};
use shared::brand::{Brand, RegistryChoice};

/// Where a brand's callbacks go, without what proves them.
fn hook(gateway_url: &str, brand: &Brand) -> String {
    format!("{gateway_url}/v1/{}/integrator/events", brand.name)
}

/// The same with the secret that the brand's document has for it; nowhere without one.
fn hook_with_key(gateway_url: &str, brand: &Brand, secret: Option<&SecretString>) -> Option<String> {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("key", secret?.expose_secret()).finish();
    Some(format!("{}?{query}", hook(gateway_url, brand)))
}

fn text(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

/// The one of this kind, made if there is none.
fn found<T: Default>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> &mut T {
    let at = all.iter().position(is_it).unwrap_or_else(|| {
        all.push(T::default());
        all.len() - 1
    });
    &mut all[at]
}

/// Netgsm's subscribers.
pub(crate) fn at_netgsm(config: &mut netgsm::Config, brands: &[Brand], gateway_url: &str) {
    if let Some(account) = config.accounts.first_mut() {
        account.brands = brands.iter().map(|brand| brand.iys.brand_code).collect();
    }
    let mut named = BTreeSet::new();
    for brand in brands {
        let RegistryChoice::Netgsm(settings) = &brand.registry else { continue };
        let username = text(&settings.username);
        let account = found(&mut config.accounts, |account| account.username == username);
        if named.insert(username.clone()) {
            account.brands.clear();
            account.webhook = hook_with_key(gateway_url, brand, settings.callback_secret.as_ref());
        }
        (account.username, account.password) = (username, text(&settings.password));
        account.brands.push(brand.iys.brand_code);
    }
}

/// Verimor's subscribers. A header that no document names is called as its brand.
pub(crate) fn at_verimor(config: &mut verimor::Config, brands: &[Brand], gateway_url: &str) {
    let header = |brand: &Brand, name: &str| verimor::Header {
        name: name.to_owned(),
        brand_code: Some(brand.iys.brand_code),
        ..verimor::Header::default()
    };
    if let Some(account) = config.accounts.first_mut() {
        account.headers = brands.iter().map(|brand| header(brand, brand.name.as_str())).collect();
    }
    let mut named = BTreeSet::new();
    for brand in brands {
        let RegistryChoice::Verimor(settings) = &brand.registry else { continue };
        let username = text(&settings.username);
        let account = found(&mut config.accounts, |account| account.username == username);
        if named.insert(username.clone()) {
            account.headers.clear();
            account.push_url = hook_with_key(gateway_url, brand, settings.callback_secret.as_ref());
        }
        (account.username, account.password) = (username, text(&settings.password));
        account.headers.push(header(brand, &settings.source_addr));
    }
}

/// Mysoft's clients and their firms.
pub(crate) fn at_mysoft(config: &mut mysoft::Config, brands: &[Brand], gateway_url: &str) {
    if let Some(tenant) = config.accounts.first_mut().and_then(|account| account.tenants.first_mut()) {
        tenant.brands = brands.iter().map(|brand| brand.iys.brand_code).collect();
    }
    let mut named = BTreeSet::new();
    for brand in brands {
        let RegistryChoice::Mysoft(settings) = &brand.registry else { continue };
        let (client, number) = (text(&settings.client_id), text(&settings.tenant));
        let account = found(&mut config.accounts, |account| account.client_id == client);
        (account.client_id, account.client_secret) = (client.clone(), text(&settings.client_secret));
        let tenant = found(&mut account.tenants, |tenant| tenant.tenant_identifier_number == number);
        tenant.tenant_identifier_number.clone_from(&number);
        if named.insert((client, number)) {
            tenant.brands.clear();
            let key = settings.web_hook_key.as_ref().map(text);
            tenant.webhook = key.map(|key| mysoft::Webhook { url: hook(gateway_url, brand), key });
        }
        tenant.brands.push(brand.iys.brand_code);
    }
}
