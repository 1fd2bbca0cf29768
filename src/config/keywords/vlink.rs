//! `use_vmac` and `use_ipvlan` as they are written.

use crate::base::addr::{Mac, Prefix};
use crate::config::document::Word;
use crate::config::entry::Item;
use crate::config::keyword::{opt, Entry, Unknown, ValueKind};
use crate::config::statement::Checker;
use crate::config::table::{borrowed, line_table, Given, LineTable};
use crate::config::value::{parse, Value};
use crate::model::vlink::is_virtual_mac;

#[derive(Default)]
pub(in crate::config) struct RawVmac<'d> {
    pub keyword: Word<'d>,
    pub name: Option<Word<'d>>,
    pub mac: Option<Given<RawMac>>,
    pub group: Option<Word<'d>>,
    pub notify: bool,
}

#[derive(Default)]
pub(in crate::config) struct RawIpvlan<'d> {
    pub keyword: Word<'d>,
    pub name: Option<Word<'d>>,
    pub flags: Option<u16>,
    pub address: Option<Given<Prefix>>,
    pub group: Option<Word<'d>>,
}

/// A hardware address; of five octets, the router id is the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::config) enum RawMac {
    Whole(Mac),
    BeforeVrid([u8; 5]),
}

borrowed!(RawVmac, RawIpvlan);

const LINE: Entry = Entry {
    name: "option",
    head: &[],
    required: 0,
    options: &[],
    free: Some(ValueKind::Text),
    unknown: Unknown::IgnoreRest,
};

pub(in crate::config) static USE_VMAC: LineTable<RawVmac<'static>> = line_table!(
    RawVmac<'static>, LINE, |raw, item, checker| raw.word(item.word, checker), [
        opt("name").value(ValueKind::Link).minor()
            => |raw, item, checker| name(&mut raw.name, "use_vmac", item.word, checker),
        opt("netlink_notify_msg") => |raw, _, _| raw.notify = true,
        opt("group").value(ValueKind::Text).minor() => |raw, item, _| raw.group = Some(item.word),
    ]
);

pub(in crate::config) static USE_IPVLAN: LineTable<RawIpvlan<'static>> = line_table!(
    RawIpvlan<'static>, LINE, |raw, item, checker| raw.word(item.word, checker), [
        opt("bridge") => |raw, item, checker| raw.flags(0, item, checker),
        opt("private") => |raw, item, checker| raw.flags(1, item, checker),
        opt("vepa") => |raw, item, checker| raw.flags(2, item, checker),
        opt("group").value(ValueKind::Text).minor() => |raw, item, _| raw.group = Some(item.word),
        opt("name").value(ValueKind::Link).minor()
            => |raw, item, checker| name(&mut raw.name, "use_ipvlan", item.word, checker),
    ]
);

impl<'d> RawVmac<'d> {
    /// An address or a name: only an address has a colon.
    fn word(&mut self, word: Word<'d>, checker: &mut Checker<'_>) {
        let Word { text, span, .. } = word;
        if !text.contains(':') {
            return name(&mut self.name, "use_vmac", word, checker);
        }
        let why = match mac(text) {
            _ if self.mac.is_some() => "is a second address",
            None => "is not a hardware address of 5 or 6 octets",
            Some(mac) if mac.octets()[0] & 1 != 0 => "is a multicast address",
            Some(mac) if is_virtual_mac(mac.with_vrid(1)) => {
                "is an address of virtual routers, which is used without it"
            }
            Some(value) => {
                self.mac = Some(Given { value, span });
                return;
            }
        };
        checker.out.error("use_vmac", span, format!("use_vmac '{text}' {why}: it is ignored"));
    }
}

impl<'d> RawIpvlan<'d> {
    fn word(&mut self, word: Word<'d>, checker: &mut Checker<'_>) {
        let Word { text, span, .. } = word;
        let Ok(Value::Prefix(value, _)) = parse(ValueKind::Prefix, text) else {
            return name(&mut self.name, "use_ipvlan", word, checker);
        };
        if self.address.is_some() {
            let text = format!("use_ipvlan '{text}' is a second address: it is ignored");
            checker.out.error("use_ipvlan", span, text);
        } else {
            self.address = Some(Given { value, span });
        }
    }

    fn flags(&mut self, flags: u16, item: Item<'d>, checker: &mut Checker<'_>) {
        let Word { text, span, .. } = item.word;
        if self.flags.is_some() {
            let text = format!("use_ipvlan '{text}' is a second mode: it is ignored");
            checker.out.error("use_ipvlan", span, text);
        } else {
            self.flags = Some(flags);
        }
    }
}

fn name<'d>(to: &mut Option<Word<'d>>, about: &str, word: Word<'d>, checker: &mut Checker<'_>) {
    let Word { text, span, .. } = word;
    let why = if to.is_some() {
        "is a second name"
    } else if !is_link_name(text) {
        "is not an interface name of at most 15 characters"
    } else {
        *to = Some(word);
        return;
    };
    checker.out.error(about, span, format!("{about} '{text}' {why}: it is ignored"));
}

/// The kernel's rule for names.
pub(super) fn is_link_name(text: &str) -> bool {
    let bad = |c: char| matches!(c, '/' | ':') || c.is_whitespace();
    !text.is_empty() && text.len() < 16 && !matches!(text, "." | "..") && !text.contains(bad)
}

impl RawMac {
    fn octets(&self) -> &[u8] {
        match self {
            Self::Whole(Mac(octets)) => octets,
            Self::BeforeVrid(octets) => octets,
        }
    }

    pub(in crate::config) const fn with_vrid(self, vrid: u8) -> Mac {
        match self {
            Self::Whole(mac) => mac,
            Self::BeforeVrid([a, b, c, d, e]) => Mac([a, b, c, d, e, vrid]),
        }
    }
}

/// Five octets, or six; a colon may follow five.
fn mac(text: &str) -> Option<RawMac> {
    let octet = |text: &str| match text.len() {
        1 | 2 if text.bytes().all(|b| b.is_ascii_hexdigit()) => u8::from_str_radix(text, 16).ok(),
        _ => None,
    };
    let parts: Vec<_> = text.split(':').collect();
    let short = match parts.as_slice() {
        [five @ .., ""] if five.len() == 5 => five,
        all => all,
    };
    let octets = short.iter().map(|part| octet(part)).collect::<Option<Vec<u8>>>()?;
    match *octets.as_slice() {
        [a, b, c, d, e] => Some(RawMac::BeforeVrid([a, b, c, d, e])),
        [a, b, c, d, e, f] => Some(RawMac::Whole(Mac([a, b, c, d, e, f]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_have_five_or_six_octets() {
        let whole = |octets| Some(RawMac::Whole(Mac(octets)));
        assert_eq!(mac("2:0:0:a:B:ff"), whole([2, 0, 0, 10, 11, 255]));
        let five = Some(RawMac::BeforeVrid([2, 0, 0, 10, 11]));
        assert_eq!((mac("02:00:00:0a:0b"), mac("02:00:00:0a:0b:")), (five, five));
        for bad in ["02:00:00:0a", "02:00:00:0a:", "2:0:0:a:b:c:", "2:0:0:a:b:c:d", "::", "2::a"] {
            assert_eq!(mac(bad), None, "{bad}");
        }
        assert_eq!(mac("2:0:0:a:b:100"), None);
        assert_eq!(mac("2:0:0:a:+b:c"), None);
    }

    #[test]
    fn names_follow_the_rule_of_the_kernel() {
        for good in ["a", "vrrp.51", "vmac@x", "fifteen.letters"] {
            assert!(is_link_name(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a:b", "a b", "sixteen..letters"] {
            assert!(!is_link_name(bad), "{bad}");
        }
    }
}
