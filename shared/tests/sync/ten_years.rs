//! Ten simulated years: mixed traffic over the real calendars of 2026 to 2035, with breaks of İYS, of our own
//! functions and of the brand's subscription around feasts, weekends, turns of years and leap days.
//!
//! İYS says in each year otherwise how it counts the three business days, because it does not say so
//! (U11). What could be brought there in time must stand there in time, and whatever is late must be
//! explained by what the ledger says of it.
//!
//! Time goes from event to event. Messages that a run does not finish are lost: the sweep is the
//! guarantee, and it runs once an hour here.

use jiff::civil::{Date, DateTime, date, time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use shared::calendar;
use shared::consent::{ConsentDate, Origin, Outcome, Source, Status, Sync};
use shared::queue::PushMessage;
use shared::sync::pull::FEEDS;
use shared::sync::standing::Occasion;

use crate::book::{Fault, Op};
use crate::world::{BIREYSEL, EPOSTA, World, email};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
const FIRST_YEAR: i16 = 2026;
const LAST_YEAR: i16 = 2035;
/// How often the sweep runs here.
const TICK: SignedDuration = SignedDuration::from_hours(1);
/// How long İYS and we must both be up for a movement to be brought there: twice the grace, a tick, and
/// the wait for a bulk result. More where İYS gives less time than our calendar says, because then nobody
/// knows that it is urgent.
const ENOUGH: SignedDuration = SignedDuration::from_hours(3);
const ENOUGH_UNAWARE: SignedDuration = SignedDuration::from_hours(9);

/// What does not work for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// İYS answers nothing.
    Registry,
    /// What is taken in is not carried on.
    Workers,
    /// Nothing of ours works, and senders try again until something does.
    Everything,
    /// İYS takes nothing of the brand.
    Brand,
}

#[derive(Debug, Clone)]
struct Outage {
    kind: Break,
    from: Timestamp,
    to: Timestamp,
}

/// A movement as it was sent to us.
#[derive(Debug, Clone)]
struct Said {
    number: usize,
    status: Status,
    date: ConsentDate,
    /// When it was, or would first have been, taken in.
    at: Timestamp,
}

/// How İYS decides in a year that a date is too old.
fn too_late(event: DateTime, now: DateTime) -> bool {
    match now.year() % 4 {
        // As we read it.
        0 => calendar::is_too_late(event, now),
        // Back from a day off as from any other day.
        1 => event < three_business_days_back(now),
        // Until the end of the third day.
        2 => event.date() < calendar::business_days_before(now, calendar::DEADLINE_BUSINESS_DAYS).date(),
        // Seventy-two hours.
        _ => event < now.checked_sub(72.hours()).unwrap(),
    }
}

fn three_business_days_back(now: DateTime) -> DateTime {
    let mut day = now.date();
    for _ in 0..calendar::DEADLINE_BUSINESS_DAYS {
        day = day.yesterday().unwrap();
        while !calendar::is_business_day(day) {
            day = day.yesterday().unwrap();
        }
    }
    day.to_datetime(now.time())
}

/// Numbers by chance, always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn seconds(&mut self, bound: SignedDuration) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.below(bound.as_secs().unsigned_abs())).unwrap())
    }
}

fn instant(day: Date, hour: i8) -> Timestamp {
    ConsentDate::from_civil(day.to_datetime(time(hour, 0, 0, 0))).instant()
}

/// The first whole day of each feast of a year.
fn feasts(year: i16) -> Vec<Date> {
    let mut days = date(year, 1, 10).series(1.day()).take_while(|day| *day < date(year, 12, 20));
    let mut found = Vec::new();
    while let Some(day) = days.next() {
        let holidays = (0..4).take_while(|ahead| calendar::day(day + (*ahead).days()) == calendar::Day::Holiday).count();
        if holidays >= 3 {
            found.push(day);
            days.nth(5);
        }
    }
    found
}

/// The breaks: eight days around each feast and turn of a year, some shorter ones, and at the leap days.
fn outages(chance: &mut Chance) -> Vec<Outage> {
    let kinds = [Break::Registry, Break::Workers, Break::Brand, Break::Everything];
    let mut outages = Vec::new();
    let mut add = |day: Date, hours: i64, chance: &mut Chance| {
        let from = instant(day, i8::try_from(chance.below(24)).unwrap());
        let kind = kinds[outages.len() % kinds.len()];
        outages.push(Outage { kind, from, to: from + SignedDuration::from_hours(hours) });
    };
    for year in FIRST_YEAR..=LAST_YEAR {
        for feast in feasts(year) {
            // Some begin before the feast, some in it.
            let before = i64::try_from(chance.below(5)).unwrap() - 1;
            add(feast - before.days(), 8 * 24, chance);
        }
        add(date(year, 10, 27), [20, 60, 8 * 24][usize::from(year.unsigned_abs()) % 3], chance);
        if year % 4 == 0 {
            add(date(year, 2, 27), 50, chance);
        }
    }
    outages.sort_by_key(|outage| outage.from);
    // What begins while another lasts begins after it.
    for at in 1..outages.len() {
        let free = outages[at - 1].to + SignedDuration::from_hours(30);
        let late = free.duration_since(outages[at].from).max(SignedDuration::ZERO);
        outages[at].from += late;
        outages[at].to += late;
    }
    outages
}

struct Simulation {
    world: World,
    outages: Vec<Outage>,
    /// Movements of people at İYS itself wait to be pulled.
    to_pull: bool,
    /// How many lists were handed in so far.
    submitted: usize,
    steps: usize,
}

impl Simulation {
    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    fn broken(&self, at: Timestamp) -> Option<Break> {
        self.outages.iter().find(|outage| outage.from <= at && at < outage.to).map(|outage| outage.kind)
    }

    fn advance_to(&self, at: Timestamp) {
        self.world.clock.advance(at.duration_since(self.now()).max(SignedDuration::ZERO));
    }

    /// Lets the functions work until no message is left.
    async fn work(&mut self) {
        let broken = self.broken(self.now());
        self.world.book.inner().is_down = broken == Some(Break::Registry);
        let stopped = broken == Some(Break::Brand);
        if stopped {
            self.world.pause();
        } else {
            self.world.resume();
        }
        if matches!(broken, Some(Break::Workers | Break::Everything)) {
            // A queue keeps its messages for four days; here they are gone.
            return self.world.lose_messages().await;
        }
        self.world.keeper().tend(Occasion::Passing).await.unwrap();
        self.world.sweep().await;
        if self.to_pull && broken.is_none() {
            for feed in FEEDS {
                self.world.pull().run(feed).await.unwrap();
            }
            self.to_pull = false;
        }
        for _ in 0..6 {
            let (push, relay) = (self.world.push_messages().await, self.world.relay_messages().await);
            if push.is_empty() && relay.is_empty() {
                break;
            }
            let mut keys = Vec::new();
            for message in push {
                match message {
                    PushMessage::Keys { brand, keys: named } => keys.extend(named.iter().map(|key| key.key(&brand))),
                    submission @ (PushMessage::Submission { .. } | PushMessage::Verdict { .. }) => {
                        self.world.handle(&submission).await;
                    }
                }
            }
            let guard = self.world.guard();
            self.world.push_by(&guard).run(&keys).await;
            let told: Vec<_> = relay.iter().flat_map(|message| message.keys.iter().map(|key| key.key(&message.brand))).collect();
            if !told.is_empty() {
                assert!(self.world.relay(&told).await.failed.is_empty(), "Insider is up");
            }
        }
        // İYS judges what was handed in when it comes, not when its results are asked for.
        let submitted = self.world.book.calls(Op::Submit).len();
        if submitted > self.submitted && broken.is_none() {
            self.world.book.process().await;
        }
        self.submitted = submitted;
        self.steps += 1;
    }

    /// Goes on to a moment, and through whatever falls due before it.
    async fn until(&mut self, moment: Timestamp) {
        loop {
            let backlog = self.world.ledger.backlog(&self.world.brand.name, 10).await.unwrap();
            let due = backlog.oldest_due.map(|due| due.max(self.now() + TICK));
            // A stop of the brand is looked at again.
            let looks = self.world.ledger.standing(&self.world.brand.name).await.unwrap();
            let look = looks.needs_a_look().then(|| self.now() + TICK);
            // Where nothing runs, nothing happens before it does again, and no look finds an end before it comes.
            let next = match self.outages.iter().find(|outage| outage.from <= self.now() && self.now() < outage.to) {
                Some(outage) if matches!(outage.kind, Break::Workers | Break::Everything) => due.map(|due| due.max(outage.to)),
                Some(outage) => [due, look.map(|look| look.max(outage.to))].into_iter().flatten().min(),
                None => [due, look].into_iter().flatten().min(),
            };
            match next.filter(|next| *next < moment) {
                Some(next) => {
                    self.advance_to(next);
                    self.work().await;
                }
                None => return self.advance_to(moment),
            }
        }
    }

    /// Whether a movement could have been brought to İYS in time, by its rules and by ours.
    fn was_reachable(&self, said: &Said) -> bool {
        let event = said.date.civil();
        let step = SignedDuration::from_mins(10);
        let enough = |at: Timestamp| if ConsentDate::at(at).civil().year() % 4 == 3 { ENOUGH_UNAWARE } else { ENOUGH };
        let (mut at, mut up) = (said.at, SignedDuration::ZERO);
        loop {
            let now = ConsentDate::at(at).civil();
            if calendar::is_too_late(event, now) {
                return false;
            }
            let works = self.broken(at).is_none() && !too_late(event, now);
            up = if works { up + step } else { SignedDuration::ZERO };
            if up > enough(at) {
                return true;
            }
            at += step;
        }
    }
}

/// The traffic: around the breaks, and a little all the time. Whoever consented may refuse later.
fn traffic(outages: &[Outage], chance: &mut Chance) -> Vec<Said> {
    let mut moments = Vec::new();
    let mut day = instant(date(FIRST_YEAR, 1, 2), 9);
    while day < instant(date(LAST_YEAR, 12, 1), 0) {
        moments.push(day + chance.seconds(SignedDuration::from_hours(24)));
        day += SignedDuration::from_hours(24 * 17);
    }
    for outage in outages {
        let begin = outage.from - SignedDuration::from_hours(40);
        for _ in 0..9 {
            moments.push(begin + chance.seconds(outage.to.duration_since(begin)));
        }
    }
    for leap in [2028, 2032] {
        moments.push(instant(date(leap, 2, 29), 12));
    }
    moments.sort();
    let mut said: Vec<Said> = Vec::new();
    let mut refused = 0;
    for at in moments {
        // One in three refuses what was consented to long ago; the others are new.
        let long_ago = said.get(refused).filter(|first| at.duration_since(first.at) > SignedDuration::from_hours(24 * 40)).cloned();
        let age = if chance.below(4) == 0 {
            chance.seconds(SignedDuration::from_hours(30))
        } else {
            chance.seconds(SignedDuration::from_mins(5))
        };
        let date = ConsentDate::at(at - age);
        match long_ago {
            Some(first) if chance.below(3) == 0 => {
                refused += 1;
                if first.status == ONAY {
                    said.push(Said { number: first.number, status: RET, date, at });
                }
            }
            _ => said.push(Said { number: said.len(), status: ONAY, date, at }),
        }
    }
    said
}

#[derive(Debug, Default, PartialEq)]
struct Ends {
    in_time: usize,
    after_a_break: usize,
    nothing_to_register: usize,
    as_hs_karar: usize,
    rejected: usize,
    insider_told_of_an_expired_consent: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_years_of_traffic_and_breaks_leave_nothing_late_that_could_be_reached_and_nothing_unexplained() {
    let mut chance = Chance(2026);
    let outages = outages(&mut chance);
    let traffic = traffic(&outages, &mut chance);
    let config = sandbox::insider::Config { contact_calls_per_minute: 1_000_000, ..sandbox::insider::Config::default() };
    let world = World::with(config).await;
    world.clock.advance(instant(date(FIRST_YEAR, 1, 1), 0).duration_since(world.clock.now()));
    world.book.inner().too_late = too_late;
    let mut simulation = Simulation { world, outages: outages.clone(), to_pull: false, submitted: 0, steps: 0 };

    for (at, said) in traffic.iter().enumerate() {
        // Who finds nobody to take it in comes again.
        let taken = outages.iter().find(|outage| outage.kind == Break::Everything && outage.from <= said.at && said.at < outage.to);
        let taken = taken.map_or(said.at, |outage| outage.to);
        simulation.until(taken).await;
        let world = &mut simulation.world;
        // The brand changes its mind each year on whether a late refusal is its own decision.
        world.brand.iys.late_ret_as_hs_karar = said.date.civil().year() % 2 == 0;
        if at % 7 == 3 {
            // It lands, and no answer comes.
            world.book.fault(Op::Add, Fault::Unanswered);
        }
        if at % 31 == 5 {
            // A person acts at İYS.
            world.book.person(&email(100_000 + at), EPOSTA, BIREYSEL, RET, ConsentDate::at(world.clock.now()));
            simulation.to_pull = true;
        }
        let world = &simulation.world;
        let origin = if said.status == RET && at % 2 == 0 { Origin::Insider } else { Origin::Api };
        world.take(vec![world.movement(world.key(said.number), email(said.number), said.status, said.date, origin)]).await;
        simulation.work().await;
    }
    simulation.until(instant(date(LAST_YEAR + 1, 2, 1), 0)).await;

    let open = simulation.world.ledger.backlog(&simulation.world.brand.name, 10).await.unwrap();
    assert_eq!((open.oldest_due, simulation.to_pull), (None, false), "everything has come to its end: {open:?}");
    let mut ends = Ends::default();
    for said in &traffic {
        end_of(&simulation, said, &mut ends).await;
    }
    let size = (traffic.len(), outages.len(), simulation.steps);
    assert!(size.0 > 400 && size.1 > 30 && size.2 > 1_000, "movements, breaks and steps: {size:?}");
    assert!(ends.in_time > traffic.len() / 2 && ends.after_a_break > 30, "{ends:?}");
    let late = [ends.as_hs_karar, ends.rejected, ends.insider_told_of_an_expired_consent];
    assert!(late.iter().all(|late| *late > 2), "no kind of lateness was missed: {ends:?}");
}

/// Finds a movement's end, and that it is the one that it must have.
async fn end_of(simulation: &Simulation, said: &Said, ends: &mut Ends) {
    let world = &simulation.world;
    let reachable = simulation.was_reachable(said);
    let key = world.key(said.number);
    let case = format!("{} of {} taken at {}", said.status, said.date, said.at);
    let rows = world.book.rows(&email(said.number), EPOSTA, BIREYSEL);
    if let Some(row) = rows.iter().find(|row| (row.status, row.consent_date) == (said.status, said.date)) {
        let stood_at = row.recorded_at;
        assert!(!calendar::is_too_late(said.date.civil(), stood_at.civil()), "{case} stands there since {stood_at}");
        ends.in_time += 1;
        ends.after_a_break += usize::from(simulation.broken(said.at).is_some());
        return;
    }
    let story = world.ledger.story(&world.brand.name, &key.recipient_id).await.unwrap();
    let ours = |entry: &&shared::ledger::Entry| {
        let head = &entry.movement.head;
        (head.status, head.consent_date) == (said.status, said.date) && head.origin != Origin::Correction
    };
    let entry = story.history.iter().find(ours).unwrap_or_else(|| panic!("{case} is not in the history"));
    let as_hs_karar =
        story.history.iter().any(|entry| entry.movement.head.origin == Origin::Correction && entry.movement.head.status == said.status);
    if as_hs_karar {
        // The brand's own decision stands there instead, and the history shows what it took the place of.
        assert!(!reachable, "{case} is late and could have been in time");
        assert!(rows.iter().any(|row| row.source == Source::HsKarar), "{case}");
        ends.as_hs_karar += 1;
        return;
    }
    let ending = entry.registry.as_ref().unwrap_or_else(|| panic!("{case} has no end: {:?}", story.states));
    match (ending.outcome, ending.code.as_deref()) {
        (Some(Outcome::NotRegistered | Outcome::AlreadyThere | Outcome::NotNeeded), None) => ends.nothing_to_register += 1,
        (None, Some("H467")) => {
            assert!(!reachable, "{case} is late and could have been in time");
            ends.rejected += 1;
            let state = world.state(said.number).await;
            if said.status == ONAY && state.head.status == ONAY {
                assert_eq!(state.insider_status(), Some(RET), "{case}: an expired consent is none");
                assert!(matches!(state.insider, Sync::Settled { .. }), "{case}: {:?}", state.insider);
                ends.insider_told_of_an_expired_consent += 1;
            }
        }
        other => panic!("{case} ended unexplained: {other:?}"),
    }
}
