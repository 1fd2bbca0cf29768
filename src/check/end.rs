//! How a connection ends, with TLS and without.

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// As the protocol wants it. Without TLS always.
    Orderly,
    /// Without the end that TLS demands (RFC 8446 §6.1).
    Cut,
}
