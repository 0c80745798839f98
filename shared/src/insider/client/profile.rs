//! The read of one profile.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::http::Endpoint;
use super::policy::Judged;
use super::{Client, InsiderError, upsert};
use crate::consent::{Channel, Recipient};

/// What Insider holds for an address: flags, not lists, and possibly not the latest.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The flags that are set, by channel.
    pub flags: BTreeMap<Channel, bool>,
    /// Channels whose flag is there and is not Boolean.
    pub not_boolean: BTreeSet<Channel>,
    /// What the read cost, where the answer says so.
    pub quota: Option<Quota>,
}

/// Insider's allowance for profile reads, in units a minute.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Quota {
    /// What this read cost.
    pub cost: f64,
    /// What is used of this minute's units.
    pub used: f64,
    /// This minute's units.
    pub total: f64,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    attributes: Map<String, Value>,
    #[serde(default)]
    quota: Option<Quota>,
}

/// The body of the 404 that means "nobody"; any other 404 means a wrong address of ours.
#[derive(Deserialize)]
struct Nobody {
    #[serde(rename = "error")]
    _error: String,
}

/// Reads the flags of one profile.
pub(super) async fn flags(client: &Client, recipient: &Recipient) -> Result<Option<Profile>, InsiderError> {
    let names: Vec<(Channel, String)> = Channel::ALL
        .iter()
        .filter_map(|channel| {
            let name = client.account.flag_for(*channel)?;
            // A custom attribute is read by another name than it is written by.
            Some((*channel, if *channel == Channel::Arama { format!("c_{name}") } else { name.to_owned() }))
        })
        .collect();
    let wanted: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
    let Some(Answered { attributes, quota }) = read(client, recipient, &wanted).await? else { return Ok(None) };
    let mut profile = Profile { flags: BTreeMap::new(), not_boolean: BTreeSet::new(), quota };
    for (channel, name) in names {
        match attributes.get(&name) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(allowed)) => {
                profile.flags.insert(channel, *allowed);
            }
            Some(_) => {
                profile.not_boolean.insert(channel);
            }
        }
    }
    Ok(Some(profile))
}

/// Reads the uuid by which the brand knows a profile; `None` where there is no profile, or none with one.
pub(super) async fn uuid(client: &Client, recipient: &Recipient) -> Result<Option<String>, InsiderError> {
    let answered = read(client, recipient, &["uuid"]).await?;
    Ok(answered.and_then(|answered| Some(answered.attributes.get("uuid")?.as_str()?.to_owned())).filter(|uuid| !uuid.is_empty()))
}

/// Reads attributes of one profile, and learns what that cost.
async fn read(client: &Client, recipient: &Recipient, wanted: &[&str]) -> Result<Option<Answered>, InsiderError> {
    let body = json!({ "identifiers": upsert::identifiers(recipient), "attributes": wanted, "quota": true });
    let reply = client.exchange(Endpoint::Profile, body.to_string()).await?;
    if reply.status == 404 && serde_json::from_slice::<Nobody>(&reply.body).is_ok() {
        return Ok(None);
    }
    match client.connection.judge(Endpoint::Profile, &reply)? {
        Judged::Taken => {}
        Judged::Refused(code) => return Err(InsiderError::Defect { why: format!("profile: the request is refused ({code})") }),
    }
    let mut reader = serde_json::Deserializer::from_slice(&reply.body);
    let answered: Answered = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| InsiderError::Defect { why: format!("profile: the answer's {} has another form", error.path()) })?;
    if let Some(quota) = answered.quota {
        client.quota.told(quota.cost);
    }
    Ok(Some(answered))
}
