//! Rules as text, in the words of the configuration.

use std::fmt::{self, Display};

use super::{Rule, RuleAction};
use crate::base::addr::{Family, PROTOCOL_KEEPALIVED};

impl Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Words { f, first: true };
        words.flag(self.invert, "not")?;
        let shown = self.from.is_some() || self.to.is_some();
        words.flag(self.family == Family::V6 && !shown, "inet6")?;
        words.option("from", self.from)?;
        words.option("to", self.to)?;
        words.option("iif", self.iif.as_deref())?;
        words.option("oif", self.oif.as_deref())?;
        words.option("tos", Some(self.tos).filter(|&tos| tos != 0))?;
        words.option("fwmark", self.mark.map(mark))?;
        words.option("realms", self.realms.map(realms))?;
        words.option("suppress_prefixlength", self.suppress_prefix_len)?;
        words.option("suppress_ifgroup", self.suppress_group)?;
        words.option("uidrange", self.users.map(range))?;
        words.option("ipproto", self.ip_protocol)?;
        words.option("sport", self.source_ports.map(range))?;
        words.option("dport", self.destination_ports.map(range))?;
        words.option("tunnel-id", self.tunnel)?;
        let protocol = self.protocol.unwrap_or_default();
        words.option("protocol", Some(protocol).filter(|&p| p != PROTOCOL_KEEPALIVED))?;
        words.option("priority", Some(self.priority))?;
        words.flag(true, &self.action.to_string())
    }
}

impl Display for RuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, "table {table}"),
            Self::L3mdev => f.write_str("l3mdev"),
            Self::Goto(priority) => write!(f, "goto {priority}"),
            Self::Nop => f.write_str("nop"),
            Self::Blackhole => f.write_str("blackhole"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::Prohibit => f.write_str("prohibit"),
        }
    }
}

/// Words with blanks between them.
struct Words<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    first: bool,
}

impl Words<'_, '_> {
    fn flag(&mut self, on: bool, word: &str) -> fmt::Result {
        if !on {
            return Ok(());
        }
        if !std::mem::take(&mut self.first) {
            self.f.write_str(" ")?;
        }
        self.f.write_str(word)
    }

    fn option<T: Display>(&mut self, name: &str, value: Option<T>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.flag(true, name)?;
        write!(self.f, " {value}")
    }
}

fn mark((mark, mask): (u32, u32)) -> String {
    match mask {
        u32::MAX => format!("{mark:#x}"),
        _ => format!("{mark:#x}/{mask:#x}"),
    }
}

fn realms(realms: u32) -> String {
    match realms >> 16 {
        0 => realms.to_string(),
        source => format!("{source}/{}", realms & 0xffff),
    }
}

fn range<T: Display>((low, high): (T, T)) -> String {
    format!("{low}-{high}")
}
