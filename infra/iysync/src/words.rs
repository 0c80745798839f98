//! The API's words, for people. One that is not known here, of a newer system, stays as it is.

use crate::language::Language;

/// Declares a function that says a word in a language.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:literal => $en:literal, $tr:literal;)+ })+) => {
        $(
            $(#[$doc])*
            pub(crate) fn $name(word: &str, language: Language) -> String {
                match word {
                    $($word => language.say($en, $tr).to_owned(),)+
                    other => other.to_owned(),
                }
            }
        )+
    };
}

words! {
    /// How far a target has a state.
    state {
        "settled" => "settled", "sonuçlandı";
        "pending" => "waiting", "sırada";
        "submitted" => "submitted, result awaited", "gönderildi, sonuç bekleniyor";
        "held" => "held", "bekletiliyor";
        "awaiting" => "waits for İYS", "İYS'yi bekliyor";
        "rejected" => "refused", "reddedildi";
    }
    /// How a target came to have a state.
    outcome {
        "applied" => "has it from us", "bizden aldı";
        "already_there" => "had it already", "zaten vardı";
        "not_needed" => "not needed there", "orada gerekmiyor";
        "not_registered" => "knows no consent that would end", "bitecek bir onayı yok";
    }
    /// What held work waits for.
    held_for {
        "authority" => "authority", "yetki";
        "subscription" => "subscription", "abonelik";
        "quota" => "quota", "kota";
        "configuration" => "configuration", "yapılandırma";
        "credentials" => "credentials", "kimlik bilgileri";
    }
    /// How it is known whether something may be used.
    how {
        "configured" => "brand's document", "marka belgesi";
        "listed" => "listed for the business partner", "iş ortağı listesinde";
        "probed" => "asked", "soruldu";
        "refused" => "a call was refused", "bir çağrı reddedildi";
    }
    /// Who told of a movement.
    origin {
        "insider" => "Insider", "Insider";
        "registry" => "İYS", "İYS";
        "api" => "the brand", "marka";
        "notice" => "a notice to be confirmed", "doğrulanacak bildirim";
        "correction" => "a correction", "düzeltme";
        "import" => "an import", "içe aktarma";
    }
    /// İYS's feeds.
    feed {
        "people" => "what people did", "alıcıların yaptıkları";
        "brand" => "what the brand sent", "markanın gönderdikleri";
    }
    /// How far an export from Insider is.
    export_stage {
        "idle" => "none under way", "yok";
        "ordering" => "being ordered", "isteniyor";
        "ordered" => "ordered, file awaited", "istendi, dosya bekleniyor";
        "counting" => "being compared", "karşılaştırılıyor";
        "repairing" => "being repaired", "gideriliyor";
    }
    /// How an export from Insider ended.
    export_outcome {
        "agreed" => "nothing to repair", "giderilecek fark yok";
        "repaired" => "differences repaired", "farklar giderildi";
        "suspicious" => "too much differs: nothing was changed", "fark çok fazla: hiçbir şey değiştirilmedi";
        "expired" => "its link expired unread", "bağlantının süresi okunmadan doldu";
        "unreadable" => "its file could not be read", "dosyası okunamadı";
    }
    /// Why an address may not be messaged.
    denial {
        "refused" => "the person refused", "alıcı reddetti";
        "unknown" => "the ledger has never heard of it", "defter bunu hiç duymadı";
        "not_yet_at_iys" => "İYS does not hold the consent yet", "onay henüz İYS'de değil";
        "held" => "the consent cannot go to İYS until a person acts", "biri harekete geçmeden onay İYS'ye gidemiyor";
        "expired" => "the consent came to İYS too late", "onay İYS'ye geç kaldı";
    }
    /// Why something is kept without any effect.
    aside {
        "left_group" => "a group was left", "bir gruptan çıkıldı";
        "spam_complaint" => "marked as spam", "spam olarak bildirildi";
        "bounce" => "not deliverable", "teslim edilemedi";
        "whatsapp_opt_out" => "left WhatsApp", "WhatsApp'tan çıkıldı";
        "onay_without_source" => "a consent without a source", "kaynağı olmayan onay";
        "onay_without_date" => "a consent without a date", "tarihi olmayan onay";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_newer_system_is_shown_as_it_is() {
        assert_eq!(state("held", Language::Tr), "bekletiliyor");
        assert_eq!(state("frozen", Language::Tr), "frozen");
    }
}
