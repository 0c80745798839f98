//! Keeps a message whose handling panics from taking its batch along.
//!
//! A batch is handled as one piece, because that is what makes bulk calls possible. Should it panic,
//! it is halved until the message that does it stands alone: that one comes again and ends in the
//! dead-letter queue, all others are done. Handling a key twice is harmless.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::consent::ConsentKey;
use crate::registry::RegistryError;

/// A call to the registry. Should it panic, nothing is known of its records, as with an answer that cannot
/// be read: what follows is to try them apart from each other.
pub(super) async fn caught<T>(call: impl Future<Output = Result<T, RegistryError>>) -> Result<T, RegistryError> {
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|_| Err(RegistryError::Defect { why: "the call panicked".into() }))
}

/// Runs `handle` over the keys of many messages and returns the messages that must come again:
/// those of keys that `handle` names, and those whose handling panics.
pub async fn isolate<F, H>(keys: Vec<(ConsentKey, String)>, handle: F) -> HashSet<String>
where
    F: Fn(Vec<ConsentKey>) -> H,
    H: Future<Output = HashSet<ConsentKey>>,
{
    let mut messages: HashMap<String, Vec<ConsentKey>> = HashMap::new();
    for (key, message) in keys {
        messages.entry(message).or_default().push(key);
    }
    let mut again = HashSet::new();
    let mut batches = vec![messages.into_iter().collect::<Vec<_>>()];
    while let Some(mut batch) = batches.pop() {
        let keys = batch.iter().flat_map(|(_, keys)| keys).cloned().collect::<Vec<_>>();
        if keys.is_empty() {
            continue;
        }
        match AssertUnwindSafe(handle(keys)).catch_unwind().await {
            Ok(failed) => {
                again.extend(batch.into_iter().filter(|(_, keys)| keys.iter().any(|key| failed.contains(key))).map(|(message, _)| message))
            }
            // The panic's own message went to the panic hook; it may quote anything and is not repeated.
            Err(_) if batch.len() == 1 => {
                for (message, _) in batch {
                    tracing::error!(message, "handling a message panicked");
                    again.insert(message);
                }
            }
            Err(_) => {
                let rest = batch.split_off(batch.len() / 2);
                batches.extend([batch, rest]);
            }
        }
    }
    again
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use super::*;
    use crate::consent::{Channel, RecipientType};

    fn key(number: usize) -> ConsentKey {
        ConsentKey {
            brand: "demo".parse().expect("a brand"),
            recipient_id: format!("{number:022}").parse().expect("an id"),
            channel: Channel::Mesaj,
            recipient_type: RecipientType::Bireysel,
        }
    }

    #[tokio::test]
    async fn invariant_10_a_message_that_panics_harms_only_itself() {
        let keys = (0..100).map(|number| (key(number), format!("m{}", number / 4))).collect();
        let done = std::sync::Mutex::new(HashSet::new());
        let handle = |keys: Vec<ConsentKey>| {
            let done = &done;
            async move {
                assert!(!keys.contains(&key(42)), "a poisonous key");
                done.lock().expect("not poisoned").extend(keys);
                HashSet::from([key(7)])
            }
        };
        let again = isolate(keys, handle).await;
        assert_eq!(again, HashSet::from(["m10".to_owned(), "m1".to_owned()]));
        assert_eq!(done.lock().expect("not poisoned").len(), 96, "all but the four keys of the poisonous message");
    }
}
