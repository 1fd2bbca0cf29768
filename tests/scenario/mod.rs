//! Scenarios of a core. Every `NAME.scenario` in a directory lists timed inputs and, after `>`, the
//! expected decisions; with `UPDATE=1` in the environment the decisions are rewritten.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

pub(crate) type Fallible<T> = Result<T, String>;

/// Takes the lines of a scenario.
pub(crate) trait Story: Default {
    /// What precedes a decision in its line.
    const MARGIN: &'static str = "       >";

    /// Takes one line that is no decision.
    fn line(&mut self, line: &str) -> Fallible<()>;

    /// The decisions since this was last emptied.
    fn said(&mut self) -> &mut Vec<String>;
}

/// A test for each scenario of a directory below `tests`.
pub(crate) fn trials<S: Story>(folder: &str) -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of the test exists")
        .map(|entry| entry.expect("it is readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "scenario"))
        .collect();
    files.sort();
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || run::<S>(&path))
    };
    files.into_iter().map(trial).collect()
}

fn run<S: Story>(path: &Path) -> Result<(), Failed> {
    let expected = std::fs::read_to_string(path)?;
    let actual = replay::<S>(&expected)?;
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

/// The text of the scenario with the actual decisions.
fn replay<S: Story>(text: &str) -> Fallible<String> {
    let mut story = S::default();
    let mut out = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with('>') {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        story.line(line).map_err(|e| format!("{line}\n{e}"))?;
        for said in story.said().drain(..) {
            out.push_str(&format!("{} {said}\n", S::MARGIN));
        }
    }
    Ok(out)
}
