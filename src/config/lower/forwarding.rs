//! `lvs_method`: how packets reach a real server.

use crate::config::document::Node;
use crate::config::entry;
use crate::config::keywords::LVS_METHOD;
use crate::config::statement::Checker;
use crate::config::value::Value;
use crate::model::lvs::{Forwarding, Tunnel, TunnelChecksum};

/// Options of a tunnel as they are written.
#[derive(Default)]
struct Options<'d> {
    kind: Option<&'d str>,
    port: Option<u16>,
    checksum: Option<TunnelChecksum>,
}

/// Reads a line that was checked. Of a tunnel whose options do not go together none is used.
pub(super) fn read(checker: &mut Checker<'_>, node: Node<'_>) -> Forwarding {
    let (items, all_good) = entry::items(node, &LVS_METHOD);
    let mut method = "";
    let mut options = Options::default();
    for item in items {
        match (item.option, item.value) {
            ("", Value::Text(word)) => method = word,
            ("type", Value::Text(kind)) => options.kind = Some(kind),
            ("port", Value::Int(port)) => options.port = u16::try_from(port).ok(),
            ("nocsum", _) => options.checksum = Some(TunnelChecksum::None),
            ("csum", _) => options.checksum = Some(TunnelChecksum::Plain),
            ("remcsum", _) => options.checksum = Some(TunnelChecksum::Remote),
            _ => {}
        }
    }
    let name = node.keyword();
    match method {
        "NAT" | "DR" if node.arg(1).is_some() => {
            if all_good {
                let text = format!("options after '{method}' are ignored: only TUN has any");
                checker.out.warn("lvs_method", name.span, text);
            }
            plain(method)
        }
        // Of a bad option was told already.
        "TUN" if !all_good => Forwarding::Tunnel(Tunnel::Ipip),
        "TUN" => Forwarding::Tunnel(tunnel(&options).unwrap_or_else(|why| {
            let text = format!("{} TUN: {why}: its options are ignored", name.text);
            checker.out.error("lvs_method", name.span, text);
            Tunnel::Ipip
        })),
        _ => plain(method),
    }
}

fn plain(method: &str) -> Forwarding {
    if method == "DR" {
        Forwarding::Direct
    } else {
        Forwarding::Nat
    }
}

fn tunnel(options: &Options<'_>) -> Result<Tunnel, &'static str> {
    let checksum = options.checksum.unwrap_or_default();
    match (options.kind.unwrap_or("ipip"), options.port) {
        ("gue", Some(port)) => Ok(Tunnel::Gue { port, checksum }),
        ("gue", None) => Err("type gue needs a port"),
        (_, Some(_)) => Err("only type gue has a port"),
        ("gre", None) => match checksum {
            TunnelChecksum::Remote => Err("type gre has no remcsum"),
            _ => Ok(Tunnel::Gre { checksum: checksum == TunnelChecksum::Plain }),
        },
        _ if options.checksum.is_some_and(|c| c != TunnelChecksum::None) => {
            Err("type ipip has no checksum")
        }
        _ => Ok(Tunnel::Ipip),
    }
}
