//! What a person is told and asked before a sample is made at Insider: its calls change what Insider holds.

use std::io::{self, BufRead, IsTerminal, Write};

use serde_json::{Value, json};

use crate::cli::SampleAddresses;
use crate::failure::Failure;
use crate::input::Address;
use crate::language::Language;

/// The question to the function, once the person agreed.
pub(crate) fn question(addresses: SampleAddresses, yes: bool, brand: &str, language: Language) -> Result<Value, Failure> {
    if !yes && !io::stdin().is_terminal() {
        return Err(Failure::Usage("a sample changes what Insider holds for the address: say --yes where nobody can be asked".to_owned()));
    }
    let addresses = match addresses {
        SampleAddresses { email: None, phone: None } => of_any(Address::read(None, language)?.expose()),
        named => named,
    };
    if !yes && !agreed(&warning(brand, language), language) {
        return Err(Failure::Declined);
    }
    Ok(json!({ "job": "sample_insider", "brand": brand, "email": addresses.email, "phone": addresses.phone }))
}

/// An address by its looks.
fn of_any(text: &str) -> SampleAddresses {
    let text = Some(text.to_owned());
    if text.as_ref().is_some_and(|text| text.contains('@')) {
        SampleAddresses { email: text, phone: None }
    } else {
        SampleAddresses { email: None, phone: text }
    }
}

/// What is going to happen. It names no address.
fn warning(brand: &str, language: Language) -> String {
    language.say(
        format!(
            "For the address, this unsubscribes, writes the opt-in flag and resubscribes at brand {brand}'s Insider account, and\n\
             then brings it to what the ledger holds; if the ledger knows nothing of it, to suppressed, unless its flag was true.\n\
             A profile may come into being, and an account that reports such calls as events has the ledger take a refusal.\n\
             Use an address of your own."
        ),
        format!(
            "Bu komut {brand} markasının Insider hesabında adres için abonelikten çıkarır, izin bayrağını yazar, yeniden abone yapar,\n\
             sonra defterin tuttuğu duruma getirir; defter adresi bilmiyorsa, bayrağı true değilse engelli bırakır.\n\
             Profil oluşabilir; bu çağrıları olay olarak bildiren bir hesapta deftere ret yazılır.\n\
             Kendi adresinizi kullanın."
        ),
    )
}

fn agreed(warning: &str, language: Language) -> bool {
    let question = language.say("Go on? [y/N] ", "Devam edilsin mi? [e/H] ");
    let mut answer = String::new();
    let asked = write!(io::stderr(), "{warning}\n{question}").and_then(|()| io::stderr().flush());
    // Whoever could not be asked has not agreed.
    asked.and_then(|()| io::stdin().lock().read_line(&mut answer)).is_ok() && is_yes(&answer)
}

/// Yes in either language.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "e" | "evet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        assert!(["y", "Yes\n", "e\n", " EVET "].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "no", "h", "hayır", "yep"].into_iter().any(is_yes));
    }

    #[test]
    fn an_address_is_told_from_a_number_by_its_looks() {
        let SampleAddresses { email, phone } = of_any("kisi@example.com");
        assert_eq!((email.as_deref(), phone), (Some("kisi@example.com"), None));
        let SampleAddresses { email, phone } = of_any("0599 200 00 01");
        assert_eq!((email, phone.as_deref()), (None, Some("0599 200 00 01")));
    }
}
