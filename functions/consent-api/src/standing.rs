//! A brand's standing at İYS, as the status tells it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use shared::brand::Brand;
use shared::consent::Channel;
use shared::consent::code::Hold;
use shared::consent::standing::{Access, Grant, How, Package, Standing};

use crate::lookup::{Reason, reason};

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
    StandingView {
        channels: Channel::ALL
            .iter()
            .map(|channel| (*channel, grant(brand.authorises(*channel), standing.channels.get(channel))))
            .collect(),
        mutabakat: grant(brand.iys.mutabakat, standing.mutabakat.as_ref()),
        subscription: standing.package,
        last_checked: standing.checked_at,
        next_check,
        releasing: standing.release.is_some(),
        stop: standing.stop.map(|stop| StopView {
            held_for: stop.why,
            since: stop.since,
            refusals_go_on: stop.why == Hold::Quota && !stop.refusals_too,
            reason: reason(stop.code),
        }),
    }
}

fn grant(configured: bool, known: Option<&Grant>) -> GrantView {
    match known {
        // What the brand's document does not list is not used, whatever İYS says.
        _ if !configured => GrantView { access: Access::Denied, how: How::Configured, since: None, reason: None },
        None => GrantView { access: Access::Unknown, how: How::Configured, since: None, reason: None },
        Some(known) => GrantView { access: known.access, how: known.how, since: Some(known.since), reason: known.code.clone().map(reason) },
    }
}
