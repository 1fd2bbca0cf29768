//! IPVS in a real kernel, compared with the output of ipvsadm.
//!
//! The kernel of a build machine often has no IPVS, so this program re-executes itself in a
//! User-Mode Linux guest, runs all of `guest.rs` there, and reports each function as a test.

mod guest;
#[path = "../lab/mod.rs"]
mod lab;

use std::process::ExitCode;

use lab::Guest;
use libtest_mimic::{Completion, Trial};

macro_rules! parts {
    ($($name:ident),+ $(,)?) => {
        /// Run sequentially: they share the kernel's table.
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
    a_missing_module_is_reported,
    every_scheduler,
    services_match_the_output_of_ipvsadm,
    destinations_match_the_output_of_ipvsadm,
    weights_and_thresholds_change_in_place,
    refusals_are_distinguished,
    timeouts_are_set_one_by_one,
    sync_daemons_come_and_go,
    daemons_and_timeouts_are_held_and_restored,
    another_namespace_has_its_own_table,
    external_changes_are_repaired,
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

/// The only scheduler missing in Debian's guest kernel. No package provides it, so `REQUIRE_ALL`
/// cannot require it.
const TWOS: &str = "the_scheduler_twos";

fn the_scheduler_twos() -> Result<Completion, libtest_mimic::Failed> {
    match GUEST.report("every_scheduler") {
        Ok(()) if GUEST.mentioned(TWOS) => Ok(Completion::Completed),
        Ok(()) => Ok(Completion::ignored_with("this kernel has no ip_vs_twos")),
        Err(_) => Ok(Completion::ignored_with("the guest does not run here")),
    }
}
