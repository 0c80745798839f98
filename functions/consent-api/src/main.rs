//! Process entry of `consent-api`.

fn main() {}
