//! Transactions: messages of which all take effect, or none.

use netlink_packet_core::{NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE};

use super::expr::Expr;
use super::set::{Element, Set};
use super::{
    family_number, head, Table, DEL_ELEMENT, DEL_TABLE, NEW_CHAIN, NEW_ELEMENT, NEW_RULE, NEW_SET,
    NEW_TABLE, SUBSYSTEM,
};
use crate::wire::netlink::{Writer, HEADER_LEN};

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;

const TABLE_NAME: u16 = 1;

const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const CHAIN_POLICY: u16 = 5;
const CHAIN_TYPE: u16 = 7;
const HOOK_NUMBER: u16 = 1;
const HOOK_PRIORITY: u16 = 2;
/// The verdict of a chain whose rules have none.
const ACCEPT: u32 = 1;

const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;
const RULE_EXPRESSIONS: u16 = 4;

const ELEMENTS_TABLE: u16 = 1;
const ELEMENTS_SET: u16 = 2;
const ELEMENTS_LIST: u16 = 3;
/// Elements in one message, whose list must not exceed the 64 KiB of an attribute.
const MOST_ELEMENTS: usize = 500;

/// Where they are in a header.
const FLAGS: usize = 6;
const SEQUENCE: usize = 8;

/// A point in the way of a packet, where the kernel calls a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hook {
    /// Packets to this host.
    Input,
    /// Packets from this host.
    Output,
}

impl Hook {
    const fn number(self) -> u32 {
        match self {
            Self::Input => 1,
            Self::Output => 3,
        }
    }
}

/// Kind of a message of a batch, for reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// The batch as a whole.
    Batch,
    Table,
    Chain,
    Set,
    Element,
    Rule,
}

/// The reason why a batch changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub errno: i32,
    /// Number of the first refused message; 0: the batch as a whole.
    pub at: usize,
}

impl Refusal {
    pub const fn whole(errno: i32) -> Self {
        Self { errno, at: 0 }
    }
}

/// A transaction under construction.
#[derive(Clone, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    messages: Vec<Message>,
    /// Start of the last message.
    last: usize,
    sets: u32,
}

impl Default for Batch {
    fn default() -> Self {
        let mut new = Self { bytes: Vec::new(), messages: Vec::new(), last: 0, sets: 0 };
        new.bound(BATCH_BEGIN);
        new.messages.push(Message::Batch);
        new
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({:?})", self.messages)
    }
}

impl Batch {
    fn bound(&mut self, kind: u16) {
        let mut w = Writer::begin(&mut self.bytes, kind, 0);
        head(&mut w, 0, SUBSYSTEM);
        w.finish();
    }

    fn message(
        &mut self,
        (kind, flags, is): (u16, u16, Message),
        table: Table<'_>,
        content: impl FnOnce(&mut Writer<'_>),
    ) {
        self.last = self.bytes.len();
        self.messages.push(is);
        let mut w = Writer::begin(&mut self.bytes, kind, flags);
        head(&mut w, family_number(table.family), 0);
        content(&mut w);
        w.finish();
    }

    /// Adds a table unless it exists.
    pub fn add_table(&mut self, table: Table<'_>) {
        let kind = (NEW_TABLE, NLM_F_CREATE, Message::Table);
        self.message(kind, table, |w| w.text(TABLE_NAME, table.name));
    }

    /// Removes a table with all it contains.
    pub fn remove_table(&mut self, table: Table<'_>) {
        let kind = (DEL_TABLE, 0, Message::Table);
        self.message(kind, table, |w| w.text(TABLE_NAME, table.name));
    }

    /// Adds a chain, which others refer to.
    pub fn add_chain(&mut self, table: Table<'_>, name: &str) {
        self.message((NEW_CHAIN, NLM_F_CREATE, Message::Chain), table, |w| {
            w.text(CHAIN_TABLE, table.name);
            w.text(CHAIN_NAME, name);
        });
    }

    /// Adds a chain that packets go through at a hook.
    pub fn add_base_chain(&mut self, table: Table<'_>, name: &str, hook: Hook, priority: i32) {
        self.message((NEW_CHAIN, NLM_F_CREATE, Message::Chain), table, |w| {
            w.text(CHAIN_TABLE, table.name);
            w.text(CHAIN_NAME, name);
            w.nested(CHAIN_HOOK, |w| {
                w.be32(HOOK_NUMBER, hook.number());
                w.bytes(HOOK_PRIORITY, &priority.to_be_bytes());
            });
            w.be32(CHAIN_POLICY, ACCEPT);
            w.text(CHAIN_TYPE, "filter");
        });
    }

    pub fn add_set(&mut self, table: Table<'_>, set: &Set<'_>) {
        self.sets += 1;
        let id = self.sets;
        self.message((NEW_SET, NLM_F_CREATE, Message::Set), table, |w| set.emit(table, id, w));
    }

    /// Adds elements; those that exist already stay.
    pub fn add_elements(&mut self, table: Table<'_>, set: &str, elements: &[Element]) {
        self.elements((NEW_ELEMENT, NLM_F_CREATE, Message::Element), table, set, elements);
    }

    pub fn remove_elements(&mut self, table: Table<'_>, set: &str, elements: &[Element]) {
        self.elements((DEL_ELEMENT, 0, Message::Element), table, set, elements);
    }

    fn elements(
        &mut self,
        kind: (u16, u16, Message),
        table: Table<'_>,
        set: &str,
        elements: &[Element],
    ) {
        for some in elements.chunks(MOST_ELEMENTS) {
            self.message(kind, table, |w| {
                w.text(ELEMENTS_TABLE, table.name);
                w.text(ELEMENTS_SET, set);
                w.nested(ELEMENTS_LIST, |w| some.iter().for_each(|element| element.emit(w)));
            });
        }
    }

    /// Adds a rule at the end of a chain.
    pub fn add_rule(&mut self, table: Table<'_>, chain: &str, rule: &[Expr<'_>]) {
        let kind = (NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, Message::Rule);
        self.message(kind, table, |w| {
            w.text(RULE_TABLE, table.name);
            w.text(RULE_CHAIN, chain);
            w.nested(RULE_EXPRESSIONS, |w| rule.iter().for_each(|expr| expr.emit(w)));
        });
    }

    /// True if it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.messages.len() == 1
    }

    /// Number of the next message, as in a [`Refusal`].
    pub fn next_number(&self) -> usize {
        self.messages.len()
    }

    /// Kind of the message with this number.
    pub fn kind(&self, number: usize) -> Message {
        self.messages.get(number).copied().unwrap_or(Message::Batch)
    }

    /// The datagram. Its messages are numbered from `sequence`; the last one but the end of the
    /// batch is acknowledged, and each refused one is reported. An empty batch has no answer.
    pub fn datagram(&self, sequence: u32) -> Vec<u8> {
        let mut whole = self.clone();
        whole.bound(BATCH_END);
        let mut bytes = whole.bytes;
        if !self.is_empty() {
            let flags = &mut bytes[self.last + FLAGS..self.last + FLAGS + 2];
            let before = u16::from_ne_bytes([flags[0], flags[1]]);
            flags.copy_from_slice(&(before | NLM_F_ACK).to_ne_bytes());
        }
        let (mut at, mut sequence) = (0, sequence);
        while let Some(len) = bytes.get(at..at + HEADER_LEN).map(|h| [h[0], h[1], h[2], h[3]]) {
            bytes[at + SEQUENCE..at + SEQUENCE + 4].copy_from_slice(&sequence.to_ne_bytes());
            sequence = sequence.wrapping_add(1);
            at += usize::try_from(u32::from_ne_bytes(len)).expect("a message is small");
        }
        bytes
    }
}
