//! Connection settings of a check in the types of `sys`.

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
