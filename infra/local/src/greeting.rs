//! What a person sees first: what runs where, and what to try.

use crate::stack::{Options, Stack};

/// Credentials of the brand that the project brings along, for the examples.
const API_KEY: &str = "demo-api-key";
/// The brand itself.
const BRAND: &str = "demo";
/// Its code at İYS.
const BRAND_CODE: u32 = 700_001;
/// A brand that comes along, too, and reaches İYS by an integrator; its key.
const INTEGRATOR_BRAND: &str = "demo-integrator";
const INTEGRATOR_KEY: &str = "demo-integrator-api-key";
/// Whoever the examples are about: a shell variable, because no output of ours shows an address.
const PERSON: &str = "'$WHO'";

/// The greeting.
pub(crate) fn text(stack: &Stack, options: &Options, colour: bool) -> String {
    let strong = |text: &str| {
        if colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let dim = |text: &str| {
        if colour { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let mut lines = vec![String::new(), strong("iys-insider-sync is running on this machine"), String::new()];
    let tables =
        options.data.as_ref().map_or_else(|| "tables in memory".to_owned(), |folder| format!("tables kept in {}", folder.display()));
    let simulated = options.sandboxes.is_some();
    let integrator = if simulated { "simulator of an integrator" } else { "none" };
    let mut rows: Vec<(&str, String, String)> = [
        ("HTTP API", stack.gateway_url(), ""),
        ("İYS", stack.iys_url(), if simulated { "simulator" } else { "none" }),
        ("Insider", stack.insider_url(), if simulated { "simulator" } else { "none" }),
        ("DynamoDB", stack.dynamodb_url(), tables.as_str()),
        ("SQS", stack.sqs_url(), "queues in memory"),
        ("SSM", stack.ssm_url(), "brands"),
        ("Lambda", stack.lambda_url(), "invoke by name"),
        ("Netgsm", stack.netgsm_url(), integrator),
        ("Verimor", stack.verimor_url(), integrator),
        ("Mysoft", stack.mysoft_url(), integrator),
    ]
    .map(|(what, url, note)| (what, url.to_owned(), note.to_owned()))
    .into();
    rows.extend(stack.schedules().iter().map(|(schedule, every)| {
        (schedule.name.as_str(), format!("every {} s", every.as_secs_f64()), format!("{} {}", schedule.function, schedule.input))
    }));
    let width = rows.iter().map(|(what, ..)| what.chars().count()).max().unwrap_or_default();
    lines.extend(rows.iter().map(|(what, at, note)| format!("  {what:<width$}  {at:<22} {}", dim(note)).trim_end().to_owned()));
    let is_here = |brand: &str| options.brands.join(format!("{brand}.json")).exists();
    if simulated && is_here(BRAND) {
        lines.extend([String::new(), strong("Try, one after the other"), String::new()]);
        lines.extend(
            examples(stack)
                .into_iter()
                .chain(is_here(INTEGRATOR_BRAND).then(|| by_an_integrator(stack)))
                .flat_map(|(what, command)| [format!("  {}", dim(&format!("# {what}"))), format!("  {command}")]),
        );
    }
    lines.extend([String::new(), dim("Ctrl-C ends it."), String::new()]);
    lines.join("\n")
}

fn examples(stack: &Stack) -> [(&'static str, String); 7] {
    let (api, iys, insider) = (stack.gateway_url(), stack.iys_url(), stack.insider_url());
    let post = |url: &str, body: &str| format!("curl -s -X POST {url} -H 'content-type: application/json' -d '{body}'");
    let own = |path: &str, body: &str| format!("{} -H 'authorization: Bearer {API_KEY}'", post(&format!("{api}/v1/{BRAND}/{path}"), body));
    [
        ("any e-mail address: nothing leaves this machine", "read -p 'Whose address? ' WHO".to_owned()),
        (
            "a person consents in the brand's shop; it goes to İYS and Insider",
            own("consents", &format!(r#"{{"consents":[{{"recipient":"{PERSON}","type":"EPOSTA","status":"ONAY","source":"HS_WEB"}}]}}"#)),
        ),
        ("may she be messaged?", own("consents/check", &format!(r#"{{"type":"EPOSTA","recipients":["{PERSON}"]}}"#))),
        (
            "she unsubscribes in an e-mail that Insider sent",
            post(&format!("{insider}/_sandbox/unsubscribe"), &format!(r#"{{"email":"{PERSON}"}}"#)),
        ),
        ("what İYS knows of her now", format!("curl -s '{iys}/_sandbox/consents?recipient={PERSON}")),
        (
            "she refuses e-mail as a citizen, at İYS itself; its push notice brings it",
            post(
                &format!("{iys}/_sandbox/citizen"),
                &format!(r#"{{"brandCode":{BRAND_CODE},"recipient":"{PERSON}","type":"EPOSTA","status":"RET"}}"#),
            ),
        ),
        ("everything the ledger knows of her", own("consents/lookup", &format!(r#"{{"recipient":"{PERSON}"}}"#))),
    ]
}

/// The same brand's systems, were it at an integrator.
fn by_an_integrator(stack: &Stack) -> (&'static str, String) {
    let body = format!(r#"{{"consents":[{{"recipient":"{PERSON}","type":"EPOSTA","status":"ONAY","source":"HS_WEB"}}]}}"#);
    let url = format!("{}/v1/{INTEGRATOR_BRAND}/consents", stack.gateway_url());
    let headers = format!("-H 'content-type: application/json' -H 'authorization: Bearer {INTEGRATOR_KEY}'");
    ("another brand has its consents carried to İYS by an integrator", format!("curl -s -X POST {url} {headers} -d '{body}'"))
}
