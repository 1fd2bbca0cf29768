//! Generic netlink: ids of families, and queries.

use std::io;

use netlink_packet_core::NLM_F_DUMP_INTR;
use netlink_sys::{protocols::NETLINK_GENERIC, Socket};

use super::pipeline::{receive, Pipeline};
use crate::wire::netlink::{errno, genl, messages, NLMSG_DONE, NLMSG_ERROR};

/// Sequence number of queries. Requests use others, and none is pending during a query.
const SEQUENCE: u32 = 0;

pub(super) fn open<T>() -> io::Result<Pipeline<T>> {
    Pipeline::open(NETLINK_GENERIC)
}

/// The number of a family. The kernel loads its module for it if it can, and answers when that is
/// done.
///
/// # Errors
/// [`io::ErrorKind::NotFound`]: there is no such family.
pub(super) fn resolve(socket: &Socket, name: &str) -> io::Result<u16> {
    let mut message = Vec::new();
    genl::emit_resolve(name, &mut message);
    let mut family = None;
    query(socket, &message, |body| family = genl::parse_family(body, name).ok())?;
    family.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Updates the id of a family; true if it changed. A module that is loaded again gets a new id.
///
/// # Errors
/// As for [`resolve`].
pub(super) fn renumber(socket: &Socket, name: &str, family: &mut u16) -> io::Result<bool> {
    let found = resolve(socket, name)?;
    Ok(std::mem::replace(family, found) != found)
}

/// Sends a query and collects the payload of each message of the answer, up to the acknowledgement
/// or the end of a dump.
///
/// Returns false if the list changed while it was read, and may lack entries.
pub(super) fn query(
    socket: &Socket,
    message: &[u8],
    mut take: impl FnMut(&[u8]),
) -> io::Result<bool> {
    socket.send(message, 0)?;
    let mut buffer = Vec::new();
    let mut is_whole = true;
    loop {
        receive(socket, &mut buffer)?;
        is_whole &= messages(&buffer).all(|(header, _)| header.flags & NLM_F_DUMP_INTR == 0);
        for (header, body) in messages(&buffer).filter(|(h, _)| h.sequence == SEQUENCE) {
            match header.kind {
                NLMSG_ERROR | NLMSG_DONE => {
                    return match errno(body) {
                        Ok(errno) if errno != 0 => Err(io::Error::from_raw_os_error(errno)),
                        _ => Ok(is_whole),
                    };
                }
                _ => take(body),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controller_knows_itself() {
        let pipeline = open::<()>().expect("a socket");
        assert_eq!(resolve(pipeline.socket(), "nlctrl").expect("a number"), genl::CONTROLLER);
    }

    #[test]
    fn a_number_that_is_out_of_date_is_noticed_once() {
        let (pipeline, mut family) = (open::<()>().expect("a socket"), 999);
        let mut renumbered = || renumber(pipeline.socket(), "nlctrl", &mut family).expect("known");
        assert_eq!([renumbered(), renumbered()], [true, false]);
        assert_eq!(family, genl::CONTROLLER);
    }

    #[test]
    fn a_family_that_is_not_there_is_not_found() {
        let pipeline = open::<()>().expect("a socket");
        let e = resolve(pipeline.socket(), "no-such-family").expect_err("is missing");
        assert_eq!(e.kind(), io::ErrorKind::NotFound);
    }
}
