//! The table of what each registry can do, in `docs/integrators.md`, is made of the flags. With `UPDATE_DOCS` set
//! the test writes it.

use jiff::SignedDuration;
use shared::brand::Brand;
use shared::integrators::capabilities;
use shared::registry::{Authority, Callback, Capabilities, Changes, Outcomes, Proof, Rejects};

use crate::world::brand;
use crate::{mysoft, netgsm, verimor};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/integrators.md");
const BEGIN: &str = "<!-- made of the flags: begin -->\n";
const END: &str = "<!-- made of the flags: end -->";

/// What a document with nothing but the necessary says.
fn plain(mut registry: serde_json::Value) -> Capabilities {
    for setting in ["callsPerMinute", "addsPerMinute", "readsPerMinute"] {
        registry.as_object_mut().unwrap().remove(setting);
    }
    capabilities(&brand(&registry).registry)
}

fn yes(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}

fn number(number: usize) -> String {
    match number {
        0 => "–".to_owned(),
        usize::MAX => "not told".to_owned(),
        number => number.to_string(),
    }
}

fn time(length: SignedDuration) -> String {
    match (length.as_hours(), length.as_mins()) {
        (0, 0) => "at once".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, _) if hours % 24 == 0 => format!("{} d", hours / 24),
        (hours, _) => format!("{hours} h"),
    }
}

fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Basic => "HTTP Basic",
        Proof::BodyKey => "key in the body",
        Proof::UrlSecret => "secret in the address",
    }
}

/// A flag's name, and how its value reads.
type Line = (&'static str, fn(&Capabilities) -> String);

const LINES: &[Line] = &[
    ("one record with its verdict (`single`)", |c| yes(c.single)),
    ("most records in a list (`bulk_records`)", |c| number(c.bulk_records)),
    ("most bytes in a list (`bulk_bytes`)", |c| number(c.bulk_bytes)),
    ("a list is refused for (`rejects`)", |c| match c.rejects {
        Rejects::PerRecord => "single records".into(),
        Rejects::WholeList => "all, found by halves".into(),
    }),
    ("İYS's verdict (`outcomes`)", |c| match c.outcomes {
        Outcomes::Poll => "polled".into(),
        Outcomes::Callback => "callback, else what is held".into(),
        Outcomes::Requery => "what is held".into(),
    }),
    ("… asked for after (`outcomes_after`)", |c| time(c.outcomes_after)),
    ("… given up after (`outcomes_kept`)", |c| time(c.outcomes_kept)),
    ("addresses in a question (`onays_recipients`)", |c| number(c.onays_recipients)),
    ("one record can be asked for (`holding`)", |c| yes(c.holding)),
    ("… none is told from a refusal (`holding_tells_none`)", |c| if c.holding { yes(c.holding_tells_none) } else { "–".into() }),
    ("… whose word (`authority`)", |c| match (c.holding, c.authority) {
        (false, _) => "–".into(),
        (true, Authority::Iys) => "İYS's".into(),
        (true, Authority::Mirror) => "a copy's".into(),
    }),
    ("questions in a minute (`questions_per_minute`)", |c| number(usize::try_from(c.questions_per_minute).unwrap())),
    ("questions about one record in an hour (`fetches_per_hour`)", |c| number(usize::try_from(c.fetches_per_hour).unwrap())),
    ("movements from elsewhere (`changes`)", |c| match c.changes {
        Changes::None => "not readable".into(),
        Changes::Cursor => "from a cursor".into(),
        Changes::Window => "by days, seven at once".into(),
        Changes::DailyReport => "a list a day".into(),
    }),
    ("… the brand's own, too (`own_changes`)", |c| yes(c.own_changes)),
    ("callback (`callback`)", |c| match c.callback {
        Callback::None => "none".into(),
        Callback::Records(by) => format!("movements; {}", proof(by)),
        Callback::RecordsAndOutcomes(by) => format!("movements and verdicts; {}", proof(by)),
        Callback::Pointer(by) => format!("a pointer; {}", proof(by)),
    }),
    ("… vouches for consents", |c| c.callback.proof().map_or_else(|| "–".into(), |by| yes(by.vouches_for_consents()))),
    ("daily files, mutabakat (`day_files`)", |c| yes(c.day_files)),
    ("tells subscription and authority (`account`)", |c| yes(c.account)),
    ("dealers (`dealers`)", |c| yes(c.dealers)),
    ("foreign numbers (`foreign_numbers`)", |c| yes(c.foreign_numbers)),
    ("channels (`channels`)", |c| c.channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ")),
];

fn table() -> String {
    let own = Brand::read(include_str!("../../../infra/local/brands/demo.json")).unwrap();
    let all = [capabilities(&own.registry), plain(netgsm::settings()), plain(verimor::settings()), plain(mysoft::settings())];
    let mut table = "| | İYS itself | Netgsm | Verimor | Mysoft |\n|---|---|---|---|---|\n".to_owned();
    for (name, read) in LINES {
        let values = all.iter().map(read).collect::<Vec<_>>().join(" | ");
        table.push_str(&format!("| {name} | {values} |\n"));
    }
    table
}

#[test]
fn the_table_of_the_documentation_is_made_of_the_flags() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert_eq!(shown, table(), "run the test once with UPDATE_DOCS=1");
}

/// The flags by their names. One that is added shows in the debug form.
fn names() -> Vec<String> {
    let shown = format!("{:?}", Capabilities::IYS);
    let names = shown.trim_start_matches("Capabilities {").split(", ").filter_map(|part| part.split_once(": "));
    let names: Vec<_> = names.map(|(name, _)| name.trim().to_owned()).collect();
    assert!(names.len() > 20, "{names:?}");
    names
}

#[test]
fn every_flag_has_a_line() {
    for name in names() {
        assert!(LINES.iter().any(|(line, _)| line.contains(&format!("`{name}`"))), "{name}");
    }
}

#[test]
fn every_flag_has_a_test_that_provokes_its_consequence() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut all = Vec::new();
    for folder in ["shared", "functions", "infra", "tests"] {
        sources(&root.join(folder), &mut all);
    }
    let mut tests = Vec::new();
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            match name {
                Some(name) if is_test && name.starts_with("flag_") => tests.push(name.to_owned()),
                _ => {}
            }
            is_test = line.starts_with("#[test]") || line.starts_with("#[tokio::test") || (is_test && line.starts_with("#["));
        }
    }
    // What a flag with a longer name is provoked by is no test of one whose name that begins with.
    let owner = |test: &String| names().into_iter().filter(|name| test.starts_with(&format!("flag_{name}_"))).max_by_key(String::len);
    for name in names() {
        assert!(tests.iter().any(|test| owner(test).as_ref() == Some(&name)), "no test of its own begins with flag_{name}_");
    }
}

/// Every Rust file below a folder.
fn sources(folder: &std::path::Path, all: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
}

#[test]
fn only_the_adapters_the_document_the_codes_and_the_choice_know_an_integrators_name() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut all = Vec::new();
    for folder in ["shared/src", "functions"] {
        sources(&root.join(folder), &mut all);
    }
    let known = ["shared/src/integrators/", "shared/src/brand.rs", "shared/src/brand/registry.rs", "shared/src/consent/code/"];
    let mut checked = 0;
    for path in all {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if name.contains("/tests/") || name.ends_with("_tests.rs") || known.iter().any(|known| name.starts_with(known)) {
            continue;
        }
        checked += 1;
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        assert!(["netgsm", "verimor", "mysoft"].iter().all(|integrator| !text.contains(integrator)), "{name}");
    }
    assert!(checked > 100, "{checked}");
}
