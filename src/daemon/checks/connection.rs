//! What a check says of its connection, for `sys`; and the system's errors in words.

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

/// The words of the system, without its number.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
