//! Whether the side of a brand that reaches İYS by an integrator is right, and what cannot be known there.
//!
//! All calls are harmless questions about nobody. What the registry does not offer is named, with what stands in
//! for it, so that nobody takes silence for agreement.

use std::sync::Arc;

use shared::answers::Check;
use shared::brand::Brand;
use shared::registry::{Authority, Callback, Capabilities, Changes, Outcomes, Registry};

use crate::findings::{Finding, unanswered};

/// Checks one brand.
pub(crate) async fn run(brand: &Arc<Brand>, registry: &dyn Registry) -> Vec<Check> {
    let name = brand.registry.name();
    let mut found = Vec::new();
    let channels: Vec<&str> = brand.iys.channels.iter().map(|channel| channel.as_str()).collect();
    found.push(match channels.as_slice() {
        [] => Finding::DocumentWithoutChannels.of("document", &[]),
        channels => Finding::DocumentOfIntegrator.of("document", &[name, &channels.join(", ")]),
    });
    for channel in &brand.iys.channels {
        let check = format!("authority.{channel}");
        found.push(match registry.probe(*channel).await {
            Ok(()) => Finding::IntegratorAnswered.of(check, &[name]),
            Err(error) => unanswered(check, &error),
        });
    }
    let offered = registry.capabilities();
    if offered.callback != Callback::None {
        found.push(
            if brand.registry.takes_callbacks() { Finding::CallbacksTaken } else { Finding::CallbacksNotTaken }.of("callbacks", &[name]),
        );
    }
    found.extend(lost(&offered).into_iter().map(|(check, finding)| finding.of(check, &[name])));
    found
}

/// What this registry does not offer, in the order of what it costs.
fn lost(offered: &Capabilities) -> Vec<(&'static str, Finding)> {
    let mut lost = Vec::new();
    match offered.changes {
        Changes::None => lost.push(("changes", Finding::NoFeed)),
        Changes::DailyReport => lost.push(("changes", Finding::DailyFeed)),
        Changes::Cursor | Changes::Window => {}
    }
    match (offered.onays_recipients, offered.holding, offered.authority) {
        (0, false, _) => lost.push(("status", Finding::NoStatus)),
        (_, _, Authority::Mirror) => lost.push(("status", Finding::MirrorStatus)),
        _ => {}
    }
    if offered.outcomes != Outcomes::Poll {
        lost.push(("outcomes", Finding::OutcomesByCallback));
    }
    if !offered.day_files {
        lost.push(("mutabakat", Finding::NoDayFiles));
    }
    if !offered.dealers {
        lost.push(("dealers", Finding::NoDealers));
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(offered: &Capabilities) -> Vec<&'static str> {
        lost(offered).into_iter().map(|(check, _)| check).collect()
    }

    #[test]
    fn what_each_flag_costs_is_named_and_nothing_where_nothing_is_lost() {
        assert_eq!(named(&Capabilities::IYS), [""; 0]);
        let all = Capabilities::IYS;
        for (offered, check) in [
            (Capabilities { changes: Changes::None, ..all }, "changes"),
            (Capabilities { changes: Changes::DailyReport, ..all }, "changes"),
            (Capabilities { onays_recipients: 0, holding: false, ..all }, "status"),
            (Capabilities { authority: Authority::Mirror, ..all }, "status"),
            (Capabilities { outcomes: Outcomes::Callback, ..all }, "outcomes"),
            (Capabilities { outcomes: Outcomes::Requery, ..all }, "outcomes"),
            (Capabilities { day_files: false, ..all }, "mutabakat"),
            (Capabilities { dealers: false, ..all }, "dealers"),
        ] {
            assert_eq!(named(&offered), [check]);
        }
        assert_eq!(named(&Capabilities { changes: Changes::Window, ..all }), [""; 0]);
    }
}
