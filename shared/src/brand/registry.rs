//! By whom a brand reaches İYS: by its own API user, or by an integrator (entegratör).
//!
//! What an integrator's documentation leaves open is a setting here with a default.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{BrandError, Iys};

/// Who carries a brand's consents to İYS.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum RegistryChoice {
    /// Nobody: the brand's own API user.
    #[default]
    Iys,
    /// Netgsm (NetİYS).
    Netgsm(Netgsm),
    /// Verimor.
    Verimor(Verimor),
    /// Mysoft (its "Etk" API).
    Mysoft(Mysoft),
}

/// A brand's side at Netgsm.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Netgsm {
    /// The subscriber number.
    pub username: SecretString,
    /// Password of the API sub-user.
    pub password: SecretString,
    /// The application key, where the account has one.
    #[serde(default)]
    pub app_key: Option<SecretString>,
    /// Where it is called.
    #[serde(default)]
    pub base_url: Option<Url>,
    /// Whether user and password go as HTTP Basic, too. Some accounts are answered only so.
    #[serde(default = "super::yes")]
    pub basic: bool,
    /// Most records in one call.
    #[serde(default = "hundred")]
    pub records_per_call: u16,
    /// Most addresses in one question.
    #[serde(default = "twenty")]
    pub addresses_per_question: u16,
    /// Calls in a minute.
    #[serde(default = "ten")]
    pub calls_per_minute: u16,
    /// Seconds after which the holdings are first asked for what no callback told.
    #[serde(default = "fifteen_minutes")]
    pub results_after_seconds: u16,
    /// Whether numbers of other countries are taken. Its own check counts thirteen characters.
    #[serde(default)]
    pub foreign_numbers: bool,
    /// The secret in the address that callbacks come to; without one none is taken.
    #[serde(default)]
    pub callback_secret: Option<SecretString>,
    /// Whether a callback names the list that a record was in by the id that handing it in was answered with.
    #[serde(default = "super::yes")]
    pub callbacks_name_the_list: bool,
}

/// A brand's side at Verimor.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verimor {
    /// The subscriber number, twelve digits.
    pub username: SecretString,
    /// Its API password.
    pub password: SecretString,
    /// The sender name that the brand's İYS numbers are attached to.
    pub source_addr: String,
    /// Where it is called.
    #[serde(default)]
    pub base_url: Option<Url>,
    /// Most records in one call. Their results come by a hundred, twenty times a minute.
    #[serde(default = "five_hundred")]
    pub records_per_call: u16,
    /// Calls in a minute that hand in.
    #[serde(default = "two_hundred")]
    pub adds_per_minute: u16,
    /// Calls in a minute that ask.
    #[serde(default = "eighteen")]
    pub reads_per_minute: u16,
    /// Seconds after which results are first asked for.
    #[serde(default = "five_minutes")]
    pub results_after_seconds: u16,
    /// The secret in the address that callbacks come to; without one none is taken.
    #[serde(default)]
    pub callback_secret: Option<SecretString>,
}

/// A brand's side at Mysoft.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mysoft {
    /// The client's id.
    pub client_id: SecretString,
    /// The client's secret.
    pub client_secret: SecretString,
    /// Tax number of the firm (VKN or TCKN).
    pub tenant: SecretString,
    /// Where it is called.
    #[serde(default)]
    pub base_url: Option<Url>,
    /// Most records in one call.
    #[serde(default = "thousand")]
    pub records_per_call: u16,
    /// Calls in a minute.
    #[serde(default = "sixty")]
    pub calls_per_minute: u16,
    /// Seconds after which results are first asked for.
    #[serde(default = "five_minutes")]
    pub results_after_seconds: u16,
    /// The key that callbacks carry in their body; without one none is taken.
    #[serde(default)]
    pub web_hook_key: Option<SecretString>,
}

/// The addresses at which the integrators are called.
const NETGSM: &str = "https://api.netgsm.com.tr";
const VERIMOR: &str = "https://sms.verimor.com.tr";
const MYSOFT: &str = "https://edocumentapi.mysoft.com.tr";

const fn ten() -> u16 {
    10
}

const fn eighteen() -> u16 {
    18
}

const fn twenty() -> u16 {
    20
}

const fn sixty() -> u16 {
    60
}

const fn five_minutes() -> u16 {
    5 * 60
}

const fn fifteen_minutes() -> u16 {
    15 * 60
}

const fn hundred() -> u16 {
    100
}

const fn two_hundred() -> u16 {
    200
}

const fn five_hundred() -> u16 {
    500
}

const fn thousand() -> u16 {
    1000
}

impl RegistryChoice {
    /// Every word by which a brand's document may name one.
    pub const NAMES: [&'static str; 4] = ["iys", "netgsm", "verimor", "mysoft"];

    /// The word by which a brand's document names it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Iys => "iys",
            Self::Netgsm(_) => "netgsm",
            Self::Verimor(_) => "verimor",
            Self::Mysoft(_) => "mysoft",
        }
    }

    /// What the brand is known by there, secrets included: only for telling whether somebody changed it.
    pub(crate) fn account(&self) -> Vec<String> {
        let exposed = |secret: &SecretString| secret.expose_secret().to_owned();
        match self {
            Self::Iys => Vec::new(),
            Self::Netgsm(netgsm) => vec![exposed(&netgsm.username), exposed(&netgsm.password)],
            Self::Verimor(verimor) => vec![exposed(&verimor.username), exposed(&verimor.password), verimor.source_addr.clone()],
            Self::Mysoft(mysoft) => vec![exposed(&mysoft.client_id), exposed(&mysoft.client_secret), exposed(&mysoft.tenant)],
        }
    }

    /// Whether the document names what proves a callback.
    pub const fn takes_callbacks(&self) -> bool {
        match self {
            Self::Iys => false,
            Self::Netgsm(netgsm) => netgsm.callback_secret.is_some(),
            Self::Verimor(verimor) => verimor.callback_secret.is_some(),
            Self::Mysoft(mysoft) => mysoft.web_hook_key.is_some(),
        }
    }

    /// Whether an integrator stands between.
    pub const fn is_integrator(&self) -> bool {
        !matches!(self, Self::Iys)
    }

    pub(super) fn validate(&self, iys: &Iys) -> Result<(), BrandError> {
        let given = |field, secret: &SecretString| {
            if secret.expose_secret().is_empty() { Err(BrandError::Empty { field }) } else { Ok(()) }
        };
        let (base_url, callback) = match self {
            Self::Iys => {
                given("iys.username", &iys.username)?;
                return given("iys.password", &iys.password);
            }
            Self::Netgsm(netgsm) => {
                given("registry.username", &netgsm.username)?;
                given("registry.password", &netgsm.password)?;
                positive("registry.recordsPerCall", netgsm.records_per_call)?;
                positive("registry.addressesPerQuestion", netgsm.addresses_per_question)?;
                positive("registry.callsPerMinute", netgsm.calls_per_minute)?;
                positive("registry.resultsAfterSeconds", netgsm.results_after_seconds)?;
                (&netgsm.base_url, ("registry.callbackSecret", &netgsm.callback_secret))
            }
            Self::Verimor(verimor) => {
                given("registry.username", &verimor.username)?;
                given("registry.password", &verimor.password)?;
                positive("registry.recordsPerCall", verimor.records_per_call)?;
                positive("registry.addsPerMinute", verimor.adds_per_minute)?;
                positive("registry.readsPerMinute", verimor.reads_per_minute)?;
                positive("registry.resultsAfterSeconds", verimor.results_after_seconds)?;
                (&verimor.base_url, ("registry.callbackSecret", &verimor.callback_secret))
            }
            Self::Mysoft(mysoft) => {
                given("registry.clientId", &mysoft.client_id)?;
                given("registry.clientSecret", &mysoft.client_secret)?;
                given("registry.tenant", &mysoft.tenant)?;
                positive("registry.recordsPerCall", mysoft.records_per_call)?;
                positive("registry.callsPerMinute", mysoft.calls_per_minute)?;
                positive("registry.resultsAfterSeconds", mysoft.results_after_seconds)?;
                (&mysoft.base_url, ("registry.webHookKey", &mysoft.web_hook_key))
            }
        };
        callback.1.iter().try_for_each(|secret| given(callback.0, secret))?;
        if base_url.as_ref().is_none_or(is_safe) { Ok(()) } else { Err(BrandError::BaseUrl) }
    }

    /// Whether the document asks for nothing that only İYS's own API offers, where it names an integrator.
    pub(super) fn goes_with(&self, iys: &Iys) -> Result<(), BrandError> {
        if !self.is_integrator() {
            return Ok(());
        }
        for (field, used) in [("iys.mutabakat", iys.mutabakat), ("iys.pushService", iys.push_service), ("iys.push", iys.push.is_some())] {
            if used {
                return Err(BrandError::NotByIntegrator { field });
            }
        }
        Ok(())
    }
}

impl Netgsm {
    /// Where it is called.
    pub fn url(&self) -> &str {
        self.base_url.as_ref().map_or(NETGSM, Url::as_str)
    }
}

impl Verimor {
    /// Where it is called.
    pub fn url(&self) -> &str {
        self.base_url.as_ref().map_or(VERIMOR, Url::as_str)
    }
}

impl Mysoft {
    /// Where it is called.
    pub fn url(&self) -> &str {
        self.base_url.as_ref().map_or(MYSOFT, Url::as_str)
    }
}

/// Whether secrets may be sent there.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

fn positive(field: &'static str, number: u16) -> Result<(), BrandError> {
    if number == 0 { Err(BrandError::Zero { field }) } else { Ok(()) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Brand, BrandError};

    /// The local brand at an integrator.
    fn brand(registry: Value, change: impl FnOnce(&mut Value)) -> Result<Brand, BrandError> {
        let mut document: Value = serde_json::from_str(include_str!("../../../infra/local/brands/demo.json")).unwrap();
        document["iys"] = json!({"iysCode": 700_001, "brandCode": 700_001, "channels": ["MESAJ"]});
        document["registry"] = registry;
        change(&mut document);
        Brand::read(&document.to_string())
    }

    fn netgsm() -> Value {
        json!({"kind": "netgsm", "username": "8500000000", "password": "netgsm-secret", "callbackSecret": "hook-secret"})
    }

    #[test]
    fn a_document_without_a_choice_is_a_brand_of_iys_and_needs_its_api_user() {
        let document = include_str!("../../../infra/local/brands/demo.json");
        assert_eq!(Brand::read(document).unwrap().registry.name(), "iys");
        let without = brand(json!({"kind": "iys"}), |_| ());
        assert!(matches!(without, Err(BrandError::Empty { field: "iys.username" })));
    }

    #[test]
    fn each_integrator_is_read_with_safe_defaults() {
        let netgsm = brand(netgsm(), |_| ()).unwrap();
        let super::RegistryChoice::Netgsm(settings) = &netgsm.registry else { panic!("another") };
        assert_eq!((settings.records_per_call, settings.calls_per_minute, settings.foreign_numbers), (100, 10, false));
        assert_eq!(settings.url(), "https://api.netgsm.com.tr");
        let shown = format!("{netgsm:?}");
        assert!(!shown.contains("netgsm-secret") && !shown.contains("hook-secret") && !shown.contains("8500000000"));
        let verimor = brand(json!({"kind": "verimor", "username": "u", "password": "p", "sourceAddr": "MYBRAND"}), |_| ()).unwrap();
        let mysoft = brand(json!({"kind": "mysoft", "clientId": "c", "clientSecret": "s", "tenant": "1234567890"}), |_| ()).unwrap();
        let names = [Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap(), netgsm, verimor, mysoft];
        assert_eq!(names.map(|brand| brand.registry.name()), super::RegistryChoice::NAMES);
    }

    #[test]
    fn what_cannot_work_is_refused_by_its_place() {
        let told = |registry: Value, change: &dyn Fn(&mut Value)| brand(registry, change).err().unwrap().to_string();
        let set = |name: &'static str, value: Value| {
            let mut registry = netgsm();
            registry[name] = value;
            registry
        };
        assert!(told(set("password", "".into()), &|_| ()).contains("registry.password"));
        assert!(told(set("callbackSecret", "".into()), &|_| ()).contains("registry.callbackSecret"));
        assert!(told(set("callsPerMinute", 0.into()), &|_| ()).contains("registry.callsPerMinute"));
        assert!(told(set("baseUrl", "http://example.com".into()), &|_| ()).contains("registry.baseUrl"));
        assert!(told(set("nonsense", 1.into()), &|_| ()).contains("registry"));
        assert!(told(netgsm(), &|document| document["iys"]["mutabakat"] = true.into()).contains("iys.mutabakat"));
        assert!(told(json!({"kind": "somebody"}), &|_| ()).contains("registry"));
        assert!(brand(set("baseUrl", "http://127.0.0.1:9".into()), |_| ()).is_ok());
    }

    #[test]
    fn the_registry_that_was_left_is_read_by_the_same_rules_and_its_faults_are_named_by_its_place() {
        let own = |former: Value| {
            brand(json!({"kind": "iys"}), |document| {
                document["iys"]["username"] = "user".into();
                document["iys"]["password"] = "iys-secret".into();
                // What only İYS's own API offers is no matter of the road that was left.
                document["iys"]["mutabakat"] = true.into();
                document["formerRegistry"] = former;
            })
        };
        let moved = own(netgsm()).unwrap();
        let former = moved.former().unwrap();
        assert_eq!((moved.registry.name(), former.registry.name(), former.former().is_none()), ("iys", "netgsm", true));
        let mut faulty = netgsm();
        faulty["password"] = "".into();
        assert!(own(faulty).err().unwrap().to_string().contains(" formerRegistry.password must"));
        let without_user = brand(netgsm(), |document| document["formerRegistry"] = json!({"kind": "iys"}));
        assert!(without_user.err().unwrap().to_string().contains("iys.username"));
    }
}
