//! Every method of İYS that is called: its name, İYS's own name for it, its path, and whether it stores.
//!
//! The paths stand here and nowhere else; `docs/iys.md` has a row for each. ViA is not called.

use reqwest::Method;

/// One method of İYS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Our name for it, in errors and logs.
    pub name: &'static str,
    /// İYS's name (`operationId` of its documentation).
    pub id: &'static str,
    /// The HTTP method.
    pub verb: Method,
    /// The path; a segment in braces is filled in.
    pub path: &'static str,
    /// Whether it changes what İYS holds, so that a lost answer leaves open whether it did.
    pub stores: bool,
}

impl Operation {
    /// The path's segments with its braces filled in, in their order. `None` when the number of values
    /// is wrong.
    pub(super) fn segments(&self, values: &[&str]) -> Option<Vec<String>> {
        let mut values = values.iter();
        let segments: Option<Vec<String>> = self
            .path
            .split('/')
            .skip(1)
            .map(|segment| if segment.starts_with('{') { values.next().map(|value| (*value).to_owned()) } else { Some(segment.to_owned()) })
            .collect();
        segments.filter(|_| values.next().is_none())
    }
}

macro_rules! operations {
    ($($constant:ident: $name:literal, $id:literal, $verb:ident $path:literal, $stores:literal;)+) => {
        $(
            pub(super) const $constant: Operation =
                Operation { name: $name, id: $id, verb: Method::$verb, path: $path, stores: $stores };
        )+

        /// All of them.
        pub const OPERATIONS: &[Operation] = &[$($constant),+];
    };
}

operations! {
    TOKEN: "token", "createToken2", POST "/oauth2/token", false;

    ADD: "add", "addConsentV2", POST "/v2/sps/{iysCode}/brands/{brandCode}/consents", true;
    ADD_V1: "add v1", "addConsent", POST "/sps/{iysCode}/brands/{brandCode}/consents", true;
    BULK_ADD: "bulk add", "addBatchConsentV2", POST "/v2/sps/{iysCode}/brands/{brandCode}/consents/request", true;
    BULK_ADD_V1: "bulk add v1", "addBatchConsent", POST "/sps/{iysCode}/brands/{brandCode}/consents/request", true;
    BULK_STATUS: "bulk status", "searchRequestDetailsV2",
        GET "/v2/sps/{iysCode}/brands/{brandCode}/consents/request/{requestId}", false;
    BULK_STATUS_V1: "bulk status v1", "searchRequestDetails",
        GET "/sps/{iysCode}/brands/{brandCode}/consents/request/{requestId}", false;

    SINGLE_STATUS: "single status", "consentDetail", POST "/sps/{iysCode}/brands/{brandCode}/consents/status", false;
    MULTI_STATUS: "multi status", "batchConsentStatus",
        POST "/sps/{iysCode}/brands/{brandCode}/consents/{recipientType}/status/{type}", false;
    HISTORY: "history", "consentsHistory", POST "/sps/{iysCode}/brands/{brandCode}/consents/history", false;
    PULL: "pull", "PullPerBrandCode", GET "/sps/{iysCode}/brands/{brandCode}/consents/changes", false;

    PUSH_REGISTRATION: "push registration", "pushRegistration", POST "/sps/{iysCode}/brands/{brandCode}/push/registration", true;
    PUSH_CONNECTIONS: "push connections", "getPushRegistration", GET "/sps/{iysCode}/brands/{brandCode}/push/registration", false;
    PUSH_UNREGISTRATION: "push unregistration", "pushUnregistration",
        POST "/sps/{iysCode}/brands/{brandCode}/push/unregistration", true;

    DAY_SUMMARY: "day summary", "changeSummary",
        GET "/sps/{iysCode}/brands/{brandCode}/changes/{reportDate}/recipients/{recipientType}", false;
    AGREEMENT: "agreement", "agreementsDate", GET "/sps/{iysCode}/brands/{brandCode}/agreements/{reportDate}", false;
    DAY_FILE: "day file", "agreementFile", GET "/sps/{iysCode}/brands/{brandCode}/changes/{reportDate}/file", false;
    DAY_TIMESTAMP: "day timestamp", "agreementTimeStamp",
        GET "/sps/{iysCode}/brands/{brandCode}/agreements/{reportDate}/timestamp", false;
    CONFIRM_DAY: "day confirmation", "agreementDatePut", PUT "/sps/{iysCode}/brands/{brandCode}/agreements/{reportDate}", true;

    BRANDS: "brands", "getBrandsDetails", GET "/sps/{iysCode}/brands", false;
    SUBSCRIPTION: "subscription", "get-subscription", GET "/sps/{iysCode}/subscription", false;

    PARTNER_PROVIDERS: "partner providers", "integratorList", GET "/integrator/{integratorCode}/sps", false;
    PARTNER_BRANDS: "partner brands", "integratorListByiysCode", GET "/integrator/{integratorCode}/sps/{iysCode}", false;
    PARTNER_SUBSCRIPTION: "partner subscription", "getIntegratorSubscription", GET "/integrator/{integratorCode}/subscription", false;

    RETAILERS: "retailers", "searchRetailers", GET "/sps/{iysCode}/brands/{brandCode}/retailers", false;
    RETAILER: "retailer", "searchSingleRetailer", GET "/sps/{iysCode}/brands/{brandCode}/retailers/{retailerCode}", false;
    CREATE_RETAILER: "retailer creation", "createRetailer", POST "/sps/{iysCode}/brands/{brandCode}/retailers", true;
    DELETE_RETAILER: "retailer deletion", "deleteRetailer",
        DELETE "/sps/{iysCode}/brands/{brandCode}/retailers/{retailerCode}", true;

    ADD_ACCESS: "retailer access addition", "addRetailers",
        POST "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access", true;
    REPLACE_ACCESS: "retailer access replacement", "overrideRetailers",
        PUT "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access", true;
    LIST_ACCESS: "retailer access", "searchRetailersOfOneConsent",
        POST "/sps/{iysCode}/brands/{brandCode}/consent/retailers/access/list", false;
    REMOVE_ACCESS: "retailer access removal", "removeRelationBetweenRetailer",
        POST "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access/remove", true;
    REMOVE_ALL_ACCESS: "retailer access removal of all", "removeRelationsBetweenRetailersAndConsents",
        POST "/sps/{iysCode}/brands/{brandCode}/consents/retailers/access/remove/all", true;

    CITIES: "cities", "getCities", GET "/info/city", false;
    CITY: "city", "cityDetails", GET "/info/city/{code}", false;
    TOWNS: "towns", "getTowns", GET "/info/town", false;
    TOWN: "town", "townDetails", GET "/info/town/{code}", false;
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_ids_and_paths_are_told_apart() {
        let names: HashSet<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        let ids: HashSet<_> = OPERATIONS.iter().map(|operation| operation.id).collect();
        let paths: HashSet<_> = OPERATIONS.iter().map(|operation| (operation.verb.as_str(), operation.path)).collect();
        assert_eq!([names.len(), ids.len(), paths.len()], [OPERATIONS.len(); 3]);
    }

    #[test]
    fn a_path_takes_exactly_as_many_values_as_it_has_braces() {
        let path = |values: &[&str]| BULK_STATUS.segments(values).map(|segments| segments.join("/"));
        assert_eq!(path(&["1", "2", "a/b"]).as_deref(), Some("v2/sps/1/brands/2/consents/request/a/b"));
        assert_eq!(path(&["1", "2"]), None);
        assert_eq!(path(&["1", "2", "3", "4"]), None);
    }
}
