//! Scenarios for the VRRP core. Every `NAME.scenario` in this directory lists timed inputs and,
//! after `>`, the expected decisions of the core.
//!
//! `UPDATE=1 cargo test --test vrrp` rewrites the decisions; review the difference.
//! `conf.rs` documents the syntax of configurations, `story.rs` that of inputs.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

mod conf;
mod story;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vrrp");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of this file exists")
        .map(|entry| entry.expect("it is readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "scenario"))
        .collect();
    files.sort();
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || run(&path))
    };
    libtest_mimic::run(&arguments, files.into_iter().map(trial).collect()).exit();
}

fn run(path: &Path) -> Result<(), Failed> {
    let expected = std::fs::read_to_string(path)?;
    let actual = story::replay(&expected)?;
    if actual == expected {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, actual)?;
        return Ok(());
    }
    let differs = expected.lines().zip(actual.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
    let (want, have) = (line(&expected), line(&actual));
    let place = path.display();
    Err(format!("{place}:{}\nexpected {want}\nfound    {have}\n\n{actual}", at + 1).into())
}
