//! Process entry of `webhook-ingest`.

fn main() {}
