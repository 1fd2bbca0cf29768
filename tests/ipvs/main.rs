//! IPVS against the real kernel, compared with what ipvsadm says.
//!
//! The kernel of a build machine often has no IPVS, so this program starts itself again in a
//! User-Mode Linux guest, plays all of `guest.rs` there at once, and reports each part as a test.

mod guest;
#[path = "../lab/mod.rs"]
mod lab;

use std::process::ExitCode;

use lab::Guest;
use libtest_mimic::{Completion, Trial};

macro_rules! parts {
    ($($name:ident),+ $(,)?) => {
        /// One after the other: they share the kernel's table.
        static GUEST: Guest = Guest::new("512M", 1, &[
            $((stringify!($name), || { guest::$name(); Ok(()) })),+
        ]);
        fn tests() -> Vec<Trial> {
            vec![$(lab::test(stringify!($name), || GUEST.report(stringify!($name)))),+]
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
    if GUEST.plays() {
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
    match GUEST.report("every_scheduler") {
        Ok(()) if GUEST.mentioned(TWOS) => Ok(Completion::Completed),
        Ok(()) => Ok(Completion::ignored_with("this kernel has no ip_vs_twos")),
        Err(_) => Ok(Completion::ignored_with("the guest does not run here")),
    }
}
