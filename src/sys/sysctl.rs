//! Settings under `/proc/sys/net`: of interfaces, for which `all` and `default` stand as well, and of
//! the network namespace.

use std::io;
use std::path::PathBuf;

use super::open;
use crate::base::addr::Family;

/// In place of the name of an interface, which it cannot be: the setting is of the network namespace.
pub const NETWORK: &str = ".";

/// True if the interface forwards IPv6, so that this host is a router there (RFC 4861 §4.4).
pub fn is_forwarding(link: &str) -> bool {
    read(Family::V6, link, "forwarding").is_ok_and(|value| value != "0")
}

/// The value of a setting.
///
/// # Errors
/// There is no such interface or setting.
pub fn read(family: Family, link: &str, name: &str) -> io::Result<String> {
    let value = open::kernel_read(&path(family, link, name)?)?;
    Ok(String::from_utf8_lossy(value.trim_ascii()).into_owned())
}

/// Sets the setting.
///
/// # Errors
/// There is no such interface or setting, or the value is refused.
pub fn write(family: Family, link: &str, name: &str, value: &str) -> io::Result<()> {
    open::kernel_write(&path(family, link, name)?, value.as_bytes())
}

/// Sets the setting and returns its previous value.
///
/// # Errors
/// `EEXIST`: it has that value already.
pub fn change(family: Family, link: &str, name: &str, value: &str) -> io::Result<String> {
    let before = read(family, link, name)?;
    if before == value {
        return Err(io::Error::from_raw_os_error(libc::EEXIST));
    }
    write(family, link, name, value)?;
    Ok(before)
}

/// As [`change`], for IPv4.
///
/// # Errors
/// `EEXIST`: it has that value already.
pub fn set(link: &str, name: &str, value: &str) -> io::Result<String> {
    change(Family::V4, link, name, value)
}

/// Names may come from a file, and must not lead elsewhere.
fn path(family: Family, link: &str, name: &str) -> io::Result<PathBuf> {
    let family = match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    };
    let leads_elsewhere = |word: &str| matches!(word, "" | "." | "..") || word.contains('/');
    if leads_elsewhere(name) || (link != NETWORK && leads_elsewhere(link)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if link == NETWORK {
        return Ok(PathBuf::from(format!("/proc/sys/net/{family}/{name}")));
    }
    Ok(PathBuf::from(format!("/proc/sys/net/{family}/conf/{link}/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_by_family_and_name() {
        let value = read(Family::V4, "lo", "rp_filter").expect("lo has it");
        assert!(value.parse::<u8>().is_ok(), "{value}");
        let e = change(Family::V4, "lo", "rp_filter", &value).expect_err("it is the same");
        assert_eq!(e.raw_os_error(), Some(libc::EEXIST));
        let e = read(Family::V4, "none0", "rp_filter").expect_err("no such interface");
        assert_eq!(e.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn names_do_not_lead_elsewhere() {
        for (link, name) in
            [("..", "x"), ("lo", "../lo/rp_filter"), ("", "x"), ("lo", ""), (".", "..")]
        {
            let e = read(Family::V4, link, name).expect_err("not a name");
            assert_eq!(e.kind(), io::ErrorKind::InvalidInput, "{link} {name}");
        }
    }
}
