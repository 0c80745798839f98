//! A world whose helpers speak for the local brand that reaches İYS by an integrator.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Crowd, Setup, Vendor, World};

/// How often a minute an integrator may be called here: what it allows is tested beside its adapter.
const CALLS: u16 = 60_000;
/// Seconds after which results, or what is held, are asked for.
const RESULTS_AFTER: u16 = 3;
/// Seconds from taking a list to handing it to İYS.
const QUEUE_DELAY: u64 = 1;

/// Netgsm's code for an address that it has no record of.
const NO_RECORD: &str = "50";
/// Seconds after which what İYS said last of a key may be compared.
const REST: u32 = 1;

/// The running system, and the integrator.
pub(crate) struct Road {
    pub(crate) world: World,
    pub(crate) integrator: Vendor,
    pub(crate) crowd: Crowd,
}

/// The brand.
pub(crate) const BRAND: &str = "demo-integrator";

/// What makes the brand one of this integrator's: at Netgsm it is with its own document, made quick; at others it has the
/// account that their simulator has by default.
pub(crate) fn document(integrator: Vendor) -> Value {
    let registry = match integrator {
        Vendor::Netgsm => json!({ "callsPerMinute": CALLS, "resultsAfterSeconds": RESULTS_AFTER }),
        Vendor::Verimor => json!({
            "kind": "verimor", "username": "908500000000", "password": "demo-verimor-password", "sourceAddr": "DEMO",
            "callbackSecret": "demo-callback-secret",
            "addsPerMinute": CALLS, "readsPerMinute": CALLS, "resultsAfterSeconds": RESULTS_AFTER,
        }),
        Vendor::Mysoft => json!({
            "kind": "mysoft", "clientId": "demo-client", "clientSecret": "demo-mysoft-secret", "tenant": "1234567890",
            "webHookKey": "demo-web-hook-key", "callsPerMinute": CALLS, "resultsAfterSeconds": RESULTS_AFTER,
        }),
        Vendor::Iys | Vendor::Insider => panic!("no integrator"),
    };
    json!({ "name": BRAND, "registry": registry })
}

/// A world with the brand there.
pub(crate) fn setup(integrator: Vendor) -> Setup {
    let mut setup =
        Setup { brand: BRAND, brands: vec![document(integrator)], rest_seconds: REST, ..Setup::new(env!("CARGO_BIN_EXE_stack")) };
    let simulators = &mut setup.simulators;
    simulators.netgsm.calls_per_minute = usize::from(CALLS);
    (simulators.verimor.adds_per_minute, simulators.verimor.adds_burst) = (u32::from(CALLS), u32::from(CALLS));
    (simulators.verimor.queries_per_minute, simulators.verimor.queries_burst) = (u32::from(CALLS), u32::from(CALLS));
    simulators.netgsm.queue_delay_seconds = QUEUE_DELAY;
    simulators.verimor.queue_delay_seconds = QUEUE_DELAY;
    (simulators.mysoft.queue_delay_seconds, simulators.mysoft.step_seconds) = (QUEUE_DELAY, 0);
    setup
}

impl Road {
    pub(crate) async fn at(integrator: Vendor) -> Self {
        let crowd = Crowd::new(match integrator {
            Vendor::Netgsm => 40,
            Vendor::Verimor => 41,
            _ => 42,
        });
        Self { world: World::start(setup(integrator)).await, integrator, crowd }
    }

    /// Consents that stand at İYS from before, and that the integrator knows of.
    pub(crate) async fn seed(&self, records: &[(&str, &str, &str)]) {
        self.world.seed(records).await;
        if self.integrator == Vendor::Mysoft {
            self.world.control(self.integrator, Method::POST, "mirror?brandCode=700003", &json!({})).await;
        }
    }

    /// The integrator keeps what it takes, or goes on handing it to İYS.
    pub(crate) async fn hold_queue(&self, held: bool) {
        self.world.control(self.integrator, Method::PATCH, "queue", &json!({ "held": held })).await;
    }

    /// The next callbacks go wrong.
    pub(crate) async fn callbacks(&self, how: &str, count: u64) {
        self.world.control(self.integrator, Method::POST, "callbacks", &json!({ "how": how, "count": count })).await;
    }

    /// Whether the integrator called back all that it was to, none of it in vain.
    async fn look_at_deliveries(&self) {
        let stats = self.world.stats(self.integrator).await;
        assert_eq!(stats["deliveries"]["abandoned"].as_u64().unwrap_or_default(), 0, "{stats}");
    }

    /// Ends the world, of which nobody may have anything to complain.
    pub(crate) async fn end(self) {
        self.end_with(json!({})).await;
    }

    /// Ends the world, in which the integrator has seen these unusual things and no others.
    pub(crate) async fn end_with(self, unusual: Value) {
        let world = &self.world;
        world.check_silences().await;
        self.look_at_deliveries().await;
        for (vendor, unusual) in [(Vendor::Iys, json!({})), (Vendor::Insider, json!({})), (self.integrator, unusual)] {
            let stats = world.stats(vendor).await;
            assert_eq!(stats["violations"], unusual, "{vendor:?}: {stats}");
            // Netgsm says so of what İYS does not have, or not yet, on a machine that is slow.
            let refused = stats["rejected"].as_object().into_iter().flatten().filter(|(code, _)| *code != NO_RECORD);
            assert_eq!(refused.count(), 0, "{vendor:?}: {stats}");
        }
        // The brand's own API user hands in nothing beside the integrator.
        let by_itself = world.calls_of_iys().await;
        let mut by_itself = by_itself.keys().filter(|(method, path, _)| method == "POST" && !path.contains("/status/"));
        assert_eq!(by_itself.find(|(_, path, _)| path.contains("/consents")), None);
        world.keep_output(env!("CARGO_TARGET_TMPDIR"), &format!("integrator-{:?}.log", self.integrator).to_lowercase());
        world.check_that_no_address_left_its_place().await;
        self.world.end().await;
    }
}

/// A simulator may complain of nothing but a second sending of what it took before the process was killed that was
/// to note it, or the road was left: İYS refuses that as already there, or not newer.
pub(crate) async fn look_at_resends(world: &World, integrator: Vendor) {
    const RESENT: [&str; 4] = ["sent_twice", "key_under_way", "rejected:H174", "rejected:H178"];
    let stats = world.stats(integrator).await;
    let other = stats["violations"].as_object().into_iter().flatten().find(|(name, _)| !RESENT.contains(&name.as_str()));
    assert_eq!(other, None, "{stats}");
}
