//! The child process that looks up a host, user or group for the daemon (`sys/lookup.rs`), since
//! look-ups may block.

use std::ffi::OsStr;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};

use crate::sys::{lookup, users};

/// Queries the C library and returns the answer for the daemon; `None` if the arguments are not a
/// query.
pub fn run(flag: &OsStr, name: &OsStr) -> Option<String> {
    let about = |answer: fn(&str) -> String| name.to_str().map_or_else(String::new, answer);
    let answer: &dyn Fn() -> String = match flag.to_str()? {
        lookup::HOST => &|| lookup::emit(&addresses(name)),
        lookup::USER => &|| about(users::answer_about_user),
        lookup::GROUP => &|| about(users::answer_about_group),
        _ => return None,
    };
    lookup::limit_life();
    Some(answer())
}

fn addresses(name: &OsStr) -> io::Result<Vec<IpAddr>> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "the name is not valid UTF-8");
    let name = name.to_str().ok_or_else(invalid)?;
    // The port is ignored; the function of std needs one.
    Ok((name, 25).to_socket_addrs()?.map(|a| a.ip()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_its_own_name() {
        let all = |name: &str| addresses(OsStr::new(name)).expect("a literal address");
        assert_eq!(all("127.0.0.9"), ["127.0.0.9".parse::<IpAddr>().expect("an address")]);
        assert_eq!(all("::1"), ["::1".parse::<IpAddr>().expect("an address")]);
    }
}
