//! The simulators of İYS and Insider, set up for the stack's brands.

use std::{io, sync::Arc};

use sandbox::insider;
use sandbox::iys;
use secrecy::{ExposeSecret, SecretString};
use shared::brand::{Brand, WebhookAuth};
use tokio::net::TcpListener;

use crate::sandboxes::{BoxFuture, SandboxSetup, Sandboxes};

/// Seconds from a bulk submission to its result on this machine; the functions wait as long.
pub const BULK_DELAY_SECONDS: u64 = 2;

/// The simulators. The configurations given here are completed by the brands: their accounts, and
/// where their webhooks and push notices go.
#[derive(Clone)]
pub struct Simulators {
    /// İYS, before the brands' providers and push connections.
    pub iys: iys::Config,
    /// Insider, before the brand's account and webhooks.
    pub insider: insider::Config,
}

impl Default for Simulators {
    fn default() -> Self {
        let iys = iys::Config { bulk_delay_seconds: BULK_DELAY_SECONDS, allow_http_push: true, ..iys::Config::default() };
        Self { iys, insider: insider::Config::default() }
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
        let mut config = self.iys.clone();
        Box::pin(async move {
            config.providers.clear();
            for brand in brands(&setup)? {
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
                        username: brand.iys.username.expose_secret().to_owned(),
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
            iys::serve(listener, config, shutdown).await
        })
    }

    fn insider(&self, listener: TcpListener, setup: SandboxSetup, shutdown: BoxFuture<()>) -> BoxFuture<io::Result<()>> {
        let mut config = self.insider.clone();
        Box::pin(async move {
            // The simulator is one Insider account: that of the first brand.
            if let Some(brand) = brands(&setup)?.into_iter().next() {
                let keys = &brand.insider.keys;
                config.partner = brand.insider.partner.clone();
                config.keys = insider::Keys {
                    unsubscribe: keys.unsubscribe.expose_secret().to_owned(),
                    resubscribe: keys.resubscribe.expose_secret().to_owned(),
                    ucd: keys.ucd.expose_secret().to_owned(),
                };
                let auth = brand.insider.webhook_auth.first();
                let webhook = || insider::Webhook {
                    url: format!("{}/v1/{}/insider/events{}", setup.gateway_url, brand.name, auth.map(query).unwrap_or_default()),
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
            }
            insider::serve(listener, config, shutdown).await
        })
    }
}

fn brands(setup: &SandboxSetup) -> io::Result<Vec<Brand>> {
    setup.brands.values().map(|document| Brand::read(document).map_err(io::Error::other)).collect()
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
