//! Whole daemons with virtual servers: directors, real servers and clients, with the kernel's IPVS.
//!
//! All tests run in one User-Mode Linux guest, several at a time; each has its own namespaces, and
//! therefore its own tables. `KEEPALIVED=/usr/sbin/keepalived cargo test --test lvs_uml` runs them
//! with another program, except for those that only this program is expected to pass.

mod checkers;
mod dumped;
#[path = "../netns/exporters.rs"]
mod exporters;
mod failover;
mod farm;
#[path = "../lab/mod.rs"]
mod lab;
mod mail;
mod marks;
mod quorum;
mod restart;
mod steer;
mod tables;
mod tls;
mod traffic;
mod vrrp;

use std::process::ExitCode;

use lab::Guest;

/// Tests by path.
macro_rules! parts {
    ($($path:path),+ $(,)?) => {
        static GUEST: Guest = Guest::new("768M", 6, &[$((stringify!($path), $path)),+]);
        fn tests() -> Vec<libtest_mimic::Trial> {
            vec![$(lab::test(stringify!($path), || GUEST.report(stringify!($path)))),+]
        }
    };
}

parts![
    mail::mail_about_servers_and_quorums_follows_the_settings,
    tls::configured_names_reach_the_server,
    tls::the_client_certificate_is_sent_on_request,
    tls::a_reload_can_correct_an_invalid_key,
    failover::direct_routing_alternates_between_servers,
    failover::address_translation_alternates_between_servers,
    checkers::tls_mail_and_name_servers_come_and_go,
    checkers::tcp_and_http_servers_come_and_go,
    checkers::wrong_pages_are_failures,
    checkers::ports_and_hosts_come_and_go,
    checkers::scripts_and_files_give_weights,
    quorum::the_sorry_server_serves_below_the_quorum,
    quorum::alpha_starts_without_servers,
    quorum::inhibited_servers_stay_with_weight_0,
    quorum::an_inhibited_sorry_server_waits_with_weight_0,
    quorum::everything_can_be_inhibited_at_once,
    quorum::a_flush_on_stop_notifies_virtual_servers_only,
    tables::the_table_equals_that_of_the_reference,
    tables::a_reload_applies_changes,
    tables::a_reload_keeps_unchanged_entries,
    tables::services_can_be_kept_at_a_stop,
    tables::a_reload_adds_and_removes_group_entries,
    checkers::servers_behind_forbidding_routes_are_out,
    checkers::a_dead_server_stays_out_at_a_reload,
    checkers::a_crash_changes_no_server,
    checkers::required_replies_are_compared,
    tls::sessions_of_many_servers_are_resumed,
    vrrp::checks_are_suspended_without_the_address,
    vrrp::the_sync_daemon_follows_the_instance,
    steer::a_server_is_drained_disabled_and_weighed_by_command,
    traffic::metrics_show_what_ipvs_counts,
    restart::no_connection_of_2000_services_fails_at_restarts,
    dumped::groups_servers_and_every_check,
    dumped::routers_on_an_ipvlan_and_in_a_vrf,
    dumped::exporters_find_everything_beside_virtual_servers,
    marks::a_group_is_one_service_that_its_mark_leads_to,
];

fn main() -> ExitCode {
    if GUEST.plays() {
        return ExitCode::SUCCESS;
    }
    lab::main(tests())
}
