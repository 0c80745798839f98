//! A brand's standing at İYS, as the status tells it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::brand::Brand;
use shared::consent::code::Hold;
use shared::consent::standing::{Access, Grant, How, Package, Standing};
use shared::consent::{Channel, Target};

use crate::reason::Reason;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StandingView {
    /// By channel: whether it may be used, how that is known, and since when.
    channels: BTreeMap<Channel, GrantView>,
    /// The reconciliation service, likewise.
    mutabakat: GrantView,
    /// Why İYS takes nothing of the brand; null while it does.
    stop: Option<StopView>,
    /// The subscription as İYS last showed it; null where it showed none.
    subscription: Option<Package>,
    /// When İYS was last asked.
    last_checked: Option<Timestamp>,
    /// When it is asked again for what is denied or stopped; null where nothing is.
    next_check: Option<Timestamp>,
    /// Whether held work is being released.
    releasing: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantView {
    access: Access,
    how: How,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(flatten)]
    reason: Option<Reason>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StopView {
    held_for: Hold,
    since: Timestamp,
    #[serde(flatten)]
    reason: Reason,
    /// For a full package: whether refusals go on.
    refusals_go_on: bool,
}

/// The standing that follows from what is known and from the brand's document.
pub(crate) fn view(brand: &Brand, standing: Standing) -> StandingView {
    let next_check = standing.look_at.filter(|_| standing.needs_a_look());
    let channel = |channel: &Channel| (*channel, grant(brand.authorises(*channel), standing.channels.get(channel)));
    StandingView {
        channels: Channel::ALL.iter().map(channel).collect(),
        mutabakat: grant(brand.iys.mutabakat, standing.mutabakat.as_ref()),
        subscription: standing.package,
        last_checked: standing.checked_at,
        next_check,
        releasing: standing.release.is_some(),
        stop: standing.stop.map(|stop| StopView {
            held_for: stop.why,
            since: stop.since,
            refusals_go_on: stop.why == Hold::Quota && !stop.refusals_too,
            reason: Reason::held(Target::Registry, stop.why, Some(stop.code)),
        }),
    }
}

fn grant(configured: bool, known: Option<&Grant>) -> GrantView {
    match known {
        // What the brand's document does not list is not used, whatever İYS says.
        _ if !configured => GrantView { access: Access::Denied, how: How::Configured, since: None, reason: Some(denied(None)) },
        None => GrantView { access: Access::Unknown, how: How::Configured, since: None, reason: None },
        Some(known) => GrantView {
            access: known.access,
            how: known.how,
            since: Some(known.since),
            reason: (known.access == Access::Denied).then(|| denied(known.code.clone())),
        },
    }
}

fn denied(code: Option<String>) -> Reason {
    Reason::held(Target::Registry, Hold::Authority, code)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::{Value, json};
    use shared::consent::Status;
    use shared::consent::standing::About;

    use super::*;

    fn told(standing: Standing) -> Value {
        let mut brand = Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap();
        brand.iys.channels.remove(&Channel::Arama);
        serde_json::to_value(view(&brand, standing)).unwrap()
    }

    #[test]
    fn what_is_known_of_a_brand_is_told_with_reasons_in_both_languages() {
        let moment = "2026-11-20T10:00:00Z";
        let mut standing = Standing::default();
        let about = About { channel: Some(Channel::Mesaj), record: Some(Status::Onay) };
        standing.refused(about, Hold::Authority, "H355", moment.parse().unwrap());
        standing.refused(about, Hold::Subscription, "H520", moment.parse().unwrap());
        let told = told(standing);
        let picked = |value: &Value, names: [&str; 3]| names.map(|name| value[name].as_str().unwrap_or_default().to_owned());
        assert_eq!(picked(&told["channels"]["ARAMA"], ["access", "how", "code"]), ["denied", "configured", ""]);
        assert_eq!(told["channels"]["EPOSTA"], json!({ "access": "unknown", "how": "configured" }));
        assert_eq!(picked(&told["channels"]["MESAJ"], ["access", "how", "code"]), ["denied", "refused", "H355"]);
        assert_eq!(picked(&told["stop"], ["heldFor", "code", "since"]), ["subscription", "H520", moment]);
        for told in [&told["channels"]["ARAMA"], &told["channels"]["MESAJ"], &told["stop"]] {
            for text in ["cause", "remedy"] {
                assert!(told[text]["en"].is_string() && told[text]["tr"].is_string(), "{told}");
            }
        }
        assert_eq!(told["nextCheck"], moment);
    }

    #[test]
    fn a_brand_of_which_nothing_is_known_is_told_so() {
        let told = told(Standing::default());
        assert!(["stop", "lastChecked", "nextCheck", "subscription"].iter().all(|name| told[name].is_null()), "{told}");
        assert_eq!((&told["mutabakat"]["access"], &told["releasing"]), (&json!("unknown"), &json!(false)));
    }
}
