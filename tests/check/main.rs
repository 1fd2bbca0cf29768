//! Does the pool of checks decide right? Every `NAME.scenario` beside this file is a story: facts
//! with their time, and below each, behind `>`, what the core decided.
//!
//! `UPDATE=1 cargo test --test check` rewrites the decisions; the difference is then to be reviewed.
//! `story.rs` says how checks are described and what can happen.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

mod story;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check");
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
    let told = story::tell(&expected)?;
    if told == expected {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, told)?;
        return Ok(());
    }
    let differs = expected.lines().zip(told.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or_else(|| expected.lines().count().min(told.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
    let (want, have) = (line(&expected), line(&told));
    let place = path.display();
    Err(format!("{place}:{}\nexpected {want}\nfound    {have}\n\n{told}", at + 1).into())
}
