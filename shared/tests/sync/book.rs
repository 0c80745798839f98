//! A registry in memory that keeps İYS's stateful rules, and whose calls can be made to go wrong.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use shared::calendar;
use shared::consent::code::{Code, Hold};
use shared::consent::{Channel, ConsentDate, Recipient, RecipientType, Source, Status};
use shared::registry::{Capabilities, Change, Feed, Holding, Page, Record, Registry, RegistryError, ResultLine, Submitted, Verdict};

use crate::fuse::{Fate, Fuse};
use crate::harness::ManualClock;

type Key = (Recipient, Channel, RecipientType);

/// The registry's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Add,
    Submit,
    Results,
    Onays,
    Holding,
    Changes,
}

/// How a call goes wrong.
pub(crate) enum Fault {
    /// It is not served.
    Fails(Box<dyn Fn() -> RegistryError + Send>),
    /// It is served, and the answer is lost.
    Unanswered,
}

/// What result lines name their records by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Ids, in small letters where the submission was answered in large ones.
    Ids,
    /// Positions.
    Positions,
    /// Every other record has an id.
    Mixed,
}

/// Something that the registry holds or held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) status: Status,
    pub(crate) source: Source,
    pub(crate) consent_date: ConsentDate,
    /// Since when it stands there.
    pub(crate) recorded_at: ConsentDate,
    transaction_id: String,
}

struct Batch {
    records: Vec<Record>,
    verdicts: Vec<Option<Verdict>>,
}

/// What the registry is and what a test has ordered of it.
pub(crate) struct Inner {
    rows: HashMap<Key, Vec<Row>>,
    batches: HashMap<String, Batch>,
    feeds: HashMap<&'static str, Vec<Change>>,
    /// Every call that was served or failed, with how many records or addresses it carried.
    pub(crate) calls: Vec<(Op, usize)>,
    /// Records in the order in which they came, applied or not.
    pub(crate) came: Vec<Record>,
    pub(crate) faults: HashMap<Op, VecDeque<Fault>>,
    /// Addresses that a submission is refused for at the door, with their position.
    pub(crate) refused_at_door: HashMap<Recipient, Code>,
    /// Addresses that a submission is refused for without a position.
    pub(crate) refused_unnamed: HashMap<Recipient, Code>,
    /// Verdicts that do not follow from the rules, one for each time that the address comes.
    pub(crate) ordered: HashMap<Recipient, VecDeque<Code>>,
    /// Whether a submission that is refused at the door is told of one record at a time.
    pub(crate) one_at_a_time: bool,
    /// Whether it is told of the records of one code at a time, as where one check comes after another.
    pub(crate) one_code_at_a_time: bool,
    /// Addresses that a question is refused for, with their position.
    pub(crate) unaskable: HashMap<Recipient, Code>,
    /// Whether a question of several addresses is refused without any position.
    pub(crate) questions_without_positions: bool,
    /// Whether positions at the door are counted from one, without anything to prove it.
    pub(crate) door_from_one: bool,
    /// What records of a channel are refused with; a list is refused as a whole.
    pub(crate) refuses: HashMap<Channel, (Hold, &'static str)>,
    /// Whether there is no place for another address; a list is refused as a whole.
    pub(crate) is_full: bool,
    /// How many more times results are asked for in vain.
    pub(crate) empty_results: usize,
    /// Whether results are never told, although everything is processed.
    pub(crate) silent: bool,
    /// Whether a record that is sent again unchanged is not recognised, as by İYS's first version.
    pub(crate) first_version: bool,
    /// How long each call takes.
    pub(crate) takes: SignedDuration,
    /// Most records in a submission.
    pub(crate) bulk_records: usize,
    /// How large they may be together.
    pub(crate) bulk_bytes: usize,
    /// Whether it answers nothing at all.
    pub(crate) is_down: bool,
    /// How it decides that a date is too old at a moment.
    pub(crate) too_late: fn(DateTime, DateTime) -> bool,
    /// Most addresses in a question.
    pub(crate) onays_recipients: usize,
    /// Addresses whose records are not processed.
    pub(crate) stuck: HashSet<Recipient>,
    /// Addresses whose record names no date where it is looked at.
    pub(crate) undated: HashSet<Recipient>,
    pub(crate) naming: Naming,
    pub(crate) page: usize,
    /// What it can do, where that is not what İYS can.
    pub(crate) offers: Option<Capabilities>,
    count: usize,
}

/// The registry.
#[derive(Clone)]
pub(crate) struct Book {
    clock: ManualClock,
    fuse: Fuse,
    inner: Arc<Mutex<Inner>>,
}

fn feed_key(feed: Feed) -> &'static str {
    match feed {
        Feed::People => "people",
        Feed::Brand => "brand",
    }
}

fn refused(code: &str) -> Verdict {
    Verdict::Refused(code.parse().unwrap())
}

impl Inner {
    /// Whether the API user may record these, and there is a place for them.
    fn admit(&self, records: &[Record]) -> Result<(), RegistryError> {
        let refusal = records.iter().find_map(|record| self.refuses.get(&record.channel));
        if let Some((why, code)) = refusal {
            return Err(RegistryError::Held { why: *why, code: (*code).into() });
        }
        let is_new = |record: &Record| !self.rows.contains_key(&(record.recipient.clone(), record.channel, record.recipient_type));
        if self.is_full && records.iter().any(is_new) {
            return Err(RegistryError::Held { why: Hold::Quota, code: "H525".into() });
        }
        Ok(())
    }

    /// The stateful rules of İYS documentation, "İzin Yönetimi", and the identical resend of the v2
    /// methods.
    fn apply(&mut self, record: &Record, today: ConsentDate) -> Verdict {
        if let Some(code) = self.ordered.get_mut(&record.recipient).and_then(VecDeque::pop_front) {
            return Verdict::Refused(code);
        }
        if let Some(code) = self.refused_unnamed.get(&record.recipient).or_else(|| self.refused_at_door.get(&record.recipient)) {
            return Verdict::Refused(*code);
        }
        if (self.too_late)(record.consent_date.civil(), today.civil()) {
            return refused("H467");
        }
        let key = (record.recipient.clone(), record.channel, record.recipient_type);
        if let Some(last) = self.rows.get(&key).and_then(|rows| rows.last()) {
            let same = (last.status, &last.source, last.consent_date) == (record.status, &record.source, record.consent_date);
            if same && !self.first_version {
                return Verdict::Recorded { transaction_id: Some(last.transaction_id.clone()) };
            }
            if record.consent_date <= last.consent_date {
                return refused("H178");
            }
            if (last.status, record.status) == (Status::Ret, Status::Ret) {
                return refused("H174");
            }
        } else if record.status == Status::Ret {
            return refused("H175");
        }
        let id = self.write(key, record.status, record.source.clone(), record.consent_date, today, Feed::Brand);
        Verdict::Recorded { transaction_id: Some(id) }
    }

    fn write(
        &mut self,
        key: Key,
        status: Status,
        source: Source,
        consent_date: ConsentDate,
        recorded_at: ConsentDate,
        feed: Feed,
    ) -> String {
        self.count += 1;
        let id = format!("t{}", self.count);
        let row = Row { status, source: source.clone(), consent_date, recorded_at, transaction_id: id.clone() };
        let (recipient, channel, recipient_type) = key.clone();
        self.rows.entry(key).or_default().push(row);
        let holding = Holding {
            status,
            source,
            consent_date: Some(consent_date),
            creation_date: None,
            transaction_id: Some(id.clone()),
            misspelt: false,
        };
        self.feeds.entry(feed_key(feed)).or_default().push(Change { recipient, recipient_type, channel, holding });
        id
    }
}

impl Book {
    /// An empty registry.
    pub(crate) fn new(clock: ManualClock, fuse: Fuse) -> Self {
        let inner = Inner {
            rows: HashMap::new(),
            batches: HashMap::new(),
            feeds: HashMap::new(),
            calls: Vec::new(),
            came: Vec::new(),
            faults: HashMap::new(),
            refused_at_door: HashMap::new(),
            refused_unnamed: HashMap::new(),
            ordered: HashMap::new(),
            one_at_a_time: false,
            one_code_at_a_time: false,
            unaskable: HashMap::new(),
            questions_without_positions: false,
            door_from_one: false,
            refuses: HashMap::new(),
            is_full: false,
            empty_results: 0,
            silent: false,
            first_version: false,
            takes: SignedDuration::ZERO,
            bulk_records: 1000,
            bulk_bytes: usize::MAX,
            is_down: false,
            too_late: calendar::is_too_late,
            onays_recipients: 1000,
            stuck: HashSet::new(),
            undated: HashSet::new(),
            naming: Naming::Ids,
            page: 100,
            offers: None,
            count: 0,
        };
        Self { clock, fuse, inner: Arc::new(Mutex::new(inner)) }
    }

    /// What a test looks at or orders.
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// A person acts at the registry itself.
    pub(crate) fn person(&self, recipient: &Recipient, channel: Channel, kind: RecipientType, status: Status, date: ConsentDate) {
        let key = (recipient.clone(), channel, kind);
        let now = ConsentDate::at(self.clock.now());
        self.inner().write(key, status, "IYS_MOBIL".parse().unwrap(), date, now, Feed::People);
    }

    /// The registry holds something of a consumer's that no feed ever tells of.
    pub(crate) fn silently(&self, recipient: &Recipient, channel: Channel, status: Status, date: ConsentDate) {
        self.person(recipient, channel, RecipientType::Bireysel, status, date);
        self.inner().feeds.get_mut("people").unwrap().pop();
    }

    /// The registry loses the last thing that it held of a consumer.
    pub(crate) fn loses(&self, recipient: &Recipient, channel: Channel) {
        self.inner().rows.get_mut(&(recipient.clone(), channel, RecipientType::Bireysel)).unwrap().pop().unwrap();
    }

    /// Has the next call of a kind go wrong.
    pub(crate) fn fault(&self, op: Op, fault: Fault) {
        self.inner().faults.entry(op).or_default().push_back(fault);
    }

    /// Everything that a key was ever registered with.
    pub(crate) fn rows(&self, recipient: &Recipient, channel: Channel, kind: RecipientType) -> Vec<Row> {
        self.inner().rows.get(&(recipient.clone(), channel, kind)).cloned().unwrap_or_default()
    }

    /// How often a call was made, with how many records each time.
    pub(crate) fn calls(&self, op: Op) -> Vec<usize> {
        self.inner().calls.iter().filter(|(called, _)| *called == op).map(|(_, records)| *records).collect()
    }

    /// Goes through every submission, whether anybody asks for its results or not.
    pub(crate) async fn process(&self) {
        let ids: Vec<_> = self.inner().batches.keys().cloned().collect();
        let before = std::mem::replace(&mut self.inner().silent, true);
        for id in ids {
            self.results(&id).await.unwrap();
        }
        let mut inner = self.inner();
        inner.silent = before;
        inner.calls.retain(|(op, _)| *op != Op::Results);
    }

    /// Serves a call, unless it was ordered to go wrong.
    fn serve<T>(&self, op: Op, size: usize, serve: impl FnOnce(&mut Inner) -> Result<T, RegistryError>) -> Result<T, RegistryError> {
        let lost = || RegistryError::Unanswered { why: "broken on purpose".into() };
        let fate = if matches!(op, Op::Add | Op::Submit) { self.fuse.next(&format!("{op:?}")) } else { Fate::Happens };
        if fate == Fate::DoesNotHappen {
            return Err(lost());
        }
        let mut inner = self.inner();
        inner.calls.push((op, size));
        if inner.is_down {
            return Err(lost());
        }
        self.clock.advance(inner.takes);
        let answer = match inner.faults.get_mut(&op).and_then(VecDeque::pop_front) {
            Some(Fault::Fails(error)) => return Err(error()),
            Some(Fault::Unanswered) => {
                serve(&mut inner)?;
                return Err(lost());
            }
            None => serve(&mut inner),
        };
        if fate == Fate::HappensUnheard { Err(lost()) } else { answer }
    }
}

#[async_trait]
impl Registry for Book {
    fn capabilities(&self) -> Capabilities {
        let inner = self.inner();
        let (bulk_records, bulk_bytes, onays_recipients) = (inner.bulk_records, inner.bulk_bytes, inner.onays_recipients);
        Capabilities { bulk_records, bulk_bytes, onays_recipients, ..inner.offers.unwrap_or(Capabilities::IYS) }
    }

    async fn add(&self, record: &Record) -> Result<Verdict, RegistryError> {
        let today = ConsentDate::at(self.clock.now());
        self.serve(Op::Add, 1, |inner| {
            inner.admit(std::slice::from_ref(record))?;
            inner.came.push(record.clone());
            Ok(inner.apply(record, today))
        })
    }

    async fn submit(&self, records: &[Record]) -> Result<Submitted, RegistryError> {
        let keys: HashSet<_> = records.iter().map(|record| (&record.recipient, record.channel, record.recipient_type)).collect();
        assert_eq!(keys.len(), records.len(), "no key may come twice in one submission");
        self.serve(Op::Submit, records.len(), |inner| {
            inner.admit(records)?;
            if records.iter().any(|record| inner.refused_unnamed.contains_key(&record.recipient)) {
                return Err(RegistryError::Defect { why: "refused without a position".into() });
            }
            let base = usize::from(inner.door_from_one);
            let mut refused: Vec<_> = records
                .iter()
                .enumerate()
                .filter_map(|(at, record)| inner.refused_at_door.get(&record.recipient).map(|code| (at + base, *code)))
                .collect();
            if inner.one_at_a_time {
                refused.truncate(1);
            }
            if inner.one_code_at_a_time {
                let first = refused.iter().map(|(_, code)| code.to_string()).min();
                refused.retain(|(_, code)| Some(code.to_string()) == first);
            }
            if !refused.is_empty() {
                return Ok(Submitted::Refused(refused));
            }
            inner.count += 1;
            let request_id = format!("request-{}", inner.count);
            let id = |at: usize| match inner.naming {
                Naming::Ids => Some(format!("SUB-{request_id}-{at}")),
                Naming::Mixed if at.is_multiple_of(2) => Some(format!("SUB-{request_id}-{at}")),
                Naming::Mixed | Naming::Positions => None,
            };
            let record_ids = (0..records.len()).map(id).collect();
            let batch = Batch { records: records.to_vec(), verdicts: vec![None; records.len()] };
            inner.batches.insert(request_id.clone(), batch);
            Ok(Submitted::Taken { request_id, record_ids, refused: Vec::new() })
        })
    }

    async fn results(&self, request_id: &str) -> Result<Vec<ResultLine>, RegistryError> {
        let today = ConsentDate::at(self.clock.now());
        self.serve(Op::Results, 0, |inner| {
            if inner.empty_results > 0 && !inner.silent {
                inner.empty_results -= 1;
                return Ok(Vec::new());
            }
            let Some(mut batch) = inner.batches.remove(request_id) else { return Ok(Vec::new()) };
            for (record, verdict) in batch.records.iter().zip(&mut batch.verdicts) {
                if verdict.is_none() && !inner.stuck.contains(&record.recipient) {
                    inner.came.push(record.clone());
                    *verdict = Some(inner.apply(record, today));
                }
            }
            let naming = inner.naming;
            let line = |(at, verdict): (usize, &Option<Verdict>)| {
                let by_id = naming == Naming::Ids || (naming == Naming::Mixed && at.is_multiple_of(2));
                ResultLine {
                    record_id: by_id.then(|| format!("sub-{request_id}-{at}")),
                    // Where there are ids, positions are not to be trusted.
                    position: if by_id { Some(0) } else { Some(at) },
                    verdict: verdict.clone(),
                }
            };
            // In no order.
            let lines: Vec<_> = batch.verdicts.iter().enumerate().map(line).rev().collect();
            inner.batches.insert(request_id.to_owned(), batch);
            if inner.silent {
                return Ok(Vec::new());
            }
            Ok(lines)
        })
    }

    async fn onays(&self, channel: Channel, kind: RecipientType, recipients: &[Recipient]) -> Result<HashSet<Recipient>, RegistryError> {
        self.serve(Op::Onays, recipients.len(), |inner| {
            let unaskable = |(at, recipient): (usize, &Recipient)| inner.unaskable.get(recipient).map(|code| (at, *code));
            let refused: Vec<_> = recipients.iter().enumerate().filter_map(unaskable).collect();
            if !refused.is_empty() {
                let told = !inner.questions_without_positions || recipients.len() == 1;
                let defect = || RegistryError::Defect { why: "refused without a position".into() };
                return Err(if told { RegistryError::RefusedFor(refused) } else { defect() });
            }
            let holds = |recipient: &&Recipient| {
                let rows = inner.rows.get(&((*recipient).clone(), channel, kind));
                rows.and_then(|rows| rows.last()).is_some_and(|row| row.status == Status::Onay)
            };
            Ok(recipients.iter().filter(holds).cloned().collect())
        })
    }

    async fn holding(&self, channel: Channel, kind: RecipientType, recipient: &Recipient) -> Result<Option<Holding>, RegistryError> {
        self.serve(Op::Holding, 1, |inner| {
            let last = inner.rows.get(&(recipient.clone(), channel, kind)).and_then(|rows| rows.last());
            Ok(last.map(|row| Holding {
                status: row.status,
                source: row.source.clone(),
                consent_date: (!inner.undated.contains(recipient)).then_some(row.consent_date),
                creation_date: None,
                transaction_id: Some(row.transaction_id.clone()),
                misspelt: false,
            }))
        })
    }

    async fn changes(&self, feed: Feed, cursor: Option<&str>) -> Result<Page, RegistryError> {
        self.serve(Op::Changes, 0, |inner| {
            let start: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
            let all = inner.feeds.get(feed_key(feed)).map(Vec::as_slice).unwrap_or_default();
            let end = all.len().min(start + inner.page);
            let changes = all.get(start..end).unwrap_or_default().to_vec();
            let cursor = (end > start).then(|| end.to_string());
            Ok(Page { changes, cursor, more: end < all.len(), ..Page::default() })
        })
    }
}
