//! The child that looks a name up for the daemon (`sys/lookup.rs`): it may wait, the daemon not.

use std::ffi::OsStr;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};

use crate::sys::lookup;

/// Asks the resolver of the C library; gives what to tell the daemon.
pub fn run(name: &OsStr) -> String {
    lookup::limit_life();
    lookup::emit(&addresses(name))
}

fn addresses(name: &OsStr) -> io::Result<Vec<IpAddr>> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "the name is no text");
    let name = name.to_str().ok_or_else(invalid)?;
    // The port does not matter; without one there is no such question in std.
    Ok((name, 25).to_socket_addrs()?.map(|a| a.ip()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_its_own_name() {
        let all = |name: &str| addresses(OsStr::new(name)).expect("needs no asking");
        assert_eq!(all("127.0.0.9"), ["127.0.0.9".parse::<IpAddr>().expect("an address")]);
        assert_eq!(all("::1"), ["::1".parse::<IpAddr>().expect("an address")]);
    }
}
