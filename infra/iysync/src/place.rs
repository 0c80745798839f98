//! Which brand, and whether of the local stack.

use url::{Host, Url};

use crate::cli::BrandName;
use crate::failure::Failure;

/// The brand that the local stack brings along.
const LOCAL_BRAND: &str = "demo";

/// The brand that a question is about.
pub(crate) fn brand_name(brand: &BrandName, is_local: bool) -> Result<String, Failure> {
    match &brand.name {
        Some(name) => Ok(name.clone()),
        None if is_local => Ok(LOCAL_BRAND.to_owned()),
        None => Err(Failure::Usage("which brand? Name it with --brand or IYSYNC_BRAND".to_owned())),
    }
}

/// Whether an address is one of this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_deployed_system_is_asked_about_no_brand_that_nobody_named() {
        let unnamed = BrandName { name: None };
        assert_eq!(brand_name(&unnamed, true).unwrap(), "demo");
        assert_eq!(brand_name(&unnamed, false).unwrap_err().exit().number(), 2);
        assert_eq!(brand_name(&BrandName { name: Some("a".to_owned()) }, false).unwrap(), "a");
    }

    #[test]
    fn only_this_machine_is_local() {
        let is_local = |url: &str| is_loopback(&url.parse().unwrap());
        assert!(["http://127.0.0.1:4000", "http://localhost:1", "http://[::1]:1"].into_iter().all(is_local));
        assert!(!["https://izin.example.com", "http://10.0.0.1", "http://localhost.example.com"].into_iter().any(is_local));
    }
}
