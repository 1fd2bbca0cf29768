//! Settings of interfaces under `/proc/sys/net`.

use std::io;
use std::path::Path;

use super::open;

/// True if the interface forwards IPv6, so that this host is a router there (RFC 4861 §4.4).
pub fn is_forwarding(link: &str) -> bool {
    let path = path(true, link, "forwarding");
    open::kernel_read(Path::new(&path)).is_ok_and(|value| value.trim_ascii() != b"0")
}

/// Sets the IPv4 setting and returns its previous value.
///
/// # Errors
/// `EEXIST`: it has that value already.
pub fn set(link: &str, name: &str, value: &str) -> io::Result<String> {
    replace(&path(false, link, name), value)
}

/// The same for an IPv4 setting of the network namespace.
///
/// # Errors
/// `EEXIST`: it has that value already.
pub fn set_for_all(name: &str, value: &str) -> io::Result<String> {
    replace(&format!("/proc/sys/net/ipv4/{name}"), value)
}

fn replace(path: &str, value: &str) -> io::Result<String> {
    let before = open::kernel_read(Path::new(path))?;
    let before = String::from_utf8_lossy(before.trim_ascii()).into_owned();
    if before == value {
        return Err(io::Error::from_raw_os_error(libc::EEXIST));
    }
    open::kernel_write(Path::new(path), value.as_bytes())?;
    Ok(before)
}

fn path(v6: bool, link: &str, name: &str) -> String {
    let family = if v6 { "ipv6" } else { "ipv4" };
    format!("/proc/sys/net/{family}/conf/{link}/{name}")
}
