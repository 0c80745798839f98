//! Daily reports over a real ledger: what they count, that they are made once whatever happens, and that nobody is
//! named in them.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use shared::archive::{Archive, ArchiveError, Folder};
use shared::clock::Clock;
use shared::consent::code::Hold;
use shared::consent::{AsideReason, Origin, Status};
use shared::integrators::RegistryView;
use shared::registry::Feed;
use shared::report::{DailyReport, Fate, Kind, Language, page};
use shared::sync::evidence::Notary;
use shared::sync::report::{ReportError, Reporter};

use crate::fuse::{Break, Fate as Effect, Fuse};
use crate::world::{BIREYSEL, EPOSTA, World, email, phone};

const ONAY: Status = Status::Onay;
const RET: Status = Status::Ret;
/// The world begins on this Friday, at 13:00.
const FRIDAY: Date = date(2026, 11, 20);

/// A folder whose effects count among those that go wrong.
struct Shelf {
    folder: Folder,
    fuse: Fuse,
}

#[async_trait]
impl Archive for Shelf {
    async fn keep(&self, name: &str, content: &[u8]) -> Result<(), ArchiveError> {
        let broken = || ArchiveError::Refused { name: name.to_owned(), why: "broken on purpose".to_owned() };
        match self.fuse.next(name) {
            Effect::Happens => self.folder.keep(name, content).await,
            Effect::HappensUnheard => {
                self.folder.keep(name, content).await?;
                Err(broken())
            }
            Effect::DoesNotHappen => Err(broken()),
        }
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.folder.read(name).await
    }
}

/// A world with an archive.
struct Desk {
    world: World,
    place: tempfile::TempDir,
    shelf: Shelf,
}

impl Desk {
    async fn new() -> Self {
        let world = World::new().await;
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf { folder: Folder::new(place.path()), fuse: world.fuse.clone() };
        Self { world, place, shelf }
    }

    async fn close(&self) {
        let clock = self.world.clock.clock();
        Notary { ledger: &self.world.ledger, archive: None, clock: &clock }.close(&self.world.brand.name).await.unwrap();
    }

    async fn try_run(&self, clock: &Clock) -> Result<usize, ReportError> {
        Reporter { ledger: &self.world.ledger, archive: Some(&self.shelf), registry: RegistryView::of(&self.world.brand), clock }
            .run(&self.world.brand.name)
            .await
    }

    /// Closes what is over and makes what is due.
    async fn run(&self) -> usize {
        self.close().await;
        self.try_run(&self.world.clock.clock()).await.unwrap()
    }

    /// Moves the clock to a time of Türkiye.
    fn until(&self, day: Date, hour: i8) {
        let then = shared::consent::ConsentDate::from_civil(day.at(hour, 10, 0, 0)).instant();
        self.world.clock.advance(then.duration_since(self.world.clock.now()));
    }

    fn report(&self, day: Date, kind: &str) -> DailyReport {
        let text = std::fs::read(self.place.path().join(format!("demo/{day}.{kind}.json"))).unwrap();
        DailyReport::from_json(&text).unwrap()
    }

    /// Everything that the archive keeps, by name.
    fn kept(&self) -> BTreeMap<String, String> {
        let Ok(files) = std::fs::read_dir(self.place.path().join("demo")) else { return BTreeMap::new() };
        let read = |path: &Path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap());
        files.map(|file| read(&file.unwrap().path())).collect()
    }

    async fn shown(&self, day: Date, kind: Option<Kind>) -> Option<(DailyReport, bool)> {
        let clock = self.world.clock.clock();
        let reporter = Reporter {
            ledger: &self.world.ledger,
            archive: Some(&self.shelf),
            registry: RegistryView::of(&self.world.brand),
            clock: &clock,
        };
        let shown = reporter.show(&self.world.brand.name, day, kind, Some(Language::Tr)).await.unwrap();
        shown.map(|shown| {
            assert!(shown.page.unwrap().contains(&day.to_string()));
            (shown.report, shown.is_kept)
        })
    }
}

/// Friday, with everything that can happen to a movement but being late.
async fn friday(world: &World) {
    for number in [0, 1, 2, 3, 14] {
        world.book.silently(&email(number), EPOSTA, ONAY, world.ago(864_000));
    }
    world.all_say(0..4, RET, 60).await;
    world.says(10, ONAY, 60).await;
    world.says(11, RET, 60).await;
    world.book.person(&email(12), EPOSTA, BIREYSEL, RET, world.ago(30));
    world.pull().run(Feed::People).await.unwrap();
    world.book.inner().ordered.insert(email(13), ["H180".parse().unwrap()].into());
    world.says(13, ONAY, 60).await;
    world.clock.advance(SignedDuration::from_secs(30));
    let keys = world.keys([0, 1, 2, 3, 10, 11, 13]);
    assert!(world.push().run(&keys).await.failed.is_empty());
    assert!(world.relay(&world.keys(0..4)).await.failed.is_empty());
    // A consent that a refusal overtakes before it is sent, and what nobody may send.
    world.says(15, ONAY, 120).await;
    world.says(15, RET, 60).await;
    world.says(14, RET, 60).await;
    world.book.inner().refuses.insert(EPOSTA, (Hold::Authority, "H355"));
    world.push_by(&world.guard()).run(&world.keys([14])).await;
    let aside = world.movement(world.key(16), email(16), RET, world.ago(60), Origin::Insider);
    world.ledger.keep_aside(&aside, AsideReason::Bounce, None).await.unwrap();
    let number = world.key_of(&phone(7), shared::consent::Channel::Mesaj, BIREYSEL);
    world.take(vec![world.movement(number, phone(7), ONAY, world.ago(60), Origin::Api)]).await;
}

fn rows(report: &DailyReport) -> Vec<(Fate, u64, u64)> {
    report.iys.rows.iter().map(|line| (line.fate, line.ret, line.onay)).collect()
}

#[tokio::test]
async fn a_day_is_reported_the_morning_after_and_finally_when_its_deadlines_have_passed() {
    let desk = Desk::new().await;
    let world = &desk.world;
    friday(world).await;
    desk.until(date(2026, 11, 21), 2);
    desk.run().await;
    assert!(!desk.kept().contains_key("2026-11-20.report.json"), "the day is not over for three hours");
    desk.until(date(2026, 11, 21), 3);
    assert_eq!((desk.run().await, desk.run().await), (1, 0));

    let morning = desk.report(FRIDAY, "report");
    assert_eq!((morning.kind, morning.day, morning.made_at), (Kind::Daily, FRIDAY, world.clock.now()));
    assert_eq!((morning.received.total, morning.received.counting(), morning.received.aside[0].count), (13, 12, 1));
    assert_eq!(
        rows(&morning),
        [
            (Fate::Applied, 4, 1),
            (Fate::NotNeeded, 1, 0),
            (Fate::NotRegistered, 1, 0),
            (Fate::Rejected, 0, 1),
            (Fate::Held, 1, 0),
            (Fate::Waiting, 1, 1),
            (Fate::ReplacedByRefusal, 0, 1),
        ]
    );
    let refusals = &morning.refusals;
    assert_eq!((refusals.total, refusals.within1, refusals.nothing_to_refuse, refusals.open_in_time), (7, 4, 1, 2));
    assert_eq!((refusals.not_honoured(), refusals.elsewhere(), morning.is_wrong()), (0, 0, false));
    let times = morning.iys.times;
    assert_eq!((times.from_receipt.ret.count, times.from_receipt.ret.max_ms, times.from_receipt.onay.count), (4, Some(30_000), 1));
    assert_eq!(times.from_consent_date.ret.p99_ms, Some(90_000));
    assert_eq!(morning.insider.times.from_receipt.ret.count, 4);
    let held = morning.iys.rows.iter().find(|line| line.fate == Fate::Held).unwrap();
    assert_eq!(held.why.code.as_ref().unwrap().as_str(), "H355");
    assert!(held.why.remedy.is_some());
    let now = morning.now.as_ref().unwrap();
    assert_eq!((now.slack.more + now.slack.under3, now.iys.held[0].count), (3, 1));
    assert!(now.first.is_some() && now.insider.states.values().sum::<u64>() > 0);
    let evidence = morning.evidence.unwrap();
    let closed = world.ledger.closed_day(&world.brand.name, FRIDAY).await.unwrap().unwrap();
    assert_eq!((evidence.count, evidence.matches, evidence.root, evidence.chained), (13, true, closed.root, closed.chained));
    assert_eq!(morning.differences.as_ref().unwrap().report_before, Some(date(2026, 11, 19)));

    // İYS allows it again; everything ends.
    world.book.inner().refuses.clear();
    assert!(world.push().run(&world.keys([14, 15])).await.failed.is_empty());
    desk.until(date(2026, 11, 26), 2);
    desk.run().await;
    assert!(!desk.kept().contains_key("2026-11-20.final.json"), "the last deadline is not over for three hours");
    desk.until(date(2026, 11, 26), 3);
    assert!(desk.run().await > 0);
    let last = desk.report(FRIDAY, "final");
    assert_eq!((last.kind, last.received, last.evidence), (Kind::Final, morning.received, morning.evidence));
    assert_eq!((last.now, last.differences), (None, None));
    let refusals = &last.refusals;
    assert_eq!((refusals.total, refusals.within1, refusals.nothing_to_refuse, refusals.not_honoured()), (7, 5, 2, 0));
    assert!(!desk.kept().contains_key("2026-11-23.final.json"));
    assert_eq!(desk.report(date(2026, 11, 25), "report").differences.unwrap().report_before, Some(date(2026, 11, 24)));
}

#[tokio::test]
async fn nobody_is_named_in_a_document_or_a_page() {
    let desk = Desk::new().await;
    friday(&desk.world).await;
    desk.until(date(2026, 11, 21), 3);
    desk.run().await;
    desk.world.book.inner().refuses.clear();
    desk.until(date(2026, 11, 26), 4);
    desk.run().await;
    let kept = desk.kept();
    assert!(kept.keys().filter(|name| name.contains(".final.")).count() >= 3 && kept.len() >= 9, "{:?}", kept.keys());
    for number in 0..20 {
        let names = [email(number), phone(number)].map(|recipient| {
            let id = desk.world.key_of(&recipient, EPOSTA, BIREYSEL).recipient_id;
            [recipient.expose().to_owned(), recipient.expose().trim_start_matches('+').to_owned(), id.to_string()]
        });
        for (file, text) in &kept {
            assert!(names.iter().flatten().all(|name| !text.contains(name.as_str())), "{file}");
        }
    }
}

/// Every document is there with both of its pages, which are those of that document.
fn check_whole(kept: &BTreeMap<String, String>) {
    let documents: Vec<_> = kept.iter().filter(|(name, _)| name.ends_with(".json")).collect();
    assert_eq!(kept.len(), documents.len() * 3, "{:?}", kept.keys());
    for (name, text) in documents {
        let report = DailyReport::from_json(text.as_bytes()).unwrap();
        for language in Language::ALL {
            let page = &kept[&name.replace(".json", &format!(".{}.html", language.code()))];
            assert_eq!(page, &page::html(&report, language), "{name}");
        }
    }
}

#[tokio::test]
async fn a_run_that_breaks_at_any_effect_is_gone_on_with_and_changes_nothing_that_stands() {
    let desk = Desk::new().await;
    friday(&desk.world).await;
    desk.until(date(2026, 11, 26), 4);
    desk.run().await;
    let mut days = 1;
    for kind in [Break::Crash, Break::LostAnswer] {
        for nth in 0.. {
            desk.world.clock.advance(SignedDuration::from_hours(24));
            days += 1;
            desk.close().await;
            desk.world.fuse.set(Some((kind, nth)));
            let clock = desk.world.clock.clock();
            let run = desk.world.fuse.alive(desk.try_run(&clock)).await;
            let (broke, before) = (desk.world.fuse.trace().len() > nth, desk.kept());
            desk.world.fuse.pause();
            assert_eq!(broke, !matches!(run, Some(Ok(_))), "{kind:?} {nth}");
            // The run that goes on comes later, and would say so.
            desk.world.clock.advance(SignedDuration::from_mins(1));
            desk.try_run(&desk.world.clock.clock()).await.unwrap();
            let after = desk.kept();
            check_whole(&after);
            assert!(before.iter().all(|(name, text)| after.get(name) == Some(text)), "{kind:?} {nth}");
            if !broke {
                assert!(nth >= 4, "a report is three files and a note");
                break;
            }
        }
    }
    let daily = desk.kept().keys().filter(|name| name.ends_with(".report.json")).count();
    assert_eq!(daily, days, "one for each day, none left out");
}

#[tokio::test]
async fn two_runs_at_once_leave_one_report_and_its_pages() {
    let desk = Desk::new().await;
    friday(&desk.world).await;
    desk.until(date(2026, 11, 21), 4);
    desk.close().await;
    let now = desk.world.clock.now();
    let at = |seconds| -> Clock { std::sync::Arc::new(move || -> Timestamp { now + SignedDuration::from_secs(seconds) }) };
    let (one, two) = (at(0), at(7));
    let (first, second) = futures::join!(desk.try_run(&one), desk.try_run(&two));
    assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
    check_whole(&desk.kept());
    assert_eq!(desk.kept().len(), 3);
}

#[tokio::test]
async fn missed_days_are_caught_up_a_few_at_a_time_and_who_asks_sees_what_there_is() {
    let desk = Desk::new().await;
    friday(&desk.world).await;
    let preview = desk.shown(FRIDAY, None).await.unwrap();
    assert_eq!((preview.0.kind, preview.1, preview.0.received.total, preview.0.evidence), (Kind::Preview, false, 13, None));
    assert_eq!(desk.shown(date(2026, 11, 21), None).await, None, "it is still to come");
    desk.until(date(2026, 11, 21), 4);
    assert_eq!(desk.run().await, 1);
    // Ten days without any run: seven reports at most, and the final ones of what has a report.
    desk.until(date(2026, 12, 1), 4);
    assert_eq!(desk.run().await, 7 + 6, "from Saturday to Friday, and finally from Friday to Wednesday");
    assert_eq!(desk.run().await, 3);
    assert_eq!(desk.run().await, 0);
    let shown = desk.shown(FRIDAY, None).await.unwrap();
    assert_eq!((shown.0.kind, shown.1), (Kind::Final, true));
    assert_eq!(desk.shown(FRIDAY, Some(Kind::Daily)).await.unwrap().0, desk.report(FRIDAY, "report"));
    assert_eq!(desk.shown(date(2026, 11, 30), Some(Kind::Final)).await, None);
    assert!(!desk.kept().keys().any(|name| name.contains("preview")), "a preview is kept nowhere");
}

#[tokio::test]
async fn a_report_reads_what_was_received_on_its_day_and_nothing_else() {
    let desk = Desk::new().await;
    let world = &desk.world;
    world.all_say(0..200, RET, 60).await;
    let count = async || {
        let before = world.fuse.reads();
        desk.shown(FRIDAY, Some(Kind::Preview)).await.unwrap();
        world.fuse.reads() - before
    };
    // The backlog is read by pages as well; it does not show here.
    let alone = count().await;
    world.clock.advance(SignedDuration::from_hours(24));
    world.all_say(200..500, RET, 60).await;
    assert_eq!(count().await, alone);
}
