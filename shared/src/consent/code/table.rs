//! Every code of İYS that is known here, with what it means, where it is met and what to do about it.
//!
//! Source: İYS documentation, "Hata Kodları" and the examples of each operation,
//! <https://apidocs.iys.org.tr/>.

use super::{CallGroup, Disposition, Entry, Hold, RetryAfter};

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
    "Correct the retailers in the system the record comes from and send the record again.",
    "Bayileri kaydın geldiği sistemde düzeltip kaydı yeniden gönderin.",
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

/// Every known code, in the order of the codes.
///
/// Choices that İYS's table leaves open:
/// - `H162` (date in the future) is tried again: dates in the future are refused before anything is
///   sent, so what is left is a clock that runs a moment ahead of İYS's.
/// - `H194` (twice in one list) is tried again: the second entry goes with a later list.
/// - `H191` and `H093` have a second meaning in push registration; their texts say both.
/// - `H193` (a value twice in a list) rejects the record whose retailers hold it; in a query, which has no
///   record to reject, it is a defect of ours like every refusal there.
/// - `H251` is what the sign-in answers to a wrong password, and what some methods answer to a token that
///   ended: with a token it is renewed once, and only then the credentials are doubted.
///
/// The calls that can meet a code are those for which İYS's documentation shows it; where it shows
/// none, those that its words are about. A code that no call of ours can meet is here because people meet
/// it in İYS's own tools.
pub(super) const TABLE: &[Entry] = {
    use CallGroup::{
        Account, Add, Agreements, BulkList, BulkRow, BulkStatus, History, Info, MultiStatus, Partner, Pull, Push, RetailerAccess,
        Retailers, Status, Token,
    };
    use Disposition::{AlreadyThere, Defect, Held, NotRegistered, Rejected, Retry, Superseded, TokenStop, TooLate, Unauthorised};
    use Hold::{Authority, Configuration, Credentials, Quota, Subscription};
    use RetryAfter::{Hour, Second, Soon};
    table! {
        "H001" 404 Held(Configuration), &[Account, Retailers, RetailerAccess],
            "İYS knows no service provider with this İYS number.",
            "İYS bu numarayla bir hizmet sağlayıcı tanımıyor.",
            NUMBERS;
        "H014" 400 Defect, &[Add, BulkList, Status, MultiStatus, History, Push, Retailers, RetailerAccess, Agreements],
            "İYS could not read the request as JSON.",
            "İYS isteği JSON olarak okuyamadı.",
            DEFECT;
        "H015" 500 Retry(Soon), CallGroup::ANY,
            "Something unexpected went wrong at İYS.",
            "İYS tarafında beklenmeyen bir hata oluştu.",
            WAIT_OR_ASK;
        "H016" 400 Rejected, &[Retailers],
            "The retailer's details are incomplete or not as İYS expects them.",
            "Bayi bilgileri eksik veya İYS'nin beklediği biçimde değil.",
            RETAILER;
        "H017" 400 Rejected, &[Retailers],
            "One of the retailer's details is longer than İYS allows.",
            "Bayi bilgilerinden biri İYS'nin izin verdiğinden uzun.",
            RETAILER;
        "H018" 404 Held(Configuration), &[Retailers, RetailerAccess],
            "İYS knows no brand with this number.",
            "İYS bu numarayla bir marka tanımıyor.",
            NUMBERS;
        "H031" 404 Held(Credentials), &[Partner],
            "İYS does not know the API user.",
            "İYS API kullanıcısını tanımıyor.",
            CREDENTIALS;
        "H058" 404 Rejected, &[Retailers, RetailerAccess],
            "İYS knows no retailer with this number.",
            "İYS bu numarayla bir bayi tanımıyor.",
            ("Compare the number with the brand's retailers at İYS.", "Numarayı markanın İYS'deki bayileriyle karşılaştırın.");
        "H060" 500 Retry(Soon), &[Retailers],
            "İYS could not update the retailer.",
            "İYS bayiyi güncelleyemedi.",
            WAIT_OR_ASK;
        "H061" 500 Retry(Soon), &[Retailers],
            "İYS could not delete the retailer.",
            "İYS bayiyi silemedi.",
            WAIT_OR_ASK;
        "H062" 500 Retry(Soon), &[Retailers],
            "İYS could not save the retailer.",
            "İYS bayiyi kaydedemedi.",
            WAIT_OR_ASK;
        "H067" 400 Held(Quota), &[Retailers],
            "İYS has no free retailer number left to give.",
            "İYS'de verilebilecek boş bayi numarası kalmamış.",
            ("Ask İYS support (destek@iys.org.tr) for retailer numbers.", "İYS desteğinden (destek@iys.org.tr) bayi numarası isteyin.");
        "H082" 400 Retry(Soon), &[Info],
            "İYS could not read its own list of allowed values.",
            "İYS kendi geçerli değerler listesini okuyamadı.",
            WAIT_OR_ASK;
        "H083" 429 Retry(Second), CallGroup::ANY,
            "More requests in one second than İYS allows from this network address.",
            "Bu ağ adresinden bir saniyede İYS'nin izin verdiğinden çok istek gitti.",
            WAIT;
        "H084" 429 TokenStop, &[Token],
            "More sign-ins in one hour than İYS allows from this network address.",
            "Bu ağ adresinden bir saatte İYS'nin izin verdiğinden çok oturum isteği gitti.",
            ("Do not sign in for an hour, also not with other tools from this address: each try starts the hour anew.", "Bir saat oturum açmayın, bu adresteki başka araçlarla da: her deneme bir saati yeniden başlatır.");
        "H085" 400 Defect, &[Add],
            "İYS does not accept the form of the request that adds a consent.",
            "İYS izin ekleme isteğinin yapısını kabul etmedi.",
            DEFECT;
        "H086" 429 Retry(Hour), &[Status],
            "This hour's single status queries from this network address are used up.",
            "Bu ağ adresinin bu saatteki tekil durum sorgusu hakkı doldu.",
            WAIT;
        "H089" 429 Retry(Hour), &[History],
            "This hour's history queries from this network address are used up.",
            "Bu ağ adresinin bu saatteki geçmiş sorgusu hakkı doldu.",
            WAIT;
        "H090" 400 Defect, &[Retailers, RetailerAccess],
            "İYS does not accept the form of the request that adds a retailer, or retailers to a consent.",
            "İYS bayi ekleme veya izne bayi ekleme isteğinin yapısını kabul etmedi.",
            DEFECT;
        "H091" 422 Defect, &[BulkList],
            "The list holds more consents than İYS takes at once.",
            "Listede İYS'nin bir kerede aldığından çok izin var.",
            DEFECT;
        "H092" 400 Defect, &[BulkList],
            "İYS does not accept the form of the list of consents.",
            "İYS izin listesinin yapısını kabul etmedi.",
            DEFECT;
        "H093" 422 Held(Configuration), &[Push],
            "Push registration: user name or password is missing. Elsewhere: İYS does not know the transaction id.",
            "Push kaydında: kullanıcı adı veya parola eksik. Diğer metotlarda: İYS işlem numarasını tanımıyor.",
            ("Set the push user name and password in the brand's configuration.", "Push kullanıcı adını ve parolasını marka yapılandırmasında tanımlayın.");
        "H095" 400 Defect, &[],
            "İYS does not accept the form of the query for a transaction.",
            "İYS işlem sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H097" 400 Defect, &[Status],
            "İYS does not accept the form of the query for a consent.",
            "İYS izin sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H098" 400 Defect, &[Agreements],
            "İYS does not accept the form of the query for a day's changes.",
            "İYS günlük değişiklik sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H100" 500 Retry(Soon), &[Add, BulkList, BulkRow],
            "İYS could not save its recovery copy.",
            "İYS kurtarma verisini kaydedemedi.",
            WAIT_OR_ASK;
        "H101" 500 Retry(Soon), &[Add, BulkList, BulkRow, RetailerAccess, Agreements],
            "İYS could not save the data.",
            "İYS veriyi kaydedemedi.",
            WAIT_OR_ASK;
        "H102" 500 Retry(Soon), &[Add, BulkList, BulkRow, Status, MultiStatus, History, RetailerAccess],
            "İYS could not encrypt the data.",
            "İYS veriyi şifreleyemedi.",
            WAIT_OR_ASK;
        "H103" 500 Retry(Soon), CallGroup::OF_A_BRAND,
            "A search inside İYS failed.",
            "İYS içindeki bir arama başarısız oldu.",
            WAIT_OR_ASK;
        "H105" 500 Retry(Soon), &[Status, MultiStatus, History, Pull, RetailerAccess],
            "İYS could not decrypt the data.",
            "İYS verinin şifresini çözemedi.",
            WAIT_OR_ASK;
        "H106" 500 Retry(Soon), &[Status, MultiStatus],
            "İYS could not produce the status report.",
            "İYS durum raporunu hazırlayamadı.",
            WAIT_OR_ASK;
        "H107" 500 Retry(Soon), &[History, Pull],
            "İYS could not list the consents.",
            "İYS izinleri listeleyemedi.",
            WAIT_OR_ASK;
        "H110" 422 Rejected, &[Add, BulkList],
            "The record does not say whether it is ONAY or RET.",
            "Kayıtta ONAY veya RET durumu yok.",
            RECORD;
        "H111" 422 Rejected, &[Add, BulkList, Status, History, Push, RetailerAccess],
            "The record does not name its channel (ARAMA, MESAJ or EPOSTA).",
            "Kayıtta kanal (ARAMA, MESAJ veya EPOSTA) yok.",
            RECORD;
        "H112" 422 Rejected, &[Add, BulkList],
            "The record has no consent date.",
            "Kayıtta izin tarihi yok.",
            DATE;
        "H113" 422 Rejected, &[Add, BulkList],
            "The record does not say where the consent was taken (source).",
            "Kayıtta iznin nereden alındığı (kaynak) yok.",
            RECORD;
        "H114" 422 Rejected, &[Add, BulkList, Status, History, RetailerAccess],
            "The record has no e-mail address or phone number.",
            "Kayıtta e-posta adresi veya telefon numarası yok.",
            ADDRESS;
        "H115" 422 Rejected, &[Add, BulkList],
            "The status is neither ONAY nor RET.",
            "Durum ONAY veya RET değil.",
            RECORD;
        "H116" 422 Rejected, &[Add, BulkList, Status, History, RetailerAccess, Agreements],
            "The recipient type is neither BIREYSEL nor TACIR.",
            "Alıcı tipi BIREYSEL veya TACIR değil.",
            RECORD;
        "H117" 422 Rejected, &[Add, BulkList, Status, History, Push, RetailerAccess],
            "The channel is not ARAMA, MESAJ or EPOSTA.",
            "Kanal ARAMA, MESAJ veya EPOSTA değil.",
            RECORD;
        "H118" 422 Defect, &[Add, BulkList],
            "The request holds a field that İYS does not know.",
            "İstekte İYS'nin tanımadığı bir alan var.",
            DEFECT;
        "H119" 422 Rejected, &[Add, BulkList],
            "The source is none of those that a service provider may name.",
            "Kaynak, hizmet sağlayıcının bildirebileceği değerlerden değil.",
            RECORD;
        "H120" 422 Rejected, &[Add, BulkList, Status, History, RetailerAccess],
            "İYS does not accept the e-mail address.",
            "İYS e-posta adresini geçerli saymadı.",
            ADDRESS;
        "H121" 422 Rejected, &[Add, BulkList, Status, History, RetailerAccess],
            "İYS does not accept the phone number.",
            "İYS telefon numarasını geçerli saymadı.",
            ADDRESS;
        "H122" 422 Rejected, &[Add, BulkList, Status, History, RetailerAccess],
            "The address is neither an e-mail address nor a phone number.",
            "Adres ne bir e-posta adresi ne de bir telefon numarası.",
            ADDRESS;
        "H123" 400 Retry(Soon), CallGroup::ANY,
            "İYS is too busy to answer now.",
            "İYS şu an yanıt veremeyecek kadar yoğun.",
            WAIT_OR_ASK;
        "H124" 429 Retry(Second), CallGroup::ANY,
            "More requests in one second than İYS allows from this network address.",
            "Bu ağ adresinden bir saniyede İYS'nin izin verdiğinden çok istek gitti.",
            WAIT;
        "H125" 422 Defect, &[BulkList, MultiStatus],
            "The request holds more consents than İYS takes at once.",
            "İstekte İYS'nin bir kerede aldığından çok izin var.",
            DEFECT;
        "H126" 422 Rejected, &[Add, BulkList, RetailerAccess],
            "The record names more retailers than İYS allows.",
            "Kayıtta İYS'nin izin verdiğinden çok bayi var.",
            RETAILER_LIST;
        "H127" 422 Defect, &[RetailerAccess],
            "The request names more addresses than İYS takes at once.",
            "İstekte İYS'nin bir kerede aldığından çok adres var.",
            DEFECT;
        "H129" 404 Held(Configuration), &[Partner],
            "İYS knows no business partner with this number.",
            "İYS bu numarayla bir iş ortağı tanımıyor.",
            NUMBERS;
        "H155" 422 Rejected, &[Add, BulkList, BulkRow],
            "Source HS_2015 requires the date 2015-05-01 00:00:00.",
            "HS_2015 kaynağı için tarih 2015-05-01 00:00:00 olmalı.",
            DATE;
        "H156" 422 Rejected, &[Add, BulkList],
            "The consent date lies before 1 May 2015.",
            "İzin tarihi 1 Mayıs 2015'ten önce.",
            DATE;
        "H157" 422 Rejected, &[Add, BulkList],
            "The consent date is no date that exists.",
            "İzin tarihi takvimde olmayan bir tarih.",
            DATE;
        "H158" 422 Rejected, &[Add, BulkList],
            "The consent date is not written as year-month-day hour:minute:second.",
            "İzin tarihi yıl-ay-gün saat:dakika:saniye biçiminde değil.",
            DATE;
        "H160" 422 Rejected, &[Add, BulkList],
            "The phone number is longer than 15 characters.",
            "Telefon numarası 15 karakterden uzun.",
            ADDRESS;
        "H162" 422 Retry(Soon), &[Add, BulkList],
            "By İYS's clock the consent date lies in the future.",
            "İYS'nin saatine göre izin tarihi gelecekte.",
            ("It is sent again by itself. If it happens often, check the clock of the system the record comes from.", "Kendiliğinden yeniden gönderilir. Sık olursa kaydın geldiği sistemin saatini kontrol edin.");
        "H163" 422 Rejected, &[Add, BulkList, RetailerAccess],
            "The record has an empty list of retailers.",
            "Kayıttaki bayi listesi boş.",
            RETAILER_LIST;
        "H164" 422 Defect, &[MultiStatus, RetailerAccess],
            "The query has an empty list of addresses.",
            "Sorgudaki adres listesi boş.",
            DEFECT;
        "H166" 422 Rejected, &[Status, History, RetailerAccess],
            "The phone number in the query is longer than 15 characters.",
            "Sorgudaki telefon numarası 15 karakterden uzun.",
            ADDRESS;
        "H168" 422 Defect, &[MultiStatus, RetailerAccess],
            "The query has no list of addresses.",
            "Sorguda adres listesi yok.",
            DEFECT;
        "H169" 422 Defect, &[RetailerAccess],
            "The request has no list of retailers.",
            "İstekte bayi listesi yok.",
            DEFECT;
        "H170" 422 Defect, &[Status, History, RetailerAccess],
            "The query does not name the recipient type.",
            "Sorguda alıcı tipi yok.",
            DEFECT;
        "H171" 400 Defect, &[RetailerAccess],
            "İYS does not accept the form of the request that grants retailers access.",
            "İYS bayi erişimi verme isteğinin yapısını kabul etmedi.",
            DEFECT;
        "H172" 400 Defect, &[RetailerAccess],
            "İYS does not accept the form of the request that removes retailers' access.",
            "İYS bayi erişimi kaldırma isteğinin yapısını kabul etmedi.",
            DEFECT;
        "H173" 400 Defect, &[RetailerAccess],
            "İYS does not accept the form of the query for retailers' access.",
            "İYS bayi erişimi sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H174" 400 AlreadyThere, &[Add, BulkRow],
            "İYS already holds this status for the address.",
            "İYS'de bu adres için zaten aynı durum kayıtlı.",
            NOTHING;
        "H175" 400 NotRegistered, &[Add, BulkRow],
            "İYS holds no consent for the address, so there is nothing to refuse there.",
            "İYS'de bu adres için onay yok, bu yüzden orada reddedilecek bir izin de yok.",
            NOTHING;
        "H176" 400 Held(Authority), CallGroup::SIGNED_IN,
            "İYS lets only an administrator account use this method.",
            "İYS bu metodu yalnızca yönetici hesabına açıyor.",
            AUTHORITY;
        "H178" 400 Superseded, &[Add, BulkRow],
            "İYS holds a newer consent or refusal for the address.",
            "İYS'de bu adres için daha yeni bir izin veya ret kayıtlı.",
            ("Nothing to do: the newer one is fetched from İYS and applies.", "Yapılacak bir şey yok: daha yeni kayıt İYS'den alınır ve geçerli olur.");
        "H179" 500 Retry(Soon), &[Add, BulkRow],
            "İYS could not compare the dates.",
            "İYS tarihleri karşılaştıramadı.",
            WAIT_OR_ASK;
        "H180" 403 Rejected, &[Add, BulkList, Retailers, RetailerAccess],
            "The brand has no retailer with the number that the record names.",
            "Kayıttaki numarayla markaya bağlı bir bayi yok.",
            ("Compare the record's retailer numbers with the brand's retailers at İYS; correct them and send the record again.", "Kayıttaki bayi numaralarını markanın İYS'deki bayileriyle karşılaştırıp düzeltin, kaydı yeniden gönderin.");
        "H181" 500 Retry(Soon), &[Retailers],
            "İYS could not list the retailers.",
            "İYS bayileri listeleyemedi.",
            WAIT_OR_ASK;
        "H182" 422 Defect, &[History, Partner, Retailers, RetailerAccess],
            "İYS does not accept the start (or the size) of the page.",
            "İYS sayfanın başlangıç (veya boyut) değerini kabul etmedi.",
            DEFECT;
        "H183" 422 Defect, &[History, Partner, Retailers, RetailerAccess],
            "İYS does not accept the size (or the start) of the page.",
            "İYS sayfanın boyut (veya başlangıç) değerini kabul etmedi.",
            DEFECT;
        "H184" 422 Defect, &[Retailers],
            "İYS does not accept the value of the parameter `all`.",
            "İYS `all` parametresinin değerini kabul etmedi.",
            DEFECT;
        "H185" 422 Defect, &[Retailers],
            "İYS does not accept the value of the parameter `short`.",
            "İYS `short` parametresinin değerini kabul etmedi.",
            DEFECT;
        "H186" 422 Defect, &[History, Partner, Retailers, RetailerAccess],
            "The page asked for is larger than İYS allows.",
            "İstenen sayfa İYS'nin izin verdiğinden büyük.",
            DEFECT;
        "H187" 422 Defect, &[History, Partner, Retailers, RetailerAccess],
            "The page asked for has the size zero.",
            "İstenen sayfanın boyutu sıfır.",
            DEFECT;
        "H190" 422 Held(Configuration), CallGroup::OF_A_BRAND,
            "The İYS number of the service provider is not a number.",
            "Hizmet sağlayıcının İYS numarası bir sayı değil.",
            NUMBERS;
        "H191" 422 Held(Configuration), CallGroup::OF_A_BRAND,
            "Push registration: the push address did not answer in time. Elsewhere: the brand number is not a number.",
            "Push kaydında: push adresi zamanında yanıt vermedi. Diğer metotlarda: marka numarası bir sayı değil.",
            ("Check that the push address answers within five seconds, and the brand number in the configuration.", "Push adresinin beş saniyede yanıt verdiğini ve yapılandırmadaki marka numarasını kontrol edin.");
        "H192" 503 Retry(Soon), CallGroup::SIGNED_IN,
            "İYS did not finish in time.",
            "İYS işlemi zamanında bitiremedi.",
            WAIT_OR_ASK;
        "H193" 422 Rejected, &[Add, BulkList, MultiStatus, RetailerAccess],
            "The list names the same address or retailer twice.",
            "Listede aynı adres veya bayi iki kez var.",
            RETAILER_LIST;
        "H194" 422 Retry(Soon), &[BulkList],
            "The list holds two records for the same address and channel.",
            "Listede aynı adres ve kanal için iki kayıt var.",
            WAIT;
        "H195" 403 Held(Authority), CallGroup::OF_A_BRAND,
            "İYS could not find the brands that belong to the API user.",
            "İYS API kullanıcısına bağlı markaları bulamadı.",
            AUTHORITY;
        "H196" 403 Held(Authority), CallGroup::OF_A_BRAND,
            "İYS could not find the service provider that belongs to the API user.",
            "İYS API kullanıcısına bağlı hizmet sağlayıcıyı bulamadı.",
            AUTHORITY;
        "H197" 422 Defect, &[],
            "The query has no search text.",
            "Sorguda arama metni yok.",
            DEFECT;
        "H198" 422 Defect, &[BulkStatus],
            "The request number is longer than 36 characters.",
            "İstek numarası 36 karakterden uzun.",
            DEFECT;
        "H199" 422 Defect, &[BulkStatus],
            "The request number consists of letters only.",
            "İstek numarası yalnızca harflerden oluşuyor.",
            DEFECT;
        "H201" 400 Rejected, &[Retailers],
            "The retailer's status is none that İYS knows.",
            "Bayi durumu İYS'nin tanıdığı bir değer değil.",
            RETAILER;
        "H214" 400 Rejected, &[Retailers],
            "The retailer has no title.",
            "Bayi unvanı boş.",
            RETAILER;
        "H215" 400 Rejected, &[Retailers],
            "The retailer has no authorised person.",
            "Bayi yetkilisinin adı boş.",
            RETAILER;
        "H216" 400 Rejected, &[Retailers],
            "The retailer has no Turkish identity number.",
            "Bayinin T.C. kimlik numarası boş.",
            RETAILER;
        "H217" 400 Rejected, &[Retailers],
            "The retailer has no province.",
            "Bayinin ili boş.",
            RETAILER;
        "H218" 400 Rejected, &[Retailers],
            "The retailer's province has no code.",
            "Bayinin il kodu boş.",
            RETAILER;
        "H219" 400 Rejected, &[Retailers],
            "The retailer's province has no name.",
            "Bayinin il adı boş.",
            RETAILER;
        "H220" 400 Rejected, &[Retailers],
            "The retailer has no district.",
            "Bayinin ilçesi boş.",
            RETAILER;
        "H221" 400 Rejected, &[Retailers],
            "The retailer's district has no code.",
            "Bayinin ilçe kodu boş.",
            RETAILER;
        "H222" 400 Rejected, &[Retailers],
            "The retailer's district has no name.",
            "Bayinin ilçe adı boş.",
            RETAILER;
        "H224" 400 Rejected, &[Retailers],
            "The retailer's phone number is not valid.",
            "Bayinin telefon numarası geçerli değil.",
            RETAILER;
        "H225" 400 Rejected, &[Retailers],
            "The retailer's Turkish identity number is not valid.",
            "Bayinin T.C. kimlik numarası geçerli değil.",
            RETAILER;
        "H226" 400 Rejected, &[Retailers],
            "The retailer's Turkish identity number does not have 11 digits.",
            "Bayinin T.C. kimlik numarası 11 haneli değil.",
            RETAILER;
        "H227" 400 Rejected, &[Retailers],
            "The retailer's MERSİS number is not valid.",
            "Bayinin MERSİS numarası geçerli değil.",
            RETAILER;
        "H228" 400 Rejected, &[Retailers],
            "The retailer's MERSİS number does not have 16 digits.",
            "Bayinin MERSİS numarası 16 haneli değil.",
            RETAILER;
        "H229" 400 Rejected, &[Retailers],
            "The retailer's name, title or alias holds other characters than letters and digits.",
            "Bayinin adı, unvanı veya kısa adı harf ve rakam dışında karakter içeriyor.",
            RETAILER;
        "H230" 400 Rejected, &[Retailers],
            "Another retailer already has this MERSİS number.",
            "Bu MERSİS numarası başka bir bayide kayıtlı.",
            RETAILER;
        "H231" 400 Rejected, &[Retailers],
            "Another retailer already has this Turkish identity number.",
            "Bu T.C. kimlik numarası başka bir bayide kayıtlı.",
            RETAILER;
        "H241" 400 Retry(Soon), &[Info],
            "İYS could not fetch its own list of allowed values.",
            "İYS kendi geçerli değerler listesini getiremedi.",
            WAIT_OR_ASK;
        "H243" 400 Rejected, &[Retailers],
            "The retailer's tax number is not valid.",
            "Bayinin vergi numarası geçerli değil.",
            RETAILER;
        "H244" 400 Rejected, &[Retailers],
            "The retailer's tax number does not have 10 or 11 digits.",
            "Bayinin vergi numarası 10 veya 11 haneli değil.",
            RETAILER;
        "H245" 400 Held(Authority), &[Partner],
            "The service provider is not among those that the business partner serves.",
            "Hizmet sağlayıcı, iş ortağının hizmet verdikleri arasında değil.",
            PARTNER;
        "H250" 400 Held(Credentials), &[Token, Retailers, Info],
            "The sign-in has no user name or no password.",
            "Oturum isteğinde kullanıcı adı veya parola yok.",
            CREDENTIALS;
        "H251" 401 Unauthorised, &[Token, Account, Partner, Retailers, Info],
            "İYS does not accept the API user's name and password.",
            "İYS API kullanıcı adını ve parolasını kabul etmedi.",
            CREDENTIALS;
        "H252" 400 Held(Credentials), &[Token, Retailers, Info],
            "The sign-in carries no user name and password.",
            "Oturum isteğinde kimlik bilgisi yok.",
            CREDENTIALS;
        "H253" 400 Rejected, &[Retailers],
            "A passive retailer with the same MERSİS or Turkish identity number exists.",
            "Aynı MERSİS veya T.C. kimlik numarasıyla pasif bir bayi var.",
            ("Make the passive retailer active again instead of adding it anew.", "Yeniden eklemek yerine pasif bayiyi etkinleştirin.");
        "H266" 400 Defect, &[Add, BulkList],
            "The request lacks a value that İYS requires.",
            "İstekte İYS'nin zorunlu tuttuğu bir değer yok.",
            DEFECT;
        "H267" 400 Defect, &[Add, BulkList],
            "The request holds an empty value.",
            "İstekte boş bırakılmış bir değer var.",
            DEFECT;
        "H268" 404 Held(Authority), &[Partner],
            "The service provider has no business partner's user at İYS.",
            "Hizmet sağlayıcının İYS'de iş ortağı kullanıcısı yok.",
            PARTNER;
        "H288" 400 Rejected, &[Retailers],
            "The retailer has no tax number.",
            "Bayinin vergi numarası boş.",
            RETAILER;
        "H351" 401 Unauthorised, CallGroup::SIGNED_IN,
            "İYS does not accept the session: its token is missing or has run out.",
            "İYS oturumu kabul etmedi: jeton yok veya süresi dolmuş.",
            ("Nothing to do: the session is renewed by itself. If it stays, check the API user in İYS Web.", "Yapılacak bir şey yok: oturum kendiliğinden yenilenir. Sürerse API kullanıcısını İYS Web'de kontrol edin.");
        "H353" 403 Held(Authority), CallGroup::SIGNED_IN,
            "The API user is not authorised for this service provider, brand or channel.",
            "API kullanıcısının bu hizmet sağlayıcı, marka veya kanal için yetkisi yok.",
            AUTHORITY;
        "H355" 404 Held(Authority), CallGroup::OF_A_BRAND,
            "The API user lacks the authority for this channel or method.",
            "API kullanıcısının bu kanal veya metot için yetkisi yok.",
            AUTHORITY;
        "H363" 400 Held(Authority), CallGroup::SIGNED_IN,
            "The method is open to the other kind of account only: service provider or business partner.",
            "Metot yalnızca diğer hesap türüne açık: hizmet sağlayıcı veya iş ortağı.",
            PARTNER;
        "H400" 422 Defect, &[BulkStatus],
            "The request number consists of digits only.",
            "İstek numarası yalnızca rakamlardan oluşuyor.",
            DEFECT;
        "H401" 400 Rejected, &[RetailerAccess],
            "İYS holds no consent to which the retailers could be added.",
            "İYS'de bayilerin eklenebileceği bir izin yok.",
            ("Register the consent first, then add the retailers.", "Önce izni kaydedin, sonra bayileri ekleyin.");
        "H402" 400 Defect, &[Partner],
            "İYS does not accept the form of the query for authorised brands.",
            "İYS yetkili marka sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H403" 400 Defect, &[Status, MultiStatus],
            "İYS does not accept the form of the status query.",
            "İYS durum sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H404" 422 Defect, &[],
            "The search text of the query is empty.",
            "Sorgudaki arama metni boş.",
            DEFECT;
        "H405" 400 Defect, &[Account],
            "İYS does not accept the form of the query for a brand.",
            "İYS marka bilgisi sorgusunun yapısını kabul etmedi.",
            DEFECT;
        "H408" 422 Rejected, &[Add, BulkList],
            "Source HS_KARAR is for RET only.",
            "HS_KARAR kaynağı yalnızca RET için kullanılabilir.",
            RECORD;
        "H412" 500 Retry(Soon), CallGroup::SIGNED_IN,
            "Something unexpected went wrong at İYS.",
            "İYS tarafında beklenmeyen bir hata oluştu.",
            WAIT_OR_ASK;
        "H437" 404 Held(Subscription), &[Account, Partner],
            "İYS finds no subscription for this İYS number.",
            "İYS bu numara için bir abonelik bulamadı.",
            SUBSCRIPTION;
        "H450" 422 Rejected, &[Add, BulkList],
            "The channel is none that İYS knows.",
            "Kanal İYS'nin tanıdığı bir değer değil.",
            RECORD;
        "H459" 422 Rejected, &[Add, BulkList],
            "A phone number goes with the channels MESAJ and ARAMA only.",
            "Telefon numarası yalnızca MESAJ ve ARAMA kanallarıyla kullanılabilir.",
            RECORD;
        "H460" 422 Rejected, &[Add, BulkList],
            "İYS could not verify the record.",
            "İYS kaydı doğrulayamadı.",
            RECORD;
        "H462" 400 Rejected, &[Add, BulkRow],
            "A change for a TACIR address needs a consent date.",
            "TACIR adresindeki değişiklik için izin tarihi gerekir.",
            DATE;
        "H463" 400 Rejected, &[Add, BulkRow],
            "A change for a TACIR address needs a source.",
            "TACIR adresindeki değişiklik için kaynak gerekir.",
            RECORD;
        "H464" 422 Rejected, &[MultiStatus],
            "The address does not fit the channel: a phone number for e-mail or the reverse.",
            "Adres kanala uymuyor: e-posta için telefon numarası veya tersi.",
            RECORD;
        "H467" 422 TooLate, &[Add, BulkList, BulkRow],
            "The consent date lies more than three business days back.",
            "İzin tarihinin üzerinden üç iş gününden çok geçmiş.",
            ("A late refusal may be sent as the brand's own decision (HS_KARAR); a late consent must be asked for again.", "Geç kalan ret, markanın kendi kararı (HS_KARAR) olarak gönderilebilir; geç kalan onay yeniden alınmalıdır.");
        "H470" 500 Retry(Soon), CallGroup::SIGNED_IN,
            "Something unexpected went wrong at İYS.",
            "İYS tarafında beklenmeyen bir hata oluştu.",
            WAIT_OR_ASK;
        "H476" 500 Retry(Soon), CallGroup::SIGNED_IN,
            "Something unexpected went wrong at İYS.",
            "İYS tarafında beklenmeyen bir hata oluştu.",
            WAIT_OR_ASK;
        "H478" 422 Defect, &[MultiStatus],
            "The addresses in the query are not a list.",
            "Sorgudaki adresler liste biçiminde değil.",
            DEFECT;
        "H486" 400 Rejected, &[Add, BulkRow],
            "İYS does not accept this source here; HS_KARAR cannot begin an address's record.",
            "İYS bu kaynağı burada kabul etmiyor; bir adresin ilk kaydı HS_KARAR olamaz.",
            RECORD;
        "H501" 422 Defect, &[Agreements],
            "The day of the report is not written as year-month-day.",
            "Rapor günü yıl-ay-gün biçiminde değil.",
            DEFECT;
        "H502" 422 Rejected, &[Agreements],
            "İYS has no report for this day: it lies more than seven days back or is not over yet.",
            "İYS'de bu günün raporu yok: yedi günden eski veya gün henüz bitmemiş.",
            ("Ask for a finished day of the last seven.", "Son yedi günün bitmiş bir gününü sorgulayın.");
        "H506" 422 Defect, &[Pull],
            "İYS does not accept the source that was asked for when fetching changes.",
            "İYS hareketler çekilirken istenen kaynak değerini kabul etmedi.",
            DEFECT;
        "H507" 422 Defect, &[Pull],
            "More changes were asked for at once than İYS gives.",
            "Bir kerede İYS'nin verdiğinden çok hareket istendi.",
            DEFECT;
        "H512" 422 Defect, &[Agreements],
            "İYS takes only a positive confirmation of the day's reconciliation.",
            "İYS günün mutabakatı için yalnızca olumlu bildirim kabul ediyor.",
            DEFECT;
        "H520" 403 Held(Subscription), CallGroup::SIGNED_IN,
            "The İYS subscription is paused or has expired.",
            "İYS aboneliği duraklatılmış veya süresi dolmuş.",
            SUBSCRIPTION;
        "H521" 403 Held(Subscription), CallGroup::SIGNED_IN,
            "The İYS subscription is closed.",
            "İYS aboneliği kapatılmış.",
            SUBSCRIPTION;
        "H522" 400 Held(Authority), &[Partner],
            "Only a business partner's API user may use this method.",
            "Bu metodu yalnızca iş ortağının API kullanıcısı kullanabilir.",
            PARTNER;
        "H524" 403 Held(Subscription), CallGroup::SIGNED_IN,
            "İYS holds no subscription for this İYS number.",
            "İYS'de bu numaraya ait abonelik kaydı yok.",
            SUBSCRIPTION;
        "H525" 422 Held(Quota), &[Add, BulkList, BulkRow],
            "The package's number of stored addresses is used up.",
            "Paketin saklanabilir adres sayısı doldu.",
            ("Choose a larger package in İYS Web or allow exceeding it; the waiting work then goes on by itself.", "İYS Web'de daha büyük bir paket seçin veya aşıma izin verin; bekleyen işler ardından kendiliğinden sürer.");
        "H530" 422 Held(Configuration), &[Push],
            "İYS could not set up or remove the push connection.",
            "İYS push bağlantısını kuramadı veya kaldıramadı.",
            PUSH;
        "H531" 422 Held(Configuration), &[Push],
            "The push address is missing or does not begin with https.",
            "Push adresi yok veya https ile başlamıyor.",
            PUSH;
        "H586" 403 Held(Subscription), CallGroup::OF_A_BRAND,
            "The İYS package does not include the API.",
            "İYS paketi API kullanımını içermiyor.",
            SUBSCRIPTION;
    }
};
