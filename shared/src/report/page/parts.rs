//! What pages are made of: tables and lists of facts.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::consent::ConsentDate;
use crate::report::Language;

/// A column of a table.
pub(super) struct Column {
    head: &'static str,
    class: Option<&'static str>,
}

impl Column {
    /// Of labels.
    pub(super) const fn text(head: &'static str) -> Self {
        Self { head, class: None }
    }

    /// Of numbers, which stand below each other.
    pub(super) const fn number(head: &'static str) -> Self {
        Self { head, class: Some("n") }
    }

    /// Of sentences.
    pub(super) const fn words(head: &'static str) -> Self {
        Self { head, class: Some("words") }
    }
}

/// A table whose rows are named by their first cell.
pub(super) fn table(caption: &str, columns: &[Column], rows: Vec<Vec<String>>, total: Option<Vec<String>>, language: Language) -> Markup {
    if rows.is_empty() {
        return html! { p { (caption) ": " (language.say("nothing", "yok")) "." } };
    }
    let cells = |row: &[String]| {
        html! {
            @for (at, (cell, column)) in row.iter().zip(columns).enumerate() {
                @if at == 0 { th scope="row" { (cell) } } @else { td class=[column.class] { (cell) } }
            }
        }
    };
    html! {
        // A table that is wider than a screen is moved by itself, by keys too.
        div.scroll role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for column in columns { th scope="col" class=[column.class] { (column.head) } } } }
                tbody { @for row in &rows { tr { (cells(row)) } } }
                @if let Some(total) = total { tfoot { tr { (cells(&total)) } } }
            }
        }
    }
}

/// Labels and what they say.
pub(super) fn facts(lines: Vec<(&str, String)>) -> Markup {
    html! { dl.facts { @for (label, text) in lines { dt { (label) } dd { (text) } } } }
}

/// A moment in Turkish time.
pub(super) fn moment(at: Timestamp) -> String {
    ConsentDate::at(at).to_string()
}
