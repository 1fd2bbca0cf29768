//! Address family of a virtual server, or both.

use super::lvs::ServiceCore;
use super::server::ServerDraft;
use super::Scene;
use crate::base::addr::Family;
use crate::config::keywords::RawService;
use crate::model::lvs::{Forwarding, Granularity, GroupEntry, Service};

/// Determined by the addresses, then `ip_family`, then the granularity, then the real servers.
/// `None` for two families if only one is permitted.
pub(super) fn family(
    scene: &mut Scene<'_, '_>,
    raw: &RawService<'_>,
    core: &ServiceCore,
    drafts: &[ServerDraft],
) -> Option<Family> {
    if core.is_mixed() {
        if let Some(text) = hindrance(raw, core, drafts) {
            let text = format!("{text}: the virtual server is left out");
            scene.error("virtual_server_group", core.span, text);
            return None;
        }
    }
    let own = match &core.service {
        Service::Address { addr, .. } => Some(Family::of(addr)),
        // As long as it has both, it is the same one in whatever order they stand.
        _ if core.is_mixed() => Some(Family::V4),
        _ => core.entries.iter().find_map(GroupEntry::family),
    };
    if let (Some(own), Some(given)) = (own, raw.family) {
        if core.is_mixed() || own != given.value {
            let other = if core.is_mixed() { " and IPv6" } else { "" };
            let text = format!("ip_family is ignored: the addresses are {own}{other}");
            scene.error("ip_family", given.span, text);
        }
    }
    let granularity = raw.granularity.map(|given| match given.value {
        Granularity::Mask(_) => Family::V4,
        Granularity::Prefix(_) => Family::V6,
    });
    let no_tunnel = |draft: &&ServerDraft| !is_tunnel(draft.server.forwarding);
    let servers = drafts.iter().find(no_tunnel).map(|draft| Family::of(&draft.server.addr));
    let given = raw.family.map(|given| given.value);
    let family = own.or(given).or(granularity).or(servers);
    Some(family.unwrap_or(Family::V4))
}

/// Reason why a group cannot have both families.
fn hindrance(
    raw: &RawService<'_>,
    core: &ServiceCore,
    drafts: &[ServerDraft],
) -> Option<&'static str> {
    let sorry = raw.sorry.as_ref().map(|sorry| sorry.forwarding.unwrap_or(core.forwarding));
    let mut methods = drafts.iter().map(|draft| draft.server.forwarding).chain(sorry);
    if !methods.all(is_tunnel) {
        return Some(
            "the group has IPv4 and IPv6, which takes lvs_method TUN for every real_server and \
             the sorry_server",
        );
    }
    let open = core.entries.iter().any(|entry| entry.family().is_none());
    open.then_some("the group has IPv4 and IPv6, so each fwmark needs 'inet' or 'inet6'")
}

const fn is_tunnel(forwarding: Forwarding) -> bool {
    matches!(forwarding, Forwarding::Tunnel(_))
}
