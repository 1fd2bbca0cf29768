//! nf_tables, the packet filter of the kernel (`linux/netfilter/nf_tables.h`): transactions that
//! change tables, and the query for a table.
//!
//! Numbers are in network byte order, except those compared with packets: these are as the kernel
//! loads them into a register.

mod batch;
mod expr;
mod query;
mod set;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Hook, Message, Refusal};
pub use expr::{Base, Expr, Meta, Register, Verdict};
pub use query::{parse_event, parse_table, Query, TableEvent};
pub use set::{Data, Element, Set};

use super::Writer;
use crate::base::addr::Family;

/// Number of nf_tables among the subsystems of nfnetlink, in the high byte of message types.
const SUBSYSTEM: u16 = 10;

const NEW_TABLE: u16 = SUBSYSTEM << 8;
const GET_TABLE: u16 = SUBSYSTEM << 8 | 1;
const DEL_TABLE: u16 = SUBSYSTEM << 8 | 2;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
const NEW_SET: u16 = SUBSYSTEM << 8 | 9;
const NEW_ELEMENT: u16 = SUBSYSTEM << 8 | 12;
const DEL_ELEMENT: u16 = SUBSYSTEM << 8 | 14;

/// A table, by its family and name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table<'a> {
    pub family: Family,
    pub name: &'a str,
}

/// The fixed part of each message: protocol family, version, and for a batch the subsystem.
fn head(w: &mut Writer<'_>, family: u8, subsystem: u16) {
    let [high, low] = subsystem.to_be_bytes();
    w.raw(&[family, 0, high, low]);
}

const fn family_number(family: Family) -> u8 {
    match family {
        Family::V4 => 2,
        Family::V6 => 10,
    }
}

const fn family_of(number: u8) -> Option<Family> {
    match number {
        2 => Some(Family::V4),
        10 => Some(Family::V6),
        _ => None,
    }
}
