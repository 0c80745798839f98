//! The simulators of İYS, Insider and the integrators before İYS, set up for the stack's brands.

use std::{io, sync::Arc};

use sandbox::{insider, iys, mysoft, netgsm, verimor};
use secrecy::ExposeSecret;
use shared::brand::Brand;
use tokio::net::TcpListener;

use crate::insider::at_insider;
use crate::integrators::{at_mysoft, at_netgsm, at_verimor};
use crate::sandboxes::{BoxFuture, Integrators, SandboxSetup, Sandboxes, Shutdowns};

/// Seconds from a bulk submission to its result on this machine; the functions wait as long.
pub const BULK_DELAY_SECONDS: u64 = 2;

/// The simulators. The configurations given here are completed by the brands: their accounts, and
/// where their webhooks and push notices go.
#[derive(Clone)]
pub struct Simulators {
    /// İYS, before the brands' providers and push connections.
    pub iys: iys::Config,
    /// Insider: what all accounts have, before the brands' partners, keys and webhooks.
    pub insider: insider::Config,
    /// Netgsm, before its accounts' brands and webhooks.
    pub netgsm: netgsm::Config,
    /// Verimor, before its accounts' headers and push addresses.
    pub verimor: verimor::Config,
    /// Mysoft, before its tenants' brands and callbacks.
    pub mysoft: mysoft::Config,
}

impl Default for Simulators {
    fn default() -> Self {
        let iys = iys::Config { bulk_delay_seconds: BULK_DELAY_SECONDS, allow_http_push: true, ..iys::Config::default() };
        // A person waits for what an integrator does with a record.
        let netgsm = netgsm::Config { queue_delay_seconds: BULK_DELAY_SECONDS, ..netgsm::Config::default() };
        let verimor = verimor::Config { queue_delay_seconds: BULK_DELAY_SECONDS, ..verimor::Config::default() };
        let mysoft = mysoft::Config { queue_delay_seconds: BULK_DELAY_SECONDS, step_seconds: 1, ..mysoft::Config::default() };
        Self { iys, insider: insider::Config::default(), netgsm, verimor, mysoft }
    }
}

impl Simulators {
    /// The simulators as the stack takes them.
    #[must_use]
    pub fn shared(self) -> Arc<dyn Sandboxes> {
        Arc::new(self)
    }
}

impl Sandboxes for Simulators {
    fn iys(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<io::Result<()>> {
        let config = self.iys.clone();
        Box::pin(async move { iys::serve(listener, at_iys(config, &setup)?, shutdown).await })
    }

    fn iys_with(
        &self,
        listener: TcpListener,
        integrators: Integrators,
        setup: SandboxSetup,
        shutdown: Shutdowns,
    ) -> BoxFuture<io::Result<()>> {
        let Self { iys, mut netgsm, mut verimor, mut mysoft, .. } = self.clone();
        let [end, netgsm_end, verimor_end, mysoft_end] = [shutdown(), shutdown(), shutdown(), shutdown()];
        Box::pin(async move {
            let registry = iys::Registry::new(at_iys(iys, &setup)?)?;
            let brands = brands(&setup)?;
            at_netgsm(&mut netgsm, &brands, &setup.gateway_url);
            at_verimor(&mut verimor, &brands, &setup.gateway_url);
            at_mysoft(&mut mysoft, &brands, &setup.gateway_url);
            let all = tokio::try_join!(
                iys::serve_registry(listener, &registry, end),
                netgsm::serve(integrators.netgsm, netgsm, registry.clone(), netgsm_end),
                verimor::serve(integrators.verimor, verimor, registry.clone(), verimor_end),
                mysoft::serve(integrators.mysoft, mysoft, registry.clone(), mysoft_end),
            );
            all.map(|_| ())
        })
    }

    fn insider(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<io::Result<()>> {
        let account = self.insider.clone();
        Box::pin(
            async move { insider::serve_accounts(listener, at_insider(&account, &brands(&setup)?, &setup.gateway_url), shutdown).await },
        )
    }
}

/// İYS's settings, completed by the brands.
fn at_iys(mut config: iys::Config, setup: &SandboxSetup) -> io::Result<iys::Config> {
    config.providers.clear();
    for brand in brands(setup)? {
        let url = format!("{}/v1/{}/iys/push", setup.gateway_url, brand.name);
        let code = brand.iys.brand_code;
        let master = code == brand.iys.iys_code;
        let at_iys = iys::Brand { brand_code: code, name: brand.name.to_string(), master, ..iys::Brand::default() };
        match config.providers.iter_mut().find(|provider| provider.iys_code == brand.iys.iys_code) {
            // Several brands of one company are one provider with several brands.
            Some(provider) => provider.brands.push(at_iys),
            None => config.providers.push(iys::Provider {
                iys_code: brand.iys.iys_code,
                title: format!("{} A.S.", brand.name),
                username: user(&brand),
                password: brand.iys.password.expose_secret().to_owned(),
                brands: vec![at_iys],
                ..iys::Provider::default()
            }),
        }
        // What was set up by hand stands from the start; what the system sets up, it sets up itself.
        let Some(by_hand) = &brand.iys.push else { continue };
        for consent_type in [iys::ConsentType::Arama, iys::ConsentType::Mesaj, iys::ConsentType::Eposta] {
            config.push_connections.push(iys::PushConnection {
                brand_code: code,
                consent_type,
                url: url.clone(),
                username: by_hand.username.expose_secret().to_owned(),
                password: by_hand.password.expose_secret().to_owned(),
            });
        }
    }
    Ok(config)
}

/// The brand's API user. A brand that reaches İYS by an integrator may have none: then nobody is called so.
fn user(brand: &Brand) -> String {
    match brand.iys.username.expose_secret() {
        "" => format!("no API user of {}", brand.name),
        name => name.to_owned(),
    }
}

fn brands(setup: &SandboxSetup) -> io::Result<Vec<Brand>> {
    setup.brands.values().map(|document| Brand::read(document).map_err(io::Error::other)).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use super::*;

    const DEMO: &str = include_str!("../brands/demo.json");

    #[tokio::test]
    async fn what_an_integrator_takes_for_a_brand_of_the_stack_stands_at_the_stacks_iys() {
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let free = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (iys, integrators) = (free().await, Integrators { netgsm: free().await, verimor: free().await, mysoft: free().await });
        let url = |listener: &TcpListener, path: &str| format!("http://{}{path}", listener.local_addr().unwrap());
        let add = url(&integrators.netgsm, "/iys/add");
        let stands = url(&iys, "/_sandbox/consents?recipient=ayse@example.com");
        let setup =
            SandboxSetup { gateway_url: "http://127.0.0.1:9".to_owned(), brands: BTreeMap::from([("demo".to_owned(), DEMO.to_owned())]) };
        let netgsm = netgsm::Config { queue_delay_seconds: 0, ..netgsm::Config::default() };
        let account = netgsm.accounts[0].clone();
        let simulators = Simulators { netgsm, ..Simulators::default() };
        tokio::spawn(simulators.iys_with(iys, integrators, setup, Box::new(|| Box::pin(std::future::pending()))));
        let today = jiff::Timestamp::now().strftime("%Y-%m-%d 00:00:00").to_string();
        let record = json!({
            "type": "EPOSTA", "source": "HS_WEB", "recipient": "ayse@example.com", "status": "ONAY", "consentDate": today,
            "recipientType": "BIREYSEL",
        });
        let header = json!({ "username": account.username, "password": account.password, "brandCode": "700001" });
        let http = reqwest::Client::new();
        let body = json!({ "header": header, "body": { "data": [record] } }).to_string();
        let answer = http.post(add).body(body).send().await.unwrap().text().await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["code"], "0", "{answer}");
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = http.get(&stands).send().await.unwrap().text().await.unwrap();
            let records = serde_json::from_str::<Value>(&answer).unwrap()["records"].clone();
            if records[0]["status"] == "ONAY" {
                break;
            }
            assert!(Instant::now() < deadline, "{answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
