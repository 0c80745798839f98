//! The function in front of a ledger, a queue and a line to the simulated İYS that break at a chosen point, and
//! the time that passes around it until nothing is open any more.

use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use sandbox::iys::Config;
use serde_json::{Value, json};
use shared::consent::{
    Answer, Channel, ConsentDate, ConsentKey, Movement, Origin, Outcome, Recipient, RecipientType, Retailers, Status, Sync, Target,
};
use shared::ledger::DueWork;
use shared::ledger::item::WORK_SHARDS;

use crate::desk::{Desk, GRACE, START, document};
use crate::fuse::{Break, Fuse};
use crate::harness::ManualClock;
use crate::simulator::{self, DEALERS, Simulator};
use crate::wire;

const BIREYSEL: RecipientType = RecipientType::Bireysel;
const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
/// How long a message is hidden from others that a worker has not finished (`infra/template.yaml`).
const VISIBILITY: SignedDuration = SignedDuration::from_secs(720);
/// No run takes more steps of the world around it than this.
const STEPS: usize = 60;

/// What becomes of the messages of a worker that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Messages {
    /// They come again.
    Again,
    /// They are gone, as are all others: the sweep has to find the work.
    Lost,
}

/// One key, and how it must end.
pub(crate) struct Case {
    recipient: Recipient,
    channel: Channel,
    key: ConsentKey,
    /// What İYS holds in the end, oldest first. Without a date: that of the state.
    rows: Vec<(Status, Option<ConsentDate>)>,
    /// How the ledger says it ended: one of these.
    words: &'static [&'static str],
}

/// Ours stands there.
const STANDS: &[&str] = &["applied", "already_there"];

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) fuse: Fuse,
    pub(crate) iys: Simulator,
    /// Where workers find İYS.
    line: url::Url,
    /// How long they wait for its answers.
    pub(crate) timeout: Duration,
    desk: Desk,
    workers: usize,
    addresses: usize,
}

impl World {
    pub(crate) async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let clock = ManualClock::at(START);
        let fuse = Fuse::default();
        let iys = Simulator::start(&clock, change).await;
        let line = wire::line(iys.url.clone(), fuse.clone()).await;
        let timeout = simulator::PATIENCE;
        let reach = |ledger: &_| Simulator::reach(&line, timeout, ledger, &clock, "worker-0");
        let desk = Desk::with_fuse(clock.clone(), fuse.clone(), vec![document("demo", 700_001, true)], reach).await;
        Self { clock, fuse, iys, line, timeout, desk, workers: 0, addresses: 0 }
    }

    /// The function begins anew, with nothing in its memory.
    fn restart(&mut self) {
        self.workers += 1;
        let name = format!("worker-{}", self.workers);
        self.desk.restart(Simulator::reach(&self.line, self.timeout, &self.desk.ledger, &self.clock, &name));
    }

    fn date(&self, seconds_ago: i64) -> ConsentDate {
        ConsentDate::at(self.clock.now() - SignedDuration::from_secs(seconds_ago))
    }

    /// Somebody new, of whom nothing is known.
    fn somebody(&mut self, channel: Channel) -> (ConsentKey, Recipient) {
        self.addresses += 1;
        let address =
            if channel == Channel::Eposta { format!("kisi{}@example.com", self.addresses) } else { format!("+90599{:07}", self.addresses) };
        let recipient = Recipient::parse(&address, channel).unwrap();
        (self.desk.key(0, &recipient, channel, BIREYSEL), recipient)
    }

    /// İYS holds something from before.
    async fn seed(&self, recipient: &Recipient, channel: Channel, status: Status, date: ConsentDate) {
        let seed = json!([{"brandCode": 700_001, "recipient": recipient.expose(), "type": channel, "status": status,
                           "source": "IYS_WEB", "consentDate": date}]);
        self.iys.order(Method::POST, "consents", seed).await;
    }

    async fn take(&self, movements: Vec<Movement>) {
        assert!(self.desk.intake.take(movements, self.clock.now()).await.iter().all(Result::is_ok));
    }

    /// A consent.
    pub(crate) async fn consent(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let movement = self.desk.movement(key.clone(), recipient.clone(), ONAY, 60, Origin::Insider);
        let rows = vec![(ONAY, Some(movement.head.consent_date))];
        self.take(vec![movement]).await;
        Case { recipient, channel, key, rows, words: STANDS }
    }

    /// A refusal of a consent that only İYS has.
    pub(crate) async fn refusal(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let before = self.date(30 * 86_400);
        self.seed(&recipient, channel, ONAY, before).await;
        let movement = self.desk.movement(key.clone(), recipient.clone(), RET, 50, Origin::Insider);
        let rows = vec![(ONAY, Some(before)), (RET, Some(movement.head.consent_date))];
        self.take(vec![movement]).await;
        Case { recipient, channel, key, rows, words: STANDS }
    }

    /// A refusal in the second of the consent that İYS told of: it goes with the next.
    pub(crate) async fn refusal_of_one_second(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let before = self.date(40);
        self.seed(&recipient, channel, ONAY, before).await;
        let told = self.desk.movement(key.clone(), recipient.clone(), ONAY, 40, Origin::Registry);
        let refused = self.desk.movement(key.clone(), recipient.clone(), RET, 40, Origin::Insider);
        let rows = vec![(ONAY, Some(before)), (RET, Some(before.next_second()))];
        self.take(vec![told, refused]).await;
        Case { recipient, channel, key, rows, words: STANDS }
    }

    /// A refusal that is too late, and goes as the brand's own decision of the moment.
    pub(crate) async fn late_refusal(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let before = self.date(30 * 86_400);
        self.seed(&recipient, channel, ONAY, before).await;
        self.take(vec![self.desk.movement(key.clone(), recipient.clone(), RET, 20 * 86_400, Origin::Insider)]).await;
        Case { recipient, channel, key, rows: vec![(ONAY, Some(before)), (RET, None)], words: STANDS }
    }

    /// A consent that was overtaken at İYS.
    pub(crate) async fn overtaken(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let newer = self.date(5);
        self.seed(&recipient, channel, RET, newer).await;
        let movement = self.desk.movement(key.clone(), recipient.clone(), ONAY, 60, Origin::Insider);
        self.take(vec![movement]).await;
        Case { recipient, channel, key, rows: vec![(RET, Some(newer))], words: &["not_needed"] }
    }

    /// A consent of a dealer that İYS does not know.
    pub(crate) async fn of_a_stranger(&mut self, channel: Channel) -> Case {
        let (key, recipient) = self.somebody(channel);
        let mut movement = self.desk.movement(key.clone(), recipient.clone(), ONAY, 60, Origin::Insider);
        movement.head.retailers = Retailers { code: Some(DEALERS[0] + 1), access: Vec::new() };
        self.take(vec![movement]).await;
        Case { recipient, channel, key, rows: Vec::new(), words: &["H180"] }
    }

    /// The sweep brings back what was taken in: it may have been sent, so it goes in bulk.
    pub(crate) async fn bring_back(&self) {
        self.desk.lose_messages().await;
        self.clock.advance(GRACE);
        self.desk.sweep(0).await;
    }

    /// Hands over messages and lets time pass until nothing is open any more. At the first death the fuse
    /// lets everything happen again. Whether something went wrong.
    pub(crate) async fn live(&mut self, cases: &[Case], what: Break, at: usize, messages: Messages) -> bool {
        self.restart();
        self.fuse.set(Some((what, at)));
        let mut again: Option<SqsEvent> = None;
        let mut handled = Vec::new();
        for _ in 0..STEPS {
            let mut event = self.desk.batch().await;
            if event.records.is_empty() {
                if let Some(hidden) = again.take() {
                    self.clock.advance(VISIBILITY);
                    event = hidden;
                } else if let Some(next) = self.desk.later.next() {
                    self.clock.advance(next.duration_since(self.clock.now()).max(SignedDuration::ZERO));
                    continue;
                } else if self.is_open(cases).await {
                    self.clock.advance(GRACE);
                    self.desk.sweep(0).await;
                    continue;
                } else {
                    let struck = self.fuse.trace().len() > at;
                    self.fuse.pause();
                    if what == Break::Crash && !struck {
                        self.restart();
                        for event in handled {
                            assert!(self.desk.handle(event).await.records.is_empty());
                        }
                        assert!(!self.is_open(cases).await, "what was done is done");
                    }
                    return struck;
                }
            }
            handled.push(event.clone());
            let failed = match self.fuse.alive(self.desk.handle(event.clone())).await {
                Some(failed) => failed,
                None => {
                    self.fuse.pause();
                    self.restart();
                    if messages == Messages::Lost {
                        self.desk.lose_messages().await;
                        again = None;
                        continue;
                    }
                    event
                }
            };
            if !failed.records.is_empty() {
                again.get_or_insert_with(SqsEvent::default).records.extend(failed.records);
            }
        }
        panic!("the work never ends: {:?}", self.desk.ledger.backlog(&self.desk.brands[0].name, 10).await);
    }

    /// Whether anything of these, or of any submission, has still to be done at İYS.
    async fn is_open(&self, cases: &[Case]) -> bool {
        let keys: Vec<_> = cases.iter().map(|case| case.key.clone()).collect();
        let mut open = self.desk.ledger.states(&keys).await.unwrap().into_iter().any(|state| state.registry.is_open());
        for shard in 0..WORK_SHARDS {
            let work = self.desk.ledger.due_work(&self.desk.brands[0].name, shard, Timestamp::MAX, 1000).await.unwrap();
            open |= work.iter().any(|due| matches!(due.work, DueWork::Submission(_)));
        }
        open
    }

    /// What İYS holds of an address, oldest first.
    async fn rows(&self, case: &Case) -> Vec<(String, String)> {
        let address: String = url::form_urlencoded::byte_serialize(case.recipient.expose().as_bytes()).collect();
        let found = self.iys.ask(&format!("consents?recipient={address}")).await;
        let row = |row: &Value| {
            assert_eq!(row["type"], case.channel.as_str());
            (row["status"].as_str().unwrap().to_owned(), row["consentDate"].as_str().unwrap().to_owned())
        };
        found["movements"].as_array().unwrap().iter().map(row).collect()
    }

    pub(crate) async fn check(&self, cases: &[Case], how: &str) {
        for case in cases {
            let state = self.desk.ledger.state(&case.key).await.unwrap().unwrap();
            let row =
                |(status, date): &(Status, Option<ConsentDate>)| (status.to_string(), date.unwrap_or(state.head.consent_date).to_string());
            assert_eq!(self.rows(case).await, case.rows.iter().map(row).collect::<Vec<_>>(), "{how}");
            let word = match &state.registry {
                Sync::Settled { outcome, .. } => outcome.as_str(),
                Sync::Rejected { code, .. } => code,
                open => open.as_str(),
            };
            assert!(case.words.contains(&word), "{word}: {how}");
            if let Some((status, date)) = case.rows.last() {
                assert_eq!((state.head.status, date.unwrap_or(state.head.consent_date)), (*status, state.head.consent_date), "{how}");
                assert_eq!(state.known.map(|known| known.status), Some(*status), "{how}");
            }
            if state.insider.is_open() {
                // What Insider has to be told is another function's work.
                let told = Answer::Settled { outcome: Outcome::Applied, transaction_id: None };
                let (sent, now) = (state.head.sent(), self.clock.now());
                self.desk.ledger.answered(&case.key, Target::Insider, &sent, told, now, now).await.unwrap();
            }
        }
    }
}
