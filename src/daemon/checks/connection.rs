//! What a check says of its connection, for `sys`; and what the system's errors mean for a check.

use std::io;

use crate::model::check::Connect;
use crate::sys::stream::Via;

pub(super) fn via(connect: &Connect) -> Via<'_> {
    Via {
        address: connect.bind_addr,
        port: connect.bind_port,
        interface: connect.bind_if.as_deref(),
        mark: connect.fwmark,
    }
}

/// Errors at once that are a failed check, as keepalived has it. All others say nothing about the
/// server.
pub(super) fn is_theirs(error: &io::Error) -> bool {
    const THEIRS: [i32; 8] = [
        libc::ENETUNREACH,
        libc::EHOSTUNREACH,
        libc::ECONNREFUSED,
        libc::EHOSTDOWN,
        libc::ENETDOWN,
        libc::ECONNRESET,
        libc::ECONNABORTED,
        libc::ETIMEDOUT,
    ];
    error.raw_os_error().is_some_and(|code| THEIRS.contains(&code))
}

/// The words of the system, without its number.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
