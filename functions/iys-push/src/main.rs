//! Process entry of `iys-push`.

fn main() {}
