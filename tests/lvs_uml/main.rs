//! Whole daemons with virtual servers: directors, real servers and clients, against the real IPVS.
//!
//! All of it is played in one User-Mode Linux guest, several parts at a time; each has namespaces
//! of its own, and so tables of its own. `KEEPALIVED=/usr/sbin/keepalived cargo test --test lvs_uml`
//! plays the same with another program, without what only ours promises.

mod failover;
mod farm;
#[path = "../lab/mod.rs"]
mod lab;

use std::process::ExitCode;

use lab::Guest;

/// Parts by their paths.
macro_rules! parts {
    ($($path:path),+ $(,)?) => {
        static GUEST: Guest = Guest::new("768M", 6, &[$((stringify!($path), $path)),+]);
        fn tests() -> Vec<libtest_mimic::Trial> {
            vec![$(lab::test(stringify!($path), || GUEST.report(stringify!($path)))),+]
        }
    };
}

parts![
    failover::clients_are_served_in_turn_by_direct_routing,
    failover::clients_are_served_in_turn_by_address_translation,
];

fn main() -> ExitCode {
    if GUEST.plays() {
        return ExitCode::SUCCESS;
    }
    lab::main(tests())
}
