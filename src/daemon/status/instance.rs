//! Virtual routers and sync groups. Each fact has a function of its own, for the dumps show many of
//! them, too.

use std::rc::Rc;

use super::address::address;
use super::order;
use crate::base::ids::InstanceId;
use crate::daemon::journal::{kind, Journal, Subject};
use crate::daemon::view::View;
use crate::model::vrrp::{Version, VirtualAddress};
use crate::status::{
    Address, Counters, Group, Heard, Instance, ObjectKind, Part, Priority, Refusal, State, Time,
};
use crate::vrrp::cause::Factor;
use crate::vrrp::receive::Errors;
use crate::vrrp::{self, Phase};

pub(in crate::daemon) const fn state(phase: Phase) -> State {
    match phase {
        Phase::Init => State::Init,
        Phase::Backup => State::Backup,
        Phase::Master => State::Master,
        Phase::Fault => State::Fault,
        Phase::Stopped => State::Stop,
        Phase::Deleted => State::Deleted,
    }
}

pub(in crate::daemon) fn since(view: &View<'_>, i: &vrrp::Instance) -> Time {
    Time(view.wall_at(i.since()))
}

pub(in crate::daemon) fn version(i: &vrrp::Instance) -> u8 {
    match i.config().version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

/// The priority with each part of the sum.
fn priority(view: &View<'_>, id: InstanceId, i: &vrrp::Instance) -> Priority {
    let part = |(factor, weight): (&Factor, i32)| {
        let (kind, name) = match factor {
            Factor::Link { name, .. } => (ObjectKind::Interface, name.to_string()),
            Factor::Tracked { object, .. } => (kind(object), object.name().to_owned()),
            // Commands and causes of a change.
            Factor::Configured | Factor::Commanded | Factor::Ordered(_) | Factor::OrderOver(..) => {
                (ObjectKind::Daemon, String::new())
            }
        };
        Part { kind, name, reason: factor.to_string(), weight }
    };
    Priority {
        effective: i.priority(),
        base: i.base_priority(),
        configured: i.config().priority,
        commanded: view.vrrp.ordered_priority(id).is_some(),
        parts: i.shares().map(part).collect(),
    }
}

/// The last other master, even while this instance is master.
pub(in crate::daemon) fn heard(view: &View<'_>, i: &vrrp::Instance) -> Option<Heard> {
    let heard = i.heard_before(view.now)?;
    Some(Heard {
        address: Some(heard.from),
        priority: heard.priority,
        at: Time(view.wall_at(view.now - heard.ago)),
        advert_interval: i.master_interval().as_secs_f64(),
    })
}

/// Addresses of an instance, each as it is now.
pub(in crate::daemon) fn addresses<'a>(
    view: &'a View<'_>,
    i: &'a vrrp::Instance,
    list: &'a [Rc<VirtualAddress>],
) -> impl Iterator<Item = Address> + 'a {
    list.iter().map(|a| Address {
        address: address(a, i.config().base_of(&a.interface)),
        present: view.is_set(i, a),
    })
}

pub(in crate::daemon) fn counters(i: &vrrp::Instance) -> Counters {
    let (c, e) = (i.counters(), i.counters().errors());
    Counters {
        advert_rcvd: c.advert_rcvd,
        advert_sent: c.advert_sent,
        become_master: c.become_master,
        release_master: c.release_master,
        packet_len_err: e.packet_len_err,
        advert_interval_err: e.advert_interval_err,
        ip_ttl_err: e.ip_ttl_err,
        invalid_type_rcvd: e.invalid_type_rcvd,
        addr_list_err: e.addr_list_err,
        invalid_authtype: e.invalid_authtype,
        authtype_mismatch: e.authtype_mismatch,
        auth_failure: e.auth_failure,
        auth_ext_missing: e.auth_ext_missing,
        auth_ext_malformed: e.auth_ext_malformed,
        auth_ext_unknown_key: e.auth_ext_unknown_key,
        auth_ext_invalid_hmac: e.auth_ext_invalid_hmac,
        auth_ext_stale: e.auth_ext_stale,
        auth_ext_replay: e.auth_ext_replay,
        pri_zero_rcvd: c.pri_zero_rcvd,
        pri_zero_sent: c.pri_zero_sent,
        version_err: e.version_err,
        checksum_err: e.checksum_err,
        vrid_err: e.vrid_err,
        own_address: e.own_address,
        peer_err: e.peer_err,
        owner_ignored: e.owner_ignored,
    }
}

/// The same the other way round.
pub(in crate::daemon) fn counted(c: &Counters) -> vrrp::receive::Counters {
    let errors = errors(c);
    vrrp::receive::Counters {
        advert_rcvd: c.advert_rcvd,
        advert_sent: c.advert_sent,
        become_master: c.become_master,
        release_master: c.release_master,
        pri_zero_rcvd: c.pri_zero_rcvd,
        pri_zero_sent: c.pri_zero_sent,
        errors: (errors != Errors::default()).then(|| Box::new(errors)),
    }
}

const fn errors(c: &Counters) -> Errors {
    Errors {
        packet_len_err: c.packet_len_err,
        advert_interval_err: c.advert_interval_err,
        ip_ttl_err: c.ip_ttl_err,
        invalid_type_rcvd: c.invalid_type_rcvd,
        addr_list_err: c.addr_list_err,
        invalid_authtype: c.invalid_authtype,
        authtype_mismatch: c.authtype_mismatch,
        auth_failure: c.auth_failure,
        auth_ext_missing: c.auth_ext_missing,
        auth_ext_malformed: c.auth_ext_malformed,
        auth_ext_unknown_key: c.auth_ext_unknown_key,
        auth_ext_invalid_hmac: c.auth_ext_invalid_hmac,
        auth_ext_stale: c.auth_ext_stale,
        auth_ext_replay: c.auth_ext_replay,
        version_err: c.version_err,
        checksum_err: c.checksum_err,
        vrid_err: c.vrid_err,
        own_address: c.own_address,
        peer_err: c.peer_err,
        owner_ignored: c.owner_ignored,
    }
}

/// The last refused advertisements, the last one first.
fn refused(view: &View<'_>, id: InstanceId) -> Vec<Refusal> {
    let mut list: Vec<_> = view.vrrp.refusals(id).collect();
    list.sort_by_key(|(_, refusal)| std::cmp::Reverse(refusal.last));
    let one = |(from, r): (_, &vrrp::refusals::Refusal)| Refusal {
        from: Some(from),
        count: r.count,
        first: Time(view.wall_at(r.first)),
        last: Time(view.wall_at(r.last)),
        reason: r.reason.to_string(),
        rival: r.is_rival,
    };
    list.into_iter().map(one).collect()
}

/// The figures: what can be had for thousands of instances a second. All else is left out.
pub(in crate::daemon) fn figures(
    view: &View<'_>,
    journal: &Journal,
    id: InstanceId,
) -> Option<Instance> {
    let i = view.vrrp.instance(id)?;
    let config = i.config();
    Some(Instance {
        name: config.name.to_string(),
        state: state(i.phase()),
        since: since(view, i),
        wanted: state(i.wanted_phase()),
        interface: config.advert_link().map(str::to_owned),
        vrid: config.vrid,
        version: version(i),
        priority: priority(view, id, i),
        holds_addresses: i.holds_addresses(),
        advert_interval: config.advert_interval.as_secs_f64(),
        master_down_interval: i.master_down_interval().as_secs_f64(),
        counters: counters(i),
        transitions: journal.totals.transitions(&config.name),
        contested: journal.totals.contested(&config.name),
        garp_delay: config.garp.delay.as_secs_f64(),
        ..Instance::default()
    })
}

pub(in crate::daemon) fn instance(
    view: &View<'_>,
    journal: &Journal,
    id: InstanceId,
) -> Option<Instance> {
    let i = view.vrrp.instance(id)?;
    let config = i.config();
    let group = i.group().and_then(|g| view.vrrp.group(g));
    let all = addresses(view, i, &config.addresses).chain(addresses(view, i, &config.excluded));
    Some(Instance {
        why: match i.phase() {
            Phase::Init => None,
            _ => {
                Some(view.vrrp.cause(id).map_or_else(|| "started".to_owned(), ToString::to_string))
            }
        },
        group: group.map(|g| g.name().to_string()),
        source: i.source(),
        order: order::of(view, id),
        heirs: order::heirs(view, id),
        faults: i.faults().map(ToString::to_string).collect(),
        pending: i.pending().iter().map(ToString::to_string).collect(),
        master: heard(view, i),
        addresses: all.collect(),
        refused: refused(view, id),
        ..figures(view, journal, id)?
    })
}

pub(in crate::daemon) fn group(view: &View<'_>, journal: &Journal, g: &vrrp::Group) -> Group {
    let last = journal.last_state(&Subject::new(ObjectKind::Group, g.name().clone()));
    let name = |id: &InstanceId| Some(view.vrrp.instance(*id)?.config().name.to_string());
    Group {
        name: g.name().to_string(),
        state: state(g.phase()),
        since: last.map(|entry| Time(view.wall_at(entry.at))),
        why: last.and_then(|entry| entry.why.text()),
        members: g.members().iter().filter_map(name).collect(),
    }
}
