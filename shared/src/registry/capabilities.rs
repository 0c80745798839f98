//! What a registry can do, said by flags, so that whoever needs something of it looks before it asks.
//!
//! Facts of İYS are those of its documentation; those of integrators stand beside each adapter's constant.
//! `docs/integrators.md` shows all of them in one table, which a test holds equal to these flags.

use jiff::SignedDuration;

use super::Record;
use crate::consent::code::Code;
use crate::consent::{Channel, Recipient, Status};

/// What a list is refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejects {
    /// Single records, by their position; the others are taken, or can be handed in without them.
    PerRecord,
    /// The whole list, without saying which record was meant: it is found by halves, and no position is believed.
    WholeList,
}

/// How the final word on what was handed in becomes known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcomes {
    /// The registry is asked for the results of what was handed in.
    Poll,
    /// The registry calls back; where a call is lost, its holdings are asked for.
    Callback,
    /// Only what the registry holds tells it.
    Requery,
}

/// Whose word an answer about an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// İYS's own.
    Iys,
    /// The integrator's copy, which may lag behind.
    Mirror,
}

/// How movements that happened elsewhere can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// Not at all.
    None,
    /// From a cursor on, some days back.
    Cursor,
    /// By ranges of days.
    Window,
    /// A list for each finished day.
    DailyReport,
}

/// What proves that a callback comes from the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// HTTP Basic.
    Basic,
    /// A key in the body.
    BodyKey,
    /// Nothing that the registry documents: only a secret in the address that it was given.
    UrlSecret,
}

impl Proof {
    /// Whether a consent that is told so counts without asking the registry. An address ends in logs of
    /// whoever carries it, so it vouches for nothing that allows a message.
    pub const fn vouches_for_consents(self) -> bool {
        !matches!(self, Self::UrlSecret)
    }
}

/// What the registry calls back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callback {
    /// It does not.
    None,
    /// Movements of people.
    Records(Proof),
    /// The same, and what became of what was handed in.
    RecordsAndOutcomes(Proof),
    /// Only that there is something to be read.
    Pointer(Proof),
}

impl Callback {
    /// What proves a callback.
    pub const fn proof(self) -> Option<Proof> {
        match self {
            Self::None => None,
            Self::Records(proof) | Self::RecordsAndOutcomes(proof) | Self::Pointer(proof) => Some(proof),
        }
    }
}

/// What a registry can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether one record can be sent with the verdict in the answer. Where not, everything is handed in, and
    /// what is taken is queued and no more.
    pub single: bool,
    /// Most records in one bulk submission; 0 when there is none.
    pub bulk_records: usize,
    /// How large the records of one bulk submission may be together ([`Record::size`]).
    pub bulk_bytes: usize,
    /// What a list is refused for.
    pub rejects: Rejects,
    /// How results become known.
    pub outcomes: Outcomes,
    /// Before when asking for results is pointless.
    pub outcomes_after: SignedDuration,
    /// After how long without a result a record is as good as never handed in.
    pub outcomes_kept: SignedDuration,
    /// Most addresses in one [`super::Registry::onays`] call; 0 where there is no such question.
    pub onays_recipients: usize,
    /// Whether [`super::Registry::holding`] can be asked.
    pub holding: bool,
    /// Whether its answer tells a refusal from no record at all. Where not, a refusal in it may block sending,
    /// but takes nothing back that is held here.
    pub holding_tells_none: bool,
    /// Whose word these answers are.
    pub authority: Authority,
    /// Questions about many addresses in a minute.
    pub questions_per_minute: u32,
    /// Questions about one record in an hour.
    pub fetches_per_hour: u32,
    /// How movements can be read that happened elsewhere.
    pub changes: Changes,
    /// Whether the brand's own movements can be read so, too, by whatever road they went there.
    pub own_changes: bool,
    /// What it calls back with.
    pub callback: Callback,
    /// Whether it has a file of each finished day (mutabakat).
    pub day_files: bool,
    /// Whether it tells what the brand may do: subscription, channels, quota.
    pub account: bool,
    /// Whether a consent's dealers can be told.
    pub dealers: bool,
    /// Whether numbers of other countries are taken.
    pub foreign_numbers: bool,
    /// The channels that it carries.
    pub channels: &'static [Channel],
}

impl Capabilities {
    /// İYS's own API, before settings narrow its numbers.
    pub const IYS: Self = Self {
        single: true,
        bulk_records: 1000,
        bulk_bytes: usize::MAX,
        rejects: Rejects::PerRecord,
        outcomes: Outcomes::Poll,
        outcomes_after: SignedDuration::ZERO,
        outcomes_kept: SignedDuration::from_hours(60 * 24),
        onays_recipients: 1000,
        holding: true,
        holding_tells_none: true,
        authority: Authority::Iys,
        questions_per_minute: 420,
        fetches_per_hour: 950,
        changes: Changes::Cursor,
        own_changes: true,
        callback: Callback::Records(Proof::Basic),
        day_files: true,
        account: true,
        dealers: true,
        foreign_numbers: true,
        channels: Channel::ALL,
    };

    /// Why a record cannot be carried at all, where that is known without a call.
    pub fn refusal(&self, record: &Record) -> Option<Code> {
        if !self.channels.contains(&record.channel) {
            return Some(Code::NO_CHANNEL);
        }
        if !self.dealers && record.status == Status::Onay && !record.retailers.is_empty() {
            return Some(Code::NO_DEALERS);
        }
        let is_foreign = matches!(&record.recipient, Recipient::Phone(_)) && !record.recipient.is_turkish();
        (is_foreign && !self.foreign_numbers).then_some(Code::NO_FOREIGN_NUMBERS)
    }
}
