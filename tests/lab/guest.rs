//! Tests that run in a User-Mode Linux guest, whose kernel has features that the kernel of a build
//! machine often lacks.
//!
//! A guest takes seconds to start, so the program re-executes itself in one guest, runs all tests
//! there, and reports each of them separately.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::OnceLock;

use libtest_mimic::Arguments;

use super::{output_of, require_program, Outcome, Skip};

/// Set in the guest: filters for the names of the tests to run.
const PARTS: &str = "KEEPALIVED_TEST_PARTS";
/// Prefix of the line with the result of a test.
const RESULT: &str = "@part";

pub(crate) type Part = (&'static str, fn() -> Outcome);

pub(crate) struct Guest {
    memory: &'static str,
    /// Number of tests run concurrently.
    at_once: usize,
    parts: &'static [Part],
    played: OnceLock<Played>,
    /// The guest's output is shown only with the first failure.
    shown: AtomicBool,
}

struct Played {
    results: BTreeMap<String, String>,
    said: String,
}

impl Guest {
    pub(crate) const fn new(memory: &'static str, at_once: usize, parts: &'static [Part]) -> Self {
        let played = OnceLock::new();
        Self { memory, at_once, parts, played, shown: AtomicBool::new(false) }
    }

    /// In the guest: runs the tests, and returns true.
    pub(crate) fn plays(&self) -> bool {
        let Ok(wanted) = std::env::var(PARTS) else { return false };
        let matching = self.parts.iter().filter(|(name, _)| plain(name).contains(&wanted));
        let mut chosen: Vec<_> = matching.collect();
        if chosen.is_empty() {
            chosen = self.parts.iter().collect();
        }
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.at_once {
                scope.spawn(|| {
                    while let Some((name, part)) = chosen.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        say(name, &result_of(*part));
                    }
                });
            }
        });
        true
    }

    /// Result of a test.
    pub(crate) fn report(&self, name: &str) -> Outcome {
        for (program, package) in
            [("linux.uml", "user-mode-linux"), ("modprobe", "kmod"), ("busybox", "busybox-static")]
        {
            require_program(program, package)?;
        }
        require_program("ipvsadm", "ipvsadm")?;
        if std::env::var_os("KEEPALIVED_LAB_USER_NAMESPACE").is_some() {
            return Err(Skip::new("the guest's init needs real root"));
        }
        let played = self.played();
        let result = played.results.get(&plain(name)).map_or("not played", String::as_str);
        if result == "ok" {
            return Ok(());
        }
        if let Some(reason) = result.strip_prefix("skipped: ") {
            return Err(Skip::new(reason));
        }
        let first = !self.shown.swap(true, Ordering::Relaxed);
        panic!("{result}{}", if first { &played.said } else { "" });
    }

    /// True if the guest reported a result under this name.
    pub(crate) fn mentioned(&self, name: &str) -> bool {
        self.played().results.contains_key(name)
    }

    fn played(&self) -> &Played {
        self.played.get_or_init(|| {
            let own = std::env::current_exe().expect("the name of this program");
            let runner = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lab/uml-run");
            let wanted = Arguments::from_args().filter.unwrap_or_default();
            let mut guest = Command::new(runner);
            guest.args(["-m", self.memory, "-t", "900"]).arg(own).env(PARTS, wanted);
            let (code, said) = output_of(guest.env_remove("TMPDIR"));
            let lines = said.lines().filter_map(|line| line.strip_prefix(RESULT));
            let results = lines.filter_map(|line| line.trim().split_once(' '));
            let results = results.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
            Played { results, said: format!("\nthe guest ended with {code:?}: {said}") }
        })
    }
}

/// In the guest: reports a result under this name.
pub(crate) fn say(name: &str, result: &str) {
    println!("{RESULT} {} {result}", plain(name));
}

/// Removes the spaces that `stringify!` may put into a path.
fn plain(name: &str) -> String {
    name.replace(' ', "")
}

fn result_of(part: fn() -> Outcome) -> String {
    match catch_unwind(part) {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(Skip(reason))) => format!("skipped: {reason}"),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            format!("failed: {}", text.unwrap_or_default().replace('\n', " | "))
        }
    }
}
