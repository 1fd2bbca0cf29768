//! `bfd_instance`.

use super::REVERSE;
use crate::config::keyword::{int, strict, Kind, Unit};
use crate::config::table::{address, flag, number, switch, table, time, Table};

/// Milliseconds with up to three decimals, from `min` microseconds on.
const fn millis(min: u64) -> Kind {
    Kind::Time { unit: Unit::Millis, min, max: 4_294_967_000 }
}

pub(super) static BFD_INSTANCE: Table<()> = table!(
    (),
    "bfd_instance",
    [
        address("source_ip", &[Kind::Address]).default("chosen by the kernel").later(),
        address("neighbor_ip", &[Kind::Address]).default("none, required").later(),
        address("neighbour_ip", &[Kind::Address]).alias("neighbor_ip"),
        time("min_rx", &[millis(1_000)]).default("10").later(),
        time("min_tx", &[millis(1_000)]).default("10").later(),
        time("idle_tx", &[millis(1_000_000)]).default("1000").later(),
        number("multiplier", &[strict(1, 255)]).default("5").later(),
        flag("passive").later(),
        number("ttl", &[strict(1, 255)]).default("255 (IPv4)").later(),
        number("hoplimit", &[strict(1, 255)]).default("64 (IPv6)").later(),
        number("max_hops", &[strict(-1, 255)]).default("0").later(),
        switch("multihop").later(),
        number("weight", &[int(-253, 253), REVERSE]).default("0 (FAULT when down)").later(),
        flag("vrrp").default("both vrrp and checker when neither is given").later(),
        flag("checker").default("both vrrp and checker when neither is given").later(),
    ]
);
