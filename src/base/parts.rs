//! Parts that a build can do without, each with its feature of Cargo.
//!
//! What belongs to a part asks here before it begins. The condition is a constant, so what follows is not
//! in a binary without the part.

/// Virtual servers: IPVS, checks of servers, and `genhash`.
pub const LVS: bool = cfg!(feature = "lvs");
/// Sessions with neighbours (RFC 5880).
pub const BFD: bool = cfg!(feature = "bfd");
/// `SSL_GET`, and `genhash -S`.
pub const TLS: bool = cfg!(feature = "tls");
/// `regex` of a check.
pub const REGEX: bool = cfg!(feature = "regex");

/// All of them, as `keepalived -v` names them.
pub const ALL: [(&str, bool); 4] =
    [("virtual servers", LVS), ("BFD", BFD), ("TLS", TLS), ("regular expressions", REGEX)];
