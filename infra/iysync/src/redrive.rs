//! What became of the messages in the dead-letter queues.

use shared::answers::Redriven;

use crate::commands::View;
use crate::exit::Exit;
use crate::page::{padded, widest};

/// What is left in a queue asks for a person.
pub(crate) fn exit(answer: &Redriven) -> Exit {
    if answer.more || answer.unusable > answer.discarded { Exit::Wrong } else { Exit::Fine }
}

/// The answer for a person.
pub(crate) fn text(answer: &Redriven, view: View) -> String {
    let say = |en, tr| view.language.say(en, tr);
    let counts = [
        (say("on their way again", "yeniden yola çıkan"), answer.redriven),
        (say("unusable", "kullanılamayan"), answer.unusable),
        (say("of them deleted", "bunlardan silinen"), answer.discarded),
    ];
    let labels = widest(counts.iter().map(|(label, _)| *label));
    let mut page = view.page();
    for (label, count) in counts {
        page.line(format!("{}  {count}", padded(label, labels)));
    }
    if answer.unusable > answer.discarded {
        page.line(say(
            "What is unusable stays in the dead-letter queue; --discard deletes it. The ledger keeps the work itself.",
            "Kullanılamayan iletiler ölü ileti kuyruğunda kalır; --discard onları siler. İşin kendisi defterde durur.",
        ));
    }
    if answer.more {
        page.line(say("There is more: run it again.", "Dahası var: komutu yeniden çalıştırın."));
    }
    page.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn what_is_left_is_told_with_what_to_do_and_ends_in_code_1() {
        let view = |language| View { language, width: None };
        let fine = Redriven { redriven: 3, unusable: 2, discarded: 2, more: false };
        let told = text(&fine, view(Language::En));
        assert_eq!((told.as_str(), exit(&fine)), ("on their way again  3\nunusable            2\nof them deleted     2\n", Exit::Fine));
        let left = Redriven { discarded: 0, ..fine };
        assert!(text(&left, view(Language::Tr)).contains("--discard"));
        assert_eq!(exit(&left), Exit::Wrong);
        let more = Redriven { more: true, ..fine };
        assert!(text(&more, view(Language::En)).ends_with("run it again.\n"));
        assert_eq!(exit(&more), Exit::Wrong);
    }
}
