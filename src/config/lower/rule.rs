//! Rules of the routing policy, static ones and those of an instance.
//!
//! A rule with a selector that cannot be used is left out as a whole: without the selector, it would
//! apply to more packets than meant.

use std::rc::Rc;

use super::Scene;
use crate::base::addr::{Family, Prefix, PROTOCOL_KEEPALIVED};
use crate::base::rule::{Rule, RuleAction};
use crate::config::keywords::{RawAction, RawRule, RawTarget};
use crate::config::names::List;
use crate::model::route::VirtualRule;

/// Makes a rule of a line; `None` if the line is left out. Called in the order of the text, which
/// decides priorities.
pub(super) fn lower(scene: &mut Scene<'_, '_>, raw: &RawRule<'_>) -> Option<Rc<VirtualRule>> {
    let family = family(scene, raw)?;
    let action = action(scene, raw)?;
    check_selectors(scene, raw, family, action)?;
    let tos = match raw.tos {
        Some(word) => scene.byte("tos", List::TosValues, word)?,
        None => 0,
    };
    let realms = match raw.realms {
        Some(word) => Some(scene.realms(word)?),
        None => None,
    };
    let suppress_group = match raw.suppress_group {
        Some(word) => Some(scene.number("suppress_ifgroup", List::LinkGroups, word)?),
        None => None,
    };
    let ip_protocol = match raw.ip_protocol {
        Some(word) => Some(scene.byte("ipproto", List::IpProtocols, word)?),
        None => None,
    };
    let rule = Rule {
        family,
        action,
        invert: raw.invert,
        from: selector(scene, raw.from.as_ref(), family),
        to: selector(scene, raw.to.as_ref(), family),
        tos,
        // It matches every mark.
        mark: raw.mark.filter(|mark| *mark != (0, 0)),
        iif: raw.iif.map(|word| word.text.to_owned()),
        oif: raw.oif.map(|word| word.text.to_owned()),
        realms: realms.filter(|&realms| realms != 0),
        suppress_prefix_len: raw.suppress_prefix_len.map(|given| given.value),
        suppress_group,
        tunnel: raw.tunnel.map(|given| given.value),
        users: raw.users,
        protocol: Some(protocol(scene, raw)).filter(|&protocol| protocol != 0),
        ip_protocol,
        source_ports: raw.source_ports,
        destination_ports: raw.destination_ports,
        // Last, so that a line that is left out takes none.
        priority: priority(scene, raw, family),
    };
    let origin = scene.routing.origin(raw.word.span);
    Some(Rc::new(VirtualRule { rule, no_track: raw.no_track, origin }))
}

fn family(scene: &mut Scene<'_, '_>, raw: &RawRule<'_>) -> Option<Family> {
    let targets = || [raw.from, raw.to].into_iter().flatten();
    let addresses = targets().filter_map(|target| Some(target.prefix?.addr));
    let written = raw.family.map(|given| given.value);
    let found = addresses.map(|addr| Family::of(&addr)).next();
    let family = written.or(found).unwrap_or(Family::V4);
    for target in targets() {
        if target.prefix.is_some_and(|prefix| Family::of(&prefix.addr) != family) {
            let text =
                format!("'{}' is no {family} address, and the rule is {family}", target.word.text);
            scene.leave_out("family", target.word.span, &text);
            return None;
        }
    }
    Some(family)
}

/// `None` stands for every address.
fn selector(
    scene: &mut Scene<'_, '_>,
    target: Option<&RawTarget<'_>>,
    family: Family,
) -> Option<Prefix> {
    let prefix = scene.network(target?, family);
    (prefix.len > 0).then_some(prefix)
}

fn action(scene: &mut Scene<'_, '_>, raw: &RawRule<'_>) -> Option<RuleAction> {
    let Some(action) = raw.action else {
        let text = "the rule has no action ('table', 'goto', 'nop', 'blackhole'...)";
        scene.leave_out("rule", raw.word.span, text);
        return None;
    };
    match action.value {
        RawAction::Table(word) => {
            let table = scene.number("table", List::Tables, word)?;
            if table == 0 {
                scene.leave_out("table", word.span, "table 0 does not exist");
                return None;
            }
            Some(RuleAction::Table(table))
        }
        RawAction::Other(RuleAction::Goto(target)) => {
            let text = match raw.priority {
                Some(own) if own < target => return Some(RuleAction::Goto(target)),
                Some(own) => format!("goto {target} does not lead behind the rule itself ({own})"),
                None => format!("goto {target} needs the priority of the rule itself"),
            };
            scene.leave_out("goto", action.span, &text);
            None
        }
        RawAction::Other(other) => Some(other),
    }
}

/// `None` if a selector does not fit the family or the action.
fn check_selectors(
    scene: &mut Scene<'_, '_>,
    raw: &RawRule<'_>,
    family: Family,
    action: RuleAction,
) -> Option<()> {
    let realms = raw.realms.map(|word| ("realms", word.span));
    if let (Family::V6, Some((_, span))) = (family, realms) {
        let text = "'realms' is of IPv4 rules only, and the rule is IPv6";
        scene.leave_out("realms", span, text);
        return None;
    }
    let suppressors = [
        realms,
        raw.suppress_prefix_len.map(|given| ("suppress_prefixlength", given.span)),
        raw.suppress_group.map(|word| ("suppress_ifgroup", word.span)),
    ];
    if let (false, Some((name, span))) =
        (matches!(action, RuleAction::Table(_)), suppressors.into_iter().flatten().next())
    {
        scene.leave_out(name, span, &format!("'{name}' needs the action 'table'"));
        return None;
    }
    // The kernel takes 0 for any.
    let zero = |text: &str| text.trim_start_matches('0').is_empty();
    let zeroes = [
        raw.tunnel.filter(|given| given.value == 0).map(|given| ("tunnel-id", given.span)),
        raw.ip_protocol.filter(|word| zero(word.text)).map(|word| ("ipproto", word.span)),
    ];
    if let Some((name, span)) = zeroes.into_iter().flatten().next() {
        scene.leave_out(name, span, &format!("'{name} 0' cannot be selected"));
        return None;
    }
    Some(())
}

/// Rules need no interfaces that exist, but a misspelt one would match nothing.
pub(super) fn check_links(scene: &mut Scene<'_, '_>, raw: &RawRule<'_>) {
    for word in [raw.iif, raw.oif].into_iter().flatten() {
        scene.check_link(word.text, word.span);
    }
}

/// Rules are recognised by their protocol, so only one that is left alone may have another.
fn protocol(scene: &mut Scene<'_, '_>, raw: &RawRule<'_>) -> u8 {
    let Some(protocol) = raw.protocol else { return PROTOCOL_KEEPALIVED };
    if protocol.value != PROTOCOL_KEEPALIVED && !raw.no_track {
        let text = format!(
            "protocol {} without 'no_track' is ignored: the rule would not be recognised",
            protocol.value
        );
        scene.error("protocol", protocol.span, text);
        return PROTOCOL_KEEPALIVED;
    }
    protocol.value
}

fn priority(scene: &mut Scene<'_, '_>, raw: &RawRule<'_>, family: Family) -> u32 {
    raw.priority.unwrap_or_else(|| {
        let priority = scene.routing.priority(family);
        let text = format!("the rule has no priority: {priority} is used");
        if scene.checker.out.error("priority", raw.word.span, text) {
            let hint = "of rules without a priority, the last one is asked first";
            scene.checker.out.hint(hint);
        }
        priority
    })
}
