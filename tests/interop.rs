//! Interoperability with the reference keepalived as the peer, in both roles.
//!
//! Skipped with a reason if Debian's keepalived is not installed.

#[path = "interop/exchange.rs"]
mod exchange;
mod lab;
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
    ])
}
