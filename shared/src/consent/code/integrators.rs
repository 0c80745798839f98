//! Codes of integrators (entegratör), and our own about what a registry cannot be told, in the form of İYS's
//! table: what each means for the work that met it, where it is met, and what to do about it.
//!
//! An integrator's code is written with its name in front, because theirs are bare numbers or words. What İYS
//! itself says of a record through an integrator keeps İYS's code and stands in İYS's table.
//!
//! Sources: Netgsm, <https://github.com/netgsm/netiys>; Verimor,
//! <https://github.com/verimor/SMS-API/blob/master/user_guide.md>; Mysoft, the schema of its "Etk" calls.

use super::{CallGroup, Disposition, Entry, Hold, RetryAfter};

/// A text in English and in Turkish.
type Text = (&'static str, &'static str);

const RECORD: Text =
    ("Correct the record in the system it comes from and send it again.", "Kaydı geldiği sistemde düzeltip yeniden gönderin.");
const WAIT: Text = ("Nothing to do: it is sent again by itself.", "Yapılacak bir şey yok: kendiliğinden yeniden gönderilir.");
const USER: Text = (
    "Compare the integrator's user in the brand's configuration with its portal: password, rights, allowed addresses.",
    "Marka yapılandırmasındaki entegratör kullanıcısını portaldekiyle karşılaştırın: parola, yetki, izinli adresler.",
);
const MODULE: Text = (
    "In the integrator's portal, check that its İYS service is active and that İYS lists it as authorised for the brand.",
    "Entegratörün portalında İYS hizmetinin etkin, İYS'de de entegratörün marka için yetkili olduğunu kontrol edin.",
);
const BRAND: Text = (
    "Compare the brand's number or sender name in its configuration with the integrator's portal.",
    "Marka yapılandırmasındaki marka numarasını veya gönderici adını entegratörün portalıyla karşılaştırın.",
);
const DEFECT: Text = (
    "A mistake of this software, not of the record: report the code and the time. Nothing is lost.",
    "Kaydın değil bu yazılımın hatası: kodu ve zamanını bildirin. Hiçbir kayıt kaybolmaz.",
);
const OTHER_ROAD: Text = (
    "Register it in İYS Web, or reach İYS by a registry that carries this.",
    "İYS Web'den kaydedin veya İYS'ye bunu taşıyan bir yolla ulaşın.",
);

/// The code's row.
pub(super) fn entry(code: &str) -> Option<&'static Entry> {
    let found = TABLE.binary_search_by(|entry| entry.code.cmp(code)).ok()?;
    TABLE.get(found)
}

/// Every known code, in the order of the codes.
///
/// `NETGSM-40` and `NETGSM-60` are read differently by different users of Netgsm; in either reading a person
/// has to set something right, so both hold the brand's work.
pub(super) const TABLE: &[Entry] = {
    use CallGroup::{BulkList, BulkRow, BulkStatus, MultiStatus, Pull, Status};
    use Disposition::{Defect, Held, Rejected, Retry, TooLate};
    use Hold::{Authority, Configuration, Credentials, Subscription};
    use RetryAfter::Soon;
    table! {
        "MYSOFT-FAILED" 200 Rejected, &[BulkRow],
            "Mysoft says that İYS did not take the record, and names no code.",
            "Mysoft İYS'nin kaydı almadığını söylüyor, kod vermiyor.",
            RECORD;
        "MYSOFT-HM400" 200 Retry(Soon), &[BulkList, BulkStatus, Status, Pull],
            "Mysoft could not carry the request out.",
            "Mysoft isteği yerine getiremedi.",
            WAIT;
        "MYSOFT-HM422" 200 Rejected, &[BulkList],
            "Mysoft does not accept the form of the record.",
            "Mysoft kaydın biçimini kabul etmedi.",
            RECORD;
        "NETGSM-30" 200 Held(Credentials), &[BulkList, MultiStatus, Status],
            "Netgsm refuses the user: wrong name or password, no API right, or an address that is not allowed.",
            "Netgsm kullanıcıyı reddetti: ad veya parola yanlış, API yetkisi yok ya da adres izinli değil.",
            USER;
        "NETGSM-40" 200 Held(Subscription), &[BulkList, MultiStatus, Status],
            "Netgsm says that the NetİYS module is not active for this user.",
            "Netgsm bu kullanıcı için NetİYS modülünün etkin olmadığını söylüyor.",
            MODULE;
        "NETGSM-60" 200 Held(Configuration), &[BulkList, MultiStatus, Status],
            "Netgsm does not accept the brand code, or its İYS account is not in order.",
            "Netgsm marka kodunu kabul etmedi veya oradaki İYS hesabı kullanılamıyor.",
            BRAND;
        "NETGSM-70" 200 Rejected, &[BulkList],
            "Netgsm does not accept a value of the record.",
            "Netgsm kayıttaki bir değeri kabul etmedi.",
            RECORD;
        "NETGSM-80" 200 Retry(Soon), &[BulkList, MultiStatus, Status],
            "Netgsm could not carry the request out, or too many came within a minute.",
            "Netgsm isteği yerine getiremedi veya bir dakikada çok fazla istek geldi.",
            WAIT;
        "NETGSM-FAILED" 200 Rejected, &[BulkRow],
            "Netgsm says that İYS did not take the record, and names no code that is known.",
            "Netgsm İYS'nin kaydı almadığını söylüyor, bilinen bir kod vermiyor.",
            RECORD;
        "REGISTRY-CANNOT-ASK" 422 Rejected, &[MultiStatus],
            "Only İYS could say whether this consent stands there, and the brand's integrator does not tell.",
            "Bu onayın İYS'de olup olmadığını yalnız İYS söyleyebilir; markanın entegratörü bunu bildirmiyor.",
            (
                "Nothing of it is kept and nobody is told. Import it while the brand reaches İYS by a registry that can be asked.",
                "Kayıt tutulmadı, kimseye bildirilmedi. Marka İYS'ye sorulabilen bir yolla ulaşırken yeniden içe aktarın.",
            );
        "REGISTRY-NO-CHANNEL" 422 Rejected, &[BulkList],
            "The brand's integrator does not carry this channel.",
            "Markanın entegratörü bu kanalı taşımıyor.",
            OTHER_ROAD;
        "REGISTRY-NO-DEALERS" 422 Rejected, &[BulkList],
            "The brand's integrator cannot be told of dealers, and the consent names some.",
            "Markanın entegratörüne bayi bildirilemiyor, izinde ise bayi var.",
            OTHER_ROAD;
        "REGISTRY-NO-FOREIGN-NUMBERS" 422 Rejected, &[BulkList],
            "The brand's integrator takes no numbers of other countries.",
            "Markanın entegratörü başka ülkelerin numaralarını almıyor.",
            OTHER_ROAD;
        "REGISTRY-UNCONFIRMED" 422 Rejected, &[Status],
            "A notice told of a consent that the registry, when asked, does not hold.",
            "Bir bildirim, sorulduğunda kayıtta bulunmayan bir onay haber verdi.",
            ("Nothing to do: without a record in İYS it is no consent.", "Yapılacak bir şey yok: İYS'de kaydı olmayan onay geçerli değildir.");
        "VERIMOR-AHS_AUTHORIZATION_ERROR" 400 Held(Authority), &[BulkList],
            "The brand's owner has not authorised Verimor in İYS.",
            "Marka sahibi İYS'de Verimor'u yetkilendirmemiş.",
            MODULE;
        "VERIMOR-FAILED" 200 Rejected, &[BulkRow],
            "Verimor says that İYS did not take the record, and names no code that is known.",
            "Verimor İYS'nin kaydı almadığını söylüyor, bilinen bir kod vermiyor.",
            RECORD;
        "VERIMOR-INVALID_CONSENT_DATE" 400 TooLate, &[BulkList],
            "Verimor refuses the date: older than three days, in the future, or before 1 May 2015.",
            "Verimor tarihi reddetti: üç günden eski, ileri tarihli veya 1 Mayıs 2015'ten önce.",
            RECORD;
        "VERIMOR-INVALID_IYS_RECIPIENT_TYPE" 400 Rejected, &[BulkList],
            "Verimor does not accept the recipient type.",
            "Verimor alıcı türünü kabul etmedi.",
            RECORD;
        "VERIMOR-INVALID_JSON" 400 Defect, &[BulkList],
            "Verimor could not read the request.",
            "Verimor isteği okuyamadı.",
            DEFECT;
        "VERIMOR-INVALID_RECIPIENT" 400 Rejected, &[BulkList],
            "Verimor does not accept the recipient.",
            "Verimor alıcıyı kabul etmedi.",
            RECORD;
        "VERIMOR-INVALID_SOURCE_ADDRESS" 400 Held(Configuration), &[BulkList],
            "Verimor does not know the sender name in the brand's configuration.",
            "Verimor marka yapılandırmasındaki gönderici adını tanımıyor.",
            BRAND;
        "VERIMOR-INVALID_UTF8" 400 Defect, &[BulkList],
            "Verimor could not read the request.",
            "Verimor isteği okuyamadı.",
            DEFECT;
        "VERIMOR-MISSING_CONSENT" 400 Defect, &[BulkList],
            "Verimor found no consent in the request.",
            "Verimor istekte izin bulamadı.",
            DEFECT;
        "VERIMOR-MISSING_CONSENT_DATE" 400 Rejected, &[BulkList],
            "Verimor misses the date of the consent.",
            "Verimor iznin tarihini bulamadı.",
            RECORD;
        "VERIMOR-MISSING_IYS_BRAND_CODE" 400 Held(Configuration), &[BulkList],
            "No İYS brand is attached to the sender name at Verimor.",
            "Verimor'daki gönderici adına İYS markası bağlanmamış.",
            BRAND;
        "VERIMOR-NO_AHS_BRAND_ERROR" 400 Held(Configuration), &[BulkList],
            "İYS shows Verimor no brand under this tax number.",
            "İYS bu vergi numarası altında Verimor'a marka göstermiyor.",
            MODULE;
    }
};

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::super::{Code, entries};
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_code_reads_back_and_is_none_of_iyss() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} {}", pair[0].code, pair[1].code);
        }
        for row in TABLE {
            let code: Code = row.code.parse().unwrap();
            assert_eq!((code.to_string().as_str(), code.entry()), (row.code, Some(row)));
            assert_eq!(super::super::disposition(Some(row.code), 200), row.disposition);
            assert!(entries().iter().all(|of_iys| of_iys.code != row.code));
        }
        assert!("NETGSM-99".parse::<Code>().is_err() && "netgsm".parse::<Code>().is_err());
    }

    #[test]
    fn our_own_codes_stand_in_the_table() {
        use super::super::{MYSOFT_BAD_FORM, MYSOFT_FAILED, NETGSM_BAD_VALUE, NETGSM_FAILED, VERIMOR_FAILED};
        let theirs = [MYSOFT_BAD_FORM, MYSOFT_FAILED, NETGSM_BAD_VALUE, NETGSM_FAILED, VERIMOR_FAILED];
        let ours = [Code::CANNOT_ASK, Code::NO_CHANNEL, Code::NO_DEALERS, Code::NO_FOREIGN_NUMBERS, Code::UNCONFIRMED];
        for code in theirs.into_iter().chain(ours) {
            assert!(code.entry().is_some_and(|entry| entry.disposition == Disposition::Rejected), "{code}");
        }
    }

    #[test]
    fn every_text_is_a_short_sentence_in_its_own_language() {
        for row in TABLE {
            for text in [row.cause_en, row.remedy_en, row.cause_tr, row.remedy_tr] {
                assert!((10..=160).contains(&text.chars().count()) && text.ends_with('.') && text.trim() == text, "{}: {text}", row.code);
            }
            assert!(row.cause_en != row.cause_tr && row.remedy_en != row.remedy_tr, "{}", row.code);
        }
    }
}
