//! The consent rules stay pure: read off their source, because a dependency that nobody uses yet would
//! pass every other test.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

/// What no file of the core may mention: other crates of the outside world, async, and a clock.
const FORBIDDEN: [&str; 14] = [
    "aws_",
    "lambda_",
    "reqwest",
    "hyper",
    "http::",
    "tokio",
    "async ",
    ".await",
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant::now",
    "std::env",
    "rand::",
];

/// The modules that the core may use besides itself.
const INWARD: [&str; 2] = ["calendar", "consent"];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_owned());
    }
}

fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

#[test]
fn invariant_9_the_core_knows_no_aws_no_http_no_async_and_no_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root.join("consent"), &mut files);
    sources(&root.join("calendar.rs"), &mut files);
    assert!(files.len() > 8, "the core has moved: {files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for line in code(&text) {
            for word in FORBIDDEN {
                assert!(!line.contains(word), "{}: {word} in {line:?}", file.display());
            }
            for (position, _) in line.match_indices("crate::") {
                let module: String = line[position + "crate::".len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                assert!(INWARD.contains(&module.as_str()), "{}: the core depends on {module}", file.display());
            }
        }
    }
}
