//! By whom a brand reaches İYS, and what that road does not tell.

use serde_json::Value;
use shared::integrators::RegistryView;

use crate::language::Language;

/// Lines of a label and a text; none for a brand that calls İYS itself, and for words of another version.
pub(crate) fn lines(told: &Value, language: Language) -> Vec<(String, String)> {
    let Ok(road) = serde_json::from_value::<RegistryView>(told.clone()) else { return Vec::new() };
    let line = |label: (&'static str, &'static str), text: String| (language.say(label.0, label.1).to_owned(), text);
    let told = |(en, tr): (&'static str, &'static str)| language.say(en, tr).to_owned();
    let mut lines = Vec::new();
    if road.is_by_an_integrator() {
        let name = format!("{} ({})", road.kind.name(), language.say("integrator", "entegratör"));
        lines.extend([
            line(("by", "yol"), name),
            line(("movements from elsewhere", "başka yerden gelen hareketler"), told(road.changes.words())),
            line(("what İYS holds", "İYS'deki durum"), told(road.status.words())),
        ]);
    }
    let former =
        road.former.map(|former| line(("left, still asked and heard", "ayrılınan, hâlâ sorulan ve dinlenen"), former.name().to_owned()));
    lines.extend(former);
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integrator_is_named_with_what_it_does_not_tell_and_nobody_else_is() {
        let netgsm = lines(&json!({"kind": "netgsm", "changes": "none", "status": "iys"}), Language::En);
        assert_eq!(netgsm[0], ("by".to_owned(), "Netgsm (integrator)".to_owned()));
        assert!(netgsm[1].1.contains("callbacks only") && netgsm[2].1.contains("İYS's own word"), "{netgsm:?}");
        let verimor = lines(&json!({"kind": "verimor", "changes": "daily", "status": "none"}), Language::Tr);
        assert!(verimor[1].1.contains("günde bir") && verimor[2].1.contains("sorulamaz"), "{verimor:?}");
        let left = lines(&json!({"kind": "iys", "changes": "cursor", "status": "iys", "former": "netgsm"}), Language::En);
        assert_eq!(left, [("left, still asked and heard".to_owned(), "Netgsm".to_owned())]);
        for other in [json!({"kind": "iys", "changes": "cursor", "status": "iys"}), json!({"kind": "yarin"}), Value::Null] {
            assert!(lines(&other, Language::En).is_empty());
        }
    }
}
