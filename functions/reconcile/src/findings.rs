//! What can be found when a brand is checked, and how it is said to people: the one table of these texts.
//!
//! `{0}`, `{1}` … stand for numbers, names and dates that the check fills in. They are never addresses of
//! people, and never secrets. Where İYS's answer carried a code, cause and remedy are those of the table
//! of codes instead ([`shared::consent::code`]).

use shared::answers::{Check, Outcome, Reason, Words};
use shared::consent::code::{Code, Hold};
use shared::consent::{ConsentDate, Target};
use shared::registry::RegistryError;

/// A text in English and in Turkish.
type Text = (&'static str, &'static str);

/// What is said of a finding.
struct Entry {
    outcome: Outcome,
    detail: Text,
    /// Cause and remedy; none where nothing is wrong, or where a code says it.
    reason: Option<(Text, Text)>,
}

/// Declares [`Finding`] and what is said of each.
macro_rules! findings {
    ($($name:ident $outcome:ident $detail:expr $(, $cause:expr, $remedy:expr)?;)+) => {
        /// Something that a check found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Finding { $($name),+ }

        impl Finding {
            #[cfg(test)]
            const ALL: &[Finding] = &[$(Finding::$name),+];

            fn entry(self) -> Entry {
                match self {
                    $(Finding::$name => Entry { outcome: Outcome::$outcome, detail: $detail, reason: reason!($($cause, $remedy)?) }),+
                }
            }
        }
    };
}

macro_rules! reason {
    () => {
        None
    };
    ($cause:expr, $remedy:expr) => {
        Some(($cause, $remedy))
    };
}

const LATER: Text = ("Run the check again later.", "Kontrolü daha sonra yeniden çalıştırın.");
const PUSH_BY_HAND: Text = (
    "Wait for the system to register it again (iys.pushService), or register it: iysync job push-service.",
    "Sistemin yeniden kaydetmesini bekleyin (iys.pushService) veya kaydedin: iysync job push-service.",
);
const FEWER_CALLS: Text = (
    "Look for what calls so often: another program on the same address, or an API user shared with one.",
    "Bu kadar sık çağrı yapanı arayın: aynı adresteki başka bir program veya paylaşılan API kullanıcısı.",
);

const CORRECT_ADDRESS: Text = ("Correct it; no call was made.", "Düzeltin; hiçbir çağrı yapılmadı.");
const PUT_RIGHT: Text = (
    "Put right what is told above and run the sample again; an address that the ledger knows is put right by itself.",
    "Yukarıda yazanı düzeltip denemeyi yineleyin; defterin bildiği adres kendiliğinden düzelir.",
);

findings! {
    // The configuration document.
    DocumentRead Ok ("read; channels {0}", "okundu; kanallar {0}");
    DocumentWithoutChannels Warning ("read; it lists no channel", "okundu; hiçbir kanal belirtilmemiş"),
        ("Nothing is sent to İYS for a channel that iys.channels does not list.",
         "iys.channels içinde olmayan bir kanal için İYS'ye hiçbir şey gönderilmez."),
        ("List the channels that the API user may use under iys.channels.",
         "API kullanıcısının kullanabileceği kanalları iys.channels altına yazın.");
    DocumentMissing Failed ("there is no usable document", "kullanılabilir bir belge yok"),
        ("There is no parameter of this name under the brands' path, or its content cannot be used.",
         "Markaların yolunda bu adla bir parametre yok veya içeriği kullanılamıyor."),
        ("Compare the name, and look into the log of reconcile: it names the place in the document.",
         "Adı karşılaştırın ve reconcile günlüğüne bakın: belgedeki yeri orada yazar.");
    DocumentsAway Failed ("the documents cannot be read: {0}", "belgeler okunamıyor: {0}"),
        ("Parameter Store gave no usable answer.", "Parameter Store kullanılabilir bir yanıt vermedi."),
        ("Check that the function may read the brands' path and its key.",
         "Fonksiyonun markaların yolunu ve anahtarını okuma iznini kontrol edin.");

    // The access token.
    TokenStands Ok ("there is one until {0}", "{0} tarihine kadar geçerli bir jeton var");
    TokenRefused Failed ("there is one until {0}, but the next was refused", "{0} tarihine kadar bir jeton var, ancak yenisi reddedildi"),
        ("İYS refused the API user's name or password when the token was last renewed.",
         "İYS jeton son yenilenirken API kullanıcı adını veya parolasını reddetti."),
        ("Correct iys.username and iys.password before the present token ends.",
         "Mevcut jetonun süresi dolmadan iys.username ve iys.password değerlerini düzeltin.");
    TokenStopped Warning ("there is one until {0}; no other before {1}", "{0} tarihine kadar bir jeton var; {1} öncesi yenisi istenemez");
    TokenFaults Warning ("there is one until {0}; {1} requests for the next failed", "{0} tarihine kadar bir jeton var; yenisi için {1} istek başarısız"),
        ("İYS's token endpoint fails.", "İYS'nin jeton servisi hata veriyor."),
        ("Nothing to do: it is asked again after growing pauses.", "Yapılacak bir şey yok: artan aralıklarla yeniden denenir.");
    CredentialsRefused Failed ("refused: {0}", "reddedildi: {0}"),
        ("İYS does not accept the API user's name and password.", "İYS API kullanıcı adını ve parolasını kabul etmedi."),
        ("Correct iys.username and iys.password; they are tried again ten minutes after the refusal.",
         "iys.username ve iys.password değerlerini düzeltin; reddedilmeden on dakika sonra yeniden denenir.");
    NeedsToken Skipped ("not asked: there is no token", "sorulmadı: jeton yok");

    // The brand and its numbers.
    BrandListed Ok ("İYS lists brand {0} of {1}", "İYS {1} altında {0} markasını listeliyor");
    BrandNotListed Failed ("{0} is not among the brands of {1}: {2}", "{0}, {1} markaları arasında yok: {2}"),
        ("The API user does not see this brand, or iys.brandCode is wrong.",
         "API kullanıcısı bu markayı görmüyor veya iys.brandCode yanlış."),
        ("Take iys.brandCode from İYS Web, and check which brands the API user may use.",
         "iys.brandCode değerini İYS Web'den alın ve API kullanıcısının hangi markalara yetkili olduğunu kontrol edin.");
    MainBrandElsewhere Warning ("{0} is listed, and whether it is the main brand does not fit its number",
            "{0} listeleniyor, ancak ana marka olup olmadığı numarasına uymuyor"),
        ("The main brand's number is that of the service provider, and no other brand's is.",
         "Ana markanın numarası hizmet sağlayıcının numarasıdır; başka hiçbir markanınki değildir."),
        ("Compare iys.iysCode and iys.brandCode with İYS Web.",
         "iys.iysCode ve iys.brandCode değerlerini İYS Web ile karşılaştırın.");

    // The subscription and its quota.
    SubscriptionActive Ok ("in force until {0}", "{0} tarihine kadar geçerli");
    SubscriptionActiveOpen Ok ("in force; İYS names no end", "geçerli; İYS bitiş tarihi belirtmiyor");
    SubscriptionEnds Warning ("ends on {0}, in {1} days", "{0} tarihinde, {1} gün sonra bitiyor"),
        ("When it has ended, İYS takes nothing of the brand.", "Bittiğinde İYS markadan hiçbir şey kabul etmez."),
        ("Renew the subscription in İYS Web.", "Aboneliği İYS Web'de yenileyin.");
    SubscriptionEnded Failed ("ended on {0}", "{0} tarihinde bitti");
    SubscriptionPaused Failed ("paused", "duraklatılmış");
    SubscriptionClosed Failed ("closed", "kapatılmış");
    SubscriptionMissing Failed ("there is none", "abonelik yok");
    SubscriptionUnclear Warning ("İYS does not say whether it is in force", "İYS geçerli olup olmadığını belirtmiyor"),
        ("The answer names no state that İYS documents.", "Yanıtta İYS'nin belgelediği bir durum yok."),
        ("Look at the subscription in İYS Web.", "Aboneliğe İYS Web'de bakın.");
    SubscriptionHidden Skipped ("this API user may not ask for it", "bu API kullanıcısı sorgulayamıyor");
    QuotaLeft Ok ("{0} of {1} addresses used", "{1} adresin {0} tanesi kullanılmış");
    QuotaNear Warning ("{0} of {1} addresses used", "{1} adresin {0} tanesi kullanılmış"),
        ("When all are used and more are not allowed, İYS takes no new address.",
         "Tümü dolduğunda ve aşıma izin verilmediğinde İYS yeni adres kabul etmez."),
        ("Choose a larger package in İYS Web or allow exceeding it.",
         "İYS Web'de daha büyük bir paket seçin veya aşıma izin verin.");
    QuotaExceeded Warning ("{0} of {1} addresses used; exceeding is allowed", "{1} adresin {0} tanesi kullanılmış; aşıma izin var"),
        ("More addresses are stored than the package pays for.", "Paketin karşıladığından fazla adres saklanıyor."),
        ("Compare the package in İYS Web with what the brand needs.",
         "İYS Web'deki paketi markanın ihtiyacıyla karşılaştırın.");
    QuotaFull Failed ("{0} of {1} addresses used; more are not allowed", "{1} adresin {0} tanesi kullanılmış; aşıma izin yok");
    QuotaNotShown Skipped ("İYS shows no limit: unlimited, or not shown to this API user",
            "İYS sınır göstermiyor: sınırsız veya bu API kullanıcısına gösterilmiyor");

    // Authority.
    PartnerListed Ok ("İYS lists it as allowed for business partner {0}", "İYS {0} numaralı iş ortağı için yetkili gösteriyor");
    PartnerNotListed Failed ("business partner {0} may not write it", "{0} numaralı iş ortağının yazma yetkisi yok"),
        ("The brand has not authorised the business partner for this channel, or for reading only.",
         "Marka bu kanal için iş ortağına yetki vermemiş veya yalnızca okuma yetkisi vermiş."),
        ("Grant the business partner the channel in İYS Web, or take it out of iys.channels.",
         "İYS Web'de iş ortağına kanal yetkisini verin veya kanalı iys.channels'tan çıkarın.");
    ChannelAnswered Ok ("İYS answers questions about it", "İYS bu kanaldaki sorguları yanıtlıyor");
    ChannelRecordRefused Failed ("records were refused on {0}", "{0} tarihinde kayıtlar reddedildi"),
        ("İYS answers questions on this channel and refused its records.",
         "İYS bu kanaldaki sorguları yanıtlıyor, ancak kayıtları reddetti."),
        ("Grant the API user the channel in İYS Web; the held work then goes on by itself.",
         "İYS Web'de API kullanıcısına kanal yetkisini verin; bekleyen işler ardından kendiliğinden sürer.");
    MutabakatOff Skipped ("not used: iys.mutabakat is false", "kullanılmıyor: iys.mutabakat false");
    MutabakatAnswered Ok ("İYS answers", "İYS yanıtlıyor");
    MutabakatNotListed Failed ("business partner {0} may not use it", "{0} numaralı iş ortağının yetkisi yok"),
        ("The brand has not authorised the business partner for reconciliation.",
         "Marka iş ortağına mutabakat yetkisi vermemiş."),
        ("Grant it in İYS Web, or set iys.mutabakat to false.",
         "İYS Web'de yetki verin veya iys.mutabakat değerini false yapın.");
    PartnerBrandNotListed Failed ("{0} has not authorised business partner {1}", "{0} markası {1} numaralı iş ortağına yetki vermemiş"),
        ("İYS lists the brand for this business partner neither for a channel nor for reconciliation.",
         "İYS bu markayı iş ortağı için ne bir kanalda ne de mutabakatta listeliyor."),
        ("Authorise the business partner for the brand in İYS Web, and compare iys.integratorCode.",
         "İYS Web'de iş ortağına marka için yetki verin ve iys.integratorCode değerini karşılaştırın.");

    // Push connections.
    PushUnused Skipped ("not used: what people do at İYS comes by pull, after an hour",
            "kullanılmıyor: kişilerin İYS'de yaptıkları bir saat sonra pull ile gelir");
    PushStands Ok ("stands, and leads to this system", "kurulu ve bu sisteme yönleniyor");
    PushFailed Failed ("İYS could not set it up", "İYS bağlantıyı kuramadı"),
        ("İYS did not reach the address in five seconds, or was not asked for the user and password.",
         "İYS adrese beş saniyede ulaşamadı veya kendisinden kullanıcı ve parola istenmedi."),
        ("Check the address of the API from outside, then register it again: iysync job push-service.",
         "API adresini dışarıdan kontrol edin, sonra yeniden kaydedin: iysync job push-service.");
    PushElsewhere Warning ("{0} connections, none of which leads to this system", "{0} bağlantı var, hiçbiri bu sisteme yönlenmiyor"),
        ("İYS sends the notices of this channel to another address; here they come by pull, after an hour.",
         "İYS bu kanalın bildirimlerini başka bir adrese gönderiyor; buraya bir saat sonra pull ile gelir."),
        PUSH_BY_HAND;
    PushWithoutAuthority Skipped ("none is kept without authority for the channel", "kanal yetkisi olmadan bağlantı tutulmaz");
    PushMissing Warning ("there is no connection", "bağlantı yok"),
        ("İYS does not know where to send the notices of this channel; here they come by pull, after an hour.",
         "İYS bu kanalın bildirimlerini nereye göndereceğini bilmiyor; buraya bir saat sonra pull ile gelir."),
        PUSH_BY_HAND;

    // The address that İYS sees.
    EgressListed Ok ("calls come from {0}, which is listed", "çağrılar {0} adresinden geliyor; listede");
    EgressOther Failed ("calls come from {0}, which iys.egressAddresses does not have",
            "çağrılar {0} adresinden geliyor; iys.egressAddresses içinde yok"),
        ("The functions do not call İYS from an address that the brand says is listed there.",
         "Fonksiyonlar İYS'yi, markanın listede olduğunu belirttiği bir adresten çağırmıyor."),
        ("Put the functions behind a NAT gateway with a listed address, or have this one listed at İYS.",
         "Fonksiyonları listedeki bir adresi olan NAT ağ geçidinin arkasına alın veya bu adresi İYS'de listeye ekletin.");
    EgressRefused Failed ("İYS answered 403 without a code{0}", "İYS kodsuz 403 yanıtı verdi{0}"),
        ("That is how a system answers an address that it does not list.",
         "Bir sistem, listesinde olmayan bir adrese böyle yanıt verir."),
        ("Ask İYS (destek@iys.org.tr) to list the address that the functions call from.",
         "Fonksiyonların çağrı yaptığı adresin listeye eklenmesini İYS'den isteyin (destek@iys.org.tr).");
    EgressNotCompared Skipped ("calls come from {0}; iys.egressAddresses is empty, so nothing is compared",
            "çağrılar {0} adresinden geliyor; iys.egressAddresses boş, karşılaştırılmadı");
    EgressOff Skipped ("not asked: the parameter EgressCheckUrl is empty", "sorulmadı: EgressCheckUrl parametresi boş");
    EgressUnknown Warning ("the service that tells the address gave none", "adresi söyleyen servis adres vermedi"),
        ("The service of the parameter EgressCheckUrl does not answer with an IP address.",
         "EgressCheckUrl parametresindeki servis bir IP adresiyle yanıt vermiyor."),
        ("Name another service, or none, in EgressCheckUrl.", "EgressCheckUrl için başka bir servis verin veya boş bırakın.");

    // The clock.
    ClockRight Ok ("{0} s from İYS's", "İYS saatinden fark {0} sn");
    ClockOff Warning ("{0} s from İYS's", "İYS saatinden fark {0} sn"),
        ("This system's clock and İYS's differ: consents of this moment may look as if from the future.",
         "Bu sistemin saati İYS'ninkinden farklı: şu anki izinler gelecekten görünebilir."),
        ("Compare both with a time service, and tell whoever is wrong.",
         "İkisini de bir zaman servisiyle karşılaştırın ve hatalı olana bildirin.");
    ClockWrong Failed ("{0} s from İYS's", "İYS saatinden fark {0} sn"),
        ("The clocks differ by more than a minute: İYS refuses consents that lie in its future.",
         "Saatler bir dakikadan fazla farklı: İYS kendi saatine göre gelecekteki izinleri reddeder."),
        ("Compare both with a time service, and set whichever is wrong.",
         "İkisini de bir zaman servisiyle karşılaştırın ve hatalı olanı düzeltin.");
    ClockUnknown Skipped ("İYS's answers tell no time", "İYS yanıtlarında saat yok");

    // Allowances.
    AllowanceLeft Ok ("{0} of {1} used in the last hour", "son bir saatte {1} hakkın {0} tanesi kullanıldı");
    AllowanceNear Warning ("{0} of {1} used in the last hour", "son bir saatte {1} hakkın {0} tanesi kullanıldı"),
        ("The hour's allowance is nearly used up; what needs it then waits.",
         "Saatlik hak bitmek üzere; ona ihtiyacı olan işler o zaman bekler."),
        FEWER_CALLS;

    QualityFine Ok ("{0} of {1} calls of the last day succeeded", "son bir gündeki {1} çağrının {0} tanesi başarılı");
    QualitySlowed Warning ("{0} of {1} calls of the last day succeeded; {2} calls a second are left",
            "son bir gündeki {1} çağrının {0} tanesi başarılı; saniyede {2} çağrı kaldı"),
        ("So many calls fail that this system has slowed down, before İYS takes its address off the list.",
         "O kadar çok çağrı başarısız ki, İYS adresi listeden çıkarmadan bu sistem yavaşladı."),
        ("Look at what is rejected (iysync status) and correct it where it comes from.",
         "Nelerin reddedildiğine bakın (iysync status) ve geldiği yerde düzeltin.");
    QualityUnknown Skipped ("no calls in the last day", "son bir günde çağrı yok");

    // Answers that say nothing about what was asked.
    RefusedByCode Failed ("İYS refuses: {0}", "İYS reddediyor: {0}");
    RefusedWithoutCode Failed ("İYS refuses: {0}", "İYS reddediyor: {0}");
    Busy Failed ("not known before {0}: {1}", "{0} öncesi bilinemiyor: {1}"),
        ("İYS cannot be asked now: it is busy, does not answer, or its allowance is used up.",
         "İYS'ye şu an sorulamıyor: meşgul, yanıt vermiyor veya çağrı hakkı bitmiş."),
        LATER;
    Unanswered Failed ("İYS gave no answer: {0}", "İYS yanıt vermedi: {0}"),
        ("The request went out, and no answer came back.", "İstek gönderildi, yanıt gelmedi."),
        LATER;
    Unreadable Failed ("the answer cannot be used: {0}", "yanıt kullanılamıyor: {0}"),
        ("İYS's answer has a form that this software does not understand.",
         "İYS'nin yanıtı bu yazılımın anlamadığı bir biçimde."),
        ("Report it with the time: it is a mistake of this software, or of İYS's.",
         "Zamanıyla birlikte bildirin: bu yazılımın veya İYS'nin bir hatasıdır.");
    LedgerAway Failed ("the ledger gave no answer", "defter yanıt vermedi"),
        ("DynamoDB could not be asked for the token and the allowances.",
         "DynamoDB'ye jeton ve çağrı hakları sorulamadı."),
        LATER;

    // A sample at Insider: the addresses.
    SampleWithoutAddress Failed ("no address is given", "adres verilmedi"),
        ("Keys are proved by calls about an address, and none was named.",
         "Anahtarlar bir adresle yapılan çağrılarla sınanır; adres belirtilmedi."),
        ("Name an e-mail address, a phone number, or both.", "Bir e-posta adresi, bir telefon numarası veya ikisini verin.");
    EmailUnusable Failed ("email is no e-mail address that İYS takes; nothing was asked",
            "email, İYS'nin kabul ettiği bir e-posta adresi değil; hiçbir şey sorulmadı"),
        ("An e-mail address has 6 to 265 characters: ASCII letters, digits and . _ - + before an @ and a domain.",
         "E-posta adresi 6-265 karakterdir: ASCII harf, rakam ve . _ - + ile @ ve alan adı."),
        CORRECT_ADDRESS;
    PhoneUnusable Failed ("phone is no phone number that İYS takes; nothing was asked",
            "phone, İYS'nin kabul ettiği bir telefon numarası değil; hiçbir şey sorulmadı"),
        ("A phone number has at most 15 characters, in E.164 form such as +905XXXXXXXXX or as it is written in Türkiye.",
         "Telefon numarası en çok 15 karakterdir: +905XXXXXXXXX gibi E.164 biçiminde veya Türkiye'de yazıldığı gibi."),
        CORRECT_ADDRESS;
    SampleWithoutLedger Failed ("no call was made for this channel: the ledger gave no answer",
            "bu kanal için çağrı yapılmadı: defter yanıt vermedi"),
        ("DynamoDB could not be asked what the ledger holds for the address.",
         "Defterin adres için ne tuttuğu DynamoDB'ye sorulamadı."),
        LATER;

    // The same: the account.
    PartnerKnown Ok ("Insider knows the partner {0}", "Insider {0} ortağını (partner) tanıyor");
    PartnerRefused Failed ("no call was let in for the partner {0}", "{0} ortağı (partner) için hiçbir çağrı kabul edilmedi"),
        ("Insider refuses every key that was tried: most likely insider.partner is wrong.",
         "Insider denenen bütün anahtarları reddediyor: büyük olasılıkla insider.partner yanlış."),
        ("Take insider.partner from Insider's panel (Account Settings): lower case, no spaces.",
         "insider.partner değerini Insider panelinden (Account Settings) alın: küçük harf, boşluksuz.");
    WebhookAccepts Ok ("the panel must call {0}; accepted with: {1}", "panel {0} adresini çağırmalı; kabul edilen: {1}");

    // The same: profile and attributes.
    ProfileFound Ok ("there is a profile: {0}", "profil var: {0}");
    ProfileOfNobody Ok ("answered: nobody by this address until now", "yanıt verdi: bu adresle şimdiye kadar kimse yok");
    AttributeSeen Ok ("read as {0}; a change counts for {1}", "{0} okundu; değişikliği {1} için sayılır");
    AttributeMissing Warning ("{0} is absent", "{0} yok"),
        ("The profile has no attribute of this name, although insider.attributes reads consents from it.",
         "insider.attributes izinleri bu addan okuyor, ancak profilde bu adla bir özellik yok."),
        ("Compare the name in Insider's panel with insider.attributes. A new profile may simply lack it.",
         "Insider panelindeki adı insider.attributes ile karşılaştırın. Yeni bir profilde henüz olmayabilir.");
    AttributeNotBoolean Warning ("{0} is neither true nor false", "{0} true/false değil"),
        ("The attribute has another type than Boolean, so no change of it is read as a consent or refusal.",
         "Özelliğin türü Boolean değil; değişiklikleri izin veya ret olarak okunamaz."),
        ("Make it Boolean in Insider's panel, or name the Boolean one in insider.attributes.",
         "Insider panelinde türünü Boolean yapın veya insider.attributes içinde Boolean olanı yazın.");
    AttributeOfAnother Warning ("{0} counts for {1} here, and is written for {2}", "{0} burada {1} için sayılıyor, ancak {2} için yazılıyor"),
        ("insider.attributes maps the flag of one channel to another.", "insider.attributes bir kanalın bayrağını başka bir kanala bağlıyor."),
        ("Correct its type in insider.attributes.", "insider.attributes içindeki type değerini düzeltin.");
    AttributeUnmapped Skipped ("a change of {0} is no consent: insider.attributes does not list it",
            "{0} değişikliği izin sayılmaz: insider.attributes içinde yok");
    AttributeUnseen Skipped ("not seen: no profile was read", "görülmedi: profil okunmadı");
    AttributeNotRead Skipped ("not read: it is no flag that this system writes", "okunmadı: bu sistemin yazdığı bir bayrak değil");

    // The same: what each key was answered.
    InsiderTook Ok ("Insider took the call", "Insider çağrıyı kabul etti");
    InsiderUnauthorized Failed ("Insider answered {0}: it does not accept {1}", "Insider {0} yanıtı verdi: {1} kabul edilmiyor"),
        ("The key {1} or the partner's name is wrong.", "{1} anahtarı veya ortak adı (partner) yanlış."),
        ("Put a key of the kind “{2}” from Insider's panel (API Keys) under {1}.",
         "Insider panelinden (API Keys) “{2}” türünde bir anahtarı {1} altına yazın.");
    InsiderForbids Failed ("Insider answered 403: {0} does not open this", "Insider 403 yanıtı verdi: {0} buna izin vermiyor"),
        ("The key or the partner's name is wrong, the key is of another kind, or calls come from an address that is not among its trusted IPs.",
         "Anahtar veya ortak adı (partner) yanlış, anahtar başka türden veya çağrılar güvenilir IP'leri arasında olmayan bir adresten geliyor."),
        ("Put a key of the kind “{1}” with the functions' address among its trusted IPs under {0}.",
         "Güvenilir IP'lerinde fonksiyonların adresi olan “{1}” türünde bir anahtarı {0} altına yazın.");
    InsiderUnsendable Failed ("not sent: no header can carry {0} or the partner's name", "gönderilmedi: {0} veya ortak adı başlıkta taşınamıyor"),
        ("A value has characters that HTTP does not allow in a header.", "Bir değerde HTTP başlığında izin verilmeyen karakterler var."),
        ("Copy insider.partner and {0} from Insider's panel once more.", "insider.partner ve {0} değerlerini Insider panelinden yeniden kopyalayın.");
    InsiderLimited Failed ("429: not before {0}", "429: {0} öncesi olmaz"),
        ("Insider's limit of calls is used up, or this system's own allowance within it.",
         "Insider'ın çağrı sınırı veya bu sistemin onun içindeki kendi hakkı doldu."),
        LATER;
    InsiderBusy Failed ("not before {0}: {1}", "{0} öncesi olmaz: {1}"),
        ("Insider fails, or no connection to it comes about.", "Insider hata veriyor veya bağlantı kurulamıyor."),
        ("Check that the functions reach Insider's hosts, and run the sample again later.",
         "Fonksiyonların Insider sunucularına ulaştığını kontrol edin ve denemeyi daha sonra yineleyin.");
    InsiderSilent Failed ("Insider gave no answer: {0}", "Insider yanıt vermedi: {0}"),
        ("The request went out, and no answer came back: it may land all the same.",
         "İstek gönderildi, yanıt gelmedi: yine de işlenmiş olabilir."),
        LATER;
    InsiderRefused Failed ("Insider refuses the content: {0}", "Insider içeriği reddediyor: {0}"),
        ("The key is right; the account does not take this address, flag or form.",
         "Anahtar doğru; hesap bu adresi, bayrağı veya biçimi kabul etmiyor."),
        ("Create a custom attribute that is missing (Boolean), set insider.uploaderEmail if the account wants it, or sample with another address.",
         "Eksik özel özelliği (Boolean) oluşturun, hesap istiyorsa insider.uploaderEmail verin veya başka bir adresle deneyin.");
    InsiderUnreadable Failed ("the answer cannot be used: {0}", "yanıt kullanılamıyor: {0}"),
        ("Insider's answer has a form that this software does not understand, or another server answers.",
         "Insider'ın yanıtı bu yazılımın anlamadığı bir biçimde veya başka bir sunucu yanıt veriyor."),
        ("Compare the parameters InsiderContactUrl and InsiderUnificationUrl; if they are right, report it with the time.",
         "InsiderContactUrl ve InsiderUnificationUrl parametrelerini karşılaştırın; doğruysa zamanıyla birlikte bildirin.");
    ResubscribeUntried Skipped ("not tried: the two calls before it did not go well, and the address must not become reachable",
            "denenmedi: önceki iki çağrı başarılı olmadı ve adres ulaşılabilir hâle gelmemeli");

    // The same: what Insider holds when it is over.
    LeftAsBefore Skipped ("Insider holds what it held: nothing was changed", "Insider'daki durum aynı: hiçbir şey değişmedi");
    LeftSuppressed Ok ("Insider now holds: suppressed. The ledger holds a refusal", "Insider'da şimdi: engelli. Defterde ret var");
    LeftAllowed Ok ("Insider now holds: allowed. The ledger holds a consent", "Insider'da şimdi: izinli. Defterde onay var");
    LeftAllowedByFlag Ok ("Insider now holds: allowed. The ledger tells nothing; {0} was true",
            "Insider'da şimdi: izinli. Defterde söylenecek bir şey yok; {0} true idi");
    LeftSuppressedUnknown Ok ("Insider now holds: suppressed. The ledger tells nothing; {0} before: {1}",
            "Insider'da şimdi: engelli. Defterde söylenecek bir şey yok; önceki {0}: {1}");
    LeftUnread Warning ("Insider now holds: suppressed. The ledger gave no answer", "Insider'da şimdi: engelli. Defter yanıt vermedi"),
        ("What the ledger holds could not be read a second time, so the safe side was taken.",
         "Defterin tuttuğu ikinci kez okunamadı; güvenli taraf seçildi."),
        PUT_RIGHT;
    LeftByList Warning ("Insider now holds: suppressed by the list; {0} may be as before",
            "Insider'da şimdi: listeyle engelli; {0} eskisi gibi olabilir"),
        ("The flag could not be written, and nobody on the list is messaged.", "Bayrak yazılamadı; listedeki kimseye ileti gönderilmez."),
        PUT_RIGHT;
    LeftByFlag Warning ("Insider now holds: {0}=false; the list is not known to hold the address",
            "Insider'da şimdi: {0}=false; adresin listede olup olmadığı bilinmiyor"),
        ("The call that puts the address on the list did not go well; without the flag nobody is messaged.",
         "Adresi listeye koyan çağrı başarılı olmadı; bayrak olmadan kimseye ileti gönderilmez."),
        PUT_RIGHT;
    LeftUnreachable Warning ("Insider now holds: suppressed, or may; it ought to be allowed",
            "Insider'da şimdi: engelli veya olabilir; izinli olması gerekir"),
        ("A call that allows messages did not go well; ledger or flag allowed them before.",
         "İletiye izin veren bir çağrı başarılı olmadı; önceden defter veya bayrak izin veriyordu."),
        PUT_RIGHT;
    LeftOpen Failed ("it is not known that Insider suppresses the address", "Insider'ın adresi engellediği bilinmiyor"),
        ("Neither the list nor the flag took the refusal, and one of them may have changed.",
         "Ne liste ne bayrak reddi aldı; biri değişmiş olabilir."),
        PUT_RIGHT;

    // A brand that reaches İYS by an integrator.
    DocumentOfIntegrator Ok ("İYS is reached by {0}; channels: {1}", "İYS'ye {0} ile ulaşılıyor; kanallar: {1}");
    IntegratorAnswered Ok ("{0} takes user and brand", "{0} kullanıcıyı ve markayı kabul ediyor");
    CallbacksTaken Ok ("callbacks of {0} are taken at the integrator/events address", "{0} geri bildirimleri integrator/events adresinde alınıyor");
    CallbacksNotTaken Warning ("callbacks of {0} are not taken: the document names no secret", "{0} geri bildirimleri alınmıyor: belgede gizli anahtar yok"),
        ("Without callbacks what people do elsewhere is learnt late or by verification only.",
         "Geri bildirim olmadan başka yerde yapılanlar geç veya yalnızca doğrulamayla öğrenilir."),
        ("Set the secret in the brand's document and enter the address in the integrator's portal (docs/integrators.md).",
         "Gizli anahtarı marka belgesine yazın, adresi entegratörün portalına girin (docs/integrators.md).");
    FormerRegistry Ok ("{0}, which the brand has left, is still asked and heard", "markanın ayrıldığı {0} sorulmaya ve dinlenmeye devam ediyor");
    FormerNotNeeded Warning ("{0}, which the brand left more than two days ago, is still asked and heard",
            "markanın iki günden uzun süre önce ayrıldığı {0} hâlâ sorulup dinleniyor"),
        ("Whatever was handed in there is settled, or was handed in anew, within a day.",
         "Oraya verilen her kayıt bir gün içinde kapanır veya yeniden verilir."),
        ("Remove formerRegistry from the brand's document, then end its authorisation and callbacks.",
         "Marka belgesinden formerRegistry alanını kaldırın, sonra oradaki yetkiyi ve geri bildirimleri sonlandırın.");
    NoFeed Skipped ("{0} has no feed of movements: callbacks tell of them, and verification finds what they missed",
            "{0} hareket listesi sunmuyor: hareketleri geri bildirimler bildirir, kaçanları doğrulama bulur");
    DailyFeed Skipped ("{0} tells of what people did once a day", "{0} kişilerin yaptıklarını günde bir bildirir");
    NoStatus Skipped ("{0} does not tell what İYS holds for an address: nothing is compared, and refusals are sent unasked",
            "{0} İYS'nin bir adres için ne tuttuğunu söylemez: karşılaştırma yapılmaz, retler sorulmadan gönderilir");
    MirrorStatus Skipped ("{0} answers from its own copy, not from İYS", "{0} İYS'den değil kendi kopyasından yanıt verir");
    OutcomesByCallback Skipped ("{0} has no results to ask for: callbacks or what İYS holds tell them",
            "{0} sorulacak sonuç sunmuyor: sonucu geri bildirim veya İYS'deki kayıt gösterir");
    NoDayFiles Skipped ("{0} has no daily files (mutabakat)", "{0} günlük dosya (mutabakat) sunmuyor");
    NoDealers Skipped ("{0} cannot be told of dealers: consents that name some are refused here",
            "{0} bayi almıyor: bayi içeren onaylar burada reddedilir");
    NeedsOwnUser Skipped ("{0} does not offer this: it needs the brand's own İYS API user", "{0} bunu sunmuyor: markanın kendi İYS API kullanıcısı gerekir");
}

impl Finding {
    /// The finding as a check's line, with its values filled in.
    pub(crate) fn of(self, check: impl Into<String>, values: &[&str]) -> Check {
        let Entry { outcome, detail, reason } = self.entry();
        let words = |(en, tr): Text| Words { en: filled(en, values), tr: filled(tr, values) };
        let reason = reason.map(|(cause, remedy)| Reason { code: None, cause: words(cause), remedy: words(remedy) });
        Check { check: check.into(), outcome, detail: words(detail), reason }
    }

    /// The same, with cause and remedy of a code.
    pub(crate) fn with_code(self, check: impl Into<String>, values: &[&str], code: Code) -> Check {
        let check = self.of(check, values);
        Check { reason: Reason::of_code(code).or(check.reason), ..check }
    }
}

/// How İYS names a refusal that carries no code, as a registry's error has it.
pub(crate) const BARE_REFUSAL: &str = "HTTP 403";

/// What it means that a call for a check was not answered.
pub(crate) fn unanswered(check: impl Into<String>, error: &RegistryError) -> Check {
    match error {
        RegistryError::Held { code, .. } if code == BARE_REFUSAL => Finding::EgressRefused.of(check, &[""]),
        RegistryError::Held { why: Hold::Credentials, code } => match code.parse::<Code>() {
            Ok(known) => Finding::CredentialsRefused.with_code(check, &[code], known),
            Err(_) => Finding::CredentialsRefused.of(check, &[code]),
        },
        RegistryError::Held { why, code } => match code.parse::<Code>() {
            Ok(known) if known.entry().is_some() => Finding::RefusedByCode.with_code(check, &[code], known),
            _ => held(check, *why, code),
        },
        RegistryError::Busy { until, why } => Finding::Busy.of(check, &[&time(*until), why]),
        RegistryError::Unanswered { why } => Finding::Unanswered.of(check, &[why]),
        RegistryError::Defect { why } => Finding::Unreadable.of(check, &[why]),
        RegistryError::RefusedFor(_) => Finding::Unreadable.of(check, &[&error.to_string()]),
        RegistryError::Ledger(_) => Finding::LedgerAway.of(check, &[]),
    }
}

fn held(check: impl Into<String>, why: Hold, code: &str) -> Check {
    let reason = Reason { code: None, cause: why.cause(Target::Registry).into(), remedy: why.remedy(Target::Registry).into() };
    Check { reason: Some(reason), ..Finding::RefusedWithoutCode.of(check, &[code]) }
}

/// A moment as people in Türkiye read it.
pub(crate) fn time(at: jiff::Timestamp) -> String {
    ConsentDate::at(at).to_string()
}

fn filled(text: &str, values: &[&str]) -> String {
    values.iter().enumerate().fold(text.to_owned(), |text, (at, value)| text.replace(&format!("{{{at}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<usize> {
        (0..9).filter(|at| text.contains(&format!("{{{at}}}"))).collect()
    }

    #[test]
    fn every_finding_is_said_in_both_languages_with_the_same_values() {
        for finding in Finding::ALL {
            let Entry { detail, reason, .. } = finding.entry();
            let texts = [Some(detail), reason.map(|(cause, _)| cause), reason.map(|(_, remedy)| remedy)];
            for (en, tr) in texts.into_iter().flatten() {
                assert!(!en.is_empty() && !tr.is_empty(), "{finding:?}");
                assert_ne!(en, tr, "{finding:?}");
                assert_eq!(places(en), places(tr), "{finding:?}");
            }
            for (en, tr) in texts.into_iter().skip(1).flatten() {
                assert!(en.ends_with('.') && tr.ends_with('.'), "{finding:?}");
            }
        }
    }

    #[test]
    fn whatever_is_wrong_says_why_and_what_to_do() {
        // Their cause and remedy are a code's, or those of what is held.
        let by_code = [
            Finding::TokenStopped,
            Finding::SubscriptionEnded,
            Finding::SubscriptionPaused,
            Finding::SubscriptionClosed,
            Finding::SubscriptionMissing,
            Finding::QuotaFull,
            Finding::RefusedByCode,
            Finding::RefusedWithoutCode,
        ];
        for finding in Finding::ALL {
            let Entry { outcome, reason, .. } = finding.entry();
            let wrong = matches!(outcome, Outcome::Warning | Outcome::Failed);
            assert_eq!(reason.is_some(), wrong && !by_code.contains(finding), "{finding:?}");
        }
    }

    #[test]
    fn a_refusal_is_explained_by_its_code_by_what_is_held_or_as_an_unlisted_address() {
        let held = |code: &str| unanswered("brand", &RegistryError::Held { why: Hold::Authority, code: code.to_owned() });
        let codes = |check: &Check| check.reason.as_ref().and_then(|reason| reason.code.clone());
        let by_code = held("H353");
        assert_eq!((codes(&by_code).as_deref(), by_code.detail.en.as_str()), (Some("H353"), "İYS refuses: H353"));
        let bare = held(BARE_REFUSAL);
        assert!(bare.reason.is_some_and(|reason| reason.cause.en.contains("does not list")));
        let unknown = held("HTTP 404");
        assert_eq!(codes(&unknown), None);
        assert_eq!(unknown.reason.map(|reason| reason.cause.en), Some(Hold::Authority.cause(Target::Registry).en.to_owned()));
    }
}
