//! Interoperability with the reference keepalived and with FRR as the peer, in both roles.
//!
//! Skipped with a reason if Debian's keepalived or FRR is not installed.

#[path = "interop/exchange.rs"]
mod exchange;
#[path = "interop/frr.rs"]
mod frr;
mod lab;
#[path = "interop/mixed.rs"]
mod mixed;
#[path = "interop/notified.rs"]
mod notified;

use std::process::ExitCode;

/// Tests by path.
macro_rules! tests {
    ($($path:path),+ $(,)?) => { vec![$(lab::test(stringify!($path), $path)),+] };
}

fn main() -> ExitCode {
    lab::main(tests![
        notified::scripts_and_fifos_say_the_same,
        exchange::version_2_with_a_password_ours_above,
        exchange::version_2_with_a_password_theirs_above,
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
    ])
}
