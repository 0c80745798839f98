//! Process entry of `unsubscribe-relay`.

fn main() {}
