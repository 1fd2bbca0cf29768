//! `lvs_method`: how packets reach a real server.

use crate::config::entry::LineUse;
use crate::config::keyword::{opt, strict, Entry, Unknown, ValueKind};
use crate::config::table::{borrowed, line_table, LineTable, Setting};
use crate::model::lvs::{Forwarding, Tunnel, TunnelChecksum};

/// A method and the options of a tunnel.
#[derive(Default)]
pub(in crate::config) struct RawMethod<'d> {
    name: &'d str,
    kind: Option<&'d str>,
    port: Option<u16>,
    checksum: Option<TunnelChecksum>,
}

borrowed!(RawMethod);

pub(in crate::config) static LVS_METHOD: LineTable<RawMethod<'static>> = line_table!(
    RawMethod<'static>,
    Entry {
        name: "forwarding method",
        head: &[ValueKind::OneOf(&["NAT", "DR", "TUN"])],
        required: 1,
        options: &[],
        free: None,
        unknown: Unknown::IgnoreRest,
    },
    |raw, item, _| raw.name = item.word.text,
    [
        opt("type").value(ValueKind::OneOf(&["ipip", "gue", "gre"])).minor()
            => |raw, item, _| raw.kind = Some(item.word.text),
        opt("port").value(strict(1, 65_535)).minor() => |raw, item, _| raw.port = Some(item.number()),
        opt("nocsum") => |raw, _, _| raw.checksum = Some(TunnelChecksum::None),
        opt("csum") => |raw, _, _| raw.checksum = Some(TunnelChecksum::Plain),
        opt("remcsum") => |raw, _, _| raw.checksum = Some(TunnelChecksum::Remote),
    ]
);

/// Reads the words of a method; `None` if there is none. Of a tunnel whose options do not go
/// together none is used.
pub(super) fn read(s: &mut Setting<'_, '_, '_, ()>) -> Option<Forwarding> {
    let mut raw = RawMethod::default();
    let line = s.options(&LVS_METHOD, &mut raw);
    let name = s.node().keyword();
    Some(match (raw.name, line) {
        (_, LineUse::Useless) => return None,
        // A bad option was reported.
        ("TUN", LineUse::InPart) => Forwarding::Tunnel(Tunnel::Ipip),
        ("TUN", LineUse::Whole) => Forwarding::Tunnel(tunnel(&raw).unwrap_or_else(|why| {
            let text = format!("{} TUN: {why}: its options are ignored", name.text);
            s.checker.out.error("lvs_method", name.span, text);
            Tunnel::Ipip
        })),
        (plain, _) => {
            if line == LineUse::Whole && s.node().arg(1).is_some() {
                let text = format!("options after '{plain}' are ignored: only TUN has any");
                s.checker.out.warn("lvs_method", name.span, text);
            }
            match plain {
                "DR" => Forwarding::Direct,
                _ => Forwarding::Nat,
            }
        }
    })
}

fn tunnel(raw: &RawMethod<'_>) -> Result<Tunnel, &'static str> {
    let checksum = raw.checksum.unwrap_or_default();
    match (raw.kind.unwrap_or("ipip"), raw.port) {
        ("gue", Some(port)) => Ok(Tunnel::Gue { port, checksum }),
        ("gue", None) => Err("type gue needs a port"),
        (_, Some(_)) => Err("only type gue has a port"),
        ("gre", None) => match checksum {
            TunnelChecksum::Remote => Err("type gre has no remcsum"),
            _ => Ok(Tunnel::Gre { checksum: checksum == TunnelChecksum::Plain }),
        },
        _ if raw.checksum.is_some_and(|c| c != TunnelChecksum::None) => {
            Err("type ipip has no checksum")
        }
        _ => Ok(Tunnel::Ipip),
    }
}
