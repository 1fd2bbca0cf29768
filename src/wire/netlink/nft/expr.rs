//! Expressions, the steps of a rule. The rule ends at the first one that does not match.

use crate::wire::netlink::Writer;

const LIST_ELEMENT: u16 = 1;
const EXPR_NAME: u16 = 1;
const EXPR_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;

const PAYLOAD_TO: u16 = 1;
const PAYLOAD_BASE: u16 = 2;
const PAYLOAD_OFFSET: u16 = 3;
const PAYLOAD_LEN: u16 = 4;

const META_TO: u16 = 1;
const META_KEY: u16 = 2;
const META_FROM: u16 = 3;

const BITWISE_FROM: u16 = 1;
const BITWISE_TO: u16 = 2;
const BITWISE_LEN: u16 = 3;
const BITWISE_MASK: u16 = 4;
const BITWISE_XOR: u16 = 5;

const CMP_REGISTER: u16 = 1;
const CMP_OP: u16 = 2;
const CMP_DATA: u16 = 3;
const CMP_EQUAL: u32 = 0;

const LOOKUP_SET: u16 = 1;
const LOOKUP_FROM: u16 = 2;
const LOOKUP_TO: u16 = 3;

const DUP_ADDRESS: u16 = 1;
const DUP_DEVICE: u16 = 2;

const IMMEDIATE_TO: u16 = 1;
const IMMEDIATE_DATA: u16 = 2;
/// The register of the verdict.
const VERDICT: u32 = 0;
const VERDICT_CODE: u16 = 1;
const VERDICT_CHAIN: u16 = 2;

/// A place for 16 bytes. Longer values go on in the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Register {
    First,
    /// The second four bytes of `First`.
    SecondWord,
    Second,
}

impl Register {
    const fn number(self) -> u32 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::SecondWord => 9,
        }
    }
}

/// The header from which offsets count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    Network,
    Transport,
}

impl Base {
    const fn number(self) -> u32 {
        match self {
            Self::Network => 1,
            Self::Transport => 2,
        }
    }
}

/// A property of a packet other than its contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meta {
    /// The firewall mark.
    Mark,
    InputIndex,
    OutputIndex,
    InputName,
    OutputName,
    /// The transport protocol, behind any extension header.
    Transport,
    /// Kind of the interface, such as `macvlan`.
    OutputKind,
}

impl Meta {
    const fn number(self) -> u32 {
        match self {
            Self::Mark => 3,
            Self::InputIndex => 4,
            Self::OutputIndex => 5,
            Self::InputName => 6,
            Self::OutputName => 7,
            Self::Transport => 16,
            Self::OutputKind => 27,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict<'a> {
    Drop,
    Accept,
    /// The chain is left for another one.
    Goto(&'a str),
    /// The chain is left; a chain at a hook ends with its policy.
    Return,
}

impl Verdict<'_> {
    fn emit(self, w: &mut Writer<'_>) {
        let (code, chain) = match self {
            Self::Drop => (0, None),
            Self::Accept => (1, None),
            Self::Goto(chain) => (-4_i32, Some(chain)),
            Self::Return => (-5, None),
        };
        w.bytes(VERDICT_CODE, &code.to_be_bytes());
        if let Some(chain) = chain {
            w.text(VERDICT_CHAIN, chain);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expr<'a> {
    /// Loads bytes of the packet into a register.
    Payload {
        base: Base,
        offset: u32,
        len: u32,
        to: Register,
    },
    /// Loads a property of the packet into a register.
    Meta(Meta, Register),
    /// Sets a property of the packet to the value of a register.
    SetMeta(Meta, Register),
    /// Clears the bits of a register that are not in the mask.
    Mask(Register, &'a [u8]),
    /// Matches if the register has this value.
    Equal(Register, &'a [u8]),
    /// Matches if the value of the register is in the set.
    In(Register, &'a str),
    /// Matches if the value of the register is a key of the map; loads its data into the register.
    Map(Register, &'a str),
    /// Sends a copy to the address in one register, through the interface whose index is in the
    /// other.
    Duplicate {
        to: Register,
        through: Register,
    },
    /// Counts packets and bytes.
    Counter,
    Verdict(Verdict<'a>),
}

impl Expr<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Payload { .. } => "payload",
            Self::Meta(..) | Self::SetMeta(..) => "meta",
            Self::Mask(..) => "bitwise",
            Self::Equal(..) => "cmp",
            Self::In(..) | Self::Map(..) => "lookup",
            Self::Duplicate { .. } => "dup",
            Self::Counter => "counter",
            Self::Verdict(_) => "immediate",
        }
    }

    pub(super) fn emit(&self, w: &mut Writer<'_>) {
        w.nested(LIST_ELEMENT, |w| self.emit_inner(w));
    }

    /// The expression outside of a list.
    pub(super) fn emit_inner(&self, w: &mut Writer<'_>) {
        w.text(EXPR_NAME, self.name());
        w.nested(EXPR_DATA, |w| self.emit_data(w));
    }

    fn emit_data(&self, w: &mut Writer<'_>) {
        let value = |w: &mut Writer<'_>, kind, value: &[u8]| {
            w.nested(kind, |w| w.bytes(DATA_VALUE, value));
        };
        match *self {
            Self::Payload { base, offset, len, to } => {
                w.be32(PAYLOAD_TO, to.number());
                w.be32(PAYLOAD_BASE, base.number());
                w.be32(PAYLOAD_OFFSET, offset);
                w.be32(PAYLOAD_LEN, len);
            }
            Self::Meta(meta, to) => {
                w.be32(META_TO, to.number());
                w.be32(META_KEY, meta.number());
            }
            Self::SetMeta(meta, from) => {
                w.be32(META_KEY, meta.number());
                w.be32(META_FROM, from.number());
            }
            Self::Mask(register, mask) => {
                w.be32(BITWISE_FROM, register.number());
                w.be32(BITWISE_TO, register.number());
                w.be32(BITWISE_LEN, u32::try_from(mask.len()).expect("a mask is short"));
                value(w, BITWISE_MASK, mask);
                value(w, BITWISE_XOR, &vec![0; mask.len()]);
            }
            Self::Equal(register, wanted) => {
                w.be32(CMP_REGISTER, register.number());
                w.be32(CMP_OP, CMP_EQUAL);
                value(w, CMP_DATA, wanted);
            }
            Self::In(register, set) => {
                w.text(LOOKUP_SET, set);
                w.be32(LOOKUP_FROM, register.number());
            }
            Self::Map(register, set) => {
                w.text(LOOKUP_SET, set);
                w.be32(LOOKUP_FROM, register.number());
                w.be32(LOOKUP_TO, register.number());
            }
            Self::Duplicate { to, through } => {
                w.be32(DUP_ADDRESS, to.number());
                w.be32(DUP_DEVICE, through.number());
            }
            Self::Counter => {}
            Self::Verdict(verdict) => {
                w.be32(IMMEDIATE_TO, VERDICT);
                w.nested(IMMEDIATE_DATA, |w| w.nested(DATA_VERDICT, |w| verdict.emit(w)));
            }
        }
    }
}
