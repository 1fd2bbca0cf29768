//! IPVS against the real kernel, compared with what ipvsadm says.
//!
//! The kernel of a build machine often has no IPVS, so this program starts itself again in a
//! User-Mode Linux guest, plays all of `guest.rs` there at once, and reports each part as a test.

mod guest;
#[path = "../lab/mod.rs"]
mod lab;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use lab::{output_of, require_program, Outcome, Skip};
use libtest_mimic::{Completion, Trial};

/// Set in the guest: which part to play.
const ROLE: &str = "KEEPALIVED_TEST_GUEST";
const ALL: &str = "all";
/// Begins the line with the result of a part.
const RESULT: &str = "@part";

macro_rules! parts {
    ($($name:ident),+ $(,)?) => {
        /// By name, in the order in which they are played.
        const PARTS: &[(&str, guest::Part)] = &[$((stringify!($name), guest::$name)),+];
        fn tests() -> Vec<Trial> {
            vec![$(lab::test(stringify!($name), || report(stringify!($name)))),+]
        }
    };
}

parts![
    the_module_is_loaded_when_it_is_needed,
    a_missing_module_is_named,
    every_scheduler,
    services_are_as_ipvsadm_shows_them,
    destinations_are_as_ipvsadm_shows_them,
    weights_and_thresholds_change_in_place,
    refusals_are_told_apart,
    timeouts_are_set_one_by_one,
    sync_daemons_come_and_go,
    daemons_and_timeouts_are_held_and_come_back,
    another_namespace_has_its_own_table,
    a_holding_mends_what_others_break,
    many_destinations_in_little_time,
];

fn main() -> ExitCode {
    if let Ok(role) = std::env::var(ROLE) {
        guest::play(PARTS.iter().filter(|(name, _)| role == ALL || role == *name));
        return ExitCode::SUCCESS;
    }
    let mut tests = tests();
    tests.push(Trial::ignorable_test(TWOS, the_scheduler_twos));
    lab::main(tests)
}

/// The one scheduler that Debian's guest kernel is built without. No package brings it, so that
/// `REQUIRE_ALL` cannot ask for it.
const TWOS: &str = "the_scheduler_twos";

fn the_scheduler_twos() -> Result<Completion, libtest_mimic::Failed> {
    match report("every_scheduler") {
        Ok(()) if results().0.contains_key(TWOS) => Ok(Completion::Completed),
        Ok(()) => Ok(Completion::ignored_with("this kernel has no ip_vs_twos")),
        Err(_) => Ok(Completion::ignored_with("the guest does not run here")),
    }
}

/// What each part said, from the one guest there is, and everything it said if it failed.
fn results() -> &'static (BTreeMap<String, String>, String) {
    static RESULTS: OnceLock<(BTreeMap<String, String>, String)> = OnceLock::new();
    RESULTS.get_or_init(|| {
        let own = std::env::current_exe().expect("the name of this program");
        let mut guest = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lab/uml-run"));
        guest.args(["-m", "512M", "-t", "240"]).arg(own).env(ROLE, ALL);
        let (code, said) = output_of(&mut guest);
        let lines = said.lines().filter_map(|line| line.strip_prefix(RESULT));
        let parts = lines.filter_map(|line| line.trim().split_once(' '));
        let parts = parts.map(|(name, result)| (name.to_owned(), result.to_owned())).collect();
        (parts, format!("the guest ended with {code:?}: {said}"))
    })
}

fn report(name: &str) -> Outcome {
    for (program, package) in [
        ("linux.uml", "user-mode-linux"),
        ("modprobe", "kmod"),
        ("busybox", "busybox-static"),
        ("ipvsadm", "ipvsadm"),
    ] {
        require_program(program, package)?;
    }
    if std::env::var_os("KEEPALIVED_LAB_USER_NAMESPACE").is_some() {
        return Err(Skip::new("the guest's init needs real root"));
    }
    let (parts, said) = results();
    match parts.get(name).map(String::as_str) {
        Some("ok") => Ok(()),
        Some(other) => panic!("{other}"),
        None => panic!("not played; {said}"),
    }
}
