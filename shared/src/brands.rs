//! The brands of a deployment, read from SSM: one encrypted parameter per brand under one path.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::brand::Brand;
use crate::consent::BrandName;

/// How long a reading is used before the parameters are read again.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// How soon an unknown name may cause another reading: a new brand is found at once, a stranger's
/// guesses cost nothing.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// How long one reading may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why the brands could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the brands' configuration cannot be read: SSM {0}")]
pub struct BrandsError(String);

/// The brands, cached.
#[derive(Debug)]
pub struct Brands {
    client: aws_sdk_ssm::Client,
    path: String,
    reading: Mutex<Option<Reading>>,
}

#[derive(Debug, Clone)]
struct Reading {
    at: Timestamp,
    brands: Arc<BTreeMap<BrandName, Arc<Brand>>>,
}

impl Brands {
    /// Brands under an SSM path.
    pub fn new(client: aws_sdk_ssm::Client, path: impl Into<String>) -> Self {
        Self { client, path: path.into(), reading: Mutex::new(None) }
    }

    /// The brand of a name, if there is one.
    pub async fn get(&self, name: &str, now: Timestamp) -> Result<Option<Arc<Brand>>, BrandsError> {
        let Ok(name) = name.parse::<BrandName>() else { return Ok(None) };
        if let Some(brand) = self.read(now, FRESH).await?.get(&name) {
            return Ok(Some(brand.clone()));
        }
        Ok(self.read(now, PATIENCE).await?.get(&name).cloned())
    }

    /// The brand of a name as its document is at this moment, for a person who has just changed it.
    pub async fn get_anew(&self, name: &str, now: Timestamp) -> Result<Option<Arc<Brand>>, BrandsError> {
        let Ok(name) = name.parse::<BrandName>() else { return Ok(None) };
        Ok(self.read(now, SignedDuration::ZERO).await?.get(&name).cloned())
    }

    /// The brand that a queue's message names. `None`, with the reason in the log, when there is none
    /// now: the message has to come again.
    pub async fn of_message(&self, name: &BrandName, now: Timestamp) -> Option<Arc<Brand>> {
        match self.get(name.as_str(), now).await {
            Ok(Some(brand)) => Some(brand),
            Ok(None) => {
                tracing::error!(brand = %name, "a message names a brand that is not configured");
                None
            }
            Err(error) => {
                tracing::error!(%error, "a batch was not handled");
                None
            }
        }
    }

    /// All brands.
    pub async fn all(&self, now: Timestamp) -> Result<Vec<Arc<Brand>>, BrandsError> {
        Ok(self.read(now, FRESH).await?.values().cloned().collect())
    }

    async fn read(&self, now: Timestamp, fresh: SignedDuration) -> Result<Arc<BTreeMap<BrandName, Arc<Brand>>>, BrandsError> {
        let mut reading = self.reading.lock().await;
        if let Some(reading) = reading.as_ref().filter(|reading| now.duration_since(reading.at).abs() < fresh) {
            return Ok(reading.brands.clone());
        }
        match tokio::time::timeout(TIMEOUT, self.fetch()).await.unwrap_or_else(|_| Err(BrandsError("timed out".into()))) {
            Ok(brands) => {
                let brands = Arc::new(brands);
                *reading = Some(Reading { at: now, brands: brands.clone() });
                Ok(brands)
            }
            // What was read before is better than nothing while SSM is away.
            Err(error) => match reading.as_ref() {
                Some(reading) => {
                    tracing::warn!(%error, "the brands' configuration is used as it was read before");
                    Ok(reading.brands.clone())
                }
                None => Err(error),
            },
        }
    }

    async fn fetch(&self) -> Result<BTreeMap<BrandName, Arc<Brand>>, BrandsError> {
        let mut brands = BTreeMap::new();
        let mut parameters = Vec::new();
        let mut pages = self.client.get_parameters_by_path().path(&self.path).with_decryption(true).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                BrandsError(aws_sdk_ssm::error::ProvideErrorMetadata::code(&error).unwrap_or("gave no usable answer").to_owned())
            })?;
            parameters.extend(page.parameters.unwrap_or_default());
        }
        for parameter in parameters {
            let name = parameter.name.unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default();
            match Brand::read(parameter.value.as_deref().unwrap_or_default()) {
                Ok(brand) if brand.name.as_str() == name => {
                    brands.insert(brand.name.clone(), Arc::new(brand));
                }
                Ok(_) => tracing::error!(parameter = name, "brand left out: its document carries another name than its parameter"),
                // One brand's mistake takes no other brand down.
                Err(error) => tracing::error!(parameter = name, %error, "brand left out: its document cannot be used"),
            }
        }
        Ok(brands)
    }
}
