//! The words of a page, in both languages.

use crate::consent::code::Hold;
use crate::consent::{AsideReason, Channel, Origin, Status};
use crate::ledger::DayFileState;
use crate::report::{Fate, Kind, Language, Lateness};
use crate::sync::insider_export::Outcome;

/// A time in the two largest units that say something.
pub(super) fn duration(milliseconds: u64, language: Language) -> String {
    let say = |en, tr| language.say(en, tr);
    let (day, hour, minute, second) = (say("d", "gün"), say("h", "sa"), say("min", "dk"), say("s", "sn"));
    let seconds = milliseconds / 1000;
    let two = |large: u64, unit: &str, small: u64, part: &str| {
        if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {part}") }
    };
    match seconds {
        0..10 => {
            let tenths = milliseconds / 100;
            format!("{}{}{} {second}", tenths / 10, say(".", ","), tenths % 10)
        }
        10..60 => format!("{seconds} {second}"),
        60..3600 => two(seconds / 60, minute, seconds % 60, second),
        3600..86_400 => two(seconds / 3600, hour, seconds / 60 % 60, minute),
        _ => two(seconds / 86_400, day, seconds / 3600 % 24, hour),
    }
}

/// A number with its thousands apart.
pub(super) fn number(count: u64, language: Language) -> String {
    let digits = count.to_string();
    let apart = language.say(",", ".");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push_str(apart);
        }
        text.push(digit);
    }
    text
}

/// A channel.
pub(super) const fn channel(channel: Channel, language: Language) -> &'static str {
    match channel {
        Channel::Arama => language.say("calls (ARAMA)", "arama"),
        Channel::Mesaj => language.say("text messages (MESAJ)", "mesaj"),
        Channel::Eposta => language.say("e-mail (EPOSTA)", "e-posta"),
    }
}

/// A status.
pub(super) const fn status(status: Status, language: Language) -> &'static str {
    match status {
        Status::Onay => language.say("consent (ONAY)", "onay"),
        Status::Ret => language.say("refusal (RET)", "ret"),
    }
}

/// Who told of a movement.
pub(super) const fn origin(origin: Origin, language: Language) -> &'static str {
    match origin {
        Origin::Insider => "Insider",
        Origin::Registry => "İYS",
        Origin::Api => language.say("the brand's systems", "markanın sistemleri"),
        Origin::Import => language.say("an imported book", "içe aktarılan liste"),
        Origin::Notice => language.say("a notice to be confirmed", "doğrulanacak bir bildirim"),
        Origin::Correction => language.say("our own correction", "sistemin düzeltmesi"),
    }
}

/// Why something is kept aside.
pub(super) const fn aside(reason: AsideReason, language: Language) -> &'static str {
    match reason {
        AsideReason::LeftGroup => language.say("left a group of the brand's, not the channel", "kanaldan değil, bir gruptan çıktı"),
        AsideReason::SpamComplaint => language.say("marked a message as spam", "bir iletiyi spam olarak bildirdi"),
        AsideReason::Bounce => language.say("a message could not be delivered", "bir ileti teslim edilemedi"),
        AsideReason::WhatsappOptOut => {
            language.say("left WhatsApp, which is no channel of İYS's", "WhatsApp'tan çıktı; bu bir İYS kanalı değil")
        }
        AsideReason::OnayWithoutSource => {
            language.say("a consent that does not say how it was given", "nasıl verildiği belli olmayan onay")
        }
        AsideReason::OnayWithoutDate => {
            language.say("a consent that does not say when it was given", "ne zaman verildiği belli olmayan onay")
        }
    }
}

/// How a movement stands at a target.
pub(super) const fn fate(fate: Fate, language: Language) -> &'static str {
    match fate {
        Fate::Applied => language.say("taken from us", "bizden alındı"),
        Fate::AlreadyThere => language.say("there already", "zaten vardı"),
        Fate::NotNeeded => language.say("not needed: came from there", "gerekmedi: oradan geldi"),
        Fate::NotRegistered => language.say("no consent there to refuse", "reddedilecek onay yoktu"),
        Fate::Corrected => {
            language.say("taken as a decision of the brand's own (correction)", "markanın kendi kararı olarak alındı (düzeltme)")
        }
        Fate::Rejected => language.say("refused", "reddedildi"),
        Fate::Held => language.say("held: waits for a person", "bekletiliyor: bir kişiyi bekliyor"),
        Fate::Submitted => language.say("sent in a list, result awaited", "liste içinde gönderildi, sonuç bekleniyor"),
        Fate::Waiting => language.say("waits to be sent", "gönderilmeyi bekliyor"),
        Fate::Awaiting => language.say("waits for İYS", "İYS'yi bekliyor"),
        Fate::ToldAgain => language.say("another telling of the same act", "aynı işlemin bir kez daha bildirimi"),
        Fate::ReplacedByRefusal => language.say("a refusal counts instead", "yerine bir ret geçerli"),
        Fate::ReplacedByConsent => language.say("a consent counts instead", "yerine bir onay geçerli"),
        Fate::Unmerged => language.say("not taken in: its sender tells it again", "içeri alınmadı: gönderen yeniden bildirir"),
    }
}

/// What work is held for.
pub(super) const fn held_for(hold: Hold, language: Language) -> &'static str {
    match hold {
        Hold::Authority => language.say("authority", "yetki"),
        Hold::Subscription => language.say("subscription", "abonelik"),
        Hold::Quota => language.say("quota", "kota"),
        Hold::Configuration => language.say("configuration", "yapılandırma"),
        Hold::Credentials => language.say("credentials", "kimlik bilgileri"),
    }
}

/// Why a refusal is late.
pub(super) const fn lateness(reason: Lateness, language: Language) -> &'static str {
    match reason {
        Lateness::ReceivedLate => {
            language.say("told to this system after its three business days", "bu sisteme üç iş günü geçtikten sonra bildirildi")
        }
        Lateness::Held => language.say("held: waits for a person", "bekletiliyor: bir kişiyi bekliyor"),
        Lateness::Submitted => language.say("sent in a list, result awaited", "liste içinde gönderildi, sonuç bekleniyor"),
        Lateness::Waiting => language.say("waits to be sent", "gönderilmeyi bekliyor"),
        Lateness::EndedLate => language.say(
            "waited, and is there now; the reports of the days between tell what for",
            "bekledi, artık orada; nedenini aradaki günlerin raporları söyler",
        ),
    }
}

/// When in a day's life a report was made.
pub(super) const fn kind(kind: Kind, language: Language) -> &'static str {
    match kind {
        Kind::Daily => language.say("Daily report", "Günlük rapor"),
        Kind::Final => language.say("Final report of a day", "Günün kesin raporu"),
        Kind::Preview => language.say("Preview of a day's report", "Gün raporunun ön izlemesi"),
    }
}

/// The same in a sentence.
pub(super) const fn about(kind: Kind, language: Language) -> &'static str {
    match kind {
        Kind::Daily => language.say(
            "Made once the day was closed. What was on its way then is shown as open; the final report follows once every deadline of \
             the day has passed.",
            "Gün kapandıktan sonra hazırlandı. O anda yolda olanlar açık görünür; günün tüm süreleri dolunca kesin rapor hazırlanır.",
        ),
        Kind::Final => language.say(
            "Made after the three business days of everything that was received on this day had passed: it shows how each movement ended.",
            "Bu gün alınan her şeyin üç iş günü dolduktan sonra hazırlandı: her hareketin nasıl sonuçlandığını gösterir.",
        ),
        Kind::Preview => language.say(
            "Made on request and kept nowhere: how the day stands at this moment.",
            "İstek üzerine hazırlandı ve hiçbir yerde saklanmaz: günün şu anki durumu.",
        ),
    }
}

/// How an export of Insider's ended.
pub(super) const fn export(outcome: Outcome, language: Language) -> &'static str {
    match outcome {
        Outcome::Agreed => language.say("nothing to repair", "giderilecek fark yok"),
        Outcome::Repaired => language.say("what differed was repaired", "farklar giderildi"),
        Outcome::Suspicious => {
            language.say("so much differed that nothing was changed", "fark çok fazla olduğundan hiçbir şey değiştirilmedi")
        }
        Outcome::Expired => language.say("its link expired before it was read", "bağlantının süresi okunmadan doldu"),
        Outcome::Unreadable => language.say("its file could not be read", "dosyası okunamadı"),
    }
}

/// A kind of difference, or a state of waiting work; one of a newer version stays as it is.
pub(super) fn word(word: &str, language: Language) -> &str {
    match word {
        "onay_missing" => language.say("consents that İYS lacked", "İYS'de bulunmayan onaylar"),
        "ret_missing" => language.say("refusals that İYS lacked", "İYS'de bulunmayan retler"),
        "onay_unknown" => language.say("consents that only İYS had", "yalnızca İYS'de bulunan onaylar"),
        "refused_stands" => language.say("refused by İYS, and there after all", "İYS'nin reddettiği hâlde orada bulunanlar"),
        "pending" => language.say("wait to be sent", "gönderilmeyi bekliyor"),
        "submitted" => language.say("sent in a list, result awaited", "liste içinde gönderildi, sonuç bekleniyor"),
        "held" => language.say("held", "bekletiliyor"),
        "awaiting" => language.say("wait for İYS", "İYS'yi bekliyor"),
        "rejected" => language.say("refused for good", "kesin olarak reddedildi"),
        other => other,
    }
}

/// How the file of a day stands.
pub(super) fn file_state(state: DayFileState, language: Language) -> &'static str {
    match state {
        DayFileState::Waiting => language.say("not there yet", "henüz yok"),
        DayFileState::Held => language.say("held: İYS does not allow it", "bekletiliyor: İYS izin vermiyor"),
        DayFileState::Differs => language.say("differs", "farklı"),
        DayFileState::Equal => language.say("equal", "eşit"),
        DayFileState::Confirmed => language.say("equal, confirmed at İYS", "eşit, İYS'de onaylandı"),
        DayFileState::Missed => language.say("missed: İYS shows it no more", "kaçırıldı: İYS artık göstermiyor"),
    }
}

/// In what a day's file differs from the ledger.
pub(super) fn file_kind(kind: &str, language: Language) -> &str {
    match kind {
        "unknown" => language.say("unknown here, taken in", "burada bilinmeyen, alındı"),
        "otherwise" => language.say("otherwise here, taken in", "burada farklı olan, alındı"),
        "source" => language.say("with another source", "kaynağı farklı"),
        "absent" => language.say("applied here, missing in the file", "burada işlenmiş, dosyada olmayan"),
        "unlisted" => language.say("told by İYS, missing in its file", "İYS'nin bildirdiği, dosyasında olmayan"),
        "unreadable" => language.say("unreadable", "okunamayan"),
        "summary" => language.say("İYS's own count differs", "İYS'nin sayımı farklı"),
        "hash" => language.say("the hash is another", "özet değeri farklı"),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_units_that_matter() {
        for (ms, en, tr) in [
            (0, "0.0 s", "0,0 sn"),
            (2_340, "2.3 s", "2,3 sn"),
            (59_999, "59 s", "59 sn"),
            (120_000, "2 min", "2 dk"),
            (3_725_000, "1 h 2 min", "1 sa 2 dk"),
            (273_600_000, "3 d 4 h", "3 gün 4 sa"),
        ] {
            assert_eq!((duration(ms, Language::En).as_str(), duration(ms, Language::Tr).as_str()), (en, tr));
        }
    }

    #[test]
    fn large_numbers_can_be_read() {
        assert_eq!([0, 999, 1_000, 25_000_000].map(|count| number(count, Language::En)), ["0", "999", "1,000", "25,000,000"]);
        assert_eq!(number(1_234_567, Language::Tr), "1.234.567");
    }
}
