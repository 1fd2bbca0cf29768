//! Sets and maps, and their elements.

use super::{Expr, Table};
use crate::wire::netlink::Writer;

const SET_TABLE: u16 = 1;
const SET_NAME: u16 = 2;
const SET_FLAGS: u16 = 3;
const SET_KEY_TYPE: u16 = 4;
const SET_KEY_LEN: u16 = 5;
const SET_DATA_TYPE: u16 = 6;
const SET_DATA_LEN: u16 = 7;
const SET_DESCRIPTION: u16 = 9;
const SET_ID: u16 = 10;
const SET_USERDATA: u16 = 13;
const SET_EXPRESSION: u16 = 17;
const DESCRIPTION_FIELDS: u16 = 2;
const FIELD_LEN: u16 = 1;

const FLAG_CONSTANT: u32 = 0x2;
const FLAG_RANGES: u32 = 0x4;
const FLAG_MAP: u32 = 0x8;
const FLAG_FIELDS: u32 = 0x80;

/// Kinds and values of the data in which `nft` keeps the byte order of a set.
const USERDATA_KEY_ORDER: u8 = 0;
const USERDATA_DATA_ORDER: u8 = 1;
const HOST_ORDER: u32 = 1;
const NETWORK_ORDER: u32 = 2;

const LIST_ELEMENT: u16 = 1;
const ELEMENT_KEY: u16 = 1;
const ELEMENT_DATA: u16 = 2;
const ELEMENT_KEY_END: u16 = 10;
const DATA_VALUE: u16 = 1;

/// Type of a value, as `nft` numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Data {
    Ipv4Address,
    Ipv6Address,
    /// Port of a transport protocol.
    Port,
    /// Firewall mark.
    Mark,
    /// Index of an interface.
    LinkIndex,
    /// Name of an interface, with zeros behind it.
    LinkName,
    Icmpv6Type,
}

impl Data {
    const fn number(self) -> u32 {
        match self {
            Self::Ipv4Address => 7,
            Self::Ipv6Address => 8,
            Self::Port => 13,
            Self::Mark => 19,
            Self::LinkIndex => 20,
            Self::Icmpv6Type => 29,
            Self::LinkName => 41,
        }
    }

    const fn len(self) -> u32 {
        match self {
            Self::Icmpv6Type => 1,
            Self::Port => 2,
            Self::Ipv4Address | Self::Mark | Self::LinkIndex => 4,
            Self::Ipv6Address | Self::LinkName => 16,
        }
    }

    /// Room that it takes in a concatenation.
    const fn padded_len(self) -> u32 {
        self.len().next_multiple_of(4)
    }

    const fn order(self) -> u32 {
        match self {
            Self::Mark | Self::LinkIndex | Self::LinkName => HOST_ORDER,
            Self::Ipv4Address | Self::Ipv6Address | Self::Port | Self::Icmpv6Type => NETWORK_ORDER,
        }
    }
}

/// A set, or a map from keys to data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Set<'a> {
    pub name: &'a str,
    /// More than one type: a concatenation.
    pub key: &'a [Data],
    /// `None`: a set.
    pub data: Option<Data>,
    /// Its elements do not change once a rule uses it.
    pub constant: bool,
    /// Its elements are ranges: from a first to a last value of each type of the key. Only with a
    /// concatenation.
    pub ranges: bool,
    /// Each element counts the packets that match it.
    pub counters: bool,
}

impl<'a> Set<'a> {
    /// A set of single values that may change.
    pub const fn new(name: &'a str, key: &'a [Data]) -> Self {
        Self { name, key, data: None, constant: false, ranges: false, counters: false }
    }

    /// `id`: distinguishes the new sets of one batch.
    pub(super) fn emit(&self, table: Table<'_>, id: u32, w: &mut Writer<'_>) {
        let flags = if self.constant { FLAG_CONSTANT } else { 0 };
        let flags = flags | if self.data.is_some() { FLAG_MAP } else { 0 };
        let flags = flags | if self.ranges { FLAG_RANGES | FLAG_FIELDS } else { 0 };
        w.text(SET_TABLE, table.name);
        w.text(SET_NAME, self.name);
        if flags != 0 {
            w.be32(SET_FLAGS, flags);
        }
        // In a concatenation, each type has six bits.
        w.be32(SET_KEY_TYPE, self.key.iter().fold(0, |all, data| all << 6 | data.number()));
        w.be32(SET_KEY_LEN, self.key_len());
        if let Some(data) = self.data {
            w.be32(SET_DATA_TYPE, data.number());
            w.be32(SET_DATA_LEN, data.len());
        }
        if self.ranges {
            w.nested(SET_DESCRIPTION, |w| w.nested(DESCRIPTION_FIELDS, |w| self.emit_fields(w)));
        }
        w.be32(SET_ID, id);
        let mut userdata = Vec::new();
        if let [key] = self.key {
            add_userdata(&mut userdata, USERDATA_KEY_ORDER, key.order());
        }
        if let Some(data) = self.data {
            add_userdata(&mut userdata, USERDATA_DATA_ORDER, data.order());
        }
        if !userdata.is_empty() {
            w.bytes(SET_USERDATA, &userdata);
        }
        if self.counters {
            w.nested(SET_EXPRESSION, |w| Expr::Counter.emit_inner(w));
        }
    }

    fn key_len(&self) -> u32 {
        match self.key {
            [only] => only.len(),
            several => several.iter().map(|data| data.padded_len()).sum(),
        }
    }

    /// The lengths of the types of the key.
    fn emit_fields(&self, w: &mut Writer<'_>) {
        for data in self.key {
            w.nested(LIST_ELEMENT, |w| w.be32(FIELD_LEN, data.len()));
        }
    }
}

fn add_userdata(out: &mut Vec<u8>, kind: u8, value: u32) {
    out.extend_from_slice(&[kind, 4]);
    out.extend_from_slice(&value.to_ne_bytes());
}

/// An element of a set: the key, and the data of a map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    pub key: Vec<u8>,
    /// The last values of a range that begins with `key`.
    pub key_end: Option<Vec<u8>>,
    pub data: Option<Vec<u8>>,
}

impl Element {
    pub(super) fn emit(&self, w: &mut Writer<'_>) {
        w.nested(LIST_ELEMENT, |w| {
            w.nested(ELEMENT_KEY, |w| w.bytes(DATA_VALUE, &self.key));
            if let Some(data) = &self.data {
                w.nested(ELEMENT_DATA, |w| w.bytes(DATA_VALUE, data));
            }
            if let Some(end) = &self.key_end {
                w.nested(ELEMENT_KEY_END, |w| w.bytes(DATA_VALUE, end));
            }
        });
    }
}
