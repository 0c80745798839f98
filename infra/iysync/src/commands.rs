//! What each command asks, and how its answer is shown.

use clap::CommandFactory;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::answers::{Checks, Redriven, RetailersAnswer};

use crate::api::Api;
use crate::cli::{BrandCommand, BrandName, Cli, Command, EvidenceCommand, InsiderCommand, JobCommand, Place, RetailersCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::{self, Address};
use crate::invoke::Function;
use crate::language::Language;
use crate::page::Page;
use crate::place::brand_name;
use crate::report::{self, Job};
use crate::{daily, evidence, import, redrive, retailers, sample, status, story, verdict};

/// What a command has to tell.
pub(crate) struct Told {
    /// For a person.
    pub(crate) text: String,
    /// As it came.
    pub(crate) json: Vec<u8>,
    /// Field of the JSON that no terminal shows: the address.
    pub(crate) private: Option<&'static str>,
    pub(crate) exit: Exit,
}

/// What an answer is shown with.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) language: Language,
    /// Columns of the terminal; none where there is none.
    pub(crate) width: Option<u16>,
}

impl View {
    pub(crate) fn page(self) -> Page {
        Page::new(self.width)
    }
}

/// Does what the command line says.
pub(crate) async fn run(cli: Cli, view: View) -> Result<Told, Failure> {
    let place = &cli.place;
    match cli.command {
        Command::Brand(BrandCommand::Check { brand, strict }) => check(place, &brand, strict, view).await,
        Command::Insider(InsiderCommand::Sample { addresses, yes, brand }) => {
            let brand = brand_name(&brand, !place.aws)?;
            let function = Function::of(place).await?;
            let question = sample::question(addresses, yes, &brand, view.language)?;
            checks(&function, &question, false, view).await
        }
        Command::Retailers(command) => retailers(place, command, view).await,
        Command::Job(command) => job(place, command, view).await,
        Command::Import(options) => import::run(place, *options, view).await,
        Command::Redrive { discard } => {
            let json = Function::of(place).await?.ask(&json!({ "job": "redrive", "discard": discard }), view.language).await?;
            let answer: Redriven = read(&json)?;
            Ok(Told { text: redrive::text(&answer, view), exit: redrive::exit(&answer), json, private: None })
        }
        Command::Status(brand) => {
            let json = Api::of(place, &brand)?.get(&["status"], view.language).await?;
            Ok(Told { text: status::text(&read(&json)?, view), json, private: None, exit: Exit::Fine })
        }
        Command::Explain { address, brand } => explain(place, address, &brand, view).await,
        Command::Evidence(EvidenceCommand::Export { address, output, payloads, brand }) => {
            let brand = brand_name(&brand, !place.aws)?;
            let function = Function::of(place).await?;
            let address = Address::read(address, view.language)?;
            let question = json!({ "job": "export_evidence", "brand": brand, "address": address.expose(), "payloads": payloads });
            evidence::keep(&read(&function.ask(&question, view.language).await?)?, &output, view)
        }
        Command::Evidence(EvidenceCommand::Verify { file, roots, payloads }) => evidence::judge(&file, &roots, &payloads, view),
        Command::Report(options) => {
            let question = options.question(&brand_name(&options.brand, !place.aws)?, view.language, (shared::clock::system())());
            let json = Function::of(place).await?.ask(&question, view.language).await?;
            daily::tell(&read(&json)?, json, &options, view)
        }
        Command::Completions { shell } => Ok(completions(shell)),
    }
}

async fn check(place: &Place, brand: &BrandName, strict: bool, view: View) -> Result<Told, Failure> {
    let brand = brand_name(brand, !place.aws)?;
    checks(&Function::of(place).await?, &json!({ "job": "check_brand", "brand": brand }), strict, view).await
}

async fn checks(function: &Function, question: &Value, strict: bool, view: View) -> Result<Told, Failure> {
    let json = function.ask(question, view.language).await?;
    let checks: Checks = read(&json)?;
    Ok(Told { text: verdict::text(&checks, view), exit: verdict::exit(&checks, strict), json, private: None })
}

async fn retailers(place: &Place, command: RetailersCommand, view: View) -> Result<Told, Failure> {
    let (brand, wish) = match &command {
        RetailersCommand::List { brand } => (brand, json!({ "action": "list" })),
        RetailersCommand::Show { code, brand } => (brand, json!({ "action": "show", "retailerCode": code })),
        RetailersCommand::Create { file, brand } => (brand, json!({ "action": "create", "retailer": input::json(file)? })),
        RetailersCommand::Delete { code, brand } => (brand, json!({ "action": "delete", "retailerCode": code })),
    };
    let mut question = json!({ "job": "retailers", "brand": brand_name(brand, !place.aws)? });
    merge(&mut question, wish);
    let json = Function::of(place).await?.ask(&question, view.language).await?;
    let answer: RetailersAnswer = read(&json)?;
    let shows_one = matches!(command, RetailersCommand::Show { .. });
    Ok(Told { text: retailers::text(&answer, shows_one, view), exit: retailers::exit(&answer, shows_one), json, private: None })
}

fn merge(question: &mut Value, more: Value) {
    if let (Value::Object(question), Value::Object(more)) = (question, more) {
        question.extend(more);
    }
}

async fn job(place: &Place, command: JobCommand, view: View) -> Result<Told, Failure> {
    let (job, question) = match command {
        JobCommand::Pull => (Job::Pull, json!({ "job": "pull" })),
        JobCommand::Sweep => (Job::Sweep, json!({ "job": "sweep" })),
        JobCommand::Clock => (Job::Clock, json!({ "job": "clock" })),
        JobCommand::Evidence => (Job::Evidence, json!({ "job": "evidence" })),
        JobCommand::Report => (Job::Report, json!({ "job": "report" })),
        JobCommand::Standing { brand } => (Job::Standing, json!({ "job": "standing", "brand": brand_name(&brand, !place.aws)? })),
        JobCommand::Verify { brand, full } => {
            (Job::Verify, json!({ "job": "verify", "brand": brand_name(&brand, !place.aws)?, "full": full }))
        }
        JobCommand::DailyFile { brand, day } => {
            (Job::DailyFile, json!({ "job": "daily_file", "brand": brand_name(&brand, !place.aws)?, "day": day }))
        }
        JobCommand::PushService { brand, url } => {
            (Job::PushService, json!({ "job": "push_service", "brand": brand_name(&brand, !place.aws)?, "url": url.map(String::from) }))
        }
        JobCommand::InsiderExport { brand } => {
            (Job::InsiderExport, json!({ "job": "insider_export", "brand": brand_name(&brand, !place.aws)? }))
        }
    };
    let json = Function::of(place).await?.ask(&question, view.language).await?;
    let report = read(&json)?;
    Ok(Told { text: report::text(job, &report, view), exit: report::exit(&report), json, private: None })
}

async fn explain(place: &Place, address: Option<String>, brand: &BrandName, view: View) -> Result<Told, Failure> {
    let api = Api::of(place, brand)?;
    let address = Address::read(address, view.language)?;
    let json = api.post(&["consents", "lookup"], &json!({ "recipient": address.expose() }), view.language).await?;
    let text = story::text(&read(&json)?, address.shown(), view);
    Ok(Told { text, json, private: Some("recipient"), exit: Exit::Fine })
}

fn completions(shell: clap_complete::Shell) -> Told {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "iysync", &mut script);
    Told { text: String::from_utf8_lossy(&script).into_owned(), json: script, private: None, exit: Exit::Fine }
}

/// Reads an answer. An error tells the place, not what stands there.
fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(json).map_err(|error| Failure::Unreadable(format!("line {}, column {}", error.line(), error.column())))
}
