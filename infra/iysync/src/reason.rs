//! Why something is not as it should be, as the functions tell it: code, cause and remedy.

use serde::Deserialize;
use shared::answers::Words;

use crate::commands::View;
use crate::page::{FAINT, Page, STRONG, padded, styled};

/// A reason as far as it is known.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reason {
    pub(crate) code: Option<String>,
    pub(crate) cause: Option<Words>,
    pub(crate) remedy: Option<Words>,
}

impl From<&shared::answers::Reason> for Reason {
    fn from(reason: &shared::answers::Reason) -> Self {
        Self { code: reason.code.clone(), cause: Some(reason.cause.clone()), remedy: Some(reason.remedy.clone()) }
    }
}

impl Reason {
    /// Adds lines for what is known.
    pub(crate) fn write(&self, page: &mut Page, indent: &str, view: View) {
        let language = view.language;
        let labels = [language.say("code", "kod"), language.say("cause", "neden"), language.say("remedy", "çözüm")];
        let words = |words: &Option<Words>| words.as_ref().map(|words| language.of(words).to_owned());
        let texts = [self.code.clone(), words(&self.cause), words(&self.remedy).map(|remedy| styled(STRONG, remedy))];
        let width = crate::page::widest(labels);
        for (label, text) in labels.into_iter().zip(texts) {
            if let Some(text) = text {
                page.item(&format!("{indent}{}  ", styled(FAINT, padded(label, width))), &text);
            }
        }
    }
}
