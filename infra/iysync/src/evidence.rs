//! Evidence of one address: fetched into a file, and verified from the file alone.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use serde_json::{Value, json};
use shared::answers::{EvidenceAnswer, Words};
use shared::evidence::{Because, Fact, Finding, Flaw, Mark, Published, Said, Verdict, verify};

use crate::commands::{Told, View};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::language::Language;
use crate::page::{BAD, DOUBTFUL, GOOD, Page, STRONG, clean, styled};
use crate::reason::Reason;
use crate::words;

/// Stands for standard output where a file is expected.
const STANDARD_OUTPUT: &str = "-";

/// What was fetched, written to a file that only its owner may read; what its verification says.
pub(crate) fn keep(answer: &EvidenceAnswer, file: &Path, view: View) -> Result<Told, Failure> {
    let language = view.language;
    let mut page = view.page();
    let export = match answer {
        EvidenceAnswer::Exported(export) => export,
        EvidenceAnswer::NoAddress => {
            page.item(&format!("{} ", styled(BAD, "✗")), language.say("This is no address.", "Bu bir adres değil."));
            return Ok(told(page, &json!({ "refused": "address" }), Exit::Wrong));
        }
        EvidenceAnswer::Refused(check) => {
            page.item(&format!("{} ", styled(BAD, "✗")), language.of(&check.detail));
            if let Some(reason) = &check.reason {
                Reason::from(reason).write(&mut page, "  ", view);
            }
            return Ok(told(page, &json!({ "refused": check }), Exit::Wrong));
        }
    };
    let text = serde_json::to_string_pretty(export).map_err(|error| Failure::Unreadable(error.to_string()))? + "\n";
    let verdict = verify(text.as_bytes(), &[], &[]);
    if file == Path::new(STANDARD_OUTPUT) {
        // An address that was not typed there is shown on no terminal.
        if io::stdout().is_terminal() {
            return Err(Failure::Usage("the evidence holds the address: name a file with --output".to_owned()));
        }
        let json = text.trim_end().as_bytes().to_vec();
        return Ok(Told { text, json, private: Some("address"), exit: exit(&verdict) });
    }
    write(file, &text).map_err(|error| Failure::File { name: file.to_string_lossy().into_owned(), why: error.to_string() })?;
    let name = file.to_string_lossy();
    page.line(language.say(
        format!("Written to {name}. It holds the address: hand it only to whom it is meant for."),
        format!("{name} dosyasına yazıldı. Adresi içerir: yalnızca ilgilisine verin."),
    ));
    page.gap();
    show(&verdict, &mut page, language);
    Ok(told(page, &as_json(&verdict), exit(&verdict)))
}

/// What the verification of a file says.
pub(crate) fn judge(file: &Path, roots: &[String], payloads: &[std::path::PathBuf], view: View) -> Result<Told, Failure> {
    let published = roots.iter().map(|root| read_root(root)).collect::<Result<Vec<_>, _>>()?;
    let payloads = payloads.iter().map(|path| input::bytes(path)).collect::<Result<Vec<_>, _>>()?;
    let verdict = verify(&input::bytes(file)?, &published, &payloads);
    let mut page = view.page();
    show(&verdict, &mut page, view.language);
    Ok(told(page, &as_json(&verdict), exit(&verdict)))
}

fn told(page: Page, json: &Value, exit: Exit) -> Told {
    Told { text: page.into_text(), json: json.to_string().into_bytes(), private: None, exit }
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

fn read_root(text: &str) -> Result<Published, Failure> {
    let read = || {
        let (day, digest) = text.split_once('=')?;
        Some(Published { day: day.parse().ok()?, digest: digest.to_ascii_lowercase().parse().ok()? })
    };
    read().ok_or_else(|| Failure::Usage("--root takes a day and 64 hexadecimal digits: 2026-11-20=…".to_owned()))
}

fn exit(verdict: &Verdict) -> Exit {
    if verdict.mark() == Mark::Bad { Exit::Wrong } else { Exit::Fine }
}

const fn word(mark: Mark) -> &'static str {
    match mark {
        Mark::Good => "verified",
        Mark::Open => "open",
        Mark::Bad => "failed",
    }
}

fn as_json(verdict: &Verdict) -> Value {
    let line = |finding: &Finding| {
        let words = Words { en: sentence(&finding.fact, Language::En), tr: sentence(&finding.fact, Language::Tr) };
        json!({ "result": word(finding.mark), "detail": words })
    };
    json!({ "result": word(verdict.mark()), "findings": verdict.findings.iter().map(line).collect::<Vec<_>>() })
}

fn show(verdict: &Verdict, page: &mut Page, language: Language) {
    for finding in &verdict.findings {
        let mark = match finding.mark {
            Mark::Good => styled(GOOD, "✓"),
            Mark::Open => styled(DOUBTFUL, "○"),
            Mark::Bad => styled(BAD, "✗"),
        };
        page.item(&format!("{mark} "), &clean(&sentence(&finding.fact, language)));
    }
    page.gap();
    let (style, text) = match verdict.mark() {
        Mark::Good => (
            GOOD,
            language.say(
                "Verified: what is marked ✓ stood in the ledger on its day and has not been changed since.",
                "Doğrulandı: ✓ ile işaretli olanlar o gün defterdeydi ve o günden beri değiştirilmedi.",
            ),
        ),
        Mark::Open => (
            DOUBTFUL,
            language.say(
                "What is marked ✓ is verified; what is marked ○ is neither proven nor disproven by this file alone.",
                "✓ ile işaretli olanlar doğrulandı; ○ ile işaretli olanlar yalnız bu dosyayla ne kanıtlanır ne çürütülür.",
            ),
        ),
        Mark::Bad => (
            BAD,
            language.say(
                "Not verified: the file, or what it was made from, was changed.",
                "Doğrulanmadı: dosya veya dosyanın kaynağı değiştirilmiş.",
            ),
        ),
    };
    page.line(styled(STRONG, styled(style, text)));
}

fn movement(said: &Said, language: Language) -> String {
    let Said { number, channel, recipient_type, status, source, consent_date, origin, aside, .. } = said;
    let by = words::origin(origin, language);
    let effect = if aside.is_empty() {
        String::new()
    } else {
        format!("; {}: {}", language.say("without effect", "etkisiz"), words::aside(aside, language))
    };
    language.say(
        format!("Movement {number}: {channel} {recipient_type} {status} of {consent_date}, {source}, told by {by}{effect}"),
        format!("Hareket {number}: {channel} {recipient_type} {status}, {consent_date}, {source}, bildiren: {by}{effect}"),
    )
}

fn flaw(flaw: Flaw, language: Language) -> &'static str {
    let (en, tr) = match flaw {
        Flaw::Form => ("it is not written in the canonical form", "kurallı biçimde yazılmamış"),
        Flaw::Digest => ("its digest is not that of what it says", "özeti, söylediklerinin özeti değil"),
        Flaw::Address => ("it is of another address", "başka bir adrese ait"),
        Flaw::Brand => ("it is of another brand", "başka bir markaya ait"),
        Flaw::NoPath => ("its day is closed, and nothing leads from it to the day's root", "günü kapanmış ama günün köküne yolu yok"),
        Flaw::Path => ("its path does not lead to the day's root", "yolu günün köküne çıkmıyor"),
        Flaw::NoDay => ("its day is not among the closed days of the file", "günü, dosyadaki kapanmış günler arasında değil"),
    };
    language.say(en, tr)
}

/// A finding and what it means.
fn sentence(fact: &Fact, language: Language) -> String {
    let say = |en: String, tr: String| language.say(en, tr);
    match fact {
        Fact::NoEvidence => say(
            "This is no file of evidence in a format that this program knows.".into(),
            "Bu, programın bildiği biçimde bir kanıt dosyası değil.".into(),
        ),
        Fact::Chain { last, days: 1, .. } => say(
            format!("The chain has one day, {}. Its last link is {}", last.day, last.chained),
            format!("Zincirde tek gün var: {}. Son halkası {}", last.day, last.chained),
        ),
        Fact::Chain { first, last, days } => say(
            format!(
                "The chain of {days} days from {} to {} is whole: each day is bound to the day before. Its last link is {}",
                first.day, last.day, last.chained
            ),
            format!(
                "{} ile {} arasındaki {days} günlük zincir tam: her gün bir öncekine bağlı. Son halkası {}",
                first.day, last.day, last.chained
            ),
        ),
        Fact::Link(day) => say(format!("The chain is broken at {day}."), format!("Zincir {day} gününde kopuk.")),
        Fact::Gap(day) => say(format!("The chain misses a day before {day}."), format!("Zincirde {day} öncesinde gün eksik.")),
        Fact::NoDays => say(
            "No day was closed yet: nothing can be proven before a day is over.".into(),
            "Henüz kapanmış gün yok: gün bitmeden hiçbir şey kanıtlanamaz.".into(),
        ),
        Fact::Published(day) => say(
            format!("The file agrees with what was given for {day}: that day and all days before it are the ones that were published."),
            format!("Dosya, {day} için verilenle aynı: o gün ve önceki bütün günler yayımlanmış olanlardır."),
        ),
        Fact::Differs(day) => say(
            format!("The file differs from what was given for {day}: it was made from another ledger, or from a changed one."),
            format!("Dosya, {day} için verilenden farklı: başka veya değiştirilmiş bir defterden çıkmış."),
        ),
        Fact::NotInFile(day) => say(format!("The file has no day {day}."), format!("Dosyada {day} günü yok.")),
        Fact::NothingPublished => say(
            "Nothing was compared with roots that are known from elsewhere. Compare one with --root: only that shows that the chain was \
             not made anew."
                .into(),
            "Başka yerden bilinen bir kökle karşılaştırma yapılmadı. --root ile birini karşılaştırın: zincirin yeniden üretilmediğini \
             yalnızca bu gösterir."
                .into(),
        ),
        Fact::Proven(said, day) => say(
            format!("{}. It is under the root of {day}.", movement(said, language)),
            format!("{}. {day} gününün kökü altında.", movement(said, language)),
        ),
        Fact::NotClosed(said, day) => say(
            format!("{}. {day} is not closed yet: export again after it.", movement(said, language)),
            format!("{}. {day} günü henüz kapanmadı: daha sonra yeniden alın.", movement(said, language)),
        ),
        Fact::Flawed(number, what) => say(
            format!("Movement {number} does not hold: {}.", flaw(*what, language)),
            format!("Hareket {number} tutmuyor: {}.", flaw(*what, language)),
        ),
        Fact::Confirmed { number, transaction, by } => say(
            format!("Movement {number}: İYS's transaction {transaction} is the one that İYS reported itself (movement {by})."),
            format!("Hareket {number}: {transaction} numaralı İYS işlemi, İYS'nin kendi bildirdiği işlemdir (hareket {by})."),
        ),
        Fact::Told { number, transaction, at } => say(
            format!(
                "Movement {number}: İYS's transaction {transaction}, known since {at}, is told by the ledger only; İYS can confirm it."
            ),
            format!("Hareket {number}: {transaction} numaralı İYS işlemini ({at}) yalnızca defter söylüyor; İYS doğrulayabilir."),
        ),
        Fact::FromPayload(number) => say(
            format!("Movement {number} was made from a payload that was given."),
            format!("Hareket {number}, verilen içeriklerden birinden oluştu."),
        ),
        Fact::NoPayload => say(
            "No movement was made from one of the payloads that were given, or the file does not open their digests (--payloads).".into(),
            "Verilen içeriklerin birinden hiçbir hareket oluşmamış veya dosya içerik özetlerini açmıyor (--payloads).".into(),
        ),
        Fact::Unproven(unproven) => {
            let what = format!("{} {} {}", unproven.channel, unproven.status, unproven.consent_date);
            match unproven.because {
                Because::NoDigest => say(
                    format!("{what}, received {}: the ledger has no digest of it. Nothing proves it.", unproven.received_at),
                    format!("{what}, alınışı {}: defterde özeti yok. Hiçbir şey kanıtlamıyor.", unproven.received_at),
                ),
                Because::Unreadable => say(
                    format!("{what}: what the ledger holds of it has not the form of a movement any more."),
                    format!("{what}: defterdeki kayıt artık hareket biçiminde değil."),
                ),
            }
        }
        Fact::NoMovements => say("The ledger holds no movement of this address.".into(), "Defterde bu adrese ait hareket yok.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_a_day_and_a_digest() {
        let digest = "a".repeat(64);
        assert!(read_root(&format!("2026-11-20={}", digest.to_uppercase())).is_ok_and(|root| root.digest.to_string() == digest));
        for wrong in ["2026-11-20", &format!("2026-11-31={digest}"), &format!("2026-11-20={}", &digest[1..])] {
            assert_eq!(read_root(wrong).err().map(|failure| failure.exit()), Some(Exit::Usage), "{wrong}");
        }
    }

    #[test]
    fn a_chain_of_one_day_is_told_of_as_one() {
        let root = shared::evidence::tree::Tree::default().finish().0;
        let first = shared::evidence::Day::after(shared::evidence::Digest::NONE, "demo", jiff::civil::date(2026, 11, 20), root);
        let told = |days, language| sentence(&Fact::Chain { first, last: first, days }, language);
        assert!(told(1, Language::En).starts_with("The chain has one day, 2026-11-20. Its last link is "));
        assert!(told(1, Language::Tr).starts_with("Zincirde tek gün var: 2026-11-20. Son halkası "));
        assert!(told(2, Language::En).starts_with("The chain of 2 days"));
    }

    #[test]
    fn what_is_no_evidence_fails_in_both_languages() {
        let verdict = verify(b"{}", &[], &[]);
        assert_eq!(exit(&verdict), Exit::Wrong);
        let json = as_json(&verdict);
        let detail = &json["findings"][0]["detail"];
        assert!(json["result"] == "failed" && detail["en"] != detail["tr"], "{json}");
    }
}
