//! Which column of a book is which field, by the names that people give to them.

use csv::StringRecord;

use super::options::Assignment;
use crate::failure::Failure;

/// A field of a consent, and İYS's date of recording, which stands in for the consent date where that is
/// empty: for merchants İYS's own files leave it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Field {
    Recipient,
    Type,
    Status,
    Source,
    ConsentDate,
    RecipientType,
    ExternalId,
    RetailerCode,
    RetailerAccess,
    CreationDate,
}

/// A field: its name, and the names of columns that mean it, as [`folded`] writes them.
type Names = (Field, &'static str, &'static [&'static str]);

const FIELDS: [Names; 10] = [
    (
        Field::Recipient,
        "recipient",
        &[
            "recipient",
            "alici",
            "aliciadresi",
            "adres",
            "iletisimadresi",
            "iletisimbilgisi",
            "telefon",
            "telefonno",
            "telefonnumarasi",
            "ceptelefonu",
            "gsm",
            "msisdn",
            "phone",
            "phonenumber",
            "eposta",
            "epostaadresi",
            "email",
            "emailaddress",
            "mail",
        ],
    ),
    (Field::Type, "type", &["type", "izinturu", "izintipi", "kanal", "iletikanali", "iletisimkanali", "channel"]),
    (Field::Status, "status", &["status", "durum", "izindurumu", "onaydurumu", "izin", "consent"]),
    (Field::Source, "source", &["source", "kaynak", "izinkaynagi"]),
    (Field::ConsentDate, "consentDate", &["consentdate", "izintarihi", "onaytarihi", "tarih", "date"]),
    (Field::RecipientType, "recipientType", &["recipienttype", "alicitipi", "alicituru"]),
    (Field::ExternalId, "externalId", &["externalid", "haricikimlik", "referans", "referansno", "kayitno"]),
    (Field::RetailerCode, "retailerCode", &["retailercode", "bayikodu", "bayi"]),
    (Field::RetailerAccess, "retailerAccess", &["retaileraccess", "bayierisimi", "yetkilibayiler"]),
    (Field::CreationDate, "creationDate", &["creationdate", "olusturmatarihi", "kayittarihi", "iyskayittarihi"]),
];

/// Columns of İYS's files that say nothing of the consent.
const SILENT: [&str; 2] = ["transactionid", "islemid"];
/// What a file of refused rows adds in front of each.
pub(crate) const OWN: [&str; 4] = ["iysync_line", "iysync_code", "iysync_field", "iysync_reason"];

impl Field {
    /// Its name in the consent API.
    pub(crate) fn name(self) -> &'static str {
        FIELDS.iter().find(|(field, ..)| *field == self).map_or("", |(_, name, _)| name)
    }

    fn named(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name)).map(|(field, ..)| *field)
    }

    fn of_header(header: &str) -> Option<Self> {
        let header = folded(header);
        FIELDS.iter().find(|(_, _, names)| names.contains(&header.as_str())).map(|(field, ..)| *field)
    }
}

/// A word in small letters of English, without anything else: "İzin Türü" is `izinturu`.
pub(crate) fn folded(text: &str) -> String {
    let letter = |letter: char| match letter {
        'ç' | 'Ç' => 'c',
        'ğ' | 'Ğ' => 'g',
        'ı' | 'I' | 'İ' => 'i',
        'ö' | 'Ö' => 'o',
        'ş' | 'Ş' => 's',
        'ü' | 'Ü' => 'u',
        other => other.to_ascii_lowercase(),
    };
    text.chars().map(letter).filter(char::is_ascii_alphanumeric).collect()
}

/// Where each field stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    /// A field and its column.
    places: Vec<(Field, usize)>,
    /// What a field is where a row says nothing of it.
    set: Vec<(Field, String)>,
    /// How many columns there are.
    pub(crate) count: usize,
    /// Columns that nothing is taken from, as they may be shown.
    pub(crate) unknown: Vec<String>,
    /// Columns of ours, of an earlier file of refused rows.
    own: Vec<usize>,
}

impl Columns {
    /// Finds the fields in the first row.
    pub(crate) fn find(header: &StringRecord, named: &[Assignment], set: &[Assignment]) -> Result<Self, Failure> {
        let field =
            |assignment: &Assignment| Field::named(&assignment.name).ok_or_else(|| usage(format!("there is no field {}", assignment.name)));
        let mut places = Vec::<(Field, usize)>::new();
        for assignment in named {
            let at = header.iter().position(|header| header.trim() == assignment.value);
            let at = at.or_else(|| header.iter().position(|header| folded(header) == folded(&assignment.value)));
            let at = at.ok_or_else(|| usage(format!("the file has no column {}", assignment.value)))?;
            places.push((field(assignment)?, at));
        }
        let (mut unknown, mut own) = (Vec::new(), Vec::new());
        for (at, name) in header.iter().enumerate() {
            if places.iter().any(|(_, taken)| *taken == at) {
                continue;
            }
            match Field::of_header(name) {
                Some(field) if named.iter().any(|assignment| Field::named(&assignment.name) == Some(field)) => {
                    unknown.push(shown(name, at));
                }
                Some(field) if places.iter().any(|(taken, _)| *taken == field) => {
                    return Err(usage(format!("two columns may be {0}: say which with --columns {0}=HEADER", field.name())));
                }
                Some(field) => places.push((field, at)),
                None if OWN.contains(&name.trim()) => own.push(at),
                None if SILENT.contains(&folded(name).as_str()) || name.trim().is_empty() => {}
                None => unknown.push(shown(name, at)),
            }
        }
        let set = set.iter().map(|assignment| Ok((field(assignment)?, assignment.value.clone()))).collect::<Result<Vec<_>, Failure>>()?;
        let columns = Self { places, set, count: header.len(), unknown, own };
        for needed in [Field::Recipient, Field::Type, Field::Status] {
            let is_there =
                columns.places.iter().any(|(field, _)| *field == needed) || columns.set.iter().any(|(field, _)| *field == needed);
            if !is_there {
                return Err(usage(format!(
                    "no column of the first row is {0}: name it with --columns {0}=HEADER, or give all rows one value with --set {0}=VALUE",
                    needed.name()
                )));
            }
        }
        Ok(columns)
    }

    /// What a row says of a field.
    pub(crate) fn value<'a>(&'a self, row: &'a StringRecord, field: Field) -> Option<&'a str> {
        let at = self.places.iter().find(|(known, _)| *known == field).map(|(_, at)| *at);
        let said = at.and_then(|at| row.get(at)).map(str::trim).filter(|value| !value.is_empty());
        said.or_else(|| self.set.iter().find(|(known, _)| *known == field).map(|(_, value)| value.as_str()))
    }

    /// The columns of a row that are not ours.
    pub(crate) fn of_others<'a>(&'a self, row: &'a StringRecord) -> impl Iterator<Item = &'a str> {
        row.iter().enumerate().filter(|(at, _)| !self.own.contains(at)).map(|(_, value)| value)
    }
}

fn usage(what: String) -> Failure {
    Failure::Usage(what)
}

/// A column's name, unless it may be somebody's address: a file without names has rows only.
fn shown(name: &str, at: usize) -> String {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    if name.contains('@') || digits > 4 || name.chars().count() > 40 { format!("#{}", at + 1) } else { name.trim().to_owned() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn find(header: &[&str], named: &[(&str, &str)], set: &[(&str, &str)]) -> Result<Columns, Failure> {
        let assignments = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| Assignment { name: (*name).to_owned(), value: (*value).to_owned() }).collect::<Vec<_>>()
        };
        Columns::find(&StringRecord::from(header.to_vec()), &assignments(named), &assignments(set))
    }

    #[test]
    fn the_names_that_people_give_to_columns_are_known_however_they_are_written() {
        let row = StringRecord::from(vec!["a@example.com", "EPOSTA", "ONAY", "x", "2026-11-20 10:00:00"]);
        for header in [
            ["recipient", "type", "status", "not", "consentDate"],
            ["ALICI", "İzin Türü", "İZİN DURUMU", "not", "Izin_Tarihi"],
            ["E-posta", "kanal", "Durum", "not", "Tarih"],
        ] {
            let columns = find(&header, &[], &[]).unwrap();
            let values =
                [Field::Recipient, Field::Type, Field::Status, Field::ConsentDate].map(|field| columns.value(&row, field).unwrap());
            assert_eq!(values, ["a@example.com", "EPOSTA", "ONAY", "2026-11-20 10:00:00"]);
            assert_eq!(columns.unknown, ["not"]);
        }
    }

    #[test]
    fn the_columns_of_iys_own_files_are_known() {
        let header = ["creationDate", "transactionId", "recipient", "recipientType", "type", "status", "consentDate", "source"];
        assert_eq!(find(&header, &[], &[]).unwrap().unknown, Vec::<String>::new());
    }

    #[test]
    fn a_column_that_is_named_counts_before_one_that_is_guessed() {
        let columns = find(&["Telefon", "MUSTERI", "type", "status"], &[("recipient", "musteri")], &[]).unwrap();
        let row = StringRecord::from(vec!["1", "2", "MESAJ", "RET"]);
        assert_eq!(columns.value(&row, Field::Recipient), Some("2"));
        assert_eq!(columns.unknown, ["Telefon"]);
    }

    #[test]
    fn what_is_missing_ambiguous_or_unknown_is_said_without_quoting_a_row() {
        let said = |error: Failure| error.to_string();
        assert!(said(find(&["recipient", "status"], &[], &[]).unwrap_err()).contains("type"));
        assert!(find(&["recipient", "status"], &[], &[("type", "MESAJ")]).is_ok());
        assert!(said(find(&["telefon", "email", "type", "status"], &[], &[]).unwrap_err()).contains("recipient"));
        assert!(said(find(&["recipient", "type", "status"], &[("adres", "x")], &[]).unwrap_err()).contains("no column x"));
        assert!(find(&["recipient", "type", "status"], &[("adres", "type")], &[]).is_err());
        // A file without names.
        let error = said(find(&["kisi@example.com", "EPOSTA", "ONAY"], &[], &[]).unwrap_err());
        assert!(!error.contains("kisi"), "{error}");
        let shown = find(&["recipient", "type", "status", "+905321112233", "b@example.com"], &[], &[]).unwrap().unknown;
        assert_eq!(shown, ["#4", "#5"]);
    }
}
