//! Whole daemons with virtual servers: directors, real servers and clients, against the real IPVS.
//!
//! All of it is played in one User-Mode Linux guest, several parts at a time; each has namespaces
//! of its own, and so tables of its own. `KEEPALIVED=/usr/sbin/keepalived cargo test --test lvs_uml`
//! plays the same with another program, without what only ours promises.

mod checkers;
mod failover;
mod farm;
#[path = "../lab/mod.rs"]
mod lab;
mod mail;
mod quorum;
mod tables;
mod tls;
mod vrrp;

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
    mail::mails_tell_of_servers_and_quorums_to_who_wants_it,
    tls::names_reach_the_server_as_they_are_configured,
    tls::servers_that_ask_for_our_certificate_get_it,
    tls::a_key_that_was_wrong_can_be_put_right,
    failover::clients_are_served_in_turn_by_direct_routing,
    failover::clients_are_served_in_turn_by_address_translation,
    checkers::tls_mail_and_name_servers_come_and_go,
    checkers::tcp_and_http_servers_come_and_go,
    checkers::wrong_pages_are_failures,
    checkers::ports_and_hosts_come_and_go,
    checkers::scripts_and_files_give_weights,
    quorum::the_sorry_server_serves_below_the_quorum,
    quorum::alpha_begins_without_servers,
    quorum::inhibited_servers_stay_with_weight_0,
    quorum::an_inhibited_sorry_server_waits_with_weight_0,
    quorum::everything_can_be_inhibited_at_once,
    quorum::a_flush_at_the_stop_tells_of_virtual_servers_only,
    tables::everything_is_as_the_reference_has_it,
    tables::a_reload_changes_what_has_changed,
    tables::a_reload_keeps_what_has_not_changed,
    tables::services_can_be_kept_at_a_stop,
    tables::lines_of_a_group_come_and_go_at_a_reload,
    checkers::servers_behind_forbidding_routes_are_out,
    checkers::a_dead_server_stays_out_at_a_reload,
    checkers::replies_are_compared_when_they_are_required,
    tls::sessions_of_many_servers_are_resumed,
    vrrp::checks_are_suspended_without_the_address,
    vrrp::the_sync_daemon_follows_the_instance,
];

fn main() -> ExitCode {
    if GUEST.plays() {
        return ExitCode::SUCCESS;
    }
    lab::main(tests())
}
