//! The page of a report: one HTML document without scripts and without anything from elsewhere, to be read on any
//! screen, in either colour scheme, aloud and on paper. It is made from the document alone.

mod parts;
mod texts;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use self::parts::{Column, facts, moment, table};
use self::texts::number;
use super::{AtTarget, ByStatus, DailyReport, Differences, FileOfDay, Kind, Language, Now, Received, Refusals, Times, Waiting, Why};

/// The style sheet.
const STYLE: &str = include_str!("style.css");
/// What the page may load: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page of a report in a language.
pub fn html(report: &DailyReport, language: Language) -> String {
    let say = |en, tr| language.say(en, tr);
    let title = format!("{} · {} · {}", texts::kind(report.kind, language), report.brand, report.day);
    let page = markup! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { (texts::kind(report.kind, language)) ": " (report.brand) ", " time datetime=(report.day) { (report.day) } }
                        p.faint {
                            (say("Commercial messages in Türkiye: consents and refusals (İYS, Insider).", "Ticari ileti onay ve retleri (İYS, Insider)."))
                            " " (texts::about(report.kind, language))
                        }
                    }
                    (verdict(report, language))
                    (tiles(report, language))
                    (refusals(&report.refusals, report.kind, language))
                    (times(report, language))
                    (received(&report.received, language))
                    (target("iys", "İYS", &report.iys, language))
                    (target("insider", "Insider", &report.insider, language))
                    @if let Some(now) = &report.now { (waiting(now, language)) }
                    @if let Some(found) = &report.differences { (differences(found, language)) }
                    @if !report.day_files.is_empty() { (day_files(&report.day_files, language)) }
                    (evidence(report, language))
                    (about(report, language))
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn verdict(report: &DailyReport, language: Language) -> Markup {
    let say = |en: String, tr: String| match language {
        Language::En => en,
        Language::Tr => tr,
    };
    let refusals = &report.refusals;
    let n = |count| number(count, language);
    let bound = refusals.in_time() + refusals.late + refusals.rejected + refusals.open_in_time + refusals.open_late;
    let (class, text) = if refusals.not_honoured() > 0 {
        let (wrong, bound) = (n(refusals.not_honoured()), n(bound));
        let text = say(
            format!("Of {bound} refusals bound for İYS, {wrong} did not reach it within three business days."),
            format!("İYS'ye gidecek {bound} retten {wrong} tanesi üç iş günü içinde ulaşmadı."),
        );
        ("bad", text)
    } else if refusals.open_in_time > 0 {
        let (open, bound) = (n(refusals.open_in_time), n(bound));
        let text = say(
            format!("Of {bound} refusals bound for İYS, {open} are on their way, within their three business days. None is late."),
            format!("İYS'ye gidecek {bound} retten {open} tanesi yolda ve üç iş günü içinde. Geciken yok."),
        );
        ("soon", text)
    } else if bound > 0 {
        let bound = n(bound);
        let text = say(
            format!("All {bound} refusals bound for İYS reached it within three business days."),
            format!("İYS'ye gidecek {bound} retin tamamı üç iş günü içinde ulaştı."),
        );
        ("good", text)
    } else {
        let text = say("No refusal of this day was bound for İYS.".into(), "Bu gün İYS'ye gidecek ret yoktu.".into());
        ("good", text)
    };
    let root = report.evidence.filter(|evidence| !evidence.matches).map(|evidence| {
        let (counted, under) = (n(report.received.total), n(evidence.count));
        say(
            format!("The day's root stands for {under} movements, and {counted} were counted: one was written after the day was over, or removed."),
            format!("Günün kökü {under} hareketi kapsıyor, sayılan ise {counted}: biri gün bittikten sonra yazılmış veya silinmiş."),
        )
    });
    let class = if root.is_some() { "bad" } else { class };
    markup! {
        div class={ "verdict " (class) } role="note" {
            p.say { (text) }
            @if let Some(root) = root { p { (root) } }
        }
    }
}

fn tiles(report: &DailyReport, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let refusals = &report.refusals;
    let quantile = |times: Times| times.p99_ms.map_or_else(|| "–".to_owned(), |ms| texts::duration(ms, language));
    let tiles = [
        (say("movements received", "alınan hareket"), number(report.received.total, language)),
        (say("refusals in time at İYS", "İYS'ye zamanında ulaşan ret"), number(refusals.in_time(), language)),
        (say("refusals late or refused", "geciken veya reddedilen ret"), number(refusals.not_honoured(), language)),
        (say("99 of 100 refusals at İYS within", "100 retten 99'unun İYS'ye ulaşma süresi"), quantile(report.iys.times.from_receipt.ret)),
        (
            say("99 of 100 refusals at Insider within", "100 retten 99'unun Insider'a ulaşma süresi"),
            quantile(report.insider.times.from_receipt.ret),
        ),
    ];
    markup! {
        dl.tiles { @for (label, value) in tiles { div { dt { (label) } dd { (value) } } } }
    }
}

fn refusals(refusals: &Refusals, kind: Kind, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let bar = [
        ("w1", refusals.within1),
        ("w2", refusals.within2),
        ("w3", refusals.within3),
        ("w0", refusals.open_in_time),
        ("w4", refusals.not_honoured()),
    ];
    let all: u64 = bar.iter().map(|(_, count)| count).sum();
    let rows = [
        (say("at İYS within one business day", "bir iş günü içinde İYS'de"), refusals.within1),
        (say("within two", "iki iş günü içinde"), refusals.within2),
        (say("within three", "üç iş günü içinde"), refusals.within3),
        (say("at İYS, later than three", "İYS'de, üç iş gününden geç"), refusals.late),
        (say("refused by İYS for good", "İYS kesin olarak reddetti"), refusals.rejected),
        (say("on their way, in time", "yolda, süresi dolmadı"), refusals.open_in_time),
        (say("on their way, late", "yolda, gecikti"), refusals.open_late),
        (say("İYS never held a consent to refuse", "İYS'de reddedilecek onay hiç olmadı"), refusals.nothing_to_refuse),
        (
            say("another refusal of the same person and channel counts instead", "yerine aynı kişi ve kanalın başka bir reddi geçerli"),
            refusals.replaced_by_refusal,
        ),
        (say("a later consent of the person counts instead", "yerine kişinin daha sonraki onayı geçerli"), refusals.replaced_by_consent),
        (say("the same act, told by another movement", "aynı işlem, başka bir hareketle bildirildi"), refusals.told_again),
        (say("not taken in: their senders tell them again", "içeri alınmadı: gönderenler yeniden bildirir"), refusals.unmerged),
    ];
    let shown = rows.into_iter().filter(|(_, count)| *count > 0).map(|(label, count)| vec![label.to_owned(), number(count, language)]);
    let late = refusals.late_because.iter().map(|line| {
        let [held, code, cause, remedy] = why(&line.why, language);
        let reason = [texts::lateness(line.reason, language).to_owned(), held, code].into_iter().filter(|text| !text.is_empty());
        vec![reason.collect::<Vec<_>>().join(" · "), number(line.count, language), cause, remedy]
    });
    markup! {
        section aria-labelledby="refusals" {
            h2 id="refusals" { (say("Refusals and the three business days", "Retler ve üç iş günü")) }
            p.faint {
                (say(
                    "Refusals that somebody other than İYS told of, counted from the person's act to the moment at which İYS was known to have them. Days off in Türkiye do not count.",
                    "İYS dışında birinin bildirdiği retler; kişinin işleminden İYS'de olduğunun bilindiği ana kadar sayılır. Türkiye'deki tatil günleri sayılmaz.",
                ))
            }
            @if all > 0 {
                div.bar aria-hidden="true" {
                    @for (class, count) in bar { @if count > 0 { i class=(class) style={ "flex:" (count) } {} } }
                }
            }
            (table(
                say("How the day's refusals stand", "Günün retlerinin durumu"),
                &[Column::text(say("Refusals", "Retler")), Column::number(say("Count", "Sayı"))],
                shown.collect(),
                Some(vec![say("all", "toplam").to_owned(), number(refusals.total, language)]),
                language,
            ))
            @if !refusals.late_because.is_empty() {
                (table(
                    say("Why refusals are late", "Retler neden gecikti"),
                    &[
                        Column::text(say("Reason", "Neden")),
                        Column::number(say("Count", "Sayı")),
                        Column::words(say("What happened", "Ne oldu")),
                        Column::words(say("What to do", "Ne yapmalı")),
                    ],
                    late.collect(),
                    None,
                    language,
                ))
            }
            @if kind == Kind::Daily && refusals.open_in_time > 0 {
                p { (say("The final report of this day shows how the open ones ended.", "Açık olanların nasıl sonuçlandığını bu günün kesin raporu gösterir.")) }
            }
        }
    }
}

/// What something is held for, its code, what happened and what to do.
fn why(why: &Why, language: Language) -> [String; 4] {
    let of = |words: &Option<crate::answers::Words>| words.as_ref().map(|words| language.of(words).to_owned()).unwrap_or_default();
    [
        why.held_for.map(|hold| texts::held_for(hold, language).to_owned()).unwrap_or_default(),
        why.code.as_ref().map(|code| code.as_str().to_owned()).unwrap_or_default(),
        of(&why.cause),
        of(&why.remedy),
    ]
}

fn times(report: &DailyReport, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let row = |target: &str, from: &str, status: &str, times: Times| {
        let told = |ms: Option<u64>| ms.map_or_else(|| "–".to_owned(), |ms| texts::duration(ms, language));
        let count = number(times.count, language);
        vec![format!("{target} · {status}"), from.to_owned(), count, told(times.p50_ms), told(times.p99_ms), told(times.max_ms)]
    };
    let (ret, onay) = (say("refusals", "retler"), say("consents", "onaylar"));
    let (receipt, date) = (say("receipt here", "buraya ulaşma"), say("the person's act", "kişinin işlemi"));
    let mut rows = Vec::new();
    for (target, side) in [("İYS", &report.iys), ("Insider", &report.insider)] {
        for (from, ByStatus { onay: of_onay, ret: of_ret }) in [(receipt, side.times.from_receipt), (date, side.times.from_consent_date)] {
            rows.push((target, from, ret, of_ret));
            rows.push((target, from, onay, of_onay));
        }
    }
    rows.retain(|(.., times)| times.count > 0);
    let rows: Vec<_> = rows.into_iter().map(|(target, from, status, times)| row(target, from, status, times)).collect();
    markup! {
        section aria-labelledby="times" {
            h2 id="times" { (say("Time to İYS and to Insider", "İYS'ye ve Insider'a ulaşma süresi")) }
            p.faint {
                (say(
                    "Of what the target took from us. A consent goes to Insider once İYS has it.",
                    "Hedefin bizden aldıkları için. Onay, Insider'a ancak İYS'de olduktan sonra gider.",
                ))
            }
            (table(
                say("From the event to the target", "Olaydan hedefe"),
                &[
                    Column::text(say("Target", "Hedef")),
                    Column::text(say("Counted from", "Başlangıç")),
                    Column::number(say("Count", "Sayı")),
                    Column::number(say("Half within", "Yarısı")),
                    Column::number(say("99 % within", "%99'u")),
                    Column::number(say("Longest", "En uzun")),
                ],
                rows,
                None,
                language,
            ))
        }
    }
}

fn received(received: &Received, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let count = say("Count", "Sayı");
    let movements = received.movements.iter().map(|line| {
        let channel = texts::channel(line.channel, language).to_owned();
        vec![
            channel,
            texts::origin(line.origin, language).to_owned(),
            texts::status(line.status, language).to_owned(),
            number(line.count, language),
        ]
    });
    let sources = received
        .sources
        .iter()
        .map(|line| vec![line.source.as_str().to_owned(), texts::status(line.status, language).to_owned(), number(line.count, language)]);
    let mut aside: Vec<_> =
        received.aside.iter().map(|line| vec![texts::aside(line.reason, language).to_owned(), number(line.count, language)]).collect();
    if received.unreadable > 0 {
        aside.push(vec![
            say("cannot be read, or was removed since", "okunamıyor veya sonradan silinmiş").to_owned(),
            number(received.unreadable, language),
        ]);
    }
    markup! {
        section aria-labelledby="received" {
            h2 id="received" { (say("What was received", "Alınanlar")) }
            p { (say("In all", "Toplam")) ": " strong { (number(received.total, language)) } }
            (table(
                say("Movements by channel, origin and status", "Kanal, kaynak sistem ve duruma göre hareketler"),
                &[
                    Column::text(say("Channel", "Kanal")),
                    Column::text(say("Told by", "Bildiren")),
                    Column::text(say("Status", "Durum")),
                    Column::number(count),
                ],
                movements.collect(),
                Some(vec![say("all", "toplam").to_owned(), String::new(), String::new(), number(received.counting(), language)]),
                language,
            ))
            @if !received.sources.is_empty() {
                (table(
                    say("The same by İYS's source", "Aynısı, İYS kaynağına (source) göre"),
                    &[Column::text(say("Source", "Kaynak")), Column::text(say("Status", "Durum")), Column::number(count)],
                    sources.collect(),
                    None,
                    language,
                ))
            }
            @if !aside.is_empty() {
                (table(
                    say("Kept without effect", "Etkisiz saklananlar"),
                    &[Column::text(say("Reason", "Neden")), Column::number(count)],
                    aside,
                    None,
                    language,
                ))
            }
        }
    }
}

fn target(id: &str, name: &str, side: &AtTarget, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let rows = side.rows.iter().map(|line| {
        let [held, code, ..] = why(&line.why, language);
        let label = [texts::fate(line.fate, language).to_owned(), held, code].into_iter().filter(|text| !text.is_empty());
        let counts = [line.ret, line.onay, line.ret + line.onay].map(|count| number(count, language));
        std::iter::once(label.collect::<Vec<_>>().join(" · ")).chain(counts).collect()
    });
    let sum = |of: fn(&super::FateLine) -> u64| number(side.rows.iter().map(of).sum(), language);
    let total = vec![say("all", "toplam").to_owned(), sum(|line| line.ret), sum(|line| line.onay), sum(|line| line.ret + line.onay)];
    let reasons = side.rows.iter().filter(|line| !line.why.is_empty()).map(|line| {
        let [held, code, cause, remedy] = why(&line.why, language);
        let label = [code, held].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
        vec![label, number(line.ret + line.onay, language), or_dash(cause), or_dash(remedy)]
    });
    let reasons: Vec<_> = reasons.collect();
    markup! {
        section aria-labelledby=(id) {
            h2 id=(id) { (say("How they stand at", "Durum:")) " " (name) }
            (table(
                say("Each movement of the day is in one row", "Günün her hareketi tek satırdadır"),
                &[
                    Column::text(say("How it ended, or stands", "Nasıl sonuçlandı veya durumu")),
                    Column::number(say("Refusals", "Ret")),
                    Column::number(say("Consents", "Onay")),
                    Column::number(say("All", "Toplam")),
                ],
                rows.collect(),
                Some(total),
                language,
            ))
            @if !reasons.is_empty() { (table_of_reasons(reasons, language)) }
        }
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "–".to_owned() } else { text }
}

fn table_of_reasons(rows: Vec<Vec<String>>, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    table(
        say("Held and refused: why, and what to do", "Bekletilen ve reddedilenler: nedeni ve çözümü"),
        &[
            Column::text(say("Code", "Kod")),
            Column::number(say("Count", "Sayı")),
            Column::words(say("What happened", "Ne oldu")),
            Column::words(say("What to do", "Ne yapmalı")),
        ],
        rows,
        None,
        language,
    )
}

fn waiting(now: &Now, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let slack = [
        (say("none: late", "yok: gecikti"), now.slack.late),
        (say("less than one", "birden az"), now.slack.under1),
        (say("one, and less than two", "bir, ikiden az"), now.slack.under2),
        (say("two, and less than three", "iki, üçten az"), now.slack.under3),
        (say("three", "üç"), now.slack.more),
    ];
    let slack = slack.map(|(label, count)| vec![label.to_owned(), number(count, language)]);
    let mut states = Vec::new();
    let mut reasons = Vec::new();
    for (name, Waiting { states: at, held }) in [("İYS", &now.iys), ("Insider", &now.insider)] {
        states.extend(
            at.iter().map(|(state, count)| vec![format!("{name} · {}", texts::word(state.as_str(), language)), number(*count, language)]),
        );
        for line in held {
            let [held, code, cause, remedy] = why(&line.why, language);
            let label = [name.to_owned(), held, code].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
            reasons.push(vec![label, number(line.count, language), or_dash(cause), or_dash(remedy)]);
        }
    }
    let first = now.first.as_ref().map(|first| {
        let [held, code, cause, remedy] = why(&first.why, language);
        let left = texts::duration(first.slack_seconds.unsigned_abs().saturating_mul(1000), language);
        let left = match (first.slack_seconds < 0, language) {
            (true, Language::En) => format!("{left} too late"),
            (true, Language::Tr) => format!("{left} gecikti"),
            (false, Language::En) => format!("{left} left"),
            (false, Language::Tr) => format!("{left} kaldı"),
        };
        let stands = [texts::fate(first.fate, language).to_owned(), held, code].into_iter().filter(|text| !text.is_empty());
        let what = format!("{}, {}", texts::channel(first.channel, language), texts::status(first.status, language));
        let mut lines = vec![
            (say("movement", "hareket"), what),
            (say("received", "alınış"), moment(first.received_at)),
            (say("deadline", "son an"), format!("{} ({left})", first.deadline)),
            (say("stands", "durumu"), stands.collect::<Vec<_>>().join(" · ")),
        ];
        lines.extend(
            [(say("what happened", "ne oldu"), cause), (say("what to do", "ne yapmalı"), remedy)]
                .into_iter()
                .filter(|(_, text)| !text.is_empty()),
        );
        lines
    });
    markup! {
        section aria-labelledby="now" {
            h2 id="now" { (say("What waited when this report was made, of all days", "Rapor hazırlanırken bekleyenler, bütün günlerden")) }
            @if now.truncated {
                p { (say("There was more than could be counted; the least urgent is missing.", "Sayılabilenden fazlası vardı; en az acil olanlar eksik.")) }
            }
            (table(
                say("Waiting for İYS, by the business days that are left", "İYS'yi bekleyenler, kalan iş gününe göre"),
                &[Column::text(say("Business days left", "Kalan iş günü")), Column::number(say("Count", "Sayı"))],
                slack.into_iter().collect(),
                None,
                language,
            ))
            @if let Some(first) = first {
                h3 { (say("The most urgent", "En acil olan")) }
                (facts(first))
            }
            @if !states.is_empty() {
                (table(
                    say("Addresses and channels that are not settled", "Sonuçlanmamış adres ve kanallar"),
                    &[Column::text(say("State", "Durum")), Column::number(say("Count", "Sayı"))],
                    states,
                    None,
                    language,
                ))
            }
            @if !reasons.is_empty() { (table_of_reasons(reasons, language)) }
        }
    }
}

fn differences(found: &Differences, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let columns = [
        Column::text(say("What differed", "Fark")),
        Column::number(say("Found", "Bulunan")),
        Column::number(say("Repaired", "Giderilen")),
        Column::number(say("Kept", "Bırakılan")),
        Column::number(say("Gone by itself", "Kendiliğinden biten")),
    ];
    let rows = |compared: &super::Compared| -> Vec<Vec<String>> {
        let line = |(kind, count): (&super::Word, &crate::ledger::DifferenceCount)| {
            let counts = [count.found, count.repaired(), count.kept, count.gone].map(|count| number(count, language));
            std::iter::once(texts::word(kind.as_str(), language).to_owned()).chain(counts).collect()
        };
        compared.differences.iter().map(line).collect()
    };
    let verification = &found.verification;
    let (caption, compared) = match &verification.since {
        Some(since) => (say("Towards İYS, since the report of the day before", "İYS ile, önceki günün raporundan beri"), since),
        None => (
            say(
                "Towards İYS, since the beginning: there is no report of the day before",
                "İYS ile, başlangıçtan beri: önceki günün raporu yok",
            ),
            &verification.so_far,
        ),
    };
    let export = found.insider_export.as_ref().map(|export| {
        let counts = &export.finished.counts;
        vec![
            (say("last export compared", "karşılaştırılan son dışa aktarım"), moment(export.finished.ended_at)),
            (
                say("since the report before", "önceki rapordan beri"),
                (if export.is_new { say("yes", "evet") } else { say("no", "hayır") }).to_owned(),
            ),
            (say("result", "sonuç"), texts::export(export.finished.outcome, language).to_owned()),
            (say("profiles", "profil"), number(counts.profiles, language)),
            (say("compared", "karşılaştırılan"), number(counts.compared, language)),
            (say("allowed against a refusal", "rede rağmen açık"), number(counts.allowed_against_refusal, language)),
            (say("off against a consent", "onaya rağmen kapalı"), number(counts.off_against_consent, language)),
            (say("refused at Insider itself", "Insider'da reddedilmiş"), number(counts.refused_there, language)),
            (say("under way", "yolda"), number(counts.under_way, language)),
            (say("known to Insider only", "yalnızca Insider'ın bildiği"), number(counts.unknown, language)),
        ]
    });
    markup! {
        section aria-labelledby="differences" {
            h2 id="differences" { (say("Differences found and repaired", "Bulunan ve giderilen farklar")) }
            p { (say("Compared with İYS", "İYS ile karşılaştırılan")) ": " strong { (number(compared.compared, language)) } }
            (table(caption, &columns, rows(compared), None, language))
            @if let Some(export) = export {
                h3 { (say("Insider's export", "Insider dışa aktarımı")) }
                (facts(export))
            }
        }
    }
}

fn day_files(files: &[FileOfDay], language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let columns = [
        Column::text(say("Day", "Gün")),
        Column::words(say("State", "Durum")),
        Column::number(say("Movements", "Hareket")),
        Column::words(say("Differences: found, left", "Farklar: bulunan, kalan")),
    ];
    let line = |file: &FileOfDay| {
        let state = texts::file_state(file.state, language);
        let state = file.why.as_ref().map_or_else(|| state.to_owned(), |why| format!("{state} ({})", why.as_str()));
        let kinds = file.differences.iter().map(|(kind, count)| {
            format!("{}: {}, {}", texts::file_kind(kind.as_str(), language), number(count.found, language), number(count.left, language))
        });
        vec![file.day.to_string(), state, number(file.rows, language), kinds.collect::<Vec<_>>().join("; ")]
    };
    markup! {
        section aria-labelledby="day-files" {
            h2 id="day-files" { (say("İYS's daily files", "İYS günlük hareket dosyaları")) }
            (table(say("Mutabakat, when the report was made", "Mutabakat, raporun oluşturulduğu anda"), &columns, files.iter().map(line).collect(), None, language))
        }
    }
}

fn evidence(report: &DailyReport, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    markup! {
        section aria-labelledby="evidence" {
            h2 id="evidence" { (say("Evidence", "Kanıt")) }
            @match &report.evidence {
                None => {
                    p { (say("The day is not closed yet: nothing proves it so far.", "Gün henüz kapanmadı: şimdilik onu kanıtlayan bir şey yok.")) }
                }
                Some(root) => {
                    dl.facts {
                        dt { (say("movements under the root", "kökün altındaki hareket")) } dd { (number(root.count, language)) }
                        dt { (say("root of the day", "günün kökü")) } dd { code { (root.root) } }
                        dt { (say("link of the chain", "zincirin halkası")) } dd { code { (root.chained) } }
                    }
                    p {
                        (say("To verify one person's movements: ", "Bir kişinin hareketlerini doğrulamak için: "))
                        code { "iysync evidence export" } ", "
                        code { "iysync evidence verify evidence.json --root " (report.day) "=" (root.root) } ". "
                        (say(
                            "The second command needs no account and no network. This report, like the day's root, is kept where nothing can be changed (object lock).",
                            "İkinci komut hesap ve ağ gerektirmez. Bu rapor da günün kökü gibi değiştirilemeyen yerde (object lock) saklanır.",
                        ))
                    }
                }
            }
        }
    }
}

fn about(report: &DailyReport, language: Language) -> Markup {
    let say = |en, tr| language.say(en, tr);
    let mut lines = vec![
        (say("brand", "marka"), report.brand.clone()),
        (say("day (Türkiye)", "gün (Türkiye)"), report.day.to_string()),
        (say("made", "hazırlanış"), moment(report.made_at)),
        (say("software", "yazılım"), format!("iys-insider-sync {}", report.software)),
        (say("format", "biçim"), report.format.clone()),
    ];
    if let Some(road) = &report.registry {
        let told = |(en, tr)| say(en, tr).to_owned();
        lines.push((say("road to İYS", "İYS'ye yol"), format!("{} ({})", road.kind.name(), say("integrator", "entegratör"))));
        lines.push((say("movements from elsewhere", "başka yerden gelen hareketler"), told(road.changes.words())));
        lines.push((say("what İYS holds", "İYS'deki durum"), told(road.status.words())));
    }
    markup! {
        section aria-labelledby="about" {
            h2 id="about" { (say("About this report", "Bu rapor hakkında")) }
            (facts(lines))
            p.faint {
                (say(
                    "All times are those of Türkiye (UTC+3). The report holds no address; the same figures for machines are in the JSON file beside it.",
                    "Bütün saatler Türkiye saatidir (UTC+3). Raporda adres yoktur; aynı sayılar makineler için yanındaki JSON dosyasındadır.",
                ))
            }
        }
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
