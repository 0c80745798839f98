//! Keeps the connections by which the registry sends notices of what people do there.
//!
//! Every channel of a brand is to have one connection that stands and leads to us. What is missing is
//! set up, with credentials that are made here and are in the ledger before the registry hears of them,
//! because it tries them at once; what has failed is ended and set up anew; what is not authorised any
//! more is ended, and its credentials are removed only once the registry does not list it. So a run that
//! dies anywhere is carried on by the next one, and the list at the registry says where it stood.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use url::Url;

use super::patience::later;
use crate::account::{Connection, Connections};
use crate::brand::{BasicCredentials, Brand};
use crate::clock::Clock;
use crate::consent::Channel;
use crate::ledger::{Ledger, LedgerError, PushKey, PushKeys};
use crate::registry::RegistryError;

/// For how long a run keeps others away.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
const JOB: &str = "push-service";

/// Keeps one brand's connections.
pub struct PushService<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The brand.
    pub brand: &'a Brand,
    /// The registry's side.
    pub connections: &'a dyn Connections,
    /// Where the brand's notices are to go.
    pub url: &'a Url,
    /// Whether there are to be any. Where not, what was set up by us is ended, and nothing else touched.
    pub wanted: bool,
    /// The clock.
    pub clock: &'a Clock,
    /// A text that nobody can guess, another one each time.
    pub secret: &'a (dyn Fn() -> String + Send + Sync),
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    /// Connections that were set up.
    pub registered: usize,
    /// Connections that were ended.
    pub unregistered: usize,
    /// Channels that are not as they should be; the log says why.
    pub failed: usize,
}

/// Why a run did nothing.
#[derive(Debug, thiserror::Error)]
pub enum PushServiceError {
    /// The registry did not list its connections.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The ledger gave no answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A step for one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// End the connection to this address.
    Disconnect(String),
    /// Set one up.
    Connect,
    /// Nothing leads to us any more: the credentials can go.
    Forget,
    /// There is no place for one.
    Full,
}

/// What to do for one channel. `listed` are the connections of that channel at the registry, whoever
/// set them up; `by_hand` says whether there are credentials of connections that were set up by hand.
fn plan(listed: &[&Connection], wanted: bool, url: &str, key: Option<&PushKey>, by_hand: bool, most: usize) -> Vec<Step> {
    let made_for_another = key.map(|key| key.url.as_str()).filter(|made_for| *made_for != url);
    let former = listed.iter().find(|connection| Some(connection.url.as_str()) == made_for_another);
    let mut ours = listed.iter().copied().filter(|connection| connection.url == url).peekable();
    let mut steps: Vec<Step> = former.map(|former| Step::Disconnect(former.url.clone())).into_iter().collect();
    if !wanted {
        steps.extend(ours.peek().map(|_| Step::Disconnect(url.to_owned())));
        if steps.is_empty() && key.is_some() {
            steps.push(Step::Forget);
        }
        return steps;
    }
    // Notices whose credentials nobody knows are refused at our door.
    let is_known = by_hand || key.is_some_and(|key| key.url == url);
    let (failed, standing): (Vec<&Connection>, Vec<&Connection>) = ours.partition(|connection| connection.has_failed);
    if is_known && !standing.is_empty() {
        return steps;
    }
    steps.extend(failed.first().filter(|_| is_known && standing.is_empty()).map(|_| Step::Disconnect(url.to_owned())));
    let left = listed.len().saturating_sub(steps.len());
    steps.push(if left < most { Step::Connect } else { Step::Full });
    steps
}

impl PushService<'_> {
    /// Brings the brand's connections into order. `None` when another worker is at it.
    pub async fn run(&self) -> Result<Option<Served>, PushServiceError> {
        let (now, name) = ((self.clock)(), &self.brand.name);
        let until = later(now, LEASE);
        if !self.ledger.try_lease(name, JOB, now, until).await? {
            return Ok(None);
        }
        let served = self.serve(now).await;
        // A lease that is not given back ends by itself.
        if let Err(error) = self.ledger.release(name, JOB, until).await {
            tracing::warn!(%error, "the push service's lease was not given back");
        }
        served.map(Some)
    }

    async fn serve(&self, now: Timestamp) -> Result<Served, PushServiceError> {
        let standing = self.ledger.standing(&self.brand.name).await?;
        let mut served = Served::default();
        if let Some(bar) = standing.bar_of_calls() {
            tracing::info!(brand = %self.brand.name, why = ?bar.why, "push connections are left as they are: the brand is stopped");
            return Ok(served);
        }
        let keys = self.ledger.push_keys(&self.brand.name).await?;
        let channels: Vec<_> = Channel::ALL.iter().filter(|channel| self.wanted || keys.contains_key(channel)).collect();
        if channels.is_empty() {
            return Ok(served);
        }
        let listed = self.connections.list().await?;
        for channel in channels {
            let wanted = self.wanted && standing.bar_of_questions(*channel, self.brand.authorises(*channel)).is_none();
            let listed: Vec<_> = listed.iter().filter(|connection| connection.channel == Some(*channel)).collect();
            let by_hand = self.brand.iys.push.is_some();
            let steps = plan(&listed, wanted, self.url.as_str(), keys.get(channel), by_hand, self.connections.most());
            for step in steps {
                let done = self.step(*channel, &step, &keys, now).await;
                match (done, step) {
                    (Ok(()), Step::Connect) => served.registered += 1,
                    (Ok(()), Step::Disconnect(_)) => served.unregistered += 1,
                    (Ok(()), Step::Forget | Step::Full) => {}
                    (Err(error), step) => {
                        tracing::error!(%error, brand = %self.brand.name, %channel, "a push connection is not as it should be");
                        served.failed += 1;
                        // Another address's connection can be ended only while its credentials are known, and
                        // one of ours that may still be ended is not to stand beside a second one.
                        let refused = matches!(error, RegistryError::Held { .. } | RegistryError::Defect { .. });
                        if matches!(&step, Step::Disconnect(url) if !refused || url != self.url.as_str()) {
                            break;
                        }
                    }
                }
            }
        }
        Ok(served)
    }

    async fn step(&self, channel: Channel, step: &Step, keys: &PushKeys, now: Timestamp) -> Result<(), RegistryError> {
        let (brand, key) = (&self.brand.name, keys.get(&channel));
        match step {
            Step::Disconnect(url) => {
                let ours = key.filter(|key| key.url == *url).map(PushKey::credentials);
                let credentials = ours.or_else(|| self.brand.iys.push.clone()).ok_or_else(|| defect("its credentials are not known"))?;
                let url = url.parse().map_err(|_| defect("its address is no URL"))?;
                self.connections.disconnect(channel, &url, &credentials).await?;
                tracing::info!(%brand, %channel, "push connection ended");
            }
            Step::Connect => {
                let credentials = self.credentials(channel, now).await?;
                self.connections.connect(channel, self.url, &credentials).await?;
                tracing::info!(%brand, %channel, "push connection set up");
            }
            Step::Forget => {
                self.ledger.change_push_keys(brand, |keys| keys.remove(&channel).is_some()).await?;
            }
            Step::Full => return Err(defect("the registry has as many as it allows already, none of them ours")),
        }
        Ok(())
    }

    /// A channel's credentials for our address, made if there are none.
    async fn credentials(&self, channel: Channel, now: Timestamp) -> Result<BasicCredentials, LedgerError> {
        let made = PushKey {
            username: SecretString::from((self.secret)()),
            password: SecretString::from((self.secret)()),
            url: self.url.as_str().to_owned(),
            made_at: now,
        };
        let keep = |keys: &mut PushKeys| {
            let is_there = keys.get(&channel).is_some_and(|key| key.url == made.url);
            if !is_there {
                keys.insert(channel, made.clone());
            }
            !is_there
        };
        let keys = self.ledger.change_push_keys(&self.brand.name, keep).await?;
        Ok(keys.get(&channel).map_or_else(|| made.credentials(), PushKey::credentials))
    }
}

fn defect(why: &str) -> RegistryError {
    RegistryError::Defect { why: format!("push connection: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://api.example.com/v1/demo/iys/push";
    const OTHER: &str = "https://elsewhere.example.com/iys";

    fn connection(url: &str, has_failed: bool) -> Connection {
        Connection { url: url.into(), channel: Some(Channel::Mesaj), has_failed }
    }

    fn key(url: &str) -> PushKey {
        PushKey { username: "u".into(), password: "p".into(), url: url.into(), made_at: Timestamp::UNIX_EPOCH }
    }

    fn steps(listed: &[Connection], wanted: bool, key: Option<&PushKey>, by_hand: bool) -> Vec<Step> {
        plan(&listed.iter().collect::<Vec<_>>(), wanted, URL, key, by_hand, 2)
    }

    #[test]
    fn a_channel_without_a_connection_to_us_gets_one_where_there_is_a_place() {
        let end = || Step::Disconnect(URL.into());
        assert_eq!(steps(&[], true, None, false), [Step::Connect]);
        assert_eq!(steps(&[connection(OTHER, false)], true, None, true), [Step::Connect]);
        assert_eq!(steps(&[connection(OTHER, false), connection(OTHER, true)], true, None, true), [Step::Full]);
        assert_eq!(steps(&[connection(URL, true)], true, Some(&key(URL)), false), [end(), Step::Connect]);
        assert_eq!(steps(&[connection(OTHER, false), connection(URL, true)], true, None, true), [end(), Step::Connect]);
        assert_eq!(steps(&[connection(OTHER, false), connection(URL, true)], true, None, false), [Step::Full]);
    }

    #[test]
    fn one_that_stands_is_left_alone_if_its_credentials_are_known() {
        assert_eq!(steps(&[connection(URL, false)], true, Some(&key(URL)), false), []);
        assert_eq!(steps(&[connection(URL, false)], true, None, true), []);
        assert_eq!(steps(&[connection(URL, true), connection(URL, false)], true, Some(&key(URL)), false), []);
        assert_eq!(steps(&[connection(URL, false)], true, None, false), [Step::Connect]);
        assert_eq!(steps(&[connection(URL, false)], true, Some(&key(OTHER)), false), [Step::Connect]);
    }

    #[test]
    fn one_that_leads_to_a_former_address_of_ours_is_ended() {
        let listed = [connection(OTHER, false), connection(URL, false)];
        assert_eq!(steps(&listed, true, Some(&key(OTHER)), true), [Step::Disconnect(OTHER.into())]);
        assert_eq!(steps(&listed[..1], true, Some(&key(OTHER)), false), [Step::Disconnect(OTHER.into()), Step::Connect]);
        assert_eq!(steps(&listed, true, None, true), [], "it is somebody else's");
    }

    #[test]
    fn a_channel_that_is_not_authorised_any_more_is_disconnected_and_its_credentials_go_last() {
        assert_eq!(steps(&[connection(URL, false)], false, Some(&key(URL)), false), [Step::Disconnect(URL.into())]);
        assert_eq!(steps(&[connection(OTHER, false)], false, Some(&key(URL)), false), [Step::Forget]);
        assert_eq!(steps(&[], false, None, true), []);
    }
}
