//! `encap` of a route or of a next hop, as it is written.

use std::net::IpAddr;

use super::route::RawRoute;
use crate::base::addr::Family;
use crate::base::route::{Encap, Tunnel};
use crate::config::document::Word;
use crate::config::entry::Item;
use crate::config::keyword::{int, opt, Entry, Unknown, ValueKind};
use crate::config::table::{joined, line_table, opt_rows, LineTable, OptRow};
use crate::config::value::any_base;

/// A tunnel.
#[derive(Default)]
pub(in crate::config) struct RawEncap<'d> {
    /// The keyword.
    pub word: Word<'d>,
    pub kind: Option<RawKind>,
    /// `tos` or `tc`, which may be a name.
    pub tos: Option<Word<'d>>,
    /// An invalid word, and what would be valid.
    pub wrong: Option<(Word<'d>, &'static str)>,
}

/// What the word after `encap` says.
pub(in crate::config) enum RawKind {
    Tunnel(Tunnel),
    Other(Encap),
}

impl<'d> RawEncap<'d> {
    pub(super) fn new(word: Word<'d>) -> Self {
        Self { word, ..Self::default() }
    }

    fn begin(&mut self, family: Family) {
        self.kind = Some(RawKind::Tunnel(Tunnel {
            family,
            id: None,
            destination: None,
            source: None,
            tos: None,
            ttl: None,
            flags: None,
        }));
    }

    fn set(&mut self, set: impl FnOnce(&mut Tunnel)) {
        if let Some(RawKind::Tunnel(tunnel)) = &mut self.kind {
            set(tunnel);
        }
    }

    /// An end of the tunnel, of its family.
    fn end(&mut self, item: Item<'d>, set: impl FnOnce(&mut Tunnel, IpAddr)) {
        let Some(RawKind::Tunnel(tunnel)) = &mut self.kind else { return };
        match item.value.addr() {
            Some(addr) if Family::of(&addr) == tunnel.family => set(tunnel, addr),
            _ if tunnel.family == Family::V4 => self.wrong = Some((item.word, "an IPv4 address")),
            _ => self.wrong = Some((item.word, "an IPv6 address")),
        }
    }

    fn mpls(&mut self, item: Item<'d>) {
        match labels(item.word.text) {
            Some(labels) => self.kind = Some(RawKind::Other(Encap::Mpls(labels))),
            None => {
                self.wrong = Some((item.word, "up to 30 labels from 0 to 1048575, as 100/200"));
            }
        }
    }

    fn ila(&mut self, item: Item<'d>) {
        match locator(item.word.text) {
            Some(locator) => self.kind = Some(RawKind::Other(Encap::Ila(locator))),
            None => {
                self.wrong = Some((item.word, "four groups of hexadecimal digits, as 1:2:3:4"));
            }
        }
    }
}

const WORDS: Entry = Entry {
    name: "encapsulation",
    head: &[],
    required: 0,
    options: &[],
    free: None,
    unknown: Unknown::SkipEntry,
};

pub(super) static ENCAP: LineTable<RawRoute<'static>> = line_table!(
    RawRoute<'static>, WORDS, |_, _, _| {}, [
    opt("ip"); &TUNNEL4 => |raw, _, _| raw.encap().begin(Family::V4),
    opt("ip6"); &TUNNEL6 => |raw, _, _| raw.encap().begin(Family::V6),
    opt("mpls").value(ValueKind::Text) => |raw, item, _| raw.encap().mpls(item),
    opt("ila").value(ValueKind::Text) => |raw, item, _| raw.encap().ila(item),
]);

/// What tunnels over IPv4 and over IPv6 have in common.
const TUNNEL: [OptRow<RawRoute<'static>>; 4] = opt_rows![RawRoute<'static>:
    opt("id").value(ValueKind::Wide)
        => |raw, item, _| raw.encap().set(|t| t.id = item.word.text.parse().ok()),
    opt("dst").value(ValueKind::Address)
        => |raw, item, _| raw.encap().end(item, |t, addr| t.destination = Some(addr)),
    opt("src").value(ValueKind::Address)
        => |raw, item, _| raw.encap().end(item, |t, addr| t.source = Some(addr)),
    opt("flags").value(int(0, 65_535))
        => |raw, item, _| raw.encap().set(|t| t.flags = Some(item.number())),
];

static TUNNEL4: LineTable<RawRoute<'static>> = line_table!(
    RawRoute<'static>, WORDS, |_, _, _| {};
    joined::<_, 4, 2, 6>(TUNNEL, opt_rows![RawRoute<'static>:
        opt("tos").value(ValueKind::Text) => |raw, item, _| raw.encap().tos = Some(item.word),
        opt("ttl").value(int(0, 255))
            => |raw, item, _| raw.encap().set(|t| t.ttl = Some(item.number())),
    ])
);

static TUNNEL6: LineTable<RawRoute<'static>> = line_table!(
    RawRoute<'static>, WORDS, |_, _, _| {};
    joined::<_, 4, 2, 6>(TUNNEL, opt_rows![RawRoute<'static>:
        opt("tc").value(ValueKind::Text) => |raw, item, _| raw.encap().tos = Some(item.word),
        opt("hoplimit").value(int(0, 255))
            => |raw, item, _| raw.encap().set(|t| t.ttl = Some(item.number())),
    ])
);

/// The label stack, outermost first.
fn labels(text: &str) -> Option<Vec<u32>> {
    /// The most that the kernel pushes.
    const MOST: usize = 30;
    /// 20 bits.
    const MAX: u32 = (1 << 20) - 1;
    let label = |word: &str| u32::try_from(any_base(word)?).ok().filter(|&label| label <= MAX);
    let labels: Vec<u32> = text.split('/').map(label).collect::<Option<_>>()?;
    (labels.len() <= MOST).then_some(labels)
}

/// Four groups of at most four digits.
fn locator(text: &str) -> Option<u64> {
    let mut groups = text.split(':').map(|group| {
        let plain = !group.is_empty() && group.bytes().all(|b| b.is_ascii_hexdigit());
        u16::from_str_radix(group, 16).ok().filter(|_| plain)
    });
    let [a, b, c, d] = std::array::from_fn(|_| groups.next().flatten());
    if groups.next().is_some() {
        return None;
    }
    Some([a?, b?, c?, d?].into_iter().fold(0, |all, group| all << 16 | u64::from(group)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_stacks() {
        assert_eq!(labels("100"), Some(vec![100]));
        assert_eq!(labels("100/0x10/1048575"), Some(vec![100, 16, 1_048_575]));
        for bad in ["", "100/", "/100", "1048576", "-1", "x", &"1/".repeat(31)] {
            assert_eq!(labels(bad), None, "{bad}");
        }
    }

    #[test]
    fn locators() {
        assert_eq!(locator("1:2:3:ffff"), Some(0x0001_0002_0003_ffff));
        for bad in ["1:2:3", "1:2:3:4:5", "::1:2", "1:2:3:10000", "1:2:3:+4", "1:2:3:x"] {
            assert_eq!(locator(bad), None, "{bad}");
        }
    }
}
