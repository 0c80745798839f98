//! A brand's retailers (bayi) at İYS: listed, created and deleted for the operator's command.
//!
//! An answer leaves out the person in charge of a retailer, and the numbers that tell who that is: they
//! are in İYS Web for whoever may see them.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use shared::answers::{RetailerLine, RetailersAnswer};
use shared::brand;
use shared::iys::{Answered, Client, NewRetailer, Place, Retailer, RetailerStatus};
use shared::registry::RegistryError;

use crate::findings::{Finding, unanswered};

/// Name of the line in which a refusal is told.
const CHECK: &str = "retailers";

/// What is wished. No `Debug`: a description names a person.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum Wish {
    /// All of them.
    List,
    /// One.
    Show {
        /// Its İYS number.
        retailer_code: u64,
    },
    /// A new one.
    Create {
        /// Its [`Description`].
        retailer: Value,
    },
    /// One less.
    Delete {
        /// Its İYS number.
        retailer_code: u64,
    },
}

/// A new retailer in İYS's own words (İYS documentation, `createRetailer`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    title: String,
    name: SecretString,
    tckn: SecretString,
    tin: SecretString,
    city: Named,
    town: Named,
    #[serde(default)]
    mersis: Option<SecretString>,
    #[serde(default)]
    alias: Option<String>,
    #[serde(default)]
    mobile: Option<SecretString>,
    #[serde(default)]
    status: Option<Status>,
}

/// A city or town; the name is looked up where it is missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    code: u32,
    #[serde(default)]
    name: Option<String>,
}

/// İYS's words for the states that a retailer can be given.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Passive,
    Suspended,
}

/// Why a wish was not carried out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// İYS has no city or town of this code; the place in the description.
    #[error("there is no such place: {0}")]
    NoPlace(&'static str),
}

/// Carries a wish out.
pub(crate) async fn answer(iys: &Client, account: &brand::Iys, wish: Wish) -> RetailersAnswer {
    match carry_out(iys, account, wish).await {
        Ok(answer) => answer,
        Err(Failure::NoPlace(place)) => RetailersAnswer::Unusable(place.to_owned()),
        Err(Failure::Registry(error)) => RetailersAnswer::Refused(unanswered(CHECK, &error)),
    }
}

async fn carry_out(iys: &Client, account: &brand::Iys, wish: Wish) -> Result<RetailersAnswer, Failure> {
    Ok(match wish {
        Wish::List => RetailersAnswer::Listed(iys.retailers(account).await?.into_iter().map(line).collect()),
        Wish::Show { retailer_code } => {
            RetailersAnswer::Listed(iys.retailer(account, retailer_code).await?.into_iter().map(line).collect())
        }
        Wish::Create { retailer } => {
            let description: Description = match serde_path_to_error::deserialize(retailer) {
                Ok(description) => description,
                // The reader's own words may quote a value; its place is told to whoever wrote it.
                Err(error) => return Ok(RetailersAnswer::Unusable(error.path().to_string())),
            };
            let retailer = with_places(iys, account, description).await?;
            done(iys.create_retailer(account, &retailer).await?, RetailersAnswer::Created)
        }
        Wish::Delete { retailer_code } => {
            done(iys.delete_retailer(account, retailer_code).await?, |()| RetailersAnswer::Deleted(retailer_code))
        }
    })
}

fn done<T>(answered: Answered<T>, done: impl FnOnce(T) -> RetailersAnswer) -> RetailersAnswer {
    match answered {
        Answered::Done(value) => done(value),
        Answered::Refused(code) => RetailersAnswer::Refused(Finding::RefusedByCode.with_code(CHECK, &[&code.to_string()], code)),
    }
}

async fn with_places(iys: &Client, account: &brand::Iys, description: Description) -> Result<NewRetailer, Failure> {
    let Description { title, name, tckn, tin, city, town, mersis, alias, mobile, status } = description;
    let city_name = match city.name {
        Some(name) => Some(name),
        None => iys.city(account, city.code).await?.and_then(|found| found.name),
    };
    let town_name = match town.name {
        Some(name) => Some(name),
        None => iys.town(account, town.code).await?.and_then(|found| found.name),
    };
    let status = status.map(|status| match status {
        Status::Active => RetailerStatus::Active,
        Status::Passive => RetailerStatus::Passive,
        Status::Suspended => RetailerStatus::Suspended,
    });
    Ok(NewRetailer {
        title,
        name,
        tckn,
        tin,
        city: Place { code: city.code, name: city_name.ok_or(Failure::NoPlace("city.code"))? },
        town: Place { code: town.code, name: town_name.ok_or(Failure::NoPlace("town.code"))? },
        mersis,
        alias,
        mobile,
        status,
    })
}

fn line(retailer: Retailer) -> RetailerLine {
    RetailerLine {
        retailer_code: retailer.retailer_code,
        title: retailer.title,
        alias: retailer.alias,
        status: retailer.status.map(|status| status.as_str().to_owned()),
        city: retailer.city.map(|city| city.name),
        town: retailer.town.map(|town| town.name),
        access_count: retailer.access_count,
    }
}
