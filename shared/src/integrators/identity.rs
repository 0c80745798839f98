//! By what a record is recognised in results that name addresses and no positions.

use crate::brand::Brand;
use crate::consent::{Channel, Recipient, RecipientType};

/// A name for one key of the brand that says nothing of the address: it is kept with the submission.
pub(super) fn identity(brand: &Brand, recipient: &Recipient, channel: Channel, kind: RecipientType) -> String {
    format!("{}-{channel}-{kind}", recipient.id(&brand.recipient_id_key, &brand.name).as_str())
}
