//! The tables of İYS's codes in `docs/`: they say what the one table of the sources says.
//!
//! With `UPDATE_DOCS=1` in the environment they are written anew instead.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use shared::consent::code::{CallGroup, Disposition, Entry, Hold, RetryAfter, entries};

const BEGIN: &str = "<!-- codes: written by shared/tests/codes.rs -->\n";
const END: &str = "<!-- codes: end -->";

/// The two languages of the documents.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    En,
    Tr,
}

impl Language {
    /// One of two texts.
    fn of<T>(self, (en, tr): (T, T)) -> T {
        match self {
            Language::En => en,
            Language::Tr => tr,
        }
    }
}

/// A group of calls as the page calls it.
fn call(group: CallGroup) -> (&'static str, &'static str) {
    match group {
        CallGroup::Token => ("sign-in", "oturum"),
        CallGroup::Add => ("add", "tekil ekleme"),
        CallGroup::BulkList => ("bulk add", "çoklu ekleme"),
        CallGroup::BulkStatus => ("bulk results", "çoklu ekleme sonucu"),
        CallGroup::BulkRow => ("row of bulk results", "çoklu ekleme sonuç satırı"),
        CallGroup::Status => ("status", "tekil durum"),
        CallGroup::MultiStatus => ("multi status", "çoklu durum"),
        CallGroup::History => ("history", "geçmiş"),
        CallGroup::Pull => ("pull", "pull"),
        CallGroup::Push => ("push registration", "push kaydı"),
        CallGroup::Account => ("brands, subscription", "markalar, abonelik"),
        CallGroup::Partner => ("business partner", "iş ortağı"),
        CallGroup::Retailers => ("retailers", "bayiler"),
        CallGroup::RetailerAccess => ("retailer access", "bayi erişimi"),
        CallGroup::Agreements => ("reconciliation", "mutabakat"),
        CallGroup::Info => ("provinces, districts", "iller, ilçeler"),
    }
}

fn met_by(entry: &Entry, language: Language) -> String {
    let all = match entry.met_by {
        [] => Some(("none of our calls", "bu yazılımın hiçbir çağrısı")),
        all if all == CallGroup::ANY => Some(("any call", "her çağrı")),
        all if all == CallGroup::SIGNED_IN => Some(("any call after sign-in", "oturumlu her çağrı")),
        all if all == CallGroup::OF_A_BRAND => Some(("any call of a brand", "markanın her çağrısı")),
        _ => None,
    };
    all.map_or_else(
        || entry.met_by.iter().map(|group| language.of(call(*group))).collect::<Vec<_>>().join(", "),
        |words| language.of(words).to_owned(),
    )
}

fn for_the_work(disposition: Disposition) -> (&'static str, &'static str) {
    match disposition {
        Disposition::AlreadyThere => ("settled: `already_there`", "tamam: `already_there`"),
        Disposition::NotRegistered => ("settled: `not_registered`", "tamam: `not_registered`"),
        Disposition::Superseded => ("İYS's newer movement is taken over", "İYS'deki daha yeni hareket devralınır"),
        Disposition::TooLate => (
            "RET: sent as `HS_KARAR` if the brand allows it, else `rejected`; ONAY: `rejected` unless İYS holds one",
            "RET: marka izin verdiyse `HS_KARAR` olarak gönderilir, yoksa `rejected`; ONAY: İYS'de onay yoksa `rejected`",
        ),
        Disposition::Retry(RetryAfter::Soon) => ("sent again, after a pause that grows", "giderek artan aralıkla yeniden gönderilir"),
        Disposition::Retry(RetryAfter::Second) => ("sent again in the next second", "bir sonraki saniyede yeniden gönderilir"),
        Disposition::Retry(RetryAfter::Hour) => ("sent again in an hour", "bir saat sonra yeniden gönderilir"),
        Disposition::Unauthorised => ("session renewed once, then sent again", "oturum bir kez yenilenip yeniden gönderilir"),
        Disposition::TokenStop => ("no sign-in for an hour", "bir saat oturum açılmaz"),
        Disposition::Held(Hold::Authority) => ("`held`: `authority`", "`held`: `authority`"),
        Disposition::Held(Hold::Subscription) => ("`held`: `subscription`", "`held`: `subscription`"),
        Disposition::Held(Hold::Quota) => ("`held`: `quota`", "`held`: `quota`"),
        Disposition::Held(Hold::Configuration) => ("`held`: `configuration`", "`held`: `configuration`"),
        Disposition::Held(Hold::Credentials) => ("`held`: `credentials`", "`held`: `credentials`"),
        Disposition::Rejected => ("`rejected`", "`rejected`"),
        Disposition::Defect => ("nothing is judged, tried again", "hiçbir kayıt için karar verilmez, yeniden denenir"),
    }
}

fn table(language: Language) -> String {
    let mut table = language
        .of((
            "| Code | HTTP | Met by | For the work | Cause | Remedy |\n|---|---|---|---|---|---|\n",
            "| Kod | HTTP | Nerede görülür | İş için anlamı | Neden | Ne yapmalı |\n|---|---|---|---|---|---|\n",
        ))
        .to_owned();
    for entry in entries() {
        let (cause, remedy) = (entry.cause(), entry.remedy());
        let cells = [met_by(entry, language), language.of(for_the_work(entry.disposition)).to_owned()];
        let texts = [language.of((cause.en, cause.tr)), language.of((remedy.en, remedy.tr))];
        for text in cells.iter().map(String::as_str).chain(texts) {
            assert!(!text.contains(['|', '\n']), "{}: {text}", entry.code);
        }
        let [met_by, work] = cells;
        writeln!(table, "| `{}` | {} | {met_by} | {work} | {} | {} |", entry.code, entry.http, texts[0], texts[1]).unwrap();
    }
    table
}

#[test]
fn the_documents_show_every_code_as_the_sources_have_it() {
    for (name, language) in [("iys.md", Language::En), ("iys.tr.md", Language::Tr)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        let text = fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("docs/{name} has lost the mark {BEGIN}"));
        let (shown, after) = rest.split_once(END).unwrap_or_else(|| panic!("docs/{name} has lost the mark {END}"));
        let table = table(language);
        if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
            fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
            continue;
        }
        // The first line that differs says more than two whole pages.
        for (line, expected) in shown.lines().zip(table.lines()) {
            assert_eq!(line, expected, "docs/{name} is out of date: UPDATE_DOCS=1 cargo test -p shared --test codes");
        }
        assert_eq!(shown.lines().count(), table.lines().count(), "docs/{name} is out of date");
    }
}
