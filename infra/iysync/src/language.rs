//! The language in which people are spoken to.

use clap::ValueEnum;
use shared::answers::Words;

/// Environment variables that name a locale; the first that is set counts.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English.
    En,
    /// Turkish.
    Tr,
}

impl Language {
    /// That of the environment; English where it names no other that is spoken here.
    pub(crate) fn of_environment() -> Self {
        Self::of_locales(LOCALE.map(|name| std::env::var(name).unwrap_or_default()))
    }

    fn of_locales(locales: [String; 3]) -> Self {
        let locale = locales.into_iter().find(|locale| !locale.is_empty()).unwrap_or_default();
        let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("tr") { Self::Tr } else { Self::En }
    }

    /// One of two texts.
    pub(crate) fn say<T>(self, en: T, tr: T) -> T {
        match self {
            Self::En => en,
            Self::Tr => tr,
        }
    }

    /// A text of an answer.
    pub(crate) fn of(self, words: &Words) -> &str {
        self.say(&words.en, &words.tr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_that_is_set_decides_and_everything_unknown_is_english() {
        for (locales, language) in [
            (["", "", "tr_TR.UTF-8"], Language::Tr),
            (["en_GB.UTF-8", "", "tr_TR.UTF-8"], Language::En),
            (["tr", "en_US", "en_US"], Language::Tr),
            (["", "TR_tr@euro", ""], Language::Tr),
            (["C.UTF-8", "", ""], Language::En),
            (["", "", "tru_TR"], Language::En),
            (["", "", ""], Language::En),
        ] {
            assert_eq!(Language::of_locales(locales.map(str::to_owned)), language, "{locales:?}");
        }
    }
}
