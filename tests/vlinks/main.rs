//! Virtual interfaces in a real kernel: requests of the library, read back by it and by `ip`.
//!
//! The kernel of a build machine often lacks ipvlans and VRFs, so all of `kinds.rs` runs in a
//! User-Mode Linux guest; what needs a macvlan only runs on the host as well. `daemons.rs` runs
//! whole daemons there. `adverts.rs` sends packets through VMACs.

mod adverts;
mod daemons;
mod kinds;
#[path = "../lab/mod.rs"]
mod lab;

use std::process::ExitCode;

use lab::{Guest, Host, Outcome};

macro_rules! parts {
    (kinds: $($kind:ident),+; daemons: $($daemon:ident),+;) => {
        static GUEST: Guest = Guest::new("512M", 4, &[
            $((concat!("daemons::", stringify!($daemon)), daemons::$daemon),)+
            $((stringify!($kind), || fresh(kinds::$kind)),)+
        ]);
        fn tests() -> Vec<libtest_mimic::Trial> {
            vec![
                $(lab::test(
                    concat!("guest::daemons::", stringify!($daemon)),
                    || GUEST.report(concat!("daemons::", stringify!($daemon))),
                ),)+
                $(lab::test(
                    concat!("guest::", stringify!($kind)),
                    || GUEST.report(stringify!($kind)),
                ),)+
            ]
        }
    };
}

parts![
    kinds:
        a_macvlan_is_made_and_changed,
        settings_take_effect,
        a_vrf_and_its_ports,
        an_ipvlan_of_each_kind,
        refusals_are_distinguished;
    daemons:
        ipvlans_over_ipv4,
        ipvlans_over_ipv6,
        vmacs_in_a_vrf,
        unicast_in_a_vrf,
        a_vlan_as_the_base,
        a_bond_as_the_base,
        a_port_of_a_bond_is_a_fault;
];

/// Runs a test in a namespace of its own, with `eth0`, which is up.
fn fresh(test: fn(&Host)) -> Outcome {
    let host = Host::new("a");
    host.ip("link add eth0 type veth peer name wire\nlink set wire up\nlink set eth0 up");
    let _inside = host.enter();
    test(&host);
    Ok(())
}

fn main() -> ExitCode {
    if GUEST.plays() {
        return ExitCode::SUCCESS;
    }
    let mut tests = tests();
    let adverts: [(_, fn() -> Outcome); 3] = [
        (
            "an_ipv4_advert_has_the_address_of_the_base",
            adverts::an_ipv4_advert_has_the_address_of_the_base,
        ),
        (
            "an_ipv6_advert_has_an_address_of_the_vmac",
            adverts::an_ipv6_advert_has_an_address_of_the_vmac,
        ),
        (
            "announcements_have_the_address_of_the_vmac",
            adverts::announcements_have_the_address_of_the_vmac,
        ),
    ];
    tests.push(lab::test("host::a_macvlan_is_made_and_changed", || {
        fresh(kinds::a_macvlan_is_made_and_changed)
    }));
    tests.push(lab::test("host::settings_take_effect", || fresh(kinds::settings_take_effect)));
    for (name, test) in adverts {
        tests.push(lab::test(name, test));
    }
    lab::main(tests)
}
