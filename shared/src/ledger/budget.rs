//! Allowances that hold over all workers together: so many calls a second, so many an hour.
//!
//! A pool is one item. Its grants are single conditional writes, so workers need not know of each
//! other, and none of them can be granted what another one already has.
//!
//! **A second.** The item holds the moment of the next free turn. A grant moves that moment on by one
//! step (a second divided by the limit) and returns the moment it stood at; an idle pool starts again
//! at `now`. Turns are therefore never closer than one step, and *any* second, not only a full one on
//! the clock, holds at most `limit` of them. (Counters per clock second would not do: eight calls at
//! the end of one second and eight at the start of the next are sixteen within one.) One write under
//! load, two (the first of them refused) when the pool was idle.
//!
//! **An hour.** The item counts grants in windows of five minutes and keeps the twelve windows before
//! the running one. The running window may hold what the limit leaves beside those twelve, so any
//! thirteen windows in a row hold at most `limit`, and any hour lies within thirteen windows. One
//! write a grant; the first grant of a window costs one refused write more.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::{SignedDuration, Timestamp};

use super::control::{self, Item};
use super::{Ledger, LedgerError};
use crate::clock::Clock;

/// An allowance of calls a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerSecond {
    /// The pool's name; pools with the same name share the allowance.
    pub pool: Cow<'static, str>,
    /// Calls in any second; 0 counts as 1.
    pub limit: u32,
    /// How far ahead a turn may be booked. Beyond it the pool is full.
    pub max_wait: Duration,
}

/// An allowance of calls an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerHour {
    /// The pool's name; pools with the same name share the allowance.
    pub pool: Cow<'static, str>,
    /// Calls in any hour.
    pub limit: u32,
}

/// The answer of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// One call, at this moment or as soon after it as possible.
    At(Timestamp),
    /// No call now.
    Full {
        /// When asking again is worth it.
        until: Timestamp,
    },
}

/// The moment of the next free turn, in milliseconds since 1970.
const NEXT: &str = "next_ms";
/// The end of the last pause of turns, in milliseconds since 1970.
const PAUSED: &str = "paused_until_ms";
/// Number of the running window since 1970.
const WINDOW: &str = "window";
/// Grants in the running window.
const USED: &str = "used";
/// Most grants in the running window.
const ROOM: &str = "room";
/// Grants in the windows before it, the latest first.
const PAST: &str = "past";
/// No grant before this moment, in milliseconds since 1970.
const BLOCKED: &str = "blocked_until_ms";

/// How often a worker that came too late for its turn takes another one before it goes all the same.
const MISSED_TURNS: usize = 4;
/// Seconds of one window of an hourly pool.
const WINDOW_SECONDS: i64 = 300;
/// Windows beside the running one that an hour can touch.
const PAST_WINDOWS: usize = 12;
/// An hourly pool that nobody used for so long has nothing left to count.
const HOUR_ITEM_LIFE: SignedDuration = SignedDuration::from_hours(2);
/// Tries to write an item that others change as well.
const ATTEMPTS: usize = 16;

/// An allowance of calls a minute, given out evenly: whoever asks too often within it may be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerMinute {
    /// The pool's name; pools with the same name share the allowance.
    pub pool: Cow<'static, str>,
    /// Calls in any minute; 0 counts as 1.
    pub limit: u32,
    /// How far ahead a turn may be booked. Beyond it the pool is full.
    pub max_wait: Duration,
}

/// An allowance that is given out turn by turn.
pub trait Turns: Sync {
    /// The pool's name.
    fn pool(&self) -> &str;
    /// Milliseconds between two turns.
    fn step_ms(&self) -> i64;
    /// How far ahead a turn may be booked.
    fn max_wait(&self) -> Duration;
}

impl Turns for PerSecond {
    fn pool(&self) -> &str {
        &self.pool
    }

    fn step_ms(&self) -> i64 {
        i64::from(1000_u32.div_ceil(self.limit.max(1)))
    }

    fn max_wait(&self) -> Duration {
        self.max_wait
    }
}

impl Turns for PerMinute {
    fn pool(&self) -> &str {
        &self.pool
    }

    fn step_ms(&self) -> i64 {
        i64::from(60_000_u32.div_ceil(self.limit.max(1)))
    }

    fn max_wait(&self) -> Duration {
        self.max_wait
    }
}

fn turns_key(pool: &impl Turns) -> HashMap<String, AttributeValue> {
    control::key(&format!("A#{}", pool.pool()), "SECOND")
}

impl PerHour {
    fn key(&self) -> HashMap<String, AttributeValue> {
        control::key(&format!("A#{}", self.pool), "HOUR")
    }
}

/// What an hourly pool's item says.
struct Hour {
    window: i64,
    used: u32,
    past: Vec<u32>,
    blocked_until: Option<Timestamp>,
}

impl Hour {
    fn read(item: &Item) -> Result<Self, LedgerError> {
        let used = control::number(item, USED)?.unwrap_or(0);
        let past = control::numbers(item, PAST)?.into_iter().map(clamp).collect();
        Ok(Self {
            window: control::number(item, WINDOW)?.unwrap_or(0),
            used: clamp(used),
            past,
            blocked_until: control::moment(item, BLOCKED)?,
        })
    }

    /// The twelve windows before `window`, which is not before this one's running window.
    fn past_of(&self, window: i64) -> Vec<u32> {
        (1..=PAST_WINDOWS).map(|age| self.count_of(window - i64::try_from(age).unwrap_or(i64::MAX))).collect()
    }

    fn count_of(&self, window: i64) -> u32 {
        match self.window.checked_sub(window) {
            Some(0) => self.used,
            Some(age) if age > 0 => usize::try_from(age - 1).ok().and_then(|age| self.past.get(age)).copied().unwrap_or(0),
            _ => 0,
        }
    }

    /// The start of the first window after the running one that has room again.
    fn room_again(&self, limit: u32) -> Timestamp {
        let mut window = self.window + 1;
        while window < self.window + 13 && self.past_of(window).iter().sum::<u32>() >= limit {
            window += 1;
        }
        Timestamp::from_second(window * WINDOW_SECONDS).unwrap_or(Timestamp::MAX)
    }
}

/// The turn that an update of [`NEXT`] booked.
fn turn(before: Option<&Item>) -> Result<Timestamp, LedgerError> {
    before.map(|item| control::moment(item, NEXT)).transpose()?.flatten().ok_or_else(|| control::unreadable(NEXT))
}

fn clamp(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

impl Ledger {
    /// Books the next free turn of a pool, at most [`Turns::max_wait`] ahead of `now`.
    pub async fn book_turn(&self, pool: &impl Turns, now: Timestamp) -> Result<Grant, LedgerError> {
        let now_ms = now.as_millisecond();
        let latest = now_ms.saturating_add(i64::try_from(pool.max_wait().as_millis()).unwrap_or(i64::MAX));
        for _ in 0..ATTEMPTS {
            let joined = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(turns_key(pool)))
                .update_expression("SET #next = #next + :step")
                .condition_expression("#next BETWEEN :now AND :latest")
                .expression_attribute_names("#next", NEXT)
                .expression_attribute_values(":step", control::n(pool.step_ms()))
                .expression_attribute_values(":now", control::n(now_ms))
                .expression_attribute_values(":latest", control::n(latest))
                .return_values(ReturnValue::UpdatedOld)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            let found = match control::met(joined)? {
                Ok(output) => return Ok(Grant::At(turn(output.attributes())?)),
                Err(found) => found,
            };
            match found.as_ref().map(|found| control::number(found, NEXT)).transpose()?.flatten() {
                Some(next) if next > latest => {
                    let until = control::from_ms(next).ok_or_else(|| control::unreadable(NEXT))?;
                    return Ok(Grant::Full { until });
                }
                // Others moved it on in between.
                Some(next) if next >= now_ms => continue,
                _ => {}
            }
            let opened = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(turns_key(pool)))
                .update_expression("SET #next = :next")
                .condition_expression("attribute_not_exists(#next) OR #next < :now")
                .expression_attribute_names("#next", NEXT)
                .expression_attribute_values(":next", control::n(now_ms.saturating_add(pool.step_ms())))
                .expression_attribute_values(":now", control::n(now_ms))
                .send()
                .await;
            if control::met(opened)?.is_ok() {
                return Ok(Grant::At(now));
            }
        }
        Err(LedgerError::Contention)
    }

    /// Books the next free turn and waits for it. [`Grant::Full`] comes back without waiting.
    ///
    /// A worker that wakes up too late for its turn (its machine was busy) takes another one: late
    /// turns would gather, and go out together with those of the moment.
    pub async fn wait_for_turn(&self, pool: &impl Turns, clock: &Clock) -> Result<Grant, LedgerError> {
        let one_step = SignedDuration::from_millis(pool.step_ms());
        let mut grant = self.book_turn(pool, clock()).await?;
        for _ in 0..MISSED_TURNS {
            let Grant::At(moment) = grant else { break };
            // What is left of it: booking itself took a while.
            if let Ok(left) = Duration::try_from(moment.duration_since(clock())) {
                tokio::time::sleep(left).await;
            }
            if clock().duration_since(moment) <= one_step {
                break;
            }
            grant = self.book_turn(pool, clock()).await?;
        }
        Ok(grant)
    }

    /// Gives no turn of a pool for a while: the other side said that it had enough. Turns that are
    /// booked already keep their moments; those after them begin later by the pause. Several workers
    /// that are told of the same moment pause once, and a pause that is already longer stays.
    pub async fn pause_turns(&self, pool: &impl Turns, now: Timestamp, pause: SignedDuration) -> Result<(), LedgerError> {
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let pausing = || {
            self.client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(turns_key(pool)))
                .expression_attribute_names("#next", NEXT)
                .expression_attribute_names("#paused", PAUSED)
                .expression_attribute_values(":until", control::ms(until))
        };
        let nobody_waits = pausing()
            .update_expression("SET #next = :until, #paused = :until")
            .condition_expression("attribute_not_exists(#next) OR #next < :until")
            .send()
            .await;
        if control::met(nobody_waits)?.is_ok() {
            return Ok(());
        }
        let behind_the_booked = pausing()
            .update_expression("SET #next = #next + :pause, #paused = :until")
            .condition_expression("attribute_not_exists(#paused) OR #paused <= :now")
            .expression_attribute_values(":pause", control::n(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)))
            .expression_attribute_values(":now", control::ms(now))
            .send()
            .await;
        control::met(behind_the_booked)?.ok();
        Ok(())
    }

    /// Takes one call out of an hourly pool.
    pub async fn take_of_hour(&self, pool: &PerHour, now: Timestamp) -> Result<Grant, LedgerError> {
        let window = now.as_second().div_euclid(WINDOW_SECONDS);
        for _ in 0..ATTEMPTS {
            let taken = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(pool.key()))
                .update_expression("ADD #used :one")
                // A window ahead of ours belongs to a worker whose clock is ahead: its count is the one
                // that goes on.
                .condition_expression("#window >= :window AND #used < #room AND (attribute_not_exists(#blocked) OR #blocked <= :now)")
                .expression_attribute_names("#used", USED)
                .expression_attribute_names("#window", WINDOW)
                .expression_attribute_names("#room", ROOM)
                .expression_attribute_names("#blocked", BLOCKED)
                .expression_attribute_values(":one", control::n(1))
                .expression_attribute_values(":window", control::n(window))
                .expression_attribute_values(":now", control::n(now.as_millisecond()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            let found = match control::met(taken)? {
                Ok(_) => return Ok(Grant::At(now)),
                Err(found) => found,
            };
            let hour = found.as_ref().map(Hour::read).transpose()?;
            if let Some(hour) = &hour {
                if let Some(until) = hour.blocked_until.filter(|until| *until > now) {
                    return Ok(Grant::Full { until });
                }
                if hour.window >= window {
                    return Ok(Grant::Full { until: hour.room_again(pool.limit) });
                }
            }
            if self.open_window(pool, hour.as_ref(), window, now).await? {
                continue;
            }
        }
        Err(LedgerError::Contention)
    }

    /// Makes `window` the running one. Whether it did; when not, another worker was faster.
    async fn open_window(&self, pool: &PerHour, hour: Option<&Hour>, window: i64, now: Timestamp) -> Result<bool, LedgerError> {
        let past = hour.map_or_else(|| vec![0; PAST_WINDOWS], |hour| hour.past_of(window));
        let room = pool.limit.saturating_sub(past.iter().sum());
        let past = past.into_iter().map(|count| control::n(i64::from(count))).collect();
        let life = now.checked_add(HOUR_ITEM_LIFE).unwrap_or(Timestamp::MAX);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(pool.key()))
            .update_expression("SET #window = :window, #used = :none, #room = :room, #past = :past, #expires = :expires")
            .expression_attribute_names("#window", WINDOW)
            .expression_attribute_names("#used", USED)
            .expression_attribute_names("#room", ROOM)
            .expression_attribute_names("#past", PAST)
            .expression_attribute_names("#expires", control::EXPIRES)
            .expression_attribute_values(":window", control::n(window))
            .expression_attribute_values(":none", control::n(0))
            .expression_attribute_values(":room", control::n(i64::from(room)))
            .expression_attribute_values(":past", AttributeValue::L(past))
            .expression_attribute_values(":expires", control::n(life.as_second()));
        let update = match hour {
            // The count must not have grown since it was read, or those grants would be forgotten.
            Some(hour) if hour.window > 0 => update
                .condition_expression("#window = :seen AND #used = :count")
                .expression_attribute_values(":seen", control::n(hour.window))
                .expression_attribute_values(":count", control::n(i64::from(hour.used))),
            _ => update.condition_expression("attribute_not_exists(#window)"),
        };
        Ok(control::met(update.send().await)?.is_ok())
    }

    /// Gives no call of an hourly pool before `until`. A pause that is already longer stays.
    pub async fn pause_hour(&self, pool: &PerHour, until: Timestamp) -> Result<(), LedgerError> {
        let life = until.checked_add(HOUR_ITEM_LIFE).unwrap_or(Timestamp::MAX);
        let paused = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(pool.key()))
            .update_expression("SET #blocked = :until, #expires = :expires")
            .condition_expression("attribute_not_exists(#blocked) OR #blocked < :until")
            .expression_attribute_names("#blocked", BLOCKED)
            .expression_attribute_names("#expires", control::EXPIRES)
            .expression_attribute_values(":until", control::n(until.as_millisecond()))
            .expression_attribute_values(":expires", control::n(life.as_second()))
            .send()
            .await;
        control::met(paused)?.ok();
        Ok(())
    }

    /// How many calls of the last hour an hourly pool counts, the thirteen windows that touch it.
    pub async fn used_of_hour(&self, pool: &PerHour, now: Timestamp) -> Result<u32, LedgerError> {
        let window = now.as_second().div_euclid(WINDOW_SECONDS);
        let found = self.control_item(pool.key()).await?;
        let Some(hour) = found.as_ref().map(Hour::read).transpose()? else { return Ok(0) };
        Ok(hour.past_of(window).iter().sum::<u32>() + hour.count_of(window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_of_a_second_are_a_step_apart_that_rounds_in_favour_of_the_limit() {
        let pool = |limit| PerSecond { pool: "test".into(), limit, max_wait: Duration::ZERO };
        assert_eq!(pool(8).step_ms(), 125);
        assert_eq!(pool(3).step_ms(), 334);
        assert_eq!(pool(0).step_ms(), 1000);
        let of_minute = |limit| PerMinute { pool: "test".into(), limit, max_wait: Duration::ZERO };
        assert_eq!([10, 20, 240, 0].map(|limit| of_minute(limit).step_ms()), [6000, 3000, 250, 60_000]);
    }

    #[test]
    fn a_window_leaves_the_hour_only_after_the_twelve_that_follow_it() {
        let hour = Hour { window: 100, used: 5, past: vec![3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], blocked_until: None };
        assert_eq!(hour.past_of(100), hour.past);
        assert_eq!(hour.past_of(101), [5, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(hour.past_of(112)[11], 5);
        assert_eq!(hour.past_of(113).iter().sum::<u32>(), 0);
        assert_eq!(hour.room_again(10).as_second(), 101 * WINDOW_SECONDS);
        assert_eq!(hour.room_again(8).as_second(), 112 * WINDOW_SECONDS);
        assert_eq!(hour.room_again(5).as_second(), 113 * WINDOW_SECONDS);
    }
}
