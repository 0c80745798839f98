//! Retailers (bayi): the dealers and agents of a brand that collect or use its consents.
//!
//! A retailer's person is somebody: name, numbers and telephone are secrets here, and nothing logs them.

use secrecy::{ExposeSecret, SecretString};

use super::{Answered, Client, codes, unreadable};
use crate::brand;
use crate::consent::code::Code;
use crate::iys::call::{Call, defect};
use crate::iys::operation;
use crate::iys::tolerant::{Items, Text};
use crate::iys::wire::retailer::{Created, NamedCode, RetailerBody, RetailerRow};
use crate::registry::RegistryError;

/// A retailer as İYS lists it. A field that İYS does not show is `None`.
#[derive(Debug, Clone)]
pub struct Retailer {
    /// Its İYS number.
    pub retailer_code: Option<u64>,
    /// Its title.
    pub title: Option<String>,
    /// Its sign or branch name.
    pub alias: Option<String>,
    /// Whether it is in use.
    pub status: Option<RetailerStatus>,
    /// City.
    pub city: Option<Place>,
    /// Town.
    pub town: Option<Place>,
    /// Consents that it may use.
    pub access_count: Option<u64>,
    /// The person in charge.
    pub name: Option<SecretString>,
    /// That person's identity number.
    pub tckn: Option<SecretString>,
    /// Tax number; a person's is the identity number.
    pub tin: Option<SecretString>,
    /// Number in the trade registry (MERSİS).
    pub mersis: Option<SecretString>,
    /// Telephone.
    pub mobile: Option<SecretString>,
}

/// Whether a retailer is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetailerStatus {
    /// In use.
    Active,
    /// Not in use.
    Passive,
    /// Suspended.
    Suspended,
    /// Waiting; only the documentation of 2020 has it.
    Pending,
}

/// A city or town of a retailer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its code (`Client::cities`, `Client::towns`).
    pub code: u32,
    /// Its name.
    pub name: String,
}

/// A retailer to be created. İYS checks lengths and numbers and says what is wrong by its codes.
#[derive(Debug, Clone)]
pub struct NewRetailer {
    /// Title, at most 255 letters and digits.
    pub title: String,
    /// The person in charge, likewise.
    pub name: SecretString,
    /// That person's identity number, 11 digits, used by no other retailer.
    pub tckn: SecretString,
    /// Tax number: 10 digits, or a person's 11.
    pub tin: SecretString,
    /// City.
    pub city: Place,
    /// Town.
    pub town: Place,
    /// Number in the trade registry, 16 characters, used by no other retailer.
    pub mersis: Option<SecretString>,
    /// Its sign or branch name.
    pub alias: Option<String>,
    /// Telephone, `+E.164`.
    pub mobile: Option<SecretString>,
    /// `Active` when missing.
    pub status: Option<RetailerStatus>,
}

impl RetailerStatus {
    const ALL: [RetailerStatus; 4] = [RetailerStatus::Active, RetailerStatus::Passive, RetailerStatus::Suspended, RetailerStatus::Pending];

    /// İYS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            RetailerStatus::Active => "active",
            RetailerStatus::Passive => "passive",
            RetailerStatus::Suspended => "suspended",
            RetailerStatus::Pending => "pending",
        }
    }
}

impl Place {
    fn of(row: &NamedCode) -> Option<Self> {
        Some(Self { code: row.code.number()?, name: row.name.get().unwrap_or_default().to_owned() })
    }

    /// As İYS's samples for creation write it: a text of two digits at least.
    fn body(&self) -> NamedCode {
        NamedCode { code: Text::Is(format!("{:02}", self.code)), name: Text::Is(self.name.clone()) }
    }
}

impl Retailer {
    fn of(row: &RetailerRow) -> Self {
        let text = |text: &Text| text.get().map(str::to_owned);
        let secret = |text: &Text| text.get().map(SecretString::from);
        Self {
            retailer_code: row.retailer_code.number(),
            title: text(&row.title),
            alias: text(&row.alias),
            status: row
                .status
                .get()
                .and_then(|word| RetailerStatus::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word))),
            city: row.city.first().and_then(Place::of),
            town: row.town.first().and_then(Place::of),
            access_count: row.retailer_access_count.number(),
            name: secret(&row.name),
            tckn: secret(&row.tckn),
            tin: secret(&row.tin),
            mersis: secret(&row.mersis),
            mobile: secret(&row.mobile),
        }
    }
}

impl Client {
    /// The brand's retailers (`searchRetailers`), all pages of them: at most 3,000, a hundred a call.
    pub async fn retailers(&self, account: &brand::Iys) -> Result<Vec<Retailer>, RegistryError> {
        let [sps, brand] = codes(account);
        let rows: Vec<RetailerRow> = self.all_pages(account, &operation::RETAILERS, &[&sps, &brand], None).await?;
        Ok(rows.iter().map(Retailer::of).collect())
    }

    /// One retailer (`searchSingleRetailer`); `None` when İYS knows none by this number.
    pub async fn retailer(&self, account: &brand::Iys, retailer_code: u64) -> Result<Option<Retailer>, RegistryError> {
        let [sps, brand] = codes(account);
        let call = Call::new(&operation::RETAILER, &[&sps, &brand, &retailer_code.to_string()])?;
        let reply = self.exchange(account, &call).await?;
        let status = reply.status;
        let mut codes = reply.problems().into_iter().filter_map(|problem| problem.code).peekable();
        let bare = status.as_u16() == 404 && codes.peek().is_none();
        if (status.is_success() && reply.is_empty()) || bare || (!status.is_success() && codes.any(|code| code == Code::NO_RETAILER)) {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(self.fault(&call, &reply).await);
        }
        let rows: Items<RetailerRow> = reply.read().map_err(|why| defect(call.name, &why))?;
        Ok(rows.first().map(|row| {
            let retailer = Retailer::of(row);
            Retailer { retailer_code: retailer.retailer_code.or(Some(retailer_code)), ..retailer }
        }))
    }

    /// Creates a retailer (`createRetailer`) and tells its number. A brand may have 3,000.
    pub async fn create_retailer(&self, account: &brand::Iys, retailer: &NewRetailer) -> Result<Answered<u64>, RegistryError> {
        let [sps, brand] = codes(account);
        let body = RetailerBody {
            title: &retailer.title,
            name: retailer.name.expose_secret(),
            tckn: retailer.tckn.expose_secret(),
            tin: retailer.tin.expose_secret(),
            city: retailer.city.body(),
            town: retailer.town.body(),
            mersis: retailer.mersis.as_ref().map(ExposeSecret::expose_secret),
            alias: retailer.alias.as_deref(),
            mobile: retailer.mobile.as_ref().map(ExposeSecret::expose_secret),
            status: retailer.status.map(RetailerStatus::as_str),
        };
        let call = Call::new(&operation::CREATE_RETAILER, &[&sps, &brand])?.json(&body)?;
        let reply = match self.carry_out(account, &call).await? {
            Answered::Refused(code) => return Ok(Answered::Refused(code)),
            Answered::Done(reply) => reply,
        };
        let created: Created = reply.read().map_err(|why| unreadable(call.name, &why))?;
        let code = created.retailer_code.number();
        code.map(Answered::Done).ok_or_else(|| unreadable(call.name, "at $.retailerCode: missing"))
    }

    /// Deletes a retailer (`deleteRetailer`), which İYS does only while no consent is linked to it. It
    /// has no code for that alone: `H061`, which reads as a passing fault, may mean it.
    pub async fn delete_retailer(&self, account: &brand::Iys, retailer_code: u64) -> Result<Answered<()>, RegistryError> {
        let [sps, brand] = codes(account);
        let call = Call::new(&operation::DELETE_RETAILER, &[&sps, &brand, &retailer_code.to_string()])?;
        self.carry_out(account, &call).await.map(Answered::without_body)
    }
}
