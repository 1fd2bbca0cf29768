//! Platforms whose system calls are not listed: there is no filter.

use std::io;

/// There is none.
#[derive(Clone, Debug)]
pub enum Filter {}

impl Filter {
    pub(super) fn program(&self) -> &[libc::sock_filter] {
        match *self {}
    }

    pub const fn calls(&self) -> usize {
        match *self {}
    }
}

/// # Errors
/// Always.
pub fn filter() -> io::Result<Filter> {
    Err(io::ErrorKind::Unsupported.into())
}
