//! One `bfd_instance`: a BFD session with a neighbour (RFC 5880).

use std::net::IpAddr;
use std::time::Duration;

use super::secret::Secret;

/// One `bfd_instance`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BfdInstance {
    /// At most 31 characters.
    pub name: String,
    /// `neighbor_ip`.
    pub neighbor: IpAddr,
    /// `interface`: of a link-local neighbour, and of no other; a superset of keepalived's language.
    pub interface: Option<String>,
    /// `source_ip`, of the family of the neighbour; default: chosen by the kernel.
    pub source: Option<IpAddr>,
    /// `min_rx`: Required Min RX Interval; default 10 ms.
    pub min_rx: Duration,
    /// `min_tx`: Desired Min TX Interval while the session is Up; default 10 ms.
    pub min_tx: Duration,
    /// `idle_tx`: Desired Min TX Interval while it is not Up; at least and by default 1 s
    /// (RFC 5880 section 6.8.3).
    pub idle_tx: Duration,
    /// `multiplier` 1..=255: Detect Mult; default 5.
    pub multiplier: u8,
    /// `passive`: sends nothing before the neighbour has (RFC 5880 section 6.1).
    pub passive: bool,
    /// `ttl`, `hoplimit` 1..=255: of sent packets; default 255.
    pub ttl: u8,
    /// Most routers between the two; `None`: not checked. A received packet has a TTL of at least
    /// 255 - `max_hops` (RFC 5881 section 5). The configuration counts from its `ttl` instead.
    pub max_hops: Option<u8>,
    /// `multihop`: port 4784 instead of 3784 (RFC 5883).
    pub multihop: bool,
    /// `auth`: authentication of packets; a superset of keepalived's language.
    pub auth: Option<BfdAuth>,
    /// `weight` -253..=253, for instances that track the session; 0: FAULT while it is not Up.
    pub weight: i16,
    pub reverse: bool,
    /// `vrrp`: instances and groups may track it; also without `checker`.
    pub for_vrrp: bool,
    /// `checker`: real servers may follow it; also without `vrrp`.
    pub for_checks: bool,
}

impl BfdInstance {
    /// A session with nothing but the defaults.
    pub fn new(name: &str, neighbor: IpAddr) -> Self {
        Self {
            name: name.to_owned(),
            neighbor,
            interface: None,
            source: None,
            min_rx: Duration::from_millis(10),
            min_tx: Duration::from_millis(10),
            idle_tx: Duration::from_secs(1),
            multiplier: 5,
            passive: false,
            ttl: 255,
            max_hops: Some(0),
            multihop: false,
            auth: None,
            weight: 0,
            reverse: false,
            for_vrrp: true,
            for_checks: true,
        }
    }
}

/// `auth`: authentication of a session (RFC 5880 section 6.7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BfdAuth {
    pub kind: BfdAuthKind,
    /// Auth Key ID.
    pub key_id: u8,
    /// 1 to 20 bytes.
    pub key: Secret,
}

/// `type`. Simple passwords and MD5 are not offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BfdAuthKind {
    /// `sha1`: Keyed SHA1; the sequence number increases occasionally.
    Sha1,
    /// `meticulous_sha1`: Meticulous Keyed SHA1; it increases with every packet.
    MeticulousSha1,
}
