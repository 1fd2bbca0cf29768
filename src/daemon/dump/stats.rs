//! The statistics file: the counters of each instance, in keepalived's format.

use std::fmt::Write as _;

use super::View;
use crate::daemon::status::instance as status;
use crate::status::Counters;

pub(super) fn render(view: &View<'_>) -> String {
    let mut out = String::new();
    for (_, i) in view.instances() {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "VRRP Instance: {}", i.config().name);
        let counters = status::counters(i);
        for (label, counter) in LINES {
            let _ = match counter {
                Some(counter) => writeln!(out, "{label}: {}", counter(&counters)),
                None => writeln!(out, "{label}:"),
            };
        }
    }
    out
}

type Counter = fn(&Counters) -> u64;

/// Labels with their indentation; headings have no counter.
const LINES: &[(&str, Option<Counter>)] = &[
    ("  Advertisements", None),
    ("    Received", Some(|c| c.advert_rcvd)),
    ("    Sent", Some(|c| c.advert_sent)),
    ("  Became master", Some(|c| c.become_master)),
    ("  Released master", Some(|c| c.release_master)),
    ("  Packet Errors", None),
    ("    Length", Some(|c| c.packet_len_err)),
    ("    TTL", Some(|c| c.ip_ttl_err)),
    ("    Invalid Type", Some(|c| c.invalid_type_rcvd)),
    ("    Advertisement Interval", Some(|c| c.advert_interval_err)),
    ("    Address List", Some(|c| c.addr_list_err)),
    ("  Authentication Errors", None),
    ("    Invalid Type", Some(|c| c.invalid_authtype)),
    ("    Type Mismatch", Some(|c| c.authtype_mismatch)),
    ("    Failure", Some(|c| c.auth_failure)),
    ("  Authentication Extension Errors", None),
    ("    Missing", Some(|c| c.auth_ext_missing)),
    ("    Malformed", Some(|c| c.auth_ext_malformed)),
    ("    Unknown Key", Some(|c| c.auth_ext_unknown_key)),
    ("    Invalid HMAC", Some(|c| c.auth_ext_invalid_hmac)),
    ("    Stale", Some(|c| c.auth_ext_stale)),
    ("    Replay", Some(|c| c.auth_ext_replay)),
    ("  Priority Zero", None),
    ("    Received", Some(|c| c.pri_zero_rcvd)),
    ("    Sent", Some(|c| c.pri_zero_sent)),
];
