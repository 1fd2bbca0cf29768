//! Kernel settings under `/proc/sys`.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{open, reason};

/// True if the interface forwards IPv6, that is, if we are a router there (RFC 4861 §4.4).
pub fn is_forwarding(link: &str) -> bool {
    let path = format!("/proc/sys/net/ipv6/conf/{link}/forwarding");
    open::kernel_read(Path::new(&path)).is_ok_and(|value| value.trim_ascii() != b"0")
}

/// Interfaces on which `promote_secondaries` was switched on for the daemon's time: without it the
/// kernel removes every secondary address together with its primary.
#[derive(Debug, Default)]
pub struct Promoted {
    before: BTreeMap<String, Vec<u8>>,
}

impl Promoted {
    pub fn set(&mut self, link: &str) {
        if self.before.contains_key(link) {
            return;
        }
        let path = path(link);
        let switched = open::kernel_read(Path::new(&path)).and_then(|before| {
            open::kernel_write(Path::new(&path), b"1")?;
            Ok(before)
        });
        match switched {
            Ok(before) => {
                self.before.insert(link.to_owned(), before);
            }
            Err(e) => complain(link, &e),
        }
    }

    /// Puts back what was there before.
    pub fn restore(&mut self) {
        for (link, before) in std::mem::take(&mut self.before) {
            if let Err(e) = open::kernel_write(Path::new(&path(&link)), &before) {
                complain(&link, &e);
            }
        }
    }
}

fn path(link: &str) -> String {
    format!("/proc/sys/net/ipv4/conf/{link}/promote_secondaries")
}

fn complain(link: &str, error: &io::Error) {
    log::warn!("cannot set promote_secondaries on {link}: {}", reason(error));
}
