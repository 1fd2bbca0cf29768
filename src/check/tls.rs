//! TLS as a filter over bytes, between a stream and the conversation.
//!
//! What `SSL_GET` is about is whether a server works, and so, as with keepalived, **no certificate
//! is verified**: it may be expired, self-signed, or for another name. That is acceptable here, and
//! only here, since nothing secret goes out and nothing that comes back is believed beyond "up" or
//! "down", which an impostor in the server's place could say without TLS, too.
//!
//! TLS 1.2 and 1.3 are spoken. In a build without the feature `tls` a [`Client`] cannot be made.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod client;
#[cfg(feature = "tls")]
mod filter;
#[cfg(feature = "tls")]
mod key;
#[cfg(feature = "tls")]
mod sessions;

use std::fmt;

#[cfg(not(feature = "tls"))]
pub use absent::{Client, Filter};
#[cfg(feature = "tls")]
pub use client::Client;
#[cfg(feature = "tls")]
pub use filter::Filter;

/// The contents (PEM) of the files of the `SSL` block. `ca` is not among them: no certificate is verified.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Material {
    /// Our certificate, and what leads to its authority.
    pub certificate: Option<Vec<u8>>,
    /// The key of our certificate.
    pub key: Option<Vec<u8>>,
    /// Of the key, should it need one.
    pub password: Option<String>,
}

impl Material {
    /// A certificate without a key, or the other way round: none is shown.
    pub const fn is_half(&self) -> bool {
        self.certificate.is_some() != self.key.is_some()
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = |part: &Option<Vec<u8>>| if part.is_some() { "given" } else { "none" };
        let (certificate, key) = (given(&self.certificate), given(&self.key));
        // Never the password.
        write!(f, "Material {{ certificate: {certificate}, key: {key} }}")
    }
}

/// Why the key material cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyError {
    /// The certificate, with the reason.
    Certificate(String),
    /// The key, with the reason.
    Key(String),
    /// Both are fine, but not together.
    Pair(String),
    /// This build has no TLS.
    NoTls,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(why) => write!(f, "cannot use the SSL certificate: {why}"),
            Self::Key(why) => write!(f, "cannot use the SSL key: {why}"),
            Self::Pair(why) => write!(f, "cannot use the SSL certificate with this key: {why}"),
            Self::NoTls => {
                f.write_str("this keepalived was built without TLS, SSL_GET cannot work")
            }
        }
    }
}

impl std::error::Error for KeyError {}

#[cfg(all(test, feature = "tls"))]
mod tests;
