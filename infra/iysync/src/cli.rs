//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use jiff::civil::Date;
use url::Url;

use crate::import::Options;
use crate::language::Language;

/// The local stack's HTTP API.
const LOCAL_API: &str = "http://127.0.0.1:4000";
/// The local stack's part of Lambda's API.
const LOCAL_INVOKE: &str = "http://127.0.0.1:4006";
/// The local stack's function of jobs.
const LOCAL_FUNCTION: &str = "reconcile";

const EXIT_CODES: &str = "\
Exit codes:
  0  asked and answered; nothing is wrong
  1  asked and answered; something is wrong, or what was wished was refused
  2  the command line, or a file that it names, cannot be used
  3  no answer: the system was not reached, refused the caller, or failed

Without any option, the local stack (cargo run) and its brand demo are asked.";

/// Operates iys-insider-sync: checks a brand, runs jobs, explains an address.
#[derive(Parser)]
#[command(name = "iysync", bin_name = "iysync", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) manner: Manner,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How answers are shown.
#[derive(Args)]
pub(crate) struct Manner {
    /// Print the answer as JSON, exactly as it came
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language [default: that of LC_ALL, LC_MESSAGES or LANG; else en]
    #[arg(
        long,
        visible_alias = "lang",
        global = true,
        value_enum,
        env = "IYSYNC_LANGUAGE",
        hide_possible_values = true,
        value_name = "en|tr"
    )]
    pub(crate) language: Option<Language>,
}

/// Where the system is.
#[derive(Args)]
#[command(next_help_heading = "Where the system is")]
pub(crate) struct Place {
    /// Base address of the HTTP API (the stack's output ApiUrl)
    #[arg(long, global = true, value_name = "URL", env = "IYSYNC_API_URL", default_value = LOCAL_API)]
    pub(crate) api_url: Url,
    /// File with a key of the HTTP API; otherwise the variable IYSYNC_API_KEY
    #[arg(long, global = true, value_name = "FILE", env = "IYSYNC_API_KEY_FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Invoke jobs in AWS, with the credentials of the environment or a profile
    #[arg(long, global = true, env = "IYSYNC_AWS")]
    pub(crate) aws: bool,
    /// Name or ARN of the function of jobs (the stack's output ReconcileFunctionName)
    #[arg(long, global = true, value_name = "NAME", env = "IYSYNC_FUNCTION", default_value = LOCAL_FUNCTION)]
    pub(crate) function: String,
    /// Base address of Lambda's API [default: http://127.0.0.1:4006, or with --aws the region's]
    #[arg(long, global = true, value_name = "URL", env = "IYSYNC_INVOKE_URL")]
    invoke_url: Option<Url>,
    /// AWS region
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// AWS profile
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// A brand.
#[derive(Args)]
pub(crate) struct BrandName {
    /// The brand's name [default for the local stack: demo]
    #[arg(long = "brand", value_name = "NAME", env = "IYSYNC_BRAND")]
    pub(crate) name: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// A brand's set-up
    #[command(subcommand)]
    Brand(BrandCommand),
    /// A brand's account at Insider
    #[command(subcommand)]
    Insider(InsiderCommand),
    /// A brand's retailers (bayi) at İYS
    #[command(subcommand)]
    Retailers(RetailersCommand),
    /// Run a job of the schedule now
    #[command(subcommand)]
    Job(JobCommand),
    /// A brand's existing book of consents (CSV): take it in, and send İYS only what it lacks
    Import(Box<Options>),
    /// Bring back to work what ended in the dead-letter queues, of all brands
    Redrive {
        /// Delete the messages that nobody can use, instead of leaving them there
        #[arg(long)]
        discard: bool,
    },
    /// What waits for İYS and Insider, and how much time is left
    Status(BrandName),
    /// Everything that the ledger knows of one address, and why it may be messaged or not
    Explain {
        /// The address; without, it is asked for, or read from standard input. A shell remembers arguments
        #[arg(value_name = "ADDRESS")]
        address: Option<String>,
        #[command(flatten)]
        brand: BrandName,
    },
    /// What proves the movements of one address to somebody who trusts nobody here
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// A day's report: how the day's refusals reached İYS, how long it took, what is in the way
    Report(Box<crate::daily::Options>),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Subcommand)]
pub(crate) enum BrandCommand {
    /// Is its İYS side right? Token, numbers, subscription, quota, authority, push, address, clock
    Check {
        #[command(flatten)]
        brand: BrandName,
        /// Let warnings count as failures
        #[arg(long)]
        strict: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum InsiderCommand {
    /// Prove every key and mapping with calls about an address of yours. They change what Insider holds for it
    Sample {
        #[command(flatten)]
        addresses: SampleAddresses,
        /// Ask nothing back
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        brand: BrandName,
    },
}

/// With what a sample is made; without any, it is asked for, or read from standard input.
#[derive(Args)]
pub(crate) struct SampleAddresses {
    /// E-mail address, for EPOSTA. A shell remembers arguments
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// Phone number, for MESAJ and ARAMA
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum RetailersCommand {
    /// All of them
    List {
        #[command(flatten)]
        brand: BrandName,
    },
    /// One
    Show {
        /// Its İYS number
        code: u64,
        #[command(flatten)]
        brand: BrandName,
    },
    /// A new one
    Create {
        /// Its description as JSON, in İYS's words; - for standard input
        file: PathBuf,
        #[command(flatten)]
        brand: BrandName,
    },
    /// One less
    Delete {
        /// Its İYS number
        code: u64,
        #[command(flatten)]
        brand: BrandName,
    },
}

#[derive(Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Put the evidence of an address into a file
    Export {
        /// The address; without, it is asked for, or read from standard input. A shell remembers arguments
        #[arg(value_name = "ADDRESS")]
        address: Option<String>,
        /// The file; - for standard output
        #[arg(long, short, value_name = "FILE", default_value = "evidence.json")]
        output: PathBuf,
        /// Open the digests of what the movements were made from, for whoever has those payloads
        #[arg(long)]
        payloads: bool,
        #[command(flatten)]
        brand: BrandName,
    },
    /// Verify a file of evidence: offline, without account or secret
    Verify {
        /// The file; - for standard input
        file: PathBuf,
        /// What you know of a day from elsewhere: its root or its link of the chain
        #[arg(long = "root", value_name = "DAY=HEX")]
        roots: Vec<String>,
        /// A payload that a movement of the file is said to be made from
        #[arg(long = "payload", value_name = "FILE")]
        payloads: Vec<PathBuf>,
    },
}

#[derive(Subcommand)]
pub(crate) enum JobCommand {
    /// Read İYS's feeds, of all brands
    Pull,
    /// Queue again what no message has finished, of all brands
    Sweep,
    /// Read the deadline clock: what waits for İYS and how much is late, of all brands
    Clock,
    /// Close the days that are over, of all brands
    Evidence,
    /// Close the days that are over, and make the reports that are due, of all brands
    Report,
    /// Look at a brand's account at İYS now, and release what was held if it may go on
    Standing {
        #[command(flatten)]
        brand: BrandName,
    },
    /// See that İYS's push connections of a brand stand, and register those that do not
    PushService {
        #[command(flatten)]
        brand: BrandName,
        /// Where İYS's notices go, instead of the address of the API
        #[arg(long, value_name = "URL")]
        url: Option<Url>,
    },
    /// Order the day's export of a brand at Insider, or go on comparing it
    InsiderExport {
        #[command(flatten)]
        brand: BrandName,
    },
    /// Compare what is due of a brand with what İYS holds now, and repair what differs
    Verify {
        #[command(flatten)]
        brand: BrandName,
        /// Compare everything that is at rest now, whether it is due or not; what one run cannot, the next ones do
        #[arg(long)]
        full: bool,
    },
    /// Compare İYS's files of a brand's finished days with the ledger now (mutabakat)
    DailyFile {
        #[command(flatten)]
        brand: BrandName,
        /// This day only, and once more if it is done: YYYY-MM-DD, one of the last seven
        #[arg(long, value_name = "DAY")]
        day: Option<Date>,
    },
}

impl Place {
    /// Base address of Lambda's API, where it is not the region's.
    pub(crate) fn invoke_url(&self) -> Option<Url> {
        match (&self.invoke_url, self.aws) {
            (Some(url), _) => Some(url.clone()),
            (None, false) => LOCAL_INVOKE.parse().ok(),
            (None, true) => None,
        }
    }

    /// Whether the function's name is that of the local stack, which no deployed one has.
    pub(crate) fn has_local_function(&self) -> bool {
        self.function == LOCAL_FUNCTION
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn read(arguments: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(arguments.split(' '))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_that_say_where_the_system_is_may_stand_on_either_side_of_the_command() {
        for line in ["iysync --aws --function f status", "iysync status --aws --function f"] {
            let cli = read(line).unwrap();
            assert!(cli.place.aws && cli.place.function == "f" && cli.place.invoke_url().is_none(), "{line}");
        }
        let cli = read("iysync job pull").unwrap();
        assert_eq!(cli.place.invoke_url().unwrap().as_str(), "http://127.0.0.1:4006/");
        assert!(cli.place.has_local_function());
    }

    #[test]
    fn a_job_of_all_brands_takes_no_brand() {
        assert_eq!(read("iysync job sweep --brand demo").err().unwrap().exit_code(), 2);
        assert!(read("iysync job standing --brand demo").is_ok());
    }

    #[test]
    fn what_is_missing_or_unknown_is_a_usage_error() {
        for line in
            ["iysync retailers show", "iysync retailers show x", "iysync completions tcsh", "iysync --language de status", "iysync x"]
        {
            assert_eq!(read(line).err().unwrap().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn an_address_may_be_a_number_with_a_sign() {
        let address = |line: &str| match read(line).unwrap().command {
            Command::Explain { address, .. } => address,
            _ => None,
        };
        assert_eq!(address("iysync explain +905321112233").as_deref(), Some("+905321112233"));
        assert_eq!(address("iysync explain --json"), None);
    }

    #[test]
    fn every_command_that_the_pages_name_is_one() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|page| page.unwrap().path());
        let pages = pages.chain(["README.md", "README.tr.md"].map(|name| root.join(name)));
        let (mut commands, mut wrong) = (0, Vec::new());
        for page in pages.filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
            let text = std::fs::read_to_string(&page).unwrap();
            for line in text.lines() {
                let alone = line.trim_start().strip_prefix("$ ").unwrap_or(line.trim_start());
                let spans = line.split('`').skip(1).step_by(2);
                for said in spans
                    .chain([alone])
                    .filter(|said| said.starts_with("iysync ") && !said.contains(['[', '…']) && !said.contains("COMMAND"))
                {
                    // What a shell does with it comes after.
                    let command =
                        said.split([';', '|', '#', '>']).next().unwrap().replace("GÜN", "2026-11-25").replace("DAY", "2026-11-25");
                    commands += 1;
                    let quoted = |(at, part): (usize, &str)| if at % 2 == 1 { part.replace(' ', "") } else { part.to_owned() };
                    let command: String = command.split('\'').enumerate().map(quoted).collect();
                    if let Err(error) = read(&command.split_whitespace().collect::<Vec<_>>().join(" ")) {
                        use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand as NamesAGroup};
                        if ![DisplayHelp, NamesAGroup].contains(&error.kind()) {
                            wrong.push(format!("{}: {said}: {error}", page.display()));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty() && commands > 80, "{commands} commands, of them wrong:\n{}", wrong.join("\n"));
    }
}
