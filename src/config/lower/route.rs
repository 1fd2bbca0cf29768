//! Routes, static ones and those of an instance.

use std::net::IpAddr;
use std::rc::Rc;

use super::Scene;
use crate::base::addr::{Family, PROTOCOL_KEEPALIVED};
use crate::base::diag::Span;
use crate::base::route::{kind, Encap, NextHop, Route, TABLE_MAIN};
use crate::config::document::Word;
use crate::config::keywords::{RawEncap, RawHop, RawKind, RawRoute, RawVia};
use crate::config::names::List;
use crate::model::route::{Placement, VirtualRoute};

/// Makes a route of a line; `None` if the line is left out.
pub(super) fn lower(scene: &mut Scene<'_, '_>, raw: &RawRoute<'_>) -> Option<Rc<VirtualRoute>> {
    let Some(destination) = &raw.destination else {
        scene.leave_out("route", raw.word.span, "the route has no destination");
        return None;
    };
    let family = family(raw);
    check_families(scene, raw, family)?;
    let route = Route {
        family,
        kind: raw.kind.map_or(kind::UNICAST, |kind| kind.value),
        destination: scene.network(destination, family),
        from: raw.from.as_ref().map(|from| scene.network(from, family)).filter(|from| from.len > 0),
        tos: raw.tos.map_or(Some(0), |word| scene.byte("tos", List::TosValues, word))?,
        table: table(scene, raw)?,
        protocol: protocol(scene, raw)?,
        scope: optional(raw.scope, |word| scene.byte("scope", List::Scopes, word))?,
        source: raw.source.map(|(addr, _)| addr),
        metric: raw.metric,
        next_hops: next_hops(scene, raw)?,
        nexthop_id: raw.nexthop_id.map(|given| given.value),
        expires: raw.expires.map(|given| given.value),
        preference: raw.preference.map(|given| given.value),
        ttl_propagate: raw.ttl_propagate,
        metrics: raw.metrics.clone(),
    };
    let route = check_paths(scene, raw, route)?;
    Some(Rc::new(VirtualRoute {
        route,
        placement: raw.placement.unwrap_or(Placement::First),
        no_track: raw.no_track,
        origin: scene.routing.origin(raw.word.span),
    }))
}

/// The value of an optional word; the outer `None` if it is invalid.
fn optional<'d, T>(
    word: Option<Word<'d>>,
    value: impl FnOnce(Word<'d>) -> Option<T>,
) -> Option<Option<T>> {
    match word {
        Some(word) => value(word).map(Some),
        None => Some(None),
    }
}

/// The family of a route: as it is written, or else that of its addresses. The gateway comes last:
/// it may be of another family.
fn family(raw: &RawRoute<'_>) -> Family {
    let written = raw.family.map(|given| given.value);
    let targets = [&raw.destination, &raw.from];
    let prefixes = targets.into_iter().flatten().filter_map(|target| target.prefix);
    let addresses = prefixes.map(|prefix| prefix.addr);
    let source = raw.source.map(|(addr, _)| addr);
    let hops = std::iter::once(&raw.path).chain(&raw.next_hops);
    let gateways = hops.filter_map(|hop| hop.via).map(|via| via.addr);
    let first = addresses.chain(source).chain(gateways).map(|addr| Family::of(&addr)).next();
    let only_v6 = raw.expires.is_some() || raw.preference.is_some();
    written.or(first).unwrap_or(match only_v6 {
        true => Family::V6,
        false => Family::V4,
    })
}

/// `None` if something is of another family than the route.
fn check_families(scene: &mut Scene<'_, '_>, raw: &RawRoute<'_>, family: Family) -> Option<()> {
    let mut other = |about: &str, span: Span, text: String| {
        scene.leave_out(about, span, &text);
    };
    let targets = [("route to", &raw.destination), ("from", &raw.from)];
    for (name, target) in targets {
        let Some(target) = target else { continue };
        if target.prefix.is_some_and(|prefix| Family::of(&prefix.addr) != family) {
            let text = format!("{name} '{}' is no {family} address", target.word.text);
            other("family", target.word.span, format!("{text}, and the route is {family}"));
            return None;
        }
    }
    for (name, given) in [("src", raw.source), ("or", raw.or)] {
        if let Some((addr, word)) = given.filter(|(addr, _)| Family::of(addr) != family) {
            let text = format!("{name} '{addr}' is no {family} address, and the route is {family}");
            other("family", word.span, text);
            return None;
        }
    }
    let only_v6 = [
        ("from", raw.from.as_ref().map(|from| from.word.span)),
        ("expires", raw.expires.map(|given| given.span)),
        ("pref", raw.preference.map(|given| given.span)),
    ];
    for (name, span) in only_v6 {
        if let (Family::V4, Some(span)) = (family, span) {
            other(name, span, format!("'{name}' is of IPv6 routes only, and the route is IPv4"));
            return None;
        }
    }
    let hops = || std::iter::once(&raw.path).chain(&raw.next_hops);
    if let (Family::V6, Some(word)) = (family, hops().find_map(|hop| hop.realms)) {
        other("realms", word.span, "'realms' is of IPv4 routes only, and the route is IPv6".into());
        return None;
    }
    hops().filter_map(|hop| hop.via).try_for_each(|via| check_gateway(scene, via, family))
}

/// A gateway may be of another family if that is written, and if the kernel can do it (RFC 8950).
fn check_gateway(scene: &mut Scene<'_, '_>, via: RawVia<'_>, family: Family) -> Option<()> {
    let own = Family::of(&via.addr);
    let addr = via.addr;
    let text = match via.family {
        Some(written) if written != own => format!("via '{addr}' is no {written} address"),
        Some(_) if own == family || own == Family::V6 => return Some(()),
        None if own == family => return Some(()),
        _ => format!("via '{addr}' is no {family} address, and the route is {family}"),
    };
    scene.leave_out("family", via.word.span, &text);
    if (family, own) == (Family::V4, Family::V6) && via.family.is_none() {
        let hint = format!("an IPv6 gateway of an IPv4 route is written 'via inet6 {addr}'");
        scene.checker.out.hint(hint);
    }
    None
}

fn table(scene: &mut Scene<'_, '_>, raw: &RawRoute<'_>) -> Option<u32> {
    if let Some(word) = raw.vrf {
        let table = scene.host.vrf_table(word.text);
        if table.is_none() {
            let text = format!("there is no VRF called '{}' now", word.text);
            scene.leave_out("vrf", word.span, &text);
            scene.checker.out.hint("'table' with the number of its table needs no interface");
        }
        return table;
    }
    let Some(word) = raw.table else { return Some(TABLE_MAIN) };
    // Table 0 is the main one in netlink.
    scene
        .number("table", List::Tables, word)
        .map(|table| if table == 0 { TABLE_MAIN } else { table })
}

/// Routes are recognised by their protocol, so only one that is left alone may have another.
fn protocol(scene: &mut Scene<'_, '_>, raw: &RawRoute<'_>) -> Option<u8> {
    let Some(word) = raw.protocol else { return Some(PROTOCOL_KEEPALIVED) };
    let protocol = scene.byte("protocol", List::Protocols, word)?;
    if protocol != PROTOCOL_KEEPALIVED && !raw.no_track {
        let text = format!(
            "protocol '{}' without 'no_track' is ignored: the route would not be recognised",
            word.text
        );
        scene.error("protocol", word.span, text);
        return Some(PROTOCOL_KEEPALIVED);
    }
    Some(protocol)
}

/// The paths of the route.
fn next_hops(scene: &mut Scene<'_, '_>, raw: &RawRoute<'_>) -> Option<Vec<NextHop<String>>> {
    let path = &raw.path;
    /// The kernel's limit.
    const MOST: usize = 255;
    if raw.next_hops.len() > MOST {
        let text = format!("the route has more than {MOST} next hops");
        scene.leave_out("nexthop", raw.word.span, &text);
        return None;
    }
    if raw.next_hops.iter().any(|hop| hop.via.is_none() && hop.dev.is_none()) {
        scene.leave_out("nexthop", raw.word.span, "a 'nexthop' has neither 'via' nor 'dev'");
        return None;
    }
    if !raw.next_hops.is_empty() {
        check_apart(scene, raw)?;
        let hops: Option<Vec<_>> = raw.next_hops.iter().map(|raw| hop(scene, raw)).collect();
        return hops.map(|mut hops| {
            if let [only] = &mut hops[..] {
                only.weight = 1;
            }
            hops
        });
    }
    if path.via.is_none() && path.dev.is_none() {
        return Some(Vec::new());
    }
    let first = hop(scene, path)?;
    let second = raw.or.filter(|_| path.via.is_some()).map(|(addr, _)| addr);
    let second = second.map(|addr: IpAddr| NextHop { via: Some(addr), ..first.clone() });
    Some(std::iter::once(first).chain(second).collect())
}

/// Checks what stands outside of `nexthop`: the kernel wants it to be that of the first next hop.
fn check_apart(scene: &mut Scene<'_, '_>, raw: &RawRoute<'_>) -> Option<()> {
    let (apart, first) = (&raw.path, &raw.next_hops[0]);
    let via = |hop: &RawHop<'_>| hop.via.map(|via| via.addr);
    let text = |word: Option<Word<'_>>| word.map(|word| word.text.to_owned());
    let mut wrong = apart.encap.as_ref().map(|encap| ("encap", encap.word));
    if via(apart).is_some() && via(apart) != via(first) {
        wrong = apart.via.map(|via| ("via", via.word));
    }
    for (name, outer, inner) in
        [("dev", apart.dev, first.dev), ("realms", apart.realms, first.realms)]
    {
        if outer.is_some() && text(outer) != text(inner) {
            wrong = outer.map(|word| (name, word));
        }
    }
    let Some((name, word)) = wrong else { return Some(()) };
    let text = format!("'{name}' is outside of 'nexthop', and differs from the first of them");
    scene.leave_out(name, word.span, &text);
    scene.checker.out.hint(format!("write '{name}' after each 'nexthop'"));
    None
}

fn hop(scene: &mut Scene<'_, '_>, raw: &RawHop<'_>) -> Option<NextHop<String>> {
    if let Some(dev) = raw.dev {
        scene.check_link(dev.text, dev.span);
    }
    Some(NextHop {
        via: raw.via.map(|via| via.addr),
        link: raw.dev.map(|word| word.text.to_owned()),
        weight: raw.weight.unwrap_or(1),
        onlink: raw.onlink.is_some(),
        encap: match &raw.encap {
            Some(raw) => Some(encap(scene, raw)?),
            None => None,
        },
        realms: optional(raw.realms, |word| scene.realms(word))?,
    })
}

fn encap(scene: &mut Scene<'_, '_>, raw: &RawEncap<'_>) -> Option<Encap> {
    if let Some((word, valid)) = raw.wrong {
        let text = format!("encap '{}' is not {valid}", word.text);
        scene.leave_out("encap", word.span, &text);
        return None;
    }
    let mut tunnel = match &raw.kind {
        Some(RawKind::Tunnel(tunnel)) => tunnel.clone(),
        Some(RawKind::Other(encap)) => return Some(encap.clone()),
        None => {
            let text = "'encap' needs one of ip, ip6, mpls and ila";
            scene.leave_out("encap", raw.word.span, text);
            return None;
        }
    };
    if tunnel.id.is_none() && tunnel.destination.is_none() {
        let text = "the tunnel of 'encap' needs 'dst' or 'id'";
        scene.leave_out("encap", raw.word.span, text);
        return None;
    }
    tunnel.tos = optional(raw.tos, |word| scene.byte("tos", List::TosValues, word))?;
    Some(Encap::Tunnel(tunnel))
}

/// Checks that the next hops fit the type of the route.
fn check_paths(
    scene: &mut Scene<'_, '_>,
    raw: &RawRoute<'_>,
    mut route: Route<String>,
) -> Option<Route<String>> {
    let span = raw.word.span;
    let has_paths = !route.next_hops.is_empty();
    if kind::is_dead_end(route.kind) {
        let name = kind::name(route.kind).unwrap_or("route");
        if has_paths || route.nexthop_id.is_some() {
            let text = format!("type {name} forwards nothing: the next hop is ignored");
            scene.error("type", span, text);
        }
        (route.next_hops, route.nexthop_id) = (Vec::new(), None);
        return Some(route);
    }
    if matches!(route.kind, kind::NAT | kind::XRESOLVE) {
        let name = kind::name(route.kind).unwrap_or_default();
        scene.leave_out("type", span, &format!("Linux has no routes of type {name}"));
        return None;
    }
    if let (true, Some(id)) = (has_paths, raw.nexthop_id) {
        let text = format!("'nhid {}' is beside other next hops", id.value);
        scene.leave_out("nhid", id.span, &text);
        return None;
    }
    if !has_paths && route.nexthop_id.is_none() {
        scene.leave_out("route", span, "the route has no 'via', 'dev', 'nexthop' or 'nhid'");
        return None;
    }
    Some(route)
}
