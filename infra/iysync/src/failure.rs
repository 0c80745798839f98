//! Why there is no answer, and what the person who asked can do about it.

use std::error::Error;

use shared::answers::Words;

use crate::exit::Exit;
use crate::language::Language;
use crate::page::{BAD, Page, clean, styled};

/// AWS's codes for a caller that it does not know, or that may not call.
const CALLER: [&str; 5] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

/// Why a question was not answered as it was meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line lacks something, or contradicts itself; in English, as clap speaks.
    #[error("{0}")]
    Usage(String),
    /// A file, or standard input, cannot be used.
    #[error("{name}: {why}")]
    File { name: String, why: String },
    /// The person who was asked did not agree.
    #[error("not agreed")]
    Declined,
    /// The operating system does not let the program wait for an answer.
    #[error("this machine refuses: {0}")]
    Machine(String),
    /// Nobody answers there.
    #[error("{place} does not answer: {why}")]
    Unreachable { place: String, why: String },
    /// The function did not end in the longest time that it can have.
    #[error("the function did not end")]
    TooLong,
    /// The caller's AWS credentials are missing or cannot be had.
    #[error("no AWS credentials: {0}")]
    NoCredentials(String),
    /// AWS refuses the call.
    #[error("AWS refuses: {code}: {message}")]
    Aws { code: String, message: String },
    /// There is no function of this name.
    #[error("there is no function {0}")]
    NoFunction(String),
    /// The function ran, and failed.
    #[error("the function failed: {kind}: {message}")]
    FunctionFailed { kind: String, message: String },
    /// The API does not take the key.
    #[error("the API does not take the key")]
    Key,
    /// The API does not know the brand, or there is another server at its address.
    #[error("the API does not know the brand")]
    NoBrand,
    /// The API refuses the request as such.
    #[error("the API refuses the request: {detail}")]
    Refused { detail: String, answer: Vec<u8> },
    /// The API failed.
    #[error("the API answered {status}: {title}")]
    Api { status: u16, title: String },
    /// The answer has a form that this program does not know.
    #[error("the answer cannot be read at {0}")]
    Unreadable(String),
    /// Rows of a book are not taken, again and again.
    #[error("rows are not taken: {}", .0.en)]
    Unfinished(Words),
    /// An import came to no end.
    #[error("broken off after {rows} rows: {cause}")]
    BrokenOff { rows: u64, cause: Box<Failure> },
}

impl Failure {
    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::File { .. } | Self::Declined => Exit::Usage,
            Self::Refused { .. } => Exit::Wrong,
            Self::BrokenOff { cause, .. } => cause.exit(),
            _ => Exit::Unanswered,
        }
    }

    /// Whether the same question may be answered a moment later, and asking it again does no harm.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TooLong | Self::FunctionFailed { .. } => true,
            Self::Aws { code, .. } => !CALLER.contains(&code.as_str()),
            _ => false,
        }
    }

    /// What happened, and what to do about it.
    fn words(&self, language: Language) -> (String, &'static str) {
        let say = |en: String, tr: String| language.say(en, tr);
        match self {
            Self::Usage(what) => (what.clone(), language.say("iysync help tells what there is.", "Seçenekler: iysync help.")),
            Self::File { name, why } => (
                say(format!("{name} cannot be used: {why}"), format!("{name} kullanılamıyor: {why}")),
                language.say("Nothing was asked.", "Hiçbir şey sorulmadı."),
            ),
            Self::Declined => (
                say("nobody agreed".into(), "onay verilmedi".into()),
                language.say("Nothing was asked of Insider.", "Insider'a hiçbir şey sorulmadı."),
            ),
            Self::Machine(why) => (
                say(format!("this machine refuses: {why}"), format!("bu makine izin vermiyor: {why}")),
                language.say("Nothing was asked.", "Hiçbir şey sorulmadı."),
            ),
            Self::Unreachable { place, why } => (
                say(format!("nobody answers at {place}: {why}"), format!("{place} yanıt vermiyor: {why}")),
                language.say(
                    "Start the local stack (cargo run), or say where the system is: --api-url, --invoke-url, or --aws with --function.",
                    "Yerel sistemi başlatın (cargo run) veya sistemin yerini belirtin: --api-url, --invoke-url ya da --function ile --aws.",
                ),
            ),
            Self::TooLong => (
                say(
                    "the function gave no answer in the longest time that it may run".into(),
                    "fonksiyon, çalışabileceği en uzun sürede yanıt vermedi".into(),
                ),
                language.say("The log of reconcile says what became of it.", "Ne olduğu reconcile günlüğünde yazar."),
            ),
            Self::NoCredentials(why) => (
                say(format!("there are no AWS credentials to call with: {why}"), format!("kullanılabilir AWS kimlik bilgisi yok: {why}")),
                language.say(
                    "Sign in (aws sso login, aws configure), and name the profile with --profile or AWS_PROFILE.",
                    "Oturum açın (aws sso login, aws configure) ve profili --profile veya AWS_PROFILE ile belirtin.",
                ),
            ),
            Self::Aws { code, message } => (
                say(format!("AWS refuses the call: {code}: {message}"), format!("AWS çağrıyı reddediyor: {code}: {message}")),
                if CALLER.contains(&code.as_str()) {
                    language.say(
                        "The caller needs lambda:InvokeFunction on the function; compare account, region and profile.",
                        "Çağıranın fonksiyonda lambda:InvokeFunction iznine ihtiyacı var; hesabı, bölgeyi ve profili karşılaştırın.",
                    )
                } else {
                    language.say(
                        "Ask again later; AWS's documentation of Invoke explains the code.",
                        "Daha sonra yeniden sorun; kod, AWS'nin Invoke belgelerinde açıklanır.",
                    )
                },
            ),
            Self::NoFunction(name) => (
                say(format!("there is no function {name}"), format!("{name} adında bir fonksiyon yok")),
                language.say(
                    "Its name is the output ReconcileFunctionName of the stack; compare account and region, too.",
                    "Adı, yığının ReconcileFunctionName çıktısıdır; hesabı ve bölgeyi de karşılaştırın.",
                ),
            ),
            Self::FunctionFailed { kind, message } => (
                say(format!("the function failed: {kind}: {message}"), format!("fonksiyon hata verdi: {kind}: {message}")),
                language.say("The log of reconcile says what happened.", "Ne olduğu reconcile günlüğünde yazar."),
            ),
            Self::Key => (
                say("the API does not take the key".into(), "API anahtarı kabul etmiyor".into()),
                language.say(
                    "The key is one of api.keys in the brand's document; hand it over by --api-key-file or IYSYNC_API_KEY.",
                    "Anahtar, marka belgesindeki api.keys değerlerinden biridir; --api-key-file veya IYSYNC_API_KEY ile verin.",
                ),
            ),
            Self::NoBrand => (
                say("the API does not know this brand".into(), "API bu markayı tanımıyor".into()),
                language.say(
                    "Compare --brand with the brand's document, and --api-url with the output ApiUrl.",
                    "--brand değerini marka belgesiyle, --api-url değerini ApiUrl çıktısıyla karşılaştırın.",
                ),
            ),
            Self::Refused { detail, .. } => (
                say(format!("the API refuses the request: {detail}"), format!("API isteği reddediyor: {detail}")),
                language.say("Nothing was looked up.", "Hiçbir şey sorgulanmadı."),
            ),
            Self::Api { status, title } => (
                say(format!("the API answered {status}: {title}"), format!("API {status} yanıtı verdi: {title}")),
                language
                    .say("Ask again later; the function's log says more.", "Daha sonra yeniden sorun; fonksiyonun günlüğünde ayrıntı var."),
            ),
            Self::Unfinished(why) => (
                say(format!("rows are not taken: {}", why.en), format!("satırlar alınmıyor: {}", why.tr)),
                language.say(
                    "iysync brand check tells what is wrong; then import again with --resume.",
                    "Sorunu iysync brand check gösterir; ardından --resume ile yeniden içe aktarın.",
                ),
            ),
            Self::BrokenOff { rows, cause } => {
                let (what, _) = cause.words(language);
                (
                    say(
                        format!("the import broke off after {rows} rows: {what}"),
                        format!("içe aktarma {rows} satırdan sonra kesildi: {what}"),
                    ),
                    language.say(
                        "What was taken stays. Import the same file again with --resume.",
                        "Alınan satırlar durur. Aynı dosyayı --resume ile yeniden içe aktarın.",
                    ),
                )
            }
            Self::Unreadable(place) => (
                say(format!("the answer cannot be read: {place}"), format!("yanıt okunamıyor: {place}")),
                language.say(
                    "Is it the right address? If so, this program and the system are of different versions.",
                    "Adres doğru mu? Doğruysa bu program ile sistemin sürümleri farklıdır.",
                ),
            ),
        }
    }

    /// The same as lines for standard error.
    pub(crate) fn text(&self, language: Language, width: Option<u16>) -> String {
        let (what, remedy) = self.words(language);
        let mut page = Page::new(width);
        page.item(&format!("{} ", styled(BAD, language.say("error:", "hata:"))), &clean(&what));
        page.item("       ", remedy);
        page.into_text()
    }
}

/// An error and its causes, from the outermost to the last.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        said.push(cause.to_string());
        next = cause.source();
    }
    said
}

/// The last cause of an error, which is the one that a person can act on.
pub(crate) fn root(error: &dyn Error) -> String {
    chain(error).pop().unwrap_or_default()
}

/// All causes of an error, each once.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut said = chain(error);
    said.dedup();
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::bare;

    fn all() -> Vec<(Failure, Exit)> {
        let text = || "x".to_owned();
        vec![
            (Failure::Usage(text()), Exit::Usage),
            (Failure::File { name: text(), why: text() }, Exit::Usage),
            (Failure::Declined, Exit::Usage),
            (Failure::Machine(text()), Exit::Unanswered),
            (Failure::Unreachable { place: text(), why: text() }, Exit::Unanswered),
            (Failure::TooLong, Exit::Unanswered),
            (Failure::NoCredentials(text()), Exit::Unanswered),
            (Failure::Aws { code: text(), message: text() }, Exit::Unanswered),
            (Failure::Aws { code: CALLER[0].to_owned(), message: text() }, Exit::Unanswered),
            (Failure::NoFunction(text()), Exit::Unanswered),
            (Failure::FunctionFailed { kind: text(), message: text() }, Exit::Unanswered),
            (Failure::Key, Exit::Unanswered),
            (Failure::NoBrand, Exit::Unanswered),
            (Failure::Refused { detail: text(), answer: Vec::new() }, Exit::Wrong),
            (Failure::Api { status: 503, title: text() }, Exit::Unanswered),
            (Failure::Unreadable(text()), Exit::Unanswered),
            (Failure::Unfinished(Words { en: text(), tr: text() }), Exit::Unanswered),
            (Failure::BrokenOff { rows: 1, cause: Box::new(Failure::TooLong) }, Exit::Unanswered),
            (Failure::BrokenOff { rows: 1, cause: Box::new(Failure::File { name: text(), why: text() }) }, Exit::Usage),
        ]
    }

    #[test]
    fn every_failure_says_what_to_do_in_both_languages_and_has_its_exit_code() {
        for (failure, exit) in all() {
            assert_eq!(failure.exit(), exit, "{failure}");
            let [en, tr] = [Language::En, Language::Tr].map(|language| bare(&failure.text(language, None)));
            assert_ne!(en, tr, "{failure}");
            assert!(en.starts_with("error: ") && tr.starts_with("hata: "), "{en}{tr}");
            for text in [&en, &tr] {
                assert!(text.lines().nth(1).is_some_and(|remedy| remedy.ends_with('.')), "{text}");
            }
        }
    }
}
