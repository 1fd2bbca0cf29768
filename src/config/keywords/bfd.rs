//! `bfd_instance`.

use super::REVERSE;
use crate::config::keyword::{
    address, boolean, flag, int, one, row, sorted, strict, Block, Kind, Unit,
};

/// Milliseconds with up to three decimals, from `min` microseconds on.
const fn millis(min: u64) -> Kind {
    Kind::Time { unit: Unit::Millis, min, max: 4_294_967_000 }
}

pub(super) static BFD_INSTANCE: Block = Block {
    name: "bfd_instance",
    keywords: &sorted([
        address("source_ip").default("chosen by the kernel"),
        address("neighbor_ip").default("none, required"),
        address("neighbour_ip").alias("neighbor_ip"),
        one("min_rx", &[millis(1_000)]).default("10"),
        one("min_tx", &[millis(1_000)]).default("10"),
        one("idle_tx", &[millis(1_000_000)]).default("1000"),
        one("multiplier", &[strict(1, 255)]).default("5"),
        flag("passive"),
        one("ttl", &[strict(1, 255)]).default("255 (IPv4)"),
        one("hoplimit", &[strict(1, 255)]).default("64 (IPv6)"),
        one("max_hops", &[strict(-1, 255)]).default("0"),
        boolean("multihop"),
        row("weight", 1, &[int(-253, 253), REVERSE]).default("0 (FAULT when down)"),
        flag("vrrp").default("both vrrp and checker when neither is given"),
        flag("checker").default("both vrrp and checker when neither is given"),
    ]),
};
