//! Interoperability with the reference keepalived, FRR and BIRD as the peer, in both roles; and with
//! Prometheus and a browser as clients.
//!
//! Skipped with a reason if Debian's keepalived, FRR, BIRD, Prometheus or Chromium is not installed.

#[path = "interop/bfd.rs"]
mod bfd;
#[path = "interop/dumped.rs"]
mod dumped;
#[path = "interop/exchange.rs"]
mod exchange;
#[path = "interop/frr.rs"]
mod frr;
mod lab;
#[path = "interop/mixed.rs"]
mod mixed;
#[path = "interop/neighbor.rs"]
mod neighbor;
#[path = "interop/notified.rs"]
mod notified;
#[path = "interop/restart.rs"]
mod restart;
#[path = "interop/scraped.rs"]
mod scraped;
#[path = "interop/steer.rs"]
mod steer;

use std::process::ExitCode;

/// Tests by path.
macro_rules! tests {
    ($($path:path),+ $(,)?) => { vec![$(lab::test(stringify!($path), $path)),+] };
}

fn main() -> ExitCode {
    let mut tests = tests![
        bfd::sessions_come_up_and_go_down_with_every_neighbor,
        bfd::sessions_over_several_hops,
        bfd::a_restart_of_ours_is_heard,
        bfd::a_neighbor_may_be_administratively_down,
        bfd::packets_are_authenticated_as_with_bird,
        scraped::the_dashboard_and_the_alerts_name_metrics_that_exist,
        scraped::promtool_finds_nothing_wrong_with_the_alerts,
        scraped::promtool_finds_nothing_wrong_with_the_metrics,
        scraped::prometheus_takes_every_sample,
        scraped::a_browser_shows_what_kactl_says,
        dumped::routers_with_all_that_they_track,
        dumped::routers_of_each_kind,
        dumped::routes_and_rules,
        dumped::bfd_sessions,
        notified::scripts_and_fifos_say_the_same,
        exchange::version_2_with_a_password_ours_above,
        exchange::version_2_with_a_password_theirs_above,
        exchange::authentication_headers_ours_above,
        exchange::authentication_headers_theirs_above,
        exchange::authentication_headers_of_unicast_ours_above,
        exchange::authentication_headers_of_unicast_theirs_above,
        exchange::version_3_over_ipv4_ours_above,
        exchange::version_3_over_ipv4_theirs_above,
        exchange::version_3_over_ipv6_ours_above,
        exchange::version_3_over_ipv6_theirs_above,
        exchange::unicast_over_ipv4_ours_above,
        exchange::unicast_over_ipv4_theirs_above,
        exchange::unicast_over_ipv6_ours_above,
        exchange::unicast_over_ipv6_theirs_above,
        exchange::equal_priorities_settle_after_a_split,
        exchange::an_old_style_unicast_checksum_is_understood,
        steer::the_reference_takes_over_by_priority,
        steer::the_reference_takes_over_by_priority_in_version_2,
        steer::the_reference_takes_over_after_a_goodbye,
        restart::the_reference_does_not_notice_a_hundred_restarts,
        mixed::vmac_version_2_over_ipv4_above_the_reference,
        mixed::vmac_version_2_over_ipv4_below_the_reference,
        mixed::vmac_version_2_over_ipv6_above_the_reference,
        mixed::vmac_version_2_over_ipv6_below_the_reference,
        mixed::vmac_version_3_over_ipv4_above_the_reference,
        mixed::vmac_version_3_over_ipv4_below_the_reference,
        mixed::vmac_version_3_over_ipv6_above_the_reference,
        mixed::vmac_version_3_over_ipv6_below_the_reference,
        mixed::vmac_version_2_over_ipv4_above_frr,
        mixed::vmac_version_2_over_ipv4_below_frr,
        mixed::vmac_version_3_over_ipv4_above_frr,
        mixed::vmac_version_3_over_ipv4_below_frr,
        mixed::vmac_version_3_over_ipv6_above_frr,
        mixed::vmac_version_3_over_ipv6_below_frr,
        mixed::version_2_over_ipv4_above_frr,
        mixed::version_2_over_ipv4_below_frr,
        mixed::version_3_over_ipv4_above_frr,
        mixed::version_3_over_ipv4_below_frr,
        mixed::version_3_over_ipv6_above_frr,
        mixed::version_3_over_ipv6_below_frr,
    ];
    // A session goes down when its neighbour gets no processor for 300 ms.
    tests.push(lab::test_alone(
        "bfd::intervals_change_while_a_session_is_up",
        bfd::intervals_change_while_a_session_is_up,
    ));
    tests.push(lab::test_alone(
        "bfd::restarts_by_command_are_not_heard",
        bfd::restarts_by_command_are_not_heard,
    ));
    lab::main(tests)
}
