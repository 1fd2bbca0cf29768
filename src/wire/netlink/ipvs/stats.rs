//! Counters and rates of a service or a destination.

use crate::wire::netlink::{attributes, exactly};
use crate::wire::Malformed;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Connections scheduled.
    pub connections: u64,
    pub packets_in: u64,
    pub packets_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Rates are per second.
    pub connection_rate: u64,
    pub packet_rate_in: u64,
    pub packet_rate_out: u64,
    pub byte_rate_in: u64,
    pub byte_rate_out: u64,
}

impl Stats {
    /// Parses the attributes of either form, `STATS` (mostly 32 bits) or `STATS64`.
    pub(super) fn parse(list: &[u8]) -> Result<Self, Malformed> {
        let mut s = Self::default();
        for attribute in attributes(list) {
            let (kind, value) = attribute?;
            let field = match kind {
                1 => &mut s.connections,
                2 => &mut s.packets_in,
                3 => &mut s.packets_out,
                4 => &mut s.bytes_in,
                5 => &mut s.bytes_out,
                6 => &mut s.connection_rate,
                7 => &mut s.packet_rate_in,
                8 => &mut s.packet_rate_out,
                9 => &mut s.byte_rate_in,
                10 => &mut s.byte_rate_out,
                _ => continue,
            };
            *field = number(value)?;
        }
        Ok(s)
    }
}

fn number(value: &[u8]) -> Result<u64, Malformed> {
    match value.len() {
        4 => exactly(value).map(|v| u32::from_ne_bytes(v).into()),
        _ => exactly(value).map(u64::from_ne_bytes),
    }
}
