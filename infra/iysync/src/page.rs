//! What a person reads: lines with columns and styles, wrapped to the terminal's width.
//!
//! Styles are always written; the stream that a page goes to takes them out where it is no terminal.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

/// Narrower than this, a terminal breaks lines by itself.
const NARROWEST: usize = 40;
/// Wider than this, lines are hard to read.
const WIDEST: usize = 110;

pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A text of others, which must not command the terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || *letter == '\n').collect()
}

/// A text filled up with spaces.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(text))))
}

/// The widest of some texts.
pub(crate) fn widest<'a>(texts: impl IntoIterator<Item = &'a str>) -> usize {
    texts.into_iter().map(display_width).max().unwrap_or_default()
}

/// Columns of the terminal that standard output is; none where it is none.
pub(crate) fn terminal_width() -> Option<u16> {
    let terminal = console::Term::stdout();
    if terminal.is_term() { terminal.size_checked().map(|(_, columns)| columns) } else { None }
}

/// Lines for a person.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
    width: Option<usize>,
}

impl Page {
    /// A page for a terminal of so many columns; without, lines are as long as what they say.
    pub(crate) fn new(width: Option<u16>) -> Self {
        let width = width.map(usize::from).filter(|width| *width >= NARROWEST).map(|width| width.min(WIDEST));
        Self { text: String::new(), width }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref().trim_end());
        self.text.push('\n');
    }

    /// Adds an empty line, unless the page begins with it.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Adds a text behind some columns; its further lines begin below its first.
    pub(crate) fn item(&mut self, before: &str, text: &str) {
        match self.width {
            None => self.line(format!("{before}{text}")),
            Some(width) => {
                let indent = " ".repeat(display_width(before));
                let options = textwrap::Options::new(width).initial_indent(before).subsequent_indent(&indent).break_words(false);
                self.line(textwrap::fill(text, options));
            }
        }
    }

    /// Adds a table with two spaces between its columns.
    pub(crate) fn table(&mut self, indent: &str, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> =
            (0..columns).map(|column| widest(rows.iter().filter_map(|row| row.get(column)).map(String::as_str))).collect();
        for row in rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width));
            self.line(format!("{indent}{}", cells.collect::<Vec<_>>().join("  ")));
        }
    }

    /// The whole page.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// A page's text without its styles.
#[cfg(test)]
pub(crate) fn bare(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_cannot_command_the_terminal() {
        assert_eq!(clean("Bayi\u{1b}[2J\r\u{9b}0m"), "Bayi[2J0m");
    }

    #[test]
    fn a_long_text_goes_on_below_its_beginning() {
        let mut page = Page::new(Some(40));
        page.item("  çözüm  ", "Kanal yetkisini İYS Web'de API kullanıcısına verin.");
        let text = page.into_text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() > 1 && lines.iter().all(|line| display_width(line) <= 40), "{text}");
        assert!(lines.iter().skip(1).all(|line| line.starts_with("         ")), "{text}");
        let mut page = Page::new(None);
        page.item("  ", &"word ".repeat(60));
        assert_eq!(page.into_text().lines().count(), 1);
    }

    #[test]
    fn columns_stand_below_each_other_whatever_letters_and_styles_they_have() {
        let mut page = Page::new(None);
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        page.table("", &[row(["İstanbul", "1"]), row([&styled(BAD, "Ağrı"), "2"]), row(["x", "3"])]);
        let text = bare(&page.into_text());
        let places: Vec<Option<usize>> = text.lines().map(|line| line.chars().position(|letter| letter.is_ascii_digit())).collect();
        assert_eq!(places, [Some(10); 3], "{text}");
    }
}
