//! What Insider holds: profiles with their flags, the suppression lists (a store of their own), and
//! for every address the calls that touched it in the order in which they were applied.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Channel of a suppression list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// SMS.
    Sms,
    /// WhatsApp.
    Whatsapp,
}

impl Channel {
    pub(crate) const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Whatsapp];

    /// As in paths.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
        }
    }

    /// The opt-in attribute.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Email => "email_optin",
            Self::Sms => "sms_optin",
            Self::Whatsapp => "whatsapp_optin",
        }
    }

    /// The identifier that holds the channel's address.
    pub(crate) fn identifier(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms | Self::Whatsapp => "phone_number",
        }
    }
}

/// One person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    pub(crate) iid: String,
    pub(crate) identifiers: BTreeMap<String, String>,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) custom: Map<String, Value>,
}

/// One call that touched an address.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Call {
    /// Position among all calls that touched anything.
    pub(crate) order: u64,
    pub(crate) at: Timestamp,
    pub(crate) path: &'static str,
    pub(crate) effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Arc<Value>>,
}

/// The whole store.
#[derive(Default)]
pub(crate) struct Store {
    profiles: Vec<Profile>,
    by_identifier: HashMap<(String, String), usize>,
    suppressed: HashSet<(Channel, Arc<str>)>,
    groups: BTreeMap<String, u64>,
    members: HashSet<(u64, Arc<str>)>,
    calls: HashMap<String, Vec<Call>>,
    order: u64,
}

impl Store {
    /// The profile with an identifier (`email`, `phone_number`, `uuid`, `custom.<name>`, `insider_id`).
    pub(crate) fn find(&self, kind: &str, value: &str) -> Option<&Profile> {
        self.index(kind, value).and_then(|at| self.profiles.get(at))
    }

    /// Everybody, in the order in which they came.
    pub(crate) fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    fn index(&self, kind: &str, value: &str) -> Option<usize> {
        self.by_identifier.get(&(kind.to_owned(), value.to_owned())).copied()
    }

    /// The profile that any of the identifiers names, with all of them attached; `None` if there is
    /// none and none is to be made. An identifier that belongs to someone else stays there.
    pub(crate) fn resolve(&mut self, identifiers: &[(String, String)], create: bool) -> Option<&mut Profile> {
        let found = identifiers.iter().find_map(|(kind, value)| self.index(kind, value));
        let at = match found {
            Some(at) => at,
            None if create => {
                let iid = uuid::Uuid::new_v4().to_string();
                self.by_identifier.insert(("insider_id".to_owned(), iid.clone()), self.profiles.len());
                self.profiles.push(Profile { iid, ..Profile::default() });
                self.profiles.len() - 1
            }
            None => return None,
        };
        let profile = self.profiles.get_mut(at)?;
        for (kind, value) in identifiers.iter().filter(|(kind, _)| kind != "insider_id") {
            let owner = *self.by_identifier.entry((kind.clone(), value.clone())).or_insert(at);
            if owner == at {
                profile.identifiers.entry(kind.clone()).or_insert_with(|| value.clone());
            }
        }
        Some(profile)
    }

    /// Puts an address on a channel's global list.
    pub(crate) fn suppress(&mut self, channel: Channel, address: &str) {
        self.suppressed.insert((channel, Arc::from(address)));
    }

    /// Takes an address off a channel's global list.
    pub(crate) fn release(&mut self, channel: Channel, address: &str) {
        self.suppressed.remove(&(channel, Arc::from(address)));
    }

    /// Whether an address is on a channel's global list.
    pub(crate) fn is_suppressed(&self, channel: Channel, address: &str) -> bool {
        self.suppressed.contains(&(channel, Arc::from(address)))
    }

    /// The number of an unsubscribe group, made if unknown.
    pub(crate) fn group(&mut self, name: &str) -> u64 {
        let next = u64::try_from(self.groups.len()).unwrap_or(u64::MAX).saturating_add(1);
        *self.groups.entry(name.to_owned()).or_insert(next)
    }

    /// Unsubscribes an address from a group.
    pub(crate) fn leave_group(&mut self, group: u64, address: &str) {
        self.members.insert((group, Arc::from(address)));
    }

    /// Resubscribes an address to a group.
    pub(crate) fn rejoin_group(&mut self, group: u64, address: &str) {
        self.members.remove(&(group, Arc::from(address)));
    }

    /// Names of the groups that an address has left.
    pub(crate) fn groups_left(&self, address: &str) -> Vec<&str> {
        let address: Arc<str> = Arc::from(address);
        self.groups.iter().filter(|(_, id)| self.members.contains(&(**id, Arc::clone(&address)))).map(|(name, _)| name.as_str()).collect()
    }

    /// Notes a call for an address.
    pub(crate) fn note(&mut self, address: &str, at: Timestamp, path: &'static str, effect: &'static str, attributes: Option<Arc<Value>>) {
        self.order += 1;
        let call = Call { order: self.order, at, path, effect, attributes };
        match self.calls.get_mut(address) {
            Some(calls) => calls.push(call),
            None => {
                self.calls.insert(address.to_owned(), vec![call]);
            }
        }
    }

    /// The calls that touched an address.
    pub(crate) fn calls(&self, address: &str) -> &[Call] {
        self.calls.get(address).map(Vec::as_slice).unwrap_or_default()
    }

    /// Counts of profiles, suppressed addresses and flags.
    pub(crate) fn summary(&self) -> Value {
        let suppressed: Map<String, Value> = Channel::ALL
            .into_iter()
            .map(|channel| {
                let count = self.suppressed.iter().filter(|(one, _)| *one == channel).count();
                (channel.name().to_owned(), json!(count))
            })
            .collect();
        let flags: Map<String, Value> = Channel::ALL
            .into_iter()
            .map(|channel| {
                let of = |wanted: Option<bool>| {
                    let flag = |profile: &&Profile| profile.attributes.get(channel.flag()).and_then(Value::as_bool) == wanted;
                    self.profiles.iter().filter(flag).count()
                };
                let counts = json!({ "true": of(Some(true)), "false": of(Some(false)), "absent": of(None) });
                (channel.flag().to_owned(), counts)
            })
            .collect();
        json!({ "profiles": self.profiles.len(), "suppressed": suppressed, "flags": flags, "calls": self.order })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn id(kind: &str, value: &str) -> (String, String) {
        (kind.to_owned(), value.to_owned())
    }

    #[test]
    fn identifiers_gather_on_one_profile_and_are_not_stolen() {
        let mut store = Store::default();
        assert!(store.resolve(&[id("email", "a@example.com")], false).is_none());
        let first = store.resolve(&[id("email", "a@example.com")], true).unwrap().iid.clone();
        let same = store.resolve(&[id("email", "a@example.com"), id("phone_number", "+905992000001")], true);
        assert_eq!(same.unwrap().iid, first);
        let other = store.resolve(&[id("email", "b@example.com"), id("phone_number", "+905992000001")], true);
        assert_eq!(other.unwrap().iid, first, "the number leads to its owner");
        assert_eq!(store.find("phone_number", "+905992000001").unwrap().iid, first);
        assert_eq!(store.find("insider_id", &first).unwrap().identifiers["email"], "a@example.com");
    }

    #[test]
    fn channels_have_suppression_lists_of_their_own() {
        let mut store = Store::default();
        store.suppress(Channel::Sms, "+905992000001");
        assert!(store.is_suppressed(Channel::Sms, "+905992000001"));
        assert!(!store.is_suppressed(Channel::Whatsapp, "+905992000001"));
        store.release(Channel::Sms, "+905992000001");
        assert!(!store.is_suppressed(Channel::Sms, "+905992000001"));
    }
}
