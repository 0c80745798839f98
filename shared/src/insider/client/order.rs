//! What an export needs of the client: its order and its download.

use jiff::Timestamp;
use reqwest::Response;
use url::Url;

use super::http::Endpoint;
use super::policy::Judged;
use super::{Client, InsiderError};
use crate::brand;

/// What became of an order.
pub(in crate::insider) enum ExportOrder {
    /// Taken; the answer's body.
    Taken(Vec<u8>),
    /// Refused for today.
    UsedUp,
}

impl Client {
    pub(in crate::insider) fn account(&self) -> &brand::Insider {
        &self.account
    }

    pub(in crate::insider) fn now(&self) -> Timestamp {
        self.connection.now()
    }

    pub(in crate::insider) fn export_url(&self) -> &Url {
        &self.connection.settings().export_url
    }

    pub(in crate::insider) async fn order(&self, body: String) -> Result<ExportOrder, InsiderError> {
        let reply = self.exchange(Endpoint::Export, body).await?;
        if reply.status == 429 {
            return Ok(ExportOrder::UsedUp);
        }
        match self.connection.judge(Endpoint::Export, &reply)? {
            Judged::Taken => Ok(ExportOrder::Taken(reply.body)),
            Judged::Refused(code) => Err(InsiderError::Defect { why: format!("export: the order is refused ({code})") }),
        }
    }

    /// Begins a download. No key goes along: the link itself opens the file.
    pub(in crate::insider) async fn download(&self, url: Url) -> Result<Response, InsiderError> {
        self.connection.get(url).await
    }
}
