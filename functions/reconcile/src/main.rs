//! Process entry of `reconcile`.

fn main() {}
