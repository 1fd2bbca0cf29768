//! Rules of one instance: defaults, conflicts, refusals.

use std::collections::HashSet;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use super::vlink::Plan;
use super::{
    address, auth, delivery, notify, route, rule, strict, track, Instances, LoweredInstance,
    ReadInstance, Scene,
};
use crate::base::addr::Family;
use crate::base::batches::Batches;
use crate::base::diag::Span;
use crate::config::keywords::{RawInstance, RawLink};
use crate::model::route::VirtualRule;
use crate::model::vrrp::{
    Authentication, ChecksumForm, Garp, InitialState, Instance, StandingFault, TrackedLink,
    Version, VirtualAddress,
};

/// The part of an instance that other rules depend on.
struct InstanceCore {
    family: Family,
    version: Version,
    strict: bool,
    priority: u8,
    state: InitialState,
}

impl InstanceCore {
    const fn is_owner(&self) -> bool {
        self.priority == 255
    }
}

/// Makes instances of the parsed blocks, with their virtual interfaces.
pub(super) fn lower_all<'d>(
    scene: &mut Scene<'_, '_>,
    raws: Batches<ReadInstance<'d>>,
    plans: Vec<Plan>,
) -> Instances {
    let mut instances = Instances::default();
    for (ReadInstance { raw, tracked, rules }, plan) in raws.into_iter().zip(plans) {
        scene.host.breathe();
        let name = raw.name.text;
        scene.checker.out.set_scope(Some(name));
        match lower(scene, raw, tracked, rules, plan) {
            Some(lowered) => instances.list.push(lowered),
            None => {
                instances.left_out.insert(name.to_owned());
            }
        }
        scene.checker.out.set_scope(None);
    }
    instances
}

/// Makes an instance of the parsed block; `None` if it is omitted.
fn lower<'d>(
    scene: &mut Scene<'_, '_>,
    mut raw: RawInstance<'d>,
    tracked: Vec<track::TrackedEntry<'d>>,
    rules: Vec<Rc<VirtualRule>>,
    plan: Plan,
) -> Option<LoweredInstance> {
    let mut core = core(scene, &mut raw);
    let vrid = raw.vrid.or_else(|| {
        scene.refuse(
            "virtual_router_id",
            raw.name.span,
            "the instance has no valid virtual_router_id",
        );
        None
    });
    let interface = delivery::interface(scene, &raw);
    let link = interface.and_then(|name| scene.host.link(name));
    let delivery = delivery::delivery(scene, &raw, &core.facts(), link);
    let standing_fault = delivery::standing_fault(scene, &raw, &delivery, interface, link);
    delivery::check_source(scene, &raw, &delivery, interface);
    let advert_interval = advert_interval(scene, &raw, core.version);
    let authentication = auth::authentication(scene, &raw, &core.facts(), advert_interval);
    if matches!(authentication, Authentication::Header(_)) && !core.is_owner() {
        core.state = auth::state(scene, &raw, core.state);
    }
    let no_key = (authentication == Authentication::Unusable).then_some(StandingFault::NoKey);
    let preemption = preemption(scene, &mut raw, &core);
    let own: Vec<_> =
        interface.into_iter().chain(plan.link.as_ref().map(|l| l.name.as_str())).collect();
    let tracked_links = tracked_links(scene, std::mem::take(&mut raw.links), &core, &own);
    let tracked = track::each_once(scene, tracked, core.is_owner());
    let raw_notify = raw.notify.as_deref().copied().unwrap_or_default();
    let priority_changes_given = raw_notify.priority_changes.is_some();
    let notify = notify::notify(scene, &raw_notify);
    let mut places = Vec::with_capacity(raw.addresses.len() + raw.excluded.len());
    let mtu = link.map(|link| link.mtu);
    let max = max_addresses(core.family, core.version, &authentication, mtu);
    let (addresses, excluded) =
        addresses(scene, &mut raw, &core, max, &plan, interface, &mut places);
    let routes = raw.routes.iter().filter_map(|raw| route::lower(scene, raw)).collect();
    raw.rules.iter().for_each(|raw| rule::check_links(scene, raw));
    // One for an address that was left out is not made.
    let mut address_vlinks = plan.address_links();
    address_vlinks.retain(|link| {
        addresses.iter().chain(&excluded).any(|address| address.interface == link.name)
    });
    let priority = core.priority;
    let strictly = strict::Settings::new(scene, &raw, &core.facts(), &addresses);
    let garp = garp(scene, &raw, &strictly);
    let defaults = scene.defaults;
    let share = || defaults.rx_buffer.share(core.family, addresses.len(), link);
    let rx_buffer = raw.rx_buffer.or_else(share);
    let narrowed = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
    let ipvlan = plan.ipvlan_address.as_ref().map(|address| address.prefix.addr);
    let vrid = vrid?;
    let mut instance = Instance {
        name: raw.name.text.into(),
        interface: interface.map(|name| scene.shared.names.of(name)),
        address_vlinks: address_vlinks.into(),
        xmit_base: plan.xmit_base,
        vrf: plan.vrf.map(Into::into),
        vrid: vrid.value,
        family: core.family,
        version: core.version,
        initial_state: core.state,
        priority,
        advert_interval,
        down_timer_adverts: strictly.down_timer_adverts,
        authentication,
        delivery,
        source: raw.source.map(|given| given.value).or(ipvlan),
        ipvlan_address: plan.ipvlan_address,
        track_source: raw.track_source && raw.source.is_some(),
        checksum: checksum(&raw, defaults.v3_checksum_as_v2),
        checksum_follows_peer: raw.old_checksum != Some(false),
        nopreempt: preemption.nopreempt,
        preempt_delay: preemption.delay,
        strict: core.strict,
        lower_prio_no_advert: strictly.lower_prio_no_advert,
        higher_prio_send_advert: strictly.higher_prio_send_advert,
        skip_check_adv_addr: raw.skip_check_adv_addr.unwrap_or(defaults.skip_check_adv_addr),
        owner_ignore_adverts: strictly.owner_ignore_adverts,
        accept: strictly.accept,
        dont_track_primary: raw.dont_track_primary,
        tracked_links: tracked_links.into(),
        tracked: tracked.into(),
        notify: scene.shared.notify.of(notify),
        garp: scene.shared.garp.of(garp),
        addresses,
        excluded: excluded.into(),
        routes,
        rules: rules.into(),
        rx_buffer: rx_buffer.map(narrowed),
        promote_secondaries: raw.promote_secondaries.is_some() && plan.link.is_none(),
        vlink: plan.link,
        timer_expired_backup: preemption.timer_expired_backup,
        debug: raw.debug,
        standing_fault: plan.fault.or(no_key).or(standing_fault),
    };
    if !instance.garp.extra.is_zero() && instance.announced_elsewhere().next().is_none() {
        let garp = Rc::make_mut(&mut instance.garp);
        (garp.extra, garp.extra_on_all) = (Duration::ZERO, false);
    }
    Some(LoweredInstance {
        instance: Rc::new(instance),
        name: raw.name.span,
        vrid: vrid.span,
        addresses: places,
        priority_changes_given,
    })
}

impl InstanceCore {
    const fn facts(&self) -> strict::StrictFacts {
        strict::StrictFacts {
            strict: self.strict,
            owner: self.is_owner(),
            version: self.version,
            family: self.family,
        }
    }
}

/// Family, version, priority and state, which decide each other.
fn core(scene: &mut Scene<'_, '_>, raw: &mut RawInstance<'_>) -> InstanceCore {
    let family = raw.family.unwrap_or(Family::V4);
    let mut version = raw.version.unwrap_or(scene.defaults.version);
    let strict = raw.strict.unwrap_or(scene.defaults.strict);
    if strict && family == Family::V6 && version == Version::V2 {
        scene.error(
            "version",
            raw.name.span,
            "strict mode has no version 2 over IPv6: version 3 is used",
        );
        version = Version::V3;
    }
    let given = raw.state.map(|s| s.value);
    let default = if given == Some(InitialState::Master) { 255 } else { 100 };
    let priority = raw.priority.unwrap_or(default);
    let by_priority = if priority == 255 { InitialState::Master } else { InitialState::Backup };
    let mut state = given.unwrap_or(by_priority);
    if let (true, Some(given)) = (strict && state != by_priority, raw.state) {
        let text = "strict mode derives the state from the priority: MASTER with 255, else BACKUP";
        scene.error("state", given.span, text);
        state = by_priority;
    }
    InstanceCore { family, version, strict, priority, state }
}

/// Whole seconds up to 255 in version 2, hundredths up to 40.95 s in version 3
/// (RFC 3768 §5.3.7, RFC 9568 §5.2.7).
fn advert_interval(scene: &mut Scene<'_, '_>, raw: &RawInstance<'_>, version: Version) -> Duration {
    const SECOND: u64 = 1_000_000;
    let Some(given) = raw.advert else { return Duration::from_secs(1) };
    let micros = crate::base::time::micros(given.value);
    let (step, max, rule) = match version {
        Version::V2 => (SECOND, 255 * SECOND, "version 2 counts whole seconds"),
        Version::V3 => (10_000, 40_950_000, "version 3 counts hundredths of a second up to 40.95"),
    };
    let rounded = ((micros + step / 2) / step * step).clamp(step, max);
    if rounded != micros {
        let text = format!(
            "advert_int {}: {rule}, {} is used",
            seconds(given.value),
            seconds(Duration::from_micros(rounded))
        );
        scene.error("advert_int", given.span, text);
    }
    Duration::from_micros(rounded)
}

/// Seconds, as short as they can be written.
pub(in crate::config) fn seconds(d: Duration) -> String {
    let text = format!("{}.{:06}", d.as_secs(), d.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

struct Preemption {
    nopreempt: bool,
    delay: Duration,
    timer_expired_backup: Option<u8>,
}

fn preemption(
    scene: &mut Scene<'_, '_>,
    raw: &mut RawInstance<'_>,
    core: &InstanceCore,
) -> Preemption {
    let mut nopreempt = raw.nopreempt;
    let mut delay = raw.preempt_delay.filter(|d| !d.value.is_zero());
    let master = core.state == InitialState::Master;
    if let Some(span) = nopreempt.filter(|_| master || core.is_owner()) {
        let why = if core.is_owner() { "priority 255" } else { "state MASTER" };
        scene.error("nopreempt", span, format!("nopreempt is ignored with {why}"));
        nopreempt = None;
    }
    let why = if core.strict {
        Some("in strict mode")
    } else if master {
        Some("with state MASTER")
    } else if nopreempt.is_some() {
        Some("with nopreempt")
    } else {
        None
    };
    if let (Some(given), Some(why)) = (delay, why) {
        scene.error("preempt_delay", given.span, format!("preempt_delay is ignored {why}"));
        delay = None;
    }
    let mut expired = raw.timer_expired_backup;
    if let Some(given) = expired.filter(|_| nopreempt.is_none()) {
        let text = "timer_expired_backup is ignored without nopreempt";
        scene.error("timer_expired_backup", given.span, text);
        expired = None;
    }
    Preemption {
        nopreempt: nopreempt.is_some(),
        delay: delay.map_or(Duration::ZERO, |d| d.value),
        timer_expired_backup: expired.map(|e| e.value),
    }
}

fn tracked_links(
    scene: &mut Scene<'_, '_>,
    raw: Vec<RawLink<'_>>,
    core: &InstanceCore,
    own: &[&str],
) -> Vec<TrackedLink> {
    let mut links = checked_links(scene, raw);
    links.retain(|(link, span)| {
        let own = own.contains(&link.interface.as_str());
        if own {
            let text = "the interface of the instance is tracked anyway: the line is ignored";
            scene.error("track_interface", *span, text);
        }
        let useless = core.is_owner() && link.weight != 0;
        if useless && !own {
            let text = format!(
                "interface '{}' is not tracked: weights mean nothing with priority 255",
                link.interface
            );
            scene.error("track_interface", *span, text);
        }
        !own && !useless
    });
    links.into_iter().map(|(link, _)| link).collect()
}

/// The links that exist or may come, each once.
pub(super) fn checked_links(
    scene: &mut Scene<'_, '_>,
    raw: Vec<RawLink<'_>>,
) -> Vec<(TrackedLink, Span)> {
    let mut seen = HashSet::new();
    let mut links = Vec::with_capacity(raw.len());
    for RawLink { name, weight, reverse } in raw {
        scene.check_link(name.text, name.span);
        if seen.insert(name.text) {
            let interface = scene.shared.names.of(name.text);
            links.push((TrackedLink { interface, weight, reverse }, name.span));
        } else {
            let text = format!("interface '{}' is tracked already: the line is ignored", name.text);
            scene.error("track_interface", name.span, text);
        }
    }
    links
}

/// Both lists of addresses. Addresses that do not fit into an advertisement are moved to the
/// second.
fn addresses<'d>(
    scene: &mut Scene<'_, '_>,
    raw: &mut RawInstance<'d>,
    core: &InstanceCore,
    max: usize,
    plan: &Plan,
    interface: Option<&'d str>,
    places: &mut Vec<(IpAddr, Span)>,
) -> (Vec<Rc<VirtualAddress>>, Vec<Rc<VirtualAddress>>) {
    let mut seen = HashSet::new();
    let advertised = std::mem::take(&mut raw.addresses);
    let mut addresses = address::addresses(scene, interface, advertised, &mut seen, places, plan);
    let excluded = std::mem::take(&mut raw.excluded);
    let mut excluded = address::addresses(scene, interface, excluded, &mut seen, places, plan);
    if addresses.len() > max {
        let text = format!(
            "{} addresses, {max} fit into an advertisement: the rest is not advertised",
            addresses.len()
        );
        scene.error("virtual_ipaddress", raw.name.span, text);
        let mut rest = addresses.split_off(max);
        rest.append(&mut excluded);
        excluded = rest;
    }
    if addresses.is_empty() {
        no_address(scene, raw, core);
    }
    (addresses, excluded)
}

fn no_address(scene: &mut Scene<'_, '_>, raw: &RawInstance<'_>, core: &InstanceCore) {
    if let Some(span) = raw.no_address {
        if !core.strict {
            return;
        }
        scene.error("no_virtual_ipaddress", span, "no_virtual_ipaddress is ignored in strict mode");
    }
    let text = "no virtual_ipaddress is given";
    if core.strict || core.version == Version::V3 {
        let why = if core.strict { "strict mode" } else { "version 3" };
        scene.refuse("virtual_ipaddress", raw.name.span, format!("{text}: {why} needs one"));
    } else {
        scene.error("virtual_ipaddress", raw.name.span, text);
    }
}

/// How many addresses one advertisement can carry.
///
/// The Ethernet header counts against the MTU as well: that is the limit peers are used to.
fn max_addresses(
    family: Family,
    version: Version,
    authentication: &Authentication,
    mtu: Option<u32>,
) -> usize {
    const COUNT_FIELD: usize = 255;
    let Some(mtu) = mtu else { return COUNT_FIELD };
    let (header, size) = match family {
        Family::V4 => (20, 4),
        Family::V6 => (40, 16),
    };
    let data = if version == Version::V2 { 8 } else { 0 };
    let proof = match authentication {
        Authentication::Header(_) => 24,
        Authentication::Signed(_) => 28,
        Authentication::None | Authentication::Pass(_) | Authentication::Unusable => 0,
    };
    let room = (mtu as usize).saturating_sub(14 + header + 8 + data + proof);
    COUNT_FIELD.min(room / size)
}

fn checksum(raw: &RawInstance<'_>, as_v2: bool) -> ChecksumForm {
    if raw.v3_checksum_as_v2.unwrap_or(as_v2) {
        ChecksumForm::AsV2
    } else if raw.old_checksum == Some(true) {
        ChecksumForm::OldUnicast
    } else {
        ChecksumForm::PseudoHeader
    }
}

fn garp(scene: &Scene<'_, '_>, raw: &RawInstance<'_>, strictly: &strict::Settings) -> Garp {
    let extra =
        if raw.garp.extra.every.is_some() { raw.garp.extra } else { scene.defaults.garp_extra };
    let defaults = scene.defaults;
    let seconds = |n: u32| Duration::from_secs(n.into());
    Garp {
        delay: seconds(raw.garp.delay.unwrap_or(defaults.garp_delay)),
        repeat: raw.garp.repeat.unwrap_or(defaults.garp_repeat),
        refresh: seconds(raw.garp.refresh.unwrap_or(defaults.garp_refresh)),
        refresh_repeat: raw.garp.refresh_repeat.unwrap_or(defaults.garp_refresh_repeat),
        lower_prio_delay: seconds(strictly.garp_lower_prio_delay),
        lower_prio_repeat: strictly.garp_lower_prio_repeat,
        extra: seconds(extra.every.unwrap_or(0)),
        extra_on_all: extra.all && extra.every.is_some_and(|every| every > 0),
    }
}
