//! What callbacks and feeds bring, as the flags announce it, and what the status says of that.

use shared::brand::Brand;
use shared::integrators::{Notice, RegistryView, Told, Word, capabilities, read_notices};
use shared::registry::{Authority, Callback, Changes};

use crate::world::brand;
use crate::{mysoft, netgsm, verimor};

fn brands() -> [Brand; 4] {
    let own = Brand::read(include_str!("../../../../infra/local/brands/demo.json")).unwrap();
    [own, brand(&netgsm::settings()), brand(&verimor::settings()), brand(&mysoft::settings())]
}

#[test]
fn flag_callback_is_what_is_read_of_one_and_what_proves_it() {
    let [own, netgsm, verimor, mysoft] = brands();
    let bodies = [
        (own, "key=hook-secret", "{}"),
        (netgsm, "key=hook-secret", include_str!("../../fixtures/netgsm/callback-upload-failed.json")),
        (verimor, "key=hook-secret", include_str!("../../fixtures/verimor/callback.json")),
        (mysoft, "", include_str!("../../fixtures/mysoft/callback.json")),
    ];
    for (brand, query, body) in bodies {
        let announced = capabilities(&brand.registry).callback;
        let read = read_notices(&brand, query, body.as_bytes());
        let Ok((proof, notices)) = read else {
            // İYS's own has another door.
            assert!(!brand.registry.is_integrator(), "{read:?}");
            continue;
        };
        assert_eq!(Some(proof), announced.proof(), "{}", brand.registry.name());
        let is_announced = |notice: &Notice| match notice {
            Notice::Outcome(_) => matches!(announced, Callback::RecordsAndOutcomes(_)),
            Notice::Change(_) => matches!(announced, Callback::Records(_) | Callback::RecordsAndOutcomes(_)),
            Notice::Pointer => matches!(announced, Callback::Pointer(_)),
            Notice::OfAnother | Notice::Unreadable(_) => false,
        };
        assert!(!notices.is_empty() && notices.iter().all(is_announced), "{announced:?}: {notices:?}");
    }
}

#[test]
fn flag_changes_and_flag_authority_are_what_the_status_says_of_the_road() {
    for brand in brands() {
        let (offered, shown) = (capabilities(&brand.registry), RegistryView::of(&brand));
        let changes = match offered.changes {
            Changes::None => Told::None,
            Changes::Cursor => Told::Cursor,
            Changes::Window => Told::Window,
            Changes::DailyReport => Told::Daily,
        };
        let word = match (offered.holding, offered.authority) {
            (false, _) => Word::None,
            (true, Authority::Iys) => Word::Iys,
            (true, Authority::Mirror) => Word::Mirror,
        };
        assert_eq!((shown.changes, shown.status), (changes, word), "{}", brand.registry.name());
    }
}
