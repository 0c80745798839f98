//! İYS's answer codes: what each one means for the work that met it, and how to say it to people.
//!
//! This is the only place that knows codes. They are those of İYS's error table for the calls that
//! this project makes or a brand's person may meet beside them: token, add, bulk add and its results,
//! status, history, pull, push registration, reconciliation, brands, retailers, subscription and
//! business partner (İYS documentation, "Hata Kodları", <https://apidocs.iys.org.tr/>). The codes of
//! ViA and of consent taken over İYS are left out: nothing here calls those methods.
//!
//! İYS's own message texts are never compared with and never shown; the texts here are our own.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What an answer of İYS means for the work that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// The registry already stands as asked (`H174`).
    AlreadyThere,
    /// İYS never held an ONAY for the key, so the RET is not needed there (`H175`).
    NotRegistered,
    /// İYS holds a newer movement: fetch it and adopt it (`H178`).
    Superseded,
    /// Older than three business days (`H467`).
    TooLate,
    /// A passing fault or a limit: the same again, later.
    Retry(RetryAfter),
    /// The access token is refused: renew it once and send the same again once (`H351`, any 401).
    Unauthorised,
    /// No token request for an hour; asking earlier starts the hour anew (`H084`).
    TokenStop,
    /// The brand's work waits until a person changes what is named.
    Held(Hold),
    /// The data is wrong: final until the data changes.
    Rejected,
    /// The request as a whole is not one that İYS can read: our own defect. Nothing in it is judged.
    Defect,
}

/// When to send the same request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetryAfter {
    /// After the sender's usual growing pause: the fault is İYS's.
    Soon,
    /// In the next second: the limit of requests a second is used up.
    Second,
    /// In an hour: this method's hourly limit is used up. Other methods are not affected.
    Hour,
}

/// What a person has to change before the brand's work can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// What the API user may do: brand, channel or method.
    Authority,
    /// The service provider's or business partner's subscription.
    Subscription,
    /// The number of addresses that the package may store.
    Quota,
    /// A number or address in the brand's configuration.
    Configuration,
    /// The API user's name or password.
    Credentials,
}

/// One code and everything that is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code as İYS writes it, such as `H174`.
    pub code: &'static str,
    /// The HTTP status that İYS's table gives it. Answers may carry another one.
    pub http: u16,
    /// What it means for the work that met it.
    pub disposition: Disposition,
    /// What happened, in English.
    pub cause_en: &'static str,
    /// What to do about it, in English.
    pub remedy_en: &'static str,
    /// What happened, in Turkish.
    pub cause_tr: &'static str,
    /// What to do about it, in Turkish.
    pub remedy_tr: &'static str,
}

/// A code of İYS: `H` and three or four digits.
///
/// Reading is tolerant of surrounding white space and of a small `h`; writing is always canonical.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct Code(u16);

/// The text is not a code of İYS. It is not repeated here, because it may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a code of İYS: expected H and three or four digits")]
pub struct NotACode;

impl Code {
    /// What is known about the code, if it is in the table.
    #[must_use]
    pub fn entry(self) -> Option<&'static Entry> {
        entry(&self.to_string())
    }
}

impl Code {
    /// Older than three business days.
    pub const TOO_LATE: Code = Code(467);
    /// The API user may not use this method at all.
    pub const NOT_ENTITLED: Code = Code(363);
    /// There is no subscription.
    pub const NO_SUBSCRIPTION: Code = Code(437);
    /// There is no such retailer.
    pub const NO_RETAILER: Code = Code(58);
}

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim().strip_prefix(['H', 'h']).ok_or(NotACode)?;
        // Four digits that begin with zero would be written with three, so they are no code.
        let canonical = match digits.len() {
            3 => true,
            4 => !digits.starts_with('0'),
            _ => false,
        };
        if !canonical || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotACode);
        }
        digits.parse().map(Self).map_err(|_| NotACode)
    }
}

impl TryFrom<Cow<'_, str>> for Code {
    type Error = NotACode;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.to_string()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H{:03}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is known about `code`, read as tolerantly as [`Code`] is.
#[must_use]
pub fn entry(code: &str) -> Option<&'static Entry> {
    let code = code.parse::<Code>().ok()?.to_string();
    let found = TABLE.binary_search_by(|entry| entry.code.cmp(code.as_str())).ok()?;
    TABLE.get(found)
}

/// What an answer means: by its code where the table has it, otherwise by its HTTP status.
///
/// `code` is the one of the error, of one record in it, or of one row of a bulk result; for a row
/// `http` is the 200 that carried it. An answer that should name a code and does not has judged
/// nothing, so no record is rejected for it.
#[must_use]
pub fn disposition(code: Option<&str>, http: u16) -> Disposition {
    if let Some(entry) = code.and_then(entry) {
        return entry.disposition;
    }
    match http {
        401 => Disposition::Unauthorised,
        403 => Disposition::Held(Hold::Authority),
        404 => Disposition::Held(Hold::Configuration),
        408 | 425 => Disposition::Retry(RetryAfter::Soon),
        429 => Disposition::Retry(RetryAfter::Second),
        200..=299 | 400 | 409 | 422 if code.is_some() => Disposition::Rejected,
        200..=499 => Disposition::Defect,
        _ => Disposition::Retry(RetryAfter::Soon),
    }
}

/// What a refusal of the token endpoint means, by its code and HTTP status.
///
/// The endpoint has a shape of its own for refusals: status 400 and OAuth's `error` in place of a
/// code (İYS documentation, `createToken2`). There is no token to renew yet, so a 400 or 401 without
/// a known code is about the user name and the password, and asking again only uses up the hour's
/// requests. A refused refresh token is answered alike: the caller tries the password once before it
/// believes this.
#[must_use]
pub fn token_disposition(code: Option<&str>, http: u16) -> Disposition {
    match (code.and_then(entry), http) {
        (Some(entry), _) if entry.disposition != Disposition::Unauthorised => entry.disposition,
        (_, 400 | 401) => Disposition::Held(Hold::Credentials),
        _ => disposition(code, http),
    }
}

/// A text in English and in Turkish.
type Text = (&'static str, &'static str);

const NOTHING: Text = (
    "Nothing to do.", //
    "Yapılacak bir şey yok.",
);
const WAIT: Text = ("Nothing to do: it is sent again by itself.", "Yapılacak bir şey yok: kendiliğinden yeniden gönderilir.");
const WAIT_OR_ASK: Text = (
    "Nothing to do: it is sent again by itself. If it lasts for hours, ask İYS (destek@iys.org.tr).",
    "Yapılacak bir şey yok: kendiliğinden yeniden gönderilir. Saatlerce sürerse İYS'ye sorun (destek@iys.org.tr).",
);
const DEFECT: Text = (
    "A mistake of this software, not of the record: report the code and the time. Nothing is lost.",
    "Kaydın değil bu yazılımın hatası: kodu ve zamanını bildirin. Hiçbir kayıt kaybolmaz.",
);
const RECORD: Text =
    ("Correct the record in the system it comes from and send it again.", "Kaydı geldiği sistemde düzeltip yeniden gönderin.");
const DATE: Text = (
    "Correct the consent date in the system it comes from and send the record again.",
    "İzin tarihini geldiği sistemde düzeltip kaydı yeniden gönderin.",
);
const ADDRESS: Text = ("Correct or remove the address in the system it comes from.", "Adresi geldiği sistemde düzeltin veya silin.");
const RETAILER: Text =
    ("Correct the retailer's details and save the retailer again.", "Bayi bilgilerini düzeltip bayiyi yeniden kaydedin.");
const RETAILER_LIST: Text = (
    "Correct the list of retailers in the system the record comes from and send it again.",
    "Bayi listesini kaydın geldiği sistemde düzeltip kaydı yeniden gönderin.",
);
const AUTHORITY: Text = (
    "In İYS Web, check which brands, channels and methods the API user may use and grant what is missing.",
    "İYS Web'de API kullanıcısının marka, kanal ve metot yetkilerini kontrol edin, eksik olanı verin.",
);
const PARTNER: Text = (
    "In İYS Web, check how the business partner is authorised for this brand, and which API user is set up here.",
    "İYS Web'de iş ortağının bu marka için yetkisini ve burada tanımlı API kullanıcısını kontrol edin.",
);
const SUBSCRIPTION: Text = (
    "Renew or change the subscription in İYS Web; the waiting work then goes on by itself.",
    "Aboneliği İYS Web'de yenileyin veya değiştirin; bekleyen işler ardından kendiliğinden sürer.",
);
const NUMBERS: Text = (
    "Compare the İYS numbers in the brand's configuration with those in İYS Web.",
    "Marka yapılandırmasındaki İYS numaralarını İYS Web'dekilerle karşılaştırın.",
);
const CREDENTIALS: Text = (
    "Compare the API user's name and password in the brand's configuration with İYS Web.",
    "Marka yapılandırmasındaki API kullanıcı adını ve parolasını İYS Web'dekiyle karşılaştırın.",
);
const PUSH: Text = (
    "Check that the push address answers over https within five seconds and asks for the set user and password.",
    "Push adresinin https ile beş saniyede yanıt verdiğini ve tanımlı kullanıcı ve parolayı istediğini kontrol edin.",
);

/// Builds [`TABLE`]: code, HTTP status, meaning, cause in English and in Turkish, remedy.
macro_rules! table {
    ($($code:literal $http:literal $disposition:expr, $cause_en:literal, $cause_tr:literal, $remedy:expr;)+) => {
        &[$(Entry {
            code: $code,
            http: $http,
            disposition: $disposition,
            cause_en: $cause_en,
            remedy_en: $remedy.0,
            cause_tr: $cause_tr,
            remedy_tr: $remedy.1,
        },)+]
    };
}

/// Every known code, in the order of the codes.
///
/// Choices that İYS's table leaves open:
/// - `H162` (date in the future) is tried again: dates in the future are refused before anything is
///   sent, so what is left is a clock that runs a moment ahead of İYS's.
/// - `H194` (twice in one list) is tried again: the second entry goes with a later list.
/// - `H191` and `H093` have a second meaning in push registration; their texts say both.
const TABLE: &[Entry] = {
    use Disposition::{AlreadyThere, Defect, Held, NotRegistered, Rejected, Retry, Superseded, TokenStop, TooLate, Unauthorised};
    use Hold::{Authority, Configuration, Credentials, Quota, Subscription};
    use RetryAfter::{Hour, Second, Soon};
    table! {
        "H001" 404 Held(Configuration),
            "İYS knows no service provider with this İYS number.",
            "İYS bu numarayla bir hizmet sağlayıcı tanımıyor.",
            NUMBERS;
        "H014" 400 Defect,
            "İYS could not read the request as JSON.",
            "İYS isteği JSON olarak okuyamadı.",
            DEFECT;
        "H015" 500 Retry(Soon),
            "Something unexpected went wrong at İYS.",
            "İYS tarafında beklenmeyen bir hata oluştu.",
            WAIT_OR_ASK;
        "H016" 400 Rejected,
            "The retailer's details are incomplete or not as İYS expects them.",
            "Bayi bilgileri eksik veya İYS'nin beklediği biçimde değil.",
            RETAILER;
        "H017" 400 Rejected,
            "One of the retailer's details is longer than İYS allows.",
            "Bayi bilgilerinden biri İYS'nin izin verdiğinden uzun.",
            RETAILER;
        "H018" 404 Held(Configuration),
            "İYS knows no brand with this number.",
            "İYS bu numarayla bir marka tanımıyor.",
            NUMBERS;
        "H031" 404 Held(Credentials),
            "İYS does not know the API user.",
            "İYS API kullanıcısını tanımıyor.",
            CREDENTIALS;
        "H058" 404 Rejected,
            "İYS knows no retailer with this number.",
            "İYS bu numarayla bir bayi tanımıyor.",
            RETAILER;
        "H060" 500 Retry(Soon),
            "İYS could not update the retailer.",
            "İYS bayiyi güncelleyemedi.",
            WAIT_OR_ASK;
        "H061" 500 Retry(Soon),
            "İYS could not delete the retailer.",
            "İYS bayiyi silemedi.",
            WAIT_OR_ASK;
        "H062" 500 Retry(Soon),
            "İYS could not save the retailer.",
            "İYS bayiyi kaydedemedi.",
            WAIT_OR_ASK;
        "H067" 400 Held(Quota),
            "İYS has no free retailer number left to give.",
            "İYS'de verilebilecek boş bayi numarası kalmamış.",
            ("Ask İYS support (destek@iys.org.tr) for retailer numbers.", "İYS desteğinden (destek@iys.org.tr) bayi numarası isteyin.");
        "H082" 400 Retry(Soon),
            "İYS could not read its own list of allowed values.",
            "İYS kendi geçerli değerler listesini okuyamadı.",
            WAIT_OR_ASK;
        "H083" 429 Retry(Second),
            "More requests in one second than İYS allows from this network address.",
            "Bu ağ adresinden bir saniyede İYS'nin izin verdiğinden çok istek gitti.",
            WAIT;
        "H084" 429 TokenStop,
            "More sign-ins in one hour than İYS allows from this network address.",
            "Bu ağ adresinden bir saatte İYS'nin izin verdiğinden çok oturum isteği gitti.",
            ("Do not sign in for an hour, also not with other tools from this address: each try starts the hour anew.", "Bir saat oturum açmayın, bu adresteki başka araçlarla da: her deneme bir saati yeniden başlatır.");
        "H085" 400 Defect,
            "İYS does not accept the form of the request that adds a consent.",
            "İYS izin ekleme isteğinin yapısını kabul etmedi.",
            DEFECT;
        "H086" 429 Retry(Hour),
            "This hour's single status queries from this network address are used up.",
            "Bu ağ adresinin bu saatteki tekil durum sorgusu hakkı doldu.",
            WAIT;
        "H089" 429 Retry(Hour),
            "This hour's history queries from this network address are used up.",
            "Bu ağ adresinin bu saatteki geçmiş sorgusu hakkı doldu.",
            WAIT;
        "H090" 400 Defect,
            "İYS does not accept the form of the request that adds a retailer.",
            "İYS bayi ekleme isteğinin yapısını kabul etmedi.",
            DEFECT;
        "H091" 422 Defect,
            "The list holds more consents than İYS takes at once.",
            "Listede İYS'nin bir kerede aldığından çok izin var.",
            DEFECT;
        "H092" 400 Defect,
            "İYS does not accept the form of the list of consents.",
            "İYS izin listesinin yapısını kabul etmedi.",
            DEFECT;
        "H093" 422 Held(Configuration),
            "Push registration: user name or password is missing. Elsewhere: İYS does not know the transaction id.",
            "Push kaydında: kullanıcı adı veya parola eksik. Diğer metotlarda: İYS işlem numarasını tanımıyor.",
            ("Set the push user name and password in the brand's configuration.", "Push kullanıcı adını ve parolasını marka yapılandırmasında tanımlayın.");
        "H095" 400 Defect,
            "İYS does not accept the form of the query for a transaction.",
            "İYS işlem sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H097" 400 Defect,
            "İYS does not accept the form of the query for a consent.",
            "İYS izin sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H098" 400 Defect,
            "İYS does not accept the form of the query for a day's changes.",
            "İYS günlük değişiklik sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H100" 500 Retry(Soon),
            "İYS could not save its recovery copy.",
            "İYS kurtarma verisini kaydedemedi.",
            WAIT_OR_ASK;
        "H101" 500 Retry(Soon),
            "İYS could not save the data.",
            "İYS veriyi kaydedemedi.",
            WAIT_OR_ASK;
        "H102" 500 Retry(Soon),
            "İYS could not encrypt the data.",
            "İYS veriyi şifreleyemedi.",
            WAIT_OR_ASK;
        "H103" 500 Retry(Soon),
            "A search inside İYS failed.",
            "İYS içindeki bir arama başarısız oldu.",
            WAIT_OR_ASK;
        "H105" 500 Retry(Soon),
            "İYS could not decrypt the data.",
            "İYS verinin şifresini çözemedi.",
            WAIT_OR_ASK;
        "H106" 500 Retry(Soon),
            "İYS could not produce the status report.",
            "İYS durum raporunu hazırlayamadı.",
            WAIT_OR_ASK;
        "H107" 500 Retry(Soon),
            "İYS could not list the consents.",
            "İYS izinleri listeleyemedi.",
            WAIT_OR_ASK;
        "H110" 422 Rejected,
            "The record does not say whether it is ONAY or RET.",
            "Kayıtta ONAY veya RET durumu yok.",
            RECORD;
        "H111" 422 Rejected,
            "The record does not name its channel (ARAMA, MESAJ or EPOSTA).",
            "Kayıtta kanal (ARAMA, MESAJ veya EPOSTA) yok.",
            RECORD;
        "H112" 422 Rejected,
            "The record has no consent date.",
            "Kayıtta izin tarihi yok.",
            DATE;
        "H113" 422 Rejected,
            "The record does not say where the consent was taken (source).",
            "Kayıtta iznin nereden alındığı (kaynak) yok.",
            RECORD;
        "H114" 422 Rejected,
            "The record has no e-mail address or phone number.",
            "Kayıtta e-posta adresi veya telefon numarası yok.",
            ADDRESS;
        "H115" 422 Rejected,
            "The status is neither ONAY nor RET.",
            "Durum ONAY veya RET değil.",
            RECORD;
        "H116" 422 Rejected,
            "The recipient type is neither BIREYSEL nor TACIR.",
            "Alıcı tipi BIREYSEL veya TACIR değil.",
            RECORD;
        "H117" 422 Rejected,
            "The channel is not ARAMA, MESAJ or EPOSTA.",
            "Kanal ARAMA, MESAJ veya EPOSTA değil.",
            RECORD;
        "H118" 422 Defect,
            "The request holds a field that İYS does not know.",
            "İstekte İYS'nin tanımadığı bir alan var.",
            DEFECT;
        "H119" 422 Rejected,
            "The source is none of those that a service provider may name.",
            "Kaynak, hizmet sağlayıcının bildirebileceği değerlerden değil.",
            RECORD;
        "H120" 422 Rejected,
            "İYS does not accept the e-mail address.",
            "İYS e-posta adresini geçerli saymadı.",
            ADDRESS;
        "H121" 422 Rejected,
            "İYS does not accept the phone number.",
            "İYS telefon numarasını geçerli saymadı.",
            ADDRESS;
        "H122" 422 Rejected,
            "The address is neither an e-mail address nor a phone number.",
            "Adres ne bir e-posta adresi ne de bir telefon numarası.",
            ADDRESS;
        "H123" 400 Retry(Soon),
            "İYS is too busy to answer now.",
            "İYS şu an yanıt veremeyecek kadar yoğun.",
            WAIT_OR_ASK;
        "H124" 429 Retry(Second),
            "More requests in one second than İYS allows from this network address.",
            "Bu ağ adresinden bir saniyede İYS'nin izin verdiğinden çok istek gitti.",
            WAIT;
        "H125" 422 Defect,
            "The request holds more consents than İYS takes at once.",
            "İstekte İYS'nin bir kerede aldığından çok izin var.",
            DEFECT;
        "H126" 422 Rejected,
            "The record names more retailers than İYS allows.",
            "Kayıtta İYS'nin izin verdiğinden çok bayi var.",
            RETAILER_LIST;
        "H127" 422 Defect,
            "The request names more addresses than İYS takes at once.",
            "İstekte İYS'nin bir kerede aldığından çok adres var.",
            DEFECT;
        "H129" 404 Held(Configuration),
            "İYS knows no business partner with this number.",
            "İYS bu numarayla bir iş ortağı tanımıyor.",
            NUMBERS;
        "H155" 422 Rejected,
            "Source HS_2015 requires the date 2015-05-01 00:00:00.",
            "HS_2015 kaynağı için tarih 2015-05-01 00:00:00 olmalı.",
            DATE;
        "H156" 422 Rejected,
            "The consent date lies before 1 May 2015.",
            "İzin tarihi 1 Mayıs 2015'ten önce.",
            DATE;
        "H157" 422 Rejected,
            "The consent date is no date that exists.",
            "İzin tarihi takvimde olmayan bir tarih.",
            DATE;
        "H158" 422 Rejected,
            "The consent date is not written as year-month-day hour:minute:second.",
            "İzin tarihi yıl-ay-gün saat:dakika:saniye biçiminde değil.",
            DATE;
        "H160" 422 Rejected,
            "The phone number is longer than 15 characters.",
            "Telefon numarası 15 karakterden uzun.",
            ADDRESS;
        "H162" 422 Retry(Soon),
            "By İYS's clock the consent date lies in the future.",
            "İYS'nin saatine göre izin tarihi gelecekte.",
            ("It is sent again by itself. If it happens often, check the clock of the system the record comes from.", "Kendiliğinden yeniden gönderilir. Sık olursa kaydın geldiği sistemin saatini kontrol edin.");
        "H163" 422 Rejected,
            "The record has an empty list of retailers.",
            "Kayıttaki bayi listesi boş.",
            RETAILER_LIST;
        "H164" 422 Defect,
            "The query has an empty list of addresses.",
            "Sorgudaki adres listesi boş.",
            DEFECT;
        "H166" 422 Rejected,
            "The phone number in the query is longer than 15 characters.",
            "Sorgudaki telefon numarası 15 karakterden uzun.",
            ADDRESS;
        "H168" 422 Defect,
            "The query has no list of addresses.",
            "Sorguda adres listesi yok.",
            DEFECT;
        "H169" 422 Defect,
            "The request has no list of retailers.",
            "İstekte bayi listesi yok.",
            DEFECT;
        "H170" 422 Defect,
            "The query does not name the recipient type.",
            "Sorguda alıcı tipi yok.",
            DEFECT;
        "H171" 400 Defect,
            "İYS does not accept the form of the request that grants retailers access.",
            "İYS bayi erişimi verme isteğinin yapısını kabul etmedi.",
            DEFECT;
        "H172" 400 Defect,
            "İYS does not accept the form of the request that removes retailers' access.",
            "İYS bayi erişimi kaldırma isteğinin yapısını kabul etmedi.",
            DEFECT;
        "H173" 400 Defect,
            "İYS does not accept the form of the query for retailers' access.",
            "İYS bayi erişimi sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H174" 400 AlreadyThere,
            "İYS already holds this status for the address.",
            "İYS'de bu adres için zaten aynı durum kayıtlı.",
            NOTHING;
        "H175" 400 NotRegistered,
            "İYS holds no consent for the address, so there is nothing to refuse there.",
            "İYS'de bu adres için onay yok, bu yüzden orada reddedilecek bir izin de yok.",
            NOTHING;
        "H176" 400 Held(Authority),
            "İYS lets only an administrator account use this method.",
            "İYS bu metodu yalnızca yönetici hesabına açıyor.",
            AUTHORITY;
        "H178" 400 Superseded,
            "İYS holds a newer consent or refusal for the address.",
            "İYS'de bu adres için daha yeni bir izin veya ret kayıtlı.",
            ("Nothing to do: the newer one is fetched from İYS and applies.", "Yapılacak bir şey yok: daha yeni kayıt İYS'den alınır ve geçerli olur.");
        "H179" 500 Retry(Soon),
            "İYS could not compare the dates.",
            "İYS tarihleri karşılaştıramadı.",
            WAIT_OR_ASK;
        "H180" 403 Rejected,
            "The brand has no retailer with the number that the record names.",
            "Kayıttaki numarayla markaya bağlı bir bayi yok.",
            RETAILER_LIST;
        "H181" 500 Retry(Soon),
            "İYS could not list the retailers.",
            "İYS bayileri listeleyemedi.",
            WAIT_OR_ASK;
        "H182" 422 Defect,
            "İYS does not accept the start (or the size) of the page.",
            "İYS sayfanın başlangıç (veya boyut) değerini kabul etmedi.",
            DEFECT;
        "H183" 422 Defect,
            "İYS does not accept the size (or the start) of the page.",
            "İYS sayfanın boyut (veya başlangıç) değerini kabul etmedi.",
            DEFECT;
        "H184" 422 Defect,
            "İYS does not accept the value of the parameter `all`.",
            "İYS `all` parametresinin değerini kabul etmedi.",
            DEFECT;
        "H185" 422 Defect,
            "İYS does not accept the value of the parameter `short`.",
            "İYS `short` parametresinin değerini kabul etmedi.",
            DEFECT;
        "H186" 422 Defect,
            "The page asked for is larger than İYS allows.",
            "İstenen sayfa İYS'nin izin verdiğinden büyük.",
            DEFECT;
        "H187" 422 Defect,
            "The page asked for has the size zero.",
            "İstenen sayfanın boyutu sıfır.",
            DEFECT;
        "H190" 422 Held(Configuration),
            "The İYS number of the service provider is not a number.",
            "Hizmet sağlayıcının İYS numarası bir sayı değil.",
            NUMBERS;
        "H191" 422 Held(Configuration),
            "Push registration: the push address did not answer in time. Elsewhere: the brand number is not a number.",
            "Push kaydında: push adresi zamanında yanıt vermedi. Diğer metotlarda: marka numarası bir sayı değil.",
            ("Check that the push address answers within five seconds, and the brand number in the configuration.", "Push adresinin beş saniyede yanıt verdiğini ve yapılandırmadaki marka numarasını kontrol edin.");
        "H192" 503 Retry(Soon),
            "İYS did not finish in time.",
            "İYS işlemi zamanında bitiremedi.",
            WAIT_OR_ASK;
        "H193" 422 Defect,
            "The list names the same address or retailer twice.",
            "Listede aynı adres veya bayi iki kez var.",
            DEFECT;
        "H194" 422 Retry(Soon),
            "The list holds two records for the same address and channel.",
            "Listede aynı adres ve kanal için iki kayıt var.",
            WAIT;
        "H195" 403 Held(Authority),
            "İYS could not find the brands that belong to the API user.",
            "İYS API kullanıcısına bağlı markaları bulamadı.",
            AUTHORITY;
        "H196" 403 Held(Authority),
            "İYS could not find the service provider that belongs to the API user.",
            "İYS API kullanıcısına bağlı hizmet sağlayıcıyı bulamadı.",
            AUTHORITY;
        "H197" 422 Defect,
            "The query has no search text.",
            "Sorguda arama metni yok.",
            DEFECT;
        "H198" 422 Defect,
            "The request number is longer than 36 characters.",
            "İstek numarası 36 karakterden uzun.",
            DEFECT;
        "H199" 422 Defect,
            "The request number consists of letters only.",
            "İstek numarası yalnızca harflerden oluşuyor.",
            DEFECT;
        "H201" 400 Rejected,
            "The retailer's status is none that İYS knows.",
            "Bayi durumu İYS'nin tanıdığı bir değer değil.",
            RETAILER;
        "H214" 400 Rejected,
            "The retailer has no title.",
            "Bayi unvanı boş.",
            RETAILER;
        "H215" 400 Rejected,
            "The retailer has no authorised person.",
            "Bayi yetkilisinin adı boş.",
            RETAILER;
        "H216" 400 Rejected,
            "The retailer has no Turkish identity number.",
            "Bayinin T.C. kimlik numarası boş.",
            RETAILER;
        "H217" 400 Rejected,
            "The retailer has no province.",
            "Bayinin ili boş.",
            RETAILER;
        "H218" 400 Rejected,
            "The retailer's province has no code.",
            "Bayinin il kodu boş.",
            RETAILER;
        "H219" 400 Rejected,
            "The retailer's province has no name.",
            "Bayinin il adı boş.",
            RETAILER;
        "H220" 400 Rejected,
            "The retailer has no district.",
            "Bayinin ilçesi boş.",
            RETAILER;
        "H221" 400 Rejected,
            "The retailer's district has no code.",
            "Bayinin ilçe kodu boş.",
            RETAILER;
        "H222" 400 Rejected,
            "The retailer's district has no name.",
            "Bayinin ilçe adı boş.",
            RETAILER;
        "H224" 400 Rejected,
            "The retailer's phone number is not valid.",
            "Bayinin telefon numarası geçerli değil.",
            RETAILER;
        "H225" 400 Rejected,
            "The retailer's Turkish identity number is not valid.",
            "Bayinin T.C. kimlik numarası geçerli değil.",
            RETAILER;
        "H226" 400 Rejected,
            "The retailer's Turkish identity number does not have 11 digits.",
            "Bayinin T.C. kimlik numarası 11 haneli değil.",
            RETAILER;
        "H227" 400 Rejected,
            "The retailer's MERSİS number is not valid.",
            "Bayinin MERSİS numarası geçerli değil.",
            RETAILER;
        "H228" 400 Rejected,
            "The retailer's MERSİS number does not have 16 digits.",
            "Bayinin MERSİS numarası 16 haneli değil.",
            RETAILER;
        "H229" 400 Rejected,
            "The retailer's name, title or alias holds other characters than letters and digits.",
            "Bayinin adı, unvanı veya kısa adı harf ve rakam dışında karakter içeriyor.",
            RETAILER;
        "H230" 400 Rejected,
            "Another retailer already has this MERSİS number.",
            "Bu MERSİS numarası başka bir bayide kayıtlı.",
            RETAILER;
        "H231" 400 Rejected,
            "Another retailer already has this Turkish identity number.",
            "Bu T.C. kimlik numarası başka bir bayide kayıtlı.",
            RETAILER;
        "H241" 400 Retry(Soon),
            "İYS could not fetch its own list of allowed values.",
            "İYS kendi geçerli değerler listesini getiremedi.",
            WAIT_OR_ASK;
        "H243" 400 Rejected,
            "The retailer's tax number is not valid.",
            "Bayinin vergi numarası geçerli değil.",
            RETAILER;
        "H244" 400 Rejected,
            "The retailer's tax number does not have 10 or 11 digits.",
            "Bayinin vergi numarası 10 veya 11 haneli değil.",
            RETAILER;
        "H245" 400 Held(Authority),
            "The service provider is not among those that the business partner serves.",
            "Hizmet sağlayıcı, iş ortağının hizmet verdikleri arasında değil.",
            PARTNER;
        "H250" 400 Held(Credentials),
            "The sign-in has no user name or no password.",
            "Oturum isteğinde kullanıcı adı veya parola yok.",
            CREDENTIALS;
        "H251" 401 Held(Credentials),
            "İYS does not accept the API user's name and password.",
            "İYS API kullanıcı adını ve parolasını kabul etmedi.",
            CREDENTIALS;
        "H252" 400 Held(Credentials),
            "The sign-in carries no user name and password.",
            "Oturum isteğinde kimlik bilgisi yok.",
            CREDENTIALS;
        "H253" 400 Rejected,
            "A passive retailer with the same MERSİS or Turkish identity number exists.",
            "Aynı MERSİS veya T.C. kimlik numarasıyla pasif bir bayi var.",
            ("Make the passive retailer active again instead of adding it anew.", "Yeniden eklemek yerine pasif bayiyi etkinleştirin.");
        "H266" 400 Defect,
            "The request lacks a value that İYS requires.",
            "İstekte İYS'nin zorunlu tuttuğu bir değer yok.",
            DEFECT;
        "H267" 400 Defect,
            "The request holds an empty value.",
            "İstekte boş bırakılmış bir değer var.",
            DEFECT;
        "H268" 404 Held(Authority),
            "The service provider has no business partner's user at İYS.",
            "Hizmet sağlayıcının İYS'de iş ortağı kullanıcısı yok.",
            PARTNER;
        "H288" 400 Rejected,
            "The retailer has no tax number.",
            "Bayinin vergi numarası boş.",
            RETAILER;
        "H351" 401 Unauthorised,
            "İYS does not accept the session: its token is missing or has run out.",
            "İYS oturumu kabul etmedi: jeton yok veya süresi dolmuş.",
            ("Nothing to do: the session is renewed by itself. If it stays, check the API user in İYS Web.", "Yapılacak bir şey yok: oturum kendiliğinden yenilenir. Sürerse API kullanıcısını İYS Web'de kontrol edin.");
        "H353" 403 Held(Authority),
            "The API user is not authorised for this service provider, brand or channel.",
            "API kullanıcısının bu hizmet sağlayıcı, marka veya kanal için yetkisi yok.",
            AUTHORITY;
        "H355" 404 Held(Authority),
            "The API user lacks the authority for this channel or method.",
            "API kullanıcısının bu kanal veya metot için yetkisi yok.",
            AUTHORITY;
        "H363" 400 Held(Authority),
            "The method is open to the other kind of account only: service provider or business partner.",
            "Metot yalnızca diğer hesap türüne açık: hizmet sağlayıcı veya iş ortağı.",
            PARTNER;
        "H400" 422 Defect,
            "The request number consists of digits only.",
            "İstek numarası yalnızca rakamlardan oluşuyor.",
            DEFECT;
        "H401" 400 Rejected,
            "İYS holds no consent to which the retailers could be added.",
            "İYS'de bayilerin eklenebileceği bir izin yok.",
            ("Register the consent first, then add the retailers.", "Önce izni kaydedin, sonra bayileri ekleyin.");
        "H402" 400 Defect,
            "İYS does not accept the form of the query for authorised brands.",
            "İYS yetkili marka sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H403" 400 Defect,
            "İYS does not accept the form of the status query.",
            "İYS durum sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H404" 422 Defect,
            "The search text of the query is empty.",
            "Sorgudaki arama metni boş.",
            DEFECT;
        "H405" 400 Defect,
            "İYS does not accept the form of the query for a brand.",
            "İYS marka bilgisi sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H408" 422 Rejected,
            "Source HS_KARAR is for RET only.",
            "HS_KARAR kaynağı yalnızca RET için kullanılabilir.",
            RECORD;
        "H412" 500 Retry(Soon),
            "Something unexpected went wrong at İYS.",
            "İYS tarafında beklenmeyen bir hata oluştu.",
            WAIT_OR_ASK;
        "H437" 404 Held(Subscription),
            "İYS finds no subscription for this İYS number.",
            "İYS bu numara için bir abonelik bulamadı.",
            SUBSCRIPTION;
        "H450" 422 Rejected,
            "The channel is none that İYS knows.",
            "Kanal İYS'nin tanıdığı bir değer değil.",
            RECORD;
        "H459" 422 Rejected,
            "A phone number goes with the channels MESAJ and ARAMA only.",
            "Telefon numarası yalnızca MESAJ ve ARAMA kanallarıyla kullanılabilir.",
            RECORD;
        "H460" 422 Rejected,
            "İYS could not verify the record.",
            "İYS kaydı doğrulayamadı.",
            RECORD;
        "H462" 400 Rejected,
            "A change for a TACIR address needs a consent date.",
            "TACIR adresindeki değişiklik için izin tarihi gerekir.",
            DATE;
        "H463" 400 Rejected,
            "A change for a TACIR address needs a source.",
            "TACIR adresindeki değişiklik için kaynak gerekir.",
            RECORD;
        "H464" 422 Rejected,
            "The address does not fit the channel: a phone number for e-mail or the reverse.",
            "Adres kanala uymuyor: e-posta için telefon numarası veya tersi.",
            RECORD;
        "H467" 422 TooLate,
            "The consent date lies more than three business days back.",
            "İzin tarihinin üzerinden üç iş gününden çok geçmiş.",
            ("A late refusal may be sent as the brand's own decision (HS_KARAR); a late consent must be asked for again.", "Geç kalan ret, markanın kendi kararı (HS_KARAR) olarak gönderilebilir; geç kalan onay yeniden alınmalıdır.");
        "H470" 500 Retry(Soon),
            "Something unexpected went wrong at İYS.",
            "İYS tarafında beklenmeyen bir hata oluştu.",
            WAIT_OR_ASK;
        "H476" 500 Retry(Soon),
            "Something unexpected went wrong at İYS.",
            "İYS tarafında beklenmeyen bir hata oluştu.",
            WAIT_OR_ASK;
        "H478" 422 Defect,
            "The addresses in the query are not a list.",
            "Sorgudaki adresler liste biçiminde değil.",
            DEFECT;
        "H486" 400 Rejected,
            "İYS does not accept this source here; HS_KARAR cannot begin an address's record.",
            "İYS bu kaynağı burada kabul etmiyor; bir adresin ilk kaydı HS_KARAR olamaz.",
            RECORD;
        "H501" 422 Defect,
            "The day of the report is not written as year-month-day.",
            "Rapor günü yıl-ay-gün biçiminde değil.",
            DEFECT;
        "H502" 422 Rejected,
            "İYS has no report for this day: it lies more than seven days back or is not over yet.",
            "İYS'de bu günün raporu yok: yedi günden eski veya gün henüz bitmemiş.",
            ("Ask for a finished day of the last seven.", "Son yedi günün bitmiş bir gününü sorgulayın.");
        "H506" 422 Defect,
            "İYS does not accept the source that was asked for when fetching changes.",
            "İYS hareketler çekilirken istenen kaynak değerini kabul etmedi.",
            DEFECT;
        "H507" 422 Defect,
            "More changes were asked for at once than İYS gives.",
            "Bir kerede İYS'nin verdiğinden çok hareket istendi.",
            DEFECT;
        "H512" 422 Defect,
            "İYS takes only a positive confirmation of the day's reconciliation.",
            "İYS günün mutabakatı için yalnızca olumlu bildirim kabul ediyor.",
            DEFECT;
        "H520" 403 Held(Subscription),
            "The İYS subscription is paused or has expired.",
            "İYS aboneliği duraklatılmış veya süresi dolmuş.",
            SUBSCRIPTION;
        "H521" 403 Held(Subscription),
            "The İYS subscription is closed.",
            "İYS aboneliği kapatılmış.",
            SUBSCRIPTION;
        "H522" 400 Held(Authority),
            "Only a business partner's API user may use this method.",
            "Bu metodu yalnızca iş ortağının API kullanıcısı kullanabilir.",
            PARTNER;
        "H524" 403 Held(Subscription),
            "İYS holds no subscription for this İYS number.",
            "İYS'de bu numaraya ait abonelik kaydı yok.",
            SUBSCRIPTION;
        "H525" 422 Held(Quota),
            "The package's number of stored addresses is used up.",
            "Paketin saklanabilir adres sayısı doldu.",
            ("Choose a larger package in İYS Web or allow exceeding it; the waiting work then goes on by itself.", "İYS Web'de daha büyük bir paket seçin veya aşıma izin verin; bekleyen işler ardından kendiliğinden sürer.");
        "H530" 422 Held(Configuration),
            "İYS could not set up or remove the push connection.",
            "İYS push bağlantısını kuramadı veya kaldıramadı.",
            PUSH;
        "H531" 422 Held(Configuration),
            "The push address is missing or does not begin with https.",
            "Push adresi yok veya https ile başlamıyor.",
            PUSH;
        "H586" 403 Held(Subscription),
            "The İYS package does not include the API.",
            "İYS paketi API kullanımını içermiyor.",
            SUBSCRIPTION;
    }
};

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, at the line that failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(code: &str) -> Disposition {
        entry(code).unwrap().disposition
    }

    #[test]
    fn the_table_is_in_order_and_names_no_code_twice() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} {}", pair[0].code, pair[1].code);
        }
    }

    #[test]
    fn every_code_of_the_table_is_canonical_and_finds_its_own_entry() {
        for row in TABLE {
            let code: Code = row.code.parse().unwrap();
            assert_eq!(code.to_string(), row.code);
            assert_eq!(code.entry(), Some(row));
        }
    }

    #[test]
    fn every_text_is_a_short_sentence_in_its_own_language() {
        for row in TABLE {
            for text in [row.cause_en, row.remedy_en, row.cause_tr, row.remedy_tr] {
                let length = text.chars().count();
                assert!((10..=160).contains(&length), "{} {length}: {text}", row.code);
                assert!(text.ends_with('.'), "{}: {text}", row.code);
                assert_eq!(text.trim(), text, "{}", row.code);
            }
            assert_ne!(row.cause_en, row.cause_tr, "{}", row.code);
            assert_ne!(row.remedy_en, row.remedy_tr, "{}", row.code);
        }
    }

    #[test]
    fn the_codes_that_iys_once_asked_to_send_again_are_sent_again() {
        for code in ["H015", "H101", "H102", "H103", "H123", "H124", "H179", "H192", "H412", "H470", "H476", "H083", "H100"] {
            assert!(matches!(of(code), Disposition::Retry(_)), "{code}");
        }
    }

    #[test]
    fn a_limit_is_waited_out_for_as_long_as_it_lasts() {
        assert_eq!(of("H083"), Disposition::Retry(RetryAfter::Second));
        assert_eq!(of("H124"), Disposition::Retry(RetryAfter::Second));
        assert_eq!(of("H086"), Disposition::Retry(RetryAfter::Hour));
        assert_eq!(of("H089"), Disposition::Retry(RetryAfter::Hour));
        assert_eq!(of("H084"), Disposition::TokenStop);
        for row in TABLE.iter().filter(|row| row.http == 429) {
            assert!(
                matches!(row.disposition, Disposition::TokenStop | Disposition::Retry(RetryAfter::Second | RetryAfter::Hour)),
                "{}",
                row.code
            );
        }
    }

    #[test]
    fn the_answers_about_what_iys_already_holds_settle_the_work() {
        assert_eq!(of("H174"), Disposition::AlreadyThere);
        assert_eq!(of("H175"), Disposition::NotRegistered);
        assert_eq!(of("H178"), Disposition::Superseded);
        assert_eq!(of("H467"), Disposition::TooLate);
        assert_eq!(of("H462"), Disposition::Rejected);
        assert_eq!(of("H463"), Disposition::Rejected);
        assert_eq!(of("H525"), Disposition::Held(Hold::Quota));
    }

    #[test]
    fn a_fault_inside_iys_is_never_held_against_a_record() {
        for row in TABLE.iter().filter(|row| row.http >= 500) {
            assert_eq!(row.disposition, Disposition::Retry(RetryAfter::Soon), "{}", row.code);
        }
    }

    #[test]
    fn a_refusal_of_authority_or_subscription_holds_the_brand_and_rejects_no_record() {
        for row in TABLE.iter().filter(|row| row.http == 403 && row.code != "H180") {
            assert!(matches!(row.disposition, Disposition::Held(Hold::Authority | Hold::Subscription)), "{}", row.code);
        }
        // The one code with this status that is about a record: the retailer that it names.
        assert_eq!(of("H180"), Disposition::Rejected);
        assert_eq!(of("H355"), Disposition::Held(Hold::Authority));
    }

    #[test]
    fn a_request_that_iys_cannot_read_judges_none_of_its_records() {
        for code in ["H014", "H085", "H091", "H092", "H118", "H125", "H266", "H267"] {
            assert_eq!(of(code), Disposition::Defect, "{code}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_data_rejects_the_record() {
        for code in [
            "H110", "H111", "H112", "H113", "H114", "H115", "H116", "H117", "H119", "H120", "H121", "H155", "H156", "H157", "H158", "H160",
            "H408", "H464", "H486",
        ] {
            assert_eq!(of(code), Disposition::Rejected, "{code}");
        }
    }

    #[test]
    fn the_code_counts_more_than_the_status_it_came_with() {
        assert_eq!(disposition(Some("H467"), 400), Disposition::TooLate);
        assert_eq!(disposition(Some("H174"), 200), Disposition::AlreadyThere);
        assert_eq!(disposition(Some(" h245 "), 500), Disposition::Held(Hold::Authority));
    }

    #[test]
    fn an_unknown_code_is_judged_by_its_status() {
        for (http, expected) in [
            (200, Disposition::Rejected),
            (400, Disposition::Rejected),
            (401, Disposition::Unauthorised),
            (403, Disposition::Held(Hold::Authority)),
            (404, Disposition::Held(Hold::Configuration)),
            (405, Disposition::Defect),
            (408, Disposition::Retry(RetryAfter::Soon)),
            (413, Disposition::Defect),
            (422, Disposition::Rejected),
            (429, Disposition::Retry(RetryAfter::Second)),
            (500, Disposition::Retry(RetryAfter::Soon)),
            (503, Disposition::Retry(RetryAfter::Soon)),
        ] {
            assert_eq!(disposition(Some("H9999"), http), expected, "{http}");
            assert_eq!(disposition(Some("whatever"), http), expected, "{http}");
        }
    }

    #[test]
    fn an_answer_without_a_code_rejects_no_record() {
        for http in 0..1000 {
            assert_ne!(disposition(None, http), Disposition::Rejected, "{http}");
        }
        assert_eq!(disposition(None, 400), Disposition::Defect);
        assert_eq!(disposition(None, 401), Disposition::Unauthorised);
        assert_eq!(disposition(None, 502), Disposition::Retry(RetryAfter::Soon));
    }

    #[test]
    fn a_refused_sign_in_holds_the_brand_instead_of_asking_again() {
        let credentials = Disposition::Held(Hold::Credentials);
        assert_eq!(token_disposition(None, 400), credentials);
        assert_eq!(token_disposition(None, 401), credentials);
        assert_eq!(token_disposition(Some("H250"), 400), credentials);
        assert_eq!(token_disposition(Some("H251"), 401), credentials);
        assert_eq!(token_disposition(Some("H351"), 401), credentials);
        assert_eq!(token_disposition(Some("H084"), 429), Disposition::TokenStop);
        assert_eq!(token_disposition(Some("H123"), 400), Disposition::Retry(RetryAfter::Soon));
        assert_eq!(token_disposition(Some("H015"), 500), Disposition::Retry(RetryAfter::Soon));
        assert_eq!(token_disposition(None, 500), Disposition::Retry(RetryAfter::Soon));
    }

    #[test]
    fn a_code_is_read_tolerantly_and_written_canonically() {
        for (text, expected) in [("H174", "H174"), (" h001\n", "H001"), ("H1104", "H1104"), ("h999", "H999")] {
            let code: Code = text.parse().unwrap();
            assert_eq!(code.to_string(), expected);
            assert_eq!(format!("{code:?}"), expected);
        }
        for text in ["", "H", "174", "H17", "H0174", "H12345", "H+12", "H1 4", "V174", "H١٧٤", "HH174"] {
            assert_eq!(text.parse::<Code>(), Err(NotACode), "{text}");
        }
    }

    #[test]
    fn a_code_is_a_string_in_json() {
        let code: Code = serde_json::from_str(r#""h467""#).unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), r#""H467""#);
        // An escaped string cannot be borrowed from the input, and a number is no code.
        assert_eq!(serde_json::from_str::<Code>(r#""\u0048467""#).unwrap(), code);
        assert!(serde_json::from_str::<Code>("467").is_err());
    }

    #[test]
    fn a_hold_is_stored_by_name() {
        assert_eq!(serde_json::to_string(&Hold::Authority).unwrap(), r#""authority""#);
        assert_eq!(serde_json::from_str::<Hold>(r#""quota""#).unwrap(), Hold::Quota);
    }

    proptest! {
        #[test]
        fn every_code_survives_writing_and_reading(number in 0_u16..10_000) {
            let code = Code(number);
            prop_assert_eq!(code.to_string().parse::<Code>(), Ok(code));
        }

        #[test]
        fn no_text_and_no_status_is_without_a_meaning(text in any::<String>(), http in any::<u16>()) {
            let _ = disposition(Some(&text), http);
            let _ = token_disposition(Some(&text), http);
        }
    }
}
