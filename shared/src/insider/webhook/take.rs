//! From what an element says to a movement: İYS's rules, what is mended for a refusal's sake, and what a
//! consent must have.

use super::Invalid;
use super::element::{Reader, Taken, Told};
use super::field::{Found, When};
use super::find::{Identity, RECIPIENT};
use crate::brand::UndatedOnay;
use crate::consent::rules::{Draft, Violation};
use crate::consent::{
    AsideReason, Channel, ConsentDate, ConsentKey, EventId, Head, Movement, Origin, RawRecipient, RecipientError, Source, Status,
};

/// How far a clock of Insider's may be ahead of ours, in seconds. What is dated further ahead has no date
/// that can be believed.
pub const MOST_AHEAD_SECONDS: i64 = 300;

/// A consent or refusal as an element says it.
pub(super) struct Statement<'a> {
    /// Position of the element.
    pub(super) index: usize,
    /// Everything but the address.
    pub(super) draft: Draft,
    /// The address.
    pub(super) found: Found<'a>,
    /// The source of a consent that names none.
    pub(super) onay_source: Option<&'a Source>,
    /// What it is known by.
    pub(super) identity: Identity,
}

/// A time in İYS's form; `None` where none is stated.
pub(super) fn date_text(when: When) -> Option<String> {
    match when {
        When::Unstated => None,
        When::At(moment) => Some(ConsentDate::at(moment).to_string()),
        // Not a date, for the rules to say so.
        When::Unusable => Some("-".to_owned()),
    }
}

impl Reader<'_> {
    /// Checks İYS's stateless rules, mending what must not cost a refusal, and makes the movement.
    pub(super) fn take(&self, statement: Statement<'_>) -> Told {
        let Statement { index, mut draft, found, onay_source, identity } = statement;
        draft.recipient = match found {
            Found::Text(text) => Some(RawRecipient::new(text.into_owned())),
            Found::Nothing => None,
            Found::Unusable => {
                let error = match draft.channel.as_deref() {
                    Some("EPOSTA") => RecipientError::EmailForm,
                    _ => RecipientError::PhoneForm,
                };
                return Told::Invalid(Invalid { index, field: RECIPIENT.into(), code: error.code(), message: error.to_string() });
            }
        };
        let typed = draft.recipient_type.as_deref().is_some_and(|word| !word.is_empty());
        let channel = draft.channel.as_deref().and_then(|word| word.parse::<Channel>().ok());
        let of_refusals = channel.map_or(&self.brand.api.default_source, |channel| self.brand.insider.source_for(channel));
        let consents = draft.status.as_deref() == Some(Status::Onay.as_str());
        let has_source = draft.source.is_some() || onay_source.is_some();
        let default_source = if consents { onay_source.unwrap_or(of_refusals) } else { of_refusals };
        let today = ConsentDate::at(self.now);
        let mut mended = false;
        let checked = loop {
            match draft.clone().check(default_source, self.now) {
                Ok(checked) => break checked,
                Err(violation) if mend(&mut draft, &violation, today) => mended = true,
                Err(Violation { field, code, message }) => {
                    return Told::Invalid(Invalid { index, field: field.into(), code, message });
                }
            }
        };
        let movement = Movement {
            key: ConsentKey {
                brand: self.brand.name.clone(),
                recipient_id: checked.recipient.id(&self.brand.recipient_id_key, &self.brand.name),
                channel: checked.channel,
                recipient_type: checked.recipient_type,
            },
            recipient: checked.recipient,
            head: Head {
                status: checked.status,
                source: checked.source,
                consent_date: checked.consent_date,
                origin: Origin::Insider,
                event_id: EventId::derive("insider", identity.iter().map(String::as_str)),
                received_at: self.now,
                retailers: checked.retailers,
            },
        };
        if consents && !has_source {
            return Told::Aside(AsideReason::OnayWithoutSource, Some(Box::new(movement)));
        }
        if consents && !checked.dated && self.brand.insider.undated_onay == UndatedOnay::Aside {
            return Told::Aside(AsideReason::OnayWithoutDate, Some(Box::new(movement)));
        }
        Told::Movement(Box::new(Taken { movement, mended, typed, undated: !consents && !checked.dated }))
    }
}

/// Takes out of the draft what broke the rule, if the statement may stand without it. Each call takes
/// something or says no, so mending ends.
fn mend(draft: &mut Draft, violation: &Violation, today: ConsentDate) -> bool {
    let refusal = draft.status.as_deref() == Some(Status::Ret.as_str());
    match (violation.field, violation.code) {
        // HS_2015 with another date: the date is the likelier truth.
        ("consentDate", "H155") if refusal => draft.source.take().is_some() || draft.consent_date.take().is_some(),
        // A clock a little ahead of ours: it has only just happened.
        ("consentDate", "H162") if is_just_ahead(draft, today) => draft.consent_date.replace(today.to_string()).is_some(),
        ("consentDate", _) if refusal => draft.consent_date.take().is_some(),
        ("source", _) if refusal => draft.source.take().is_some(),
        ("externalId", _) => draft.external_id.take().is_some(),
        ("retailerCode", _) if refusal => draft.retailer_code.take().is_some(),
        ("retailerAccess", _) if refusal => draft.retailer_access.take().is_some(),
        _ => false,
    }
}

fn is_just_ahead(draft: &Draft, today: ConsentDate) -> bool {
    let stated = draft.consent_date.as_deref().and_then(|text| text.parse::<ConsentDate>().ok());
    stated.is_some_and(|stated| (1..=MOST_AHEAD_SECONDS).contains(&stated.seconds_since(today)))
}
