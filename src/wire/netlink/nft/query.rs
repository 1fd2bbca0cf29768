//! The query whether a table exists, and notifications about tables.

use netlink_packet_core::NLM_F_DUMP;

use super::{family_of, head, DEL_TABLE, GET_TABLE, NEW_TABLE};
use crate::base::addr::Family;
use crate::wire::netlink::{attributes, text_of, Header, Writer};
use crate::wire::Malformed;

const TABLE_NAME: u16 = 1;
const HEAD_LEN: usize = 4;

/// A query; the reply is a dump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Query {
    /// All tables of all families.
    Tables,
}

impl Query {
    /// Appends the message.
    pub fn emit(&self, sequence: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let mut w = Writer::begin(out, GET_TABLE, NLM_F_DUMP);
        head(&mut w, 0, 0);
        w.finish();
        out[start + 8..start + 12].copy_from_slice(&sequence.to_ne_bytes());
    }
}

/// The family and name of a table in the body of a message; `None` for other families than IPv4
/// and IPv6.
pub fn parse_table(body: &[u8]) -> Result<Option<(Family, String)>, Malformed> {
    let (head, list) = body.split_at_checked(HEAD_LEN).ok_or(Malformed)?;
    for attribute in attributes(list) {
        if let (TABLE_NAME, name) = attribute? {
            let name = String::from_utf8_lossy(text_of(name)).into_owned();
            return Ok(family_of(head[0]).map(|family| (family, name)));
        }
    }
    Err(Malformed)
}

/// A notification about a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TableEvent {
    Added(Family, String),
    Removed(Family, String),
}

/// The notification in a message; `None` if it is about something else.
pub fn parse_event(header: Header, body: &[u8]) -> Result<Option<TableEvent>, Malformed> {
    let event = match header.kind {
        NEW_TABLE => TableEvent::Added,
        DEL_TABLE => TableEvent::Removed,
        _ => return Ok(None),
    };
    Ok(parse_table(body)?.map(|(family, name)| event(family, name)))
}
