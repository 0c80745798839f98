//! İYS's error codes with their HTTP statuses and a short Turkish text, and the answers made of them.

use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::server::{Refused, json as answer};

/// Every code that this simulator gives, with its HTTP status (İYS API documentation, “Hata Kodları”).
const CODES: &[(&str, u16, &str)] = &[
    ("H001", 404, "Hizmet sağlayıcı bulunamadı."),
    ("H014", 400, "İstek geçerli bir JSON değil."),
    ("H015", 500, "Beklenmeyen bir hata oluştu."),
    ("H016", 400, "Geçersiz girdi tespit edildi."),
    ("H017", 400, "Alan için karakter üst sınırına ulaşıldı."),
    ("H018", 404, "Marka bulunamadı."),
    ("H058", 404, "Bayi bulunamadı."),
    ("H061", 500, "Bayi silinemedi."),
    ("H067", 400, "Üretilebilecek 8 haneli bayi kodu kalmadı."),
    ("H084", 429, "Saatlik kimlik doğrulama istek sınırı aşıldı."),
    ("H085", 400, "İzin ekleme isteği geçerli olmalıdır."),
    ("H086", 429, "Saatlik tekil izin sorgulama sınırı aşıldı."),
    ("H089", 429, "Saatlik izin geçmişi sorgulama sınırı aşıldı."),
    ("H090", 400, "Bayi ekleme isteği geçerli olmalıdır."),
    ("H091", 422, "Tek istekte en fazla 1000 izin gönderilebilir."),
    ("H092", 400, "Çoklu izin ekleme isteği geçerli olmalıdır."),
    ("H093", 422, "Kullanıcı adı ve parola gönderilmelidir."),
    ("H097", 400, "İzin sorgulama isteği geçerli olmalıdır."),
    ("H110", 422, "İzin durumu (status) gönderilmelidir."),
    ("H111", 422, "İzin türü (type) gönderilmelidir."),
    ("H112", 422, "İzin tarihi (consentDate) gönderilmelidir."),
    ("H113", 422, "İzin kaynağı (source) gönderilmelidir."),
    ("H114", 422, "Alıcı (recipient) gönderilmelidir."),
    ("H115", 422, "İzin durumu ONAY ya da RET olmalıdır."),
    ("H116", 422, "Alıcı tipi BIREYSEL ya da TACIR olmalıdır."),
    ("H117", 422, "İzin türü ARAMA, MESAJ ya da EPOSTA olmalıdır."),
    ("H118", 422, "İstekte bilinmeyen alan var."),
    ("H119", 422, "İzin kaynağı geçerli değil."),
    ("H120", 422, "E-posta adresi geçerli değil."),
    ("H121", 422, "Telefon numarası E.164 biçiminde değil."),
    ("H123", 400, "Servis şu anda yoğun, daha sonra tekrar deneyiniz."),
    ("H124", 429, "Saniyelik istek sınırı aşıldı."),
    ("H125", 422, "Tek istekte en fazla 1000 kayıt gönderilebilir."),
    ("H126", 422, "Bayi listesi sınırı aşıldı."),
    ("H127", 422, "Alıcı listesi en fazla 100 olabilir."),
    ("H129", 404, "İş ortağı bulunamadı."),
    ("H155", 422, "HS_2015 kaynağında izin tarihi 2015-05-01 00:00:00 olmalıdır."),
    ("H156", 422, "İzin tarihi 1 Mayıs 2015'ten önce olamaz."),
    ("H157", 422, "İzin tarihi geçerli bir tarih değil."),
    ("H158", 422, "İzin tarihi yyyy-mm-dd hh:mm:ss biçiminde olmalıdır."),
    ("H160", 422, "Telefon numarası 15 karakterden uzun olamaz."),
    ("H162", 422, "İzin tarihi ileri bir tarih olamaz."),
    ("H163", 422, "Bayi listesi boş olamaz."),
    ("H164", 422, "Alıcı listesi boş olamaz."),
    ("H166", 422, "Telefon numarası 15 karakterden uzun olamaz."),
    ("H168", 422, "Alıcı listesi (recipients) gönderilmelidir."),
    ("H169", 422, "Bayiler (retailerAccess) gönderilmelidir."),
    ("H170", 422, "Alıcı tipi (recipientType) gönderilmelidir."),
    ("H171", 400, "Bayi izin erişimi verme isteği geçerli olmalıdır."),
    ("H172", 400, "Bayi izin erişimi silme isteği geçerli olmalıdır."),
    ("H173", 400, "Bayi izin erişimi sorgulama isteği geçerli olmalıdır."),
    ("H174", 400, "İzin durumu mevcut durumdan farklı olmalıdır."),
    ("H175", 400, "Alıcının ilk kaydı RET olamaz."),
    ("H178", 400, "İzin tarihi kayıtlı izin tarihinden önce olamaz."),
    ("H180", 403, "Bayi İYS numarası bulunamadı."),
    ("H182", 422, "offset geçerli değil."),
    ("H183", 422, "limit geçerli değil."),
    ("H184", 422, "all geçerli değil."),
    ("H185", 422, "short geçerli değil."),
    ("H186", 422, "Sayfalama değeri 100'den büyük olamaz."),
    ("H187", 422, "limit sıfır olamaz."),
    ("H190", 422, "iysCode tam sayı olmalıdır."),
    ("H191", 422, "brandCode tam sayı olmalıdır ya da bağlantı zaman aşımına uğradı."),
    ("H192", 503, "İstek zaman aşımına uğradı."),
    ("H193", 422, "Listede yinelenen değer var."),
    ("H194", 422, "İzin aynı listede zaten var."),
    ("H198", 422, "requestId 36 karakterden uzun olamaz."),
    ("H199", 422, "requestId yalnızca harflerden oluşamaz."),
    ("H201", 400, "Bayi durumu geçerli değil."),
    ("H214", 400, "Bayi ticaret unvanı boş bırakılamaz."),
    ("H215", 400, "Bayi yetkilisi adı boş bırakılamaz."),
    ("H216", 400, "Bayi yetkilisi kimlik numarası boş bırakılamaz."),
    ("H217", 400, "Bayi ili boş bırakılamaz."),
    ("H218", 400, "Bayi ilinin kodu boş bırakılamaz."),
    ("H219", 400, "Bayi ilinin adı boş bırakılamaz."),
    ("H220", 400, "Bayi ilçesi boş bırakılamaz."),
    ("H221", 400, "Bayi ilçesinin kodu boş bırakılamaz."),
    ("H222", 400, "Bayi ilçesinin adı boş bırakılamaz."),
    ("H224", 400, "Bayi telefon numarası geçerli değil."),
    ("H225", 400, "Kimlik numarası geçerli değil."),
    ("H226", 400, "Kimlik numarası 11 karakter olmalıdır."),
    ("H227", 400, "MERSİS numarası geçerli değil."),
    ("H228", 400, "MERSİS numarası 16 karakter olmalıdır."),
    ("H229", 400, "Alan alfanümerik olmalıdır."),
    ("H230", 400, "MERSİS numarası tekil olmalıdır."),
    ("H231", 400, "Kimlik numarası tekil olmalıdır."),
    ("H241", 400, "Kayıt getirilemedi."),
    ("H243", 400, "Vergi kimlik numarası geçerli değil."),
    ("H244", 400, "Vergi kimlik numarası 10 ya da 11 karakter olmalıdır."),
    ("H245", 400, "İYS numarası iş ortağının grubunda değil."),
    ("H251", 401, "Kullanıcı bilgileri geçerli değil."),
    ("H253", 400, "Aynı numarayla pasif bir bayi var."),
    ("H267", 400, "Boş değer gönderilemez."),
    ("H268", 404, "İYS numarasına bağlı iş ortağı kullanıcısı yok."),
    ("H288", 400, "Vergi kimlik numarası boş bırakılamaz."),
    ("H351", 401, "Geçerli bir jeton gönderilmelidir."),
    ("H353", 403, "Yol değeri kullanıcının yetkisiyle uyuşmuyor."),
    ("H355", 404, "Kullanıcının ilgili yetkisi yok."),
    ("H363", 400, "Bu servisi kullanma yetkisi yok."),
    ("H400", 422, "requestId yalnızca rakamlardan oluşamaz."),
    ("H401", 400, "Bayi eklenmesi beklenen izin bulunamadı."),
    ("H408", 422, "HS_KARAR kaynağı yalnızca RET ile gönderilebilir."),
    ("H437", 404, "İYS numarasına ait abonelik yok."),
    ("H462", 400, "TACIR güncellemesinde izin tarihi gönderilmelidir."),
    ("H463", 400, "TACIR güncellemesinde izin kaynağı gönderilmelidir."),
    ("H464", 422, "Alıcı biçimi izin türüne uygun değil."),
    ("H467", 422, "İzin tarihi üç iş gününden eski olamaz."),
    ("H478", 422, "recipients bir liste olmalıdır."),
    ("H486", 400, "İzin kaynağı kabul edilmiyor."),
    ("H501", 422, "Tarih yyyy-aa-gg biçiminde olmalıdır."),
    ("H502", 422, "Tarih dün ya da en fazla 7 gün öncesi olabilir."),
    ("H506", 422, "source geçerli değil."),
    ("H507", 422, "limit 1 ile 1000 arasında olmalıdır."),
    ("H512", 422, "agreementStatus yalnızca true olabilir."),
    ("H520", 403, "Abonelik durdurulmuş ya da süresi dolmuş."),
    ("H521", 403, "Abonelik kapatılmış."),
    ("H522", 400, "Yalnızca iş ortağı API kullanıcısıyla işlem yapılabilir."),
    ("H524", 403, "İYS numarasına ait abonelik kaydı yok."),
    ("H525", 422, "Paketin adres sınırı doldu."),
    ("H530", 422, "Bağlantı oluşturulamadı ya da kaldırılamadı."),
    ("H531", 422, "Adres https ile başlamalıdır."),
    ("H586", 403, "Paket API kullanımını içermiyor."),
];

/// HTTP status and text of a code.
pub(crate) fn lookup(code: &str) -> (u16, &'static str) {
    CODES
        .iter()
        .find(|(known, _, _)| *known == code)
        .map_or((500, "Beklenmeyen bir hata oluştu."), |(_, status, message)| (*status, *message))
}

/// One entry of an `errors` list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) location: Vec<Value>,
    pub(crate) value: Option<Value>,
    pub(crate) index: Option<usize>,
}

impl Problem {
    pub(crate) fn new(code: &'static str) -> Self {
        Self { code, location: Vec::new(), value: None, index: None }
    }

    /// A problem with one field and the value found there.
    pub(crate) fn at(code: &'static str, field: &str, value: Option<&Value>) -> Self {
        Self { code, location: vec![json!(field)], value: value.cloned(), index: None }
    }

    fn write(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("code".to_owned(), json!(self.code));
        entry.insert("message".to_owned(), json!(lookup(self.code).1));
        if !self.location.is_empty() {
            entry.insert("location".to_owned(), json!(self.location));
        }
        if let Some(value) = &self.value {
            entry.insert("value".to_owned(), value.clone());
        }
        if let Some(index) = self.index {
            entry.insert("index".to_owned(), json!(index));
        }
        Value::Object(entry)
    }
}

/// An answer with an `errors` list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) problems: Vec<Problem>,
    /// Write the key `code:` instead of `code`, as some of İYS's samples do.
    pub(crate) misspelt: bool,
}

impl ApiError {
    /// One code, under its own HTTP status.
    pub(crate) fn code(code: &'static str) -> Self {
        Self::from_problem(Problem::new(code))
    }

    pub(crate) fn from_problem(problem: Problem) -> Self {
        Self { status: lookup(problem.code).0, problems: vec![problem], misspelt: false }
    }

    /// As [`ApiError::code`], under another HTTP status.
    pub(crate) fn under(status: u16, code: &'static str) -> Self {
        Self { status, ..Self::code(code) }
    }

    /// Several problems under one HTTP status.
    pub(crate) fn all(status: u16, problems: Vec<Problem>) -> Self {
        Self { status, problems, misspelt: false }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut errors: Vec<Value> = self.problems.iter().map(Problem::write).collect();
        if self.misspelt {
            for entry in errors.iter_mut().filter_map(Value::as_object_mut) {
                if let Some(code) = entry.remove("code") {
                    entry.insert("code:".to_owned(), code);
                }
            }
        }
        let mut response = answer(self.status, &json!({ "errors": errors }));
        response.extensions_mut().insert(Refused(self.problems.iter().map(|problem| problem.code.to_owned()).collect()));
        response
    }
}

/// The body for an answer that a fault makes up.
pub(crate) fn fault_body(path: &str, status: u16) -> Value {
    let code = match status {
        400 => "H123",
        401 => "H351",
        403 => "H353",
        404 => "H355",
        429 if path.starts_with("/oauth2") => "H084",
        429 => "H124",
        503 => "H192",
        _ => "H015",
    };
    json!({ "errors": [{ "code": code, "message": lookup(code).1 }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_stands_in_the_table_twice() {
        for (at, (code, _, _)) in CODES.iter().enumerate() {
            assert!(CODES.iter().skip(at + 1).all(|(other, _, _)| other != code), "{code}");
        }
    }
}
