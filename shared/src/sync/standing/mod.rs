//! A brand's standing: what may be called for it, who finds out, and how held work goes on.
//!
//! [`Guard`] stands between the ways and the registry. It makes no call that is known to be refused, and
//! tells the ledger of every refusal for the sake of authority, subscription, quota, numbers or
//! credentials. [`Keeper`] is the other half: it looks at the account when that is due, one worker alone
//! and rarely, and releases what was held once something is over. So a stop costs the same few calls
//! however much work waits, and its end is noticed without trying the work itself.
//!
//! The steps of an end, with what a crash after each of them leaves: the look is claimed (nobody looks
//! before another pause); what it found is written together with the order to release (the sweep goes
//! on with the order); work is made due (the sweep writes its messages); messages are written; the order
//! is removed once the work index has shown everything that was held before it.

mod guard;
mod keeper;
mod release;
mod trial;

pub use guard::Guard;
pub use keeper::{Keeper, Occasion, Tended};

use crate::brand::Brand;

/// The account of a brand's document, made unreadable: it says whether somebody changed it.
fn account_of(brand: &Brand) -> String {
    use secrecy::ExposeSecret;
    let iys = &brand.iys;
    let own = [
        iys.iys_code.to_string(),
        iys.brand_code.to_string(),
        iys.integrator_code.map_or_else(String::new, |code| code.to_string()),
        iys.username.expose_secret().to_owned(),
        iys.password.expose_secret().to_owned(),
    ];
    let parts: Vec<String> = own.into_iter().chain(brand.registry.account()).collect();
    brand.recipient_id_key.veil(&parts.join("\u{0}"))
}
