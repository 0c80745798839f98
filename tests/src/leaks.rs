//! Looks for addresses where none may be.

use aho_corasick::{AhoCorasick, MatchKind};

/// Most findings that are told of.
const SHOWN: usize = 5;

/// Characters shown on either side of a finding.
const CONTEXT: usize = 160;

/// A search for many addresses at once, in any part of a text: an e-mail address by its local part, a
/// phone number by its ten national digits, however the country is written before them.
pub struct Search {
    patterns: AhoCorasick,
    are_digits: Vec<bool>,
}

impl Search {
    /// A search for these addresses.
    #[must_use]
    pub fn new(addresses: &[String]) -> Self {
        let needles: Vec<&str> = addresses.iter().map(|address| needle(address)).collect();
        let are_digits = needles.iter().map(|needle| needle.bytes().all(|byte| byte.is_ascii_digit())).collect();
        let patterns = AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostFirst).build(&needles).unwrap();
        Self { patterns, are_digits }
    }

    /// The first findings in a text, each with what stands around it.
    #[must_use]
    pub fn findings(&self, text: &str) -> Vec<String> {
        let found = self.patterns.find_iter(text).filter(|found| {
            // Ten digits within a longer number or a digest are no phone number.
            let is_number = self.are_digits.get(found.pattern().as_usize()).copied().unwrap_or_default();
            !is_number || stands_alone(text, found.start(), found.end())
        });
        found
            .take(SHOWN)
            .map(|found| {
                let from = (found.start().saturating_sub(CONTEXT)..=found.start()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                let to = (found.end() + CONTEXT).min(text.len());
                let to = (found.end()..=to).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
                text[from..to].to_owned()
            })
            .collect()
    }

    /// Panics if the text holds any of the addresses.
    pub fn must_find_nothing(&self, place: &str, text: &str) {
        let findings = self.findings(text);
        assert!(findings.is_empty(), "{place} holds addresses: {findings:#?}");
    }
}

fn needle(address: &str) -> &str {
    match address.strip_prefix("+90") {
        Some(national) => national,
        None => address.split('@').next().unwrap_or(address),
    }
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = &text[..start];
    let before = ["%2B90", "%2b90", "0090", "+90", "90", "0"].iter().find_map(|country| before.strip_suffix(country)).unwrap_or(before);
    let apart = |character: Option<char>| character.is_none_or(|character| !character.is_ascii_alphanumeric());
    apart(before.chars().next_back()) && apart(text[end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_addresses_however_they_are_written() {
        let search = Search::new(&["ayse.deneme@example.com".to_owned(), "+905321112233".to_owned()]);
        for text in [
            "to ayse.deneme@example.com now",
            "AYSE.DENEME%40example.com",
            "\"local\":\"ayse.deneme\"",
            "+905321112233",
            "%2B905321112233",
            "\"905321112233\"",
            "tel 05321112233.",
            "(5321112233)",
        ] {
            assert_eq!(search.findings(text).len(), 1, "{text}");
        }
        for text in ["mehmet.deneme@example.com", "15321112233445", "a9f5321112233e", "+905321112234"] {
            assert!(search.findings(text).is_empty(), "{text}");
        }
    }
}
