//! Log lines for the actions of the cores.
//!
//! Lines that operators search for are byte-compatible with keepalived; the cause follows on a line
//! of its own.

use std::rc::Rc;

use crate::base::errno::KernelReply;
use crate::base::time::Instant;
use crate::daemon::outlets::chatter::Chatter;
use crate::holdings::{self, Fate, Holder, Restore};
use crate::model::track::Object;
use crate::model::vrrp::{ChecksumForm, Delivery, Instance};
use crate::model::Config;
use crate::vrrp::cause::{Cause, Fault, Seconds};
use crate::vrrp::{Action, Domain, Note, Phase};

/// Logs an action of the VRRP core.
pub(in crate::daemon) fn vrrp(
    action: &Action,
    domain: &Domain,
    chatter: &mut Chatter,
    now: Instant,
) {
    let name = |id| domain.instance(id).map_or("?", |i| i.config().name.as_str());
    match action {
        Action::Changed { id, from, to, cause } => {
            let name = name(*id);
            if let Some(held_back) = chatter.admit(format!("state of {name}"), now) {
                changed(name, *from, *to, cause, held_back);
            }
        }
        Action::GroupChanged { group, to, cause } => {
            let name = domain.group(*group).map_or("?", |g| g.name());
            let is_told = matches!(to, Phase::Master | Phase::Backup | Phase::Fault);
            if !is_told {
                return;
            }
            if let Some(held_back) = chatter.admit(format!("state of group {name}"), now) {
                log::info!("VRRP_Group({name}) Syncing instances to {} state", to.word());
                if !cause.is_plain() {
                    log::info!("VRRP_Group({name}) because: {cause}{}", HeldBack(held_back));
                }
            }
        }
        Action::PriorityChanged { id, from, to, cause } => {
            let name = name(*id);
            if let Some(held_back) = chatter.admit(format!("priority of {name}"), now) {
                log::info!("({name}) Changing effective priority from {from} to {to}");
                log::info!("({name}) because: {cause}{}", HeldBack(held_back));
            }
        }
        Action::Ordered { kind, news } => match news.id() {
            Some(id) => log::info!("({}) {kind}: {news}", name(id)),
            None => log::info!("{kind}: {news}"),
        },
        Action::Noted { id, note, held_back } => noted(name(*id), note, *held_back),
        Action::Release(id) => {
            if let Some(instance) = domain.instance(*id) {
                objects("removing", instance.config(), chatter, now);
            }
            if domain.instance(*id).is_some_and(|i| i.config().is_shielded()) {
                detail(name(*id), "removing firewall drop rule", chatter, now);
            }
        }
        Action::SendAdvert { .. }
        | Action::Want(_)
        | Action::Announce { .. }
        | Action::AnnounceElsewhere { .. }
        | Action::AnnounceSource { .. }
        | Action::LowerPriority { .. } => {}
    }
}

/// Logs a detail of a state change, rate-limited since a neighbour can cause any number of them.
pub(in crate::daemon) fn detail(name: &str, what: &str, chatter: &mut Chatter, now: Instant) {
    if log::log_enabled!(log::Level::Debug) {
        if let Some(held_back) = chatter.admit(format!("{what} {name}"), now) {
            log::debug!("({name}) {what}{}", HeldBack(held_back));
        }
    }
}

/// What an instance sets or removes in the kernel, by kinds.
pub(in crate::daemon) fn objects(
    verb: &str,
    config: &Instance,
    chatter: &mut Chatter,
    now: Instant,
) {
    for (is_there, what) in [
        (!config.addresses.is_empty(), "VIPs."),
        (!config.excluded.is_empty(), "E-VIPs."),
        (!config.routes.is_empty(), "Virtual Routes"),
        (!config.rules.is_empty(), "Virtual Rules"),
    ] {
        if is_there {
            detail(&config.name, &format!("{verb} {what}"), chatter, now);
        }
    }
}

fn changed(name: &str, from: Phase, to: Phase, cause: &Cause, held_back: u32) {
    let init = if from == Phase::Init { " (init)" } else { "" };
    match to {
        Phase::Master => log::info!("({name}) Entering MASTER STATE"),
        Phase::Backup => log::info!("({name}) Entering BACKUP STATE{init}"),
        Phase::Fault => {
            if let Cause::Faults(list) = cause {
                for fault in list {
                    match fault {
                        Fault::Tracked { object: Object::Script(script), .. } => {
                            log::info!("({name}): entering FAULT state due to script {script}");
                        }
                        Fault::Tracked { object: Object::File(file), .. } => {
                            log::info!("({name}): tracked file {file} now FAULT state");
                        }
                        _ => log::info!("({name}): entering FAULT state ({fault})"),
                    }
                }
            }
            log::info!("({name}) Entering FAULT STATE{init}");
        }
        Phase::Stopped | Phase::Deleted | Phase::Init => {
            log::debug!("({name}) {} -> {}", from.word(), to.word());
            return;
        }
    }
    if !matches!(cause, Cause::Started) {
        log::info!("({name}) because: {cause}{}", HeldBack(held_back));
    }
}

fn noted(name: &str, note: &Note, held_back: u32) {
    let more = HeldBack(held_back);
    match note {
        Note::Contested { from, theirs } => log::warn!(
            "({name}) {from} was master as well, with priority {theirs}: the addresses are announced again{more}"
        ),
        Note::LowerPriority { from, theirs, ours, answered } => {
            let election = if *answered { ", forcing new election" } else { "" };
            log::info!(
                "({name}) Received advert from {from} with lower priority {theirs}, ours {ours}{election}{more}"
            );
        }
        Note::Discarded { from, theirs } => {
            log::debug!(
                "({name}) received lower priority ({theirs}) advert from {from} - discarding{more}"
            );
        }
        Note::MasterIs { addr, before: None } => log::debug!("({name}) master set to {addr}{more}"),
        Note::MasterIs { addr, before: Some(before) } => {
            log::debug!("({name}) master changed from {before} to {addr}{more}");
        }
        Note::Goodbye { .. } => {
            log::debug!("({name}) Backup received priority 0 advertisement{more}");
        }
        Note::PreemptDelayStarted(delay) => {
            log::info!("({name}) start preempt delay ({:.6}){more}", delay.as_secs_f64());
        }
        Note::PreemptDelayStopped => log::info!("({name}) stop preempt delay{more}"),
        Note::TooLate { silent, patience } => log::info!(
            "({name}) was MASTER before the restart, but advertised last {} ago and its peers wait for {}: another election",
            Seconds(*silent),
            Seconds(*patience)
        ),
        Note::Silence => log::debug!("({name}) Receive advertisement timeout{more}"),
        Note::Stalled { late, .. } => log::warn!(
            "({name}) keepalived was stalled for {} past the master-down deadline: the master gets another interval{more}",
            Seconds(*late)
        ),
        Note::GroupNotReady => {
            log::debug!("({name}) waits for the other members of its group{more}");
        }
        Note::OwnerConflict { from } => log::warn!(
            "({name}) CONFIGURATION ERROR: {from} owns the addresses as well (priority 255){more}"
        ),
        Note::SameAddress { from } => log::warn!(
            "({name}) {from} advertises our priority from our own address: is this host on the segment twice?{more}"
        ),
        Note::ChecksumFollowed { from, form } => {
            let version = if *form == ChecksumForm::OldUnicast { "old" } else { "new" };
            log::info!("({name}) Setting unicast VRRPv3 checksum to {version} version");
            log::info!("({name}) because: {from} uses it{more}");
        }
        Note::Rejected { from, reason, is_rival: true } => {
            log::info!("({name}) {reason}; {from} is MASTER, too{more}");
        }
        Note::Rejected { reason, .. } => log::info!("({name}) {reason}{more}"),
        Note::Remarked { remark, .. } => log::info!("({name}) {remark}{more}"),
    }
}

/// Warns of unicast instances that accept adverts from any host. This is keepalived's default,
/// which few operators expect.
pub(in crate::daemon) fn open_to_strangers(config: &Config) -> Option<String> {
    let is_open =
        |i: &&Rc<Instance>| matches!(&i.delivery, Delivery::Unicast { check_source: false, .. });
    let open: Vec<_> = config.instances.iter().filter(is_open).map(|i| i.name.as_str()).collect();
    let (first, more) = (open.first()?, open.len() - 1);
    let others = match more {
        0 => String::new(),
        n => format!(" (as in {n} other instances)"),
    };
    Some(format!(
        "({first}) Any host that can send to this router is listened to, not only its unicast peers{others}: \
         check_unicast_src in the instance or vrrp_check_unicast_src in global_defs refuses the rest, \
         and min_ttl and max_ttl limit the distance of a peer"
    ))
}

/// Logs an action of the holdings.
pub(in crate::daemon) fn holdings(action: &holdings::Action, domain: &Domain) {
    let name = |owner: &Holder| match owner {
        Holder::Host => "static",
        Holder::Instance(id) => domain.instance(*id).map_or("?", |i| i.config().name.as_str()),
    };
    match action {
        holdings::Action::Missing { owner, link, what, restore } => {
            let then = match restore {
                Restore::Done => {
                    let story = "was dropped with its interface or address; it is restored";
                    return log::info!("({}) {what} {story}", name(owner));
                }
                Restore::Now => "restoring it".to_owned(),
                Restore::After(delay) => {
                    format!("this happens too often; restoring it in {}", Seconds(*delay))
                }
                Restore::Never => "it is not restored (no_track)".to_owned(),
            };
            let from = if link.is_empty() { String::new() } else { format!(" from {link}") };
            log::warn!("({}) {what} was removed{from} externally: {then}", name(owner));
        }
        // The packet filter reports its refusals itself, once for all entries.
        holdings::Action::Refused { what: holdings::Name::Firewall(_), .. } => {}
        holdings::Action::Refused { owner, link, what, adds, errno, text } => {
            let verb = match what {
                holdings::Name::Sysctl(_) => "set",
                _ if *adds => "add",
                _ => "remove",
            };
            let reply = KernelReply { errno: *errno, text: text.clone() };
            let is_link = matches!(what, holdings::Name::Link(_));
            let who = owner.as_ref().filter(|_| !is_link);
            let who = who.map_or_else(String::new, |o| format!("({}) ", name(o)));
            let more = match is_link && *errno == libc::EBUSY {
                true => ": it is a port of a bridge or bond, or has a macvlan beside an ipvlan",
                false => "",
            };
            log::error!("{who}cannot {verb} {what}{}: {reply}{more}", On(link));
        }
        holdings::Action::Found { owner, fate, link, what, count } => {
            let more = match count - 1 {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            let story = match fate {
                Fate::Adopted => "left by an earlier run: adopted",
                Fate::Kept => "left by an earlier run: kept unless another router is master",
                Fate::Removed => "left by an earlier run: removed",
                Fate::Foreign => "was not added by keepalived; it is used and never removed",
            };
            log::info!("({}) {what}{}{more} {story}", name(owner), On(link));
        }
        holdings::Action::Changed(_)
        | holdings::Action::Ask(_)
        | holdings::Action::Added { .. }
        | holdings::Action::Removed { .. }
        | holdings::Action::Held(_)
        | holdings::Action::Hopeless { .. }
        | holdings::Action::Hopeful { .. } => {}
    }
}

/// The interface of an object, if it is on one.
struct On<'a>(&'a str);

impl std::fmt::Display for On<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            "" => Ok(()),
            link => write!(f, " on {link}"),
        }
    }
}

/// Number of suppressed lines, appended to a rate-limited line.
pub(in crate::daemon) struct HeldBack(pub(in crate::daemon) u32);

impl std::fmt::Display for HeldBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => Ok(()),
            n => write!(f, " ({n} similar lines were suppressed)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vrrp::tests::instance;

    #[test]
    fn unicast_instances_that_accept_any_source_are_reported_once() {
        let unicast = |name: &str, check_source| {
            let delivery = Delivery::Unicast { peers: Vec::new(), ttl: None, check_source };
            Rc::new(Instance { delivery, ..instance(name, 51) })
        };
        let told =
            |instances: Vec<_>| open_to_strangers(&Config { instances, ..Config::default() });
        assert_eq!(told(vec![Rc::new(instance("A", 51)), unicast("B", true)]), None);
        let line =
            told(vec![unicast("B", true), unicast("C", false), unicast("D", false)]).unwrap();
        assert!(line.starts_with("(C) "), "{line}");
        assert!(line.contains("1 other") && line.contains("check_unicast_src"), "{line}");
    }
}
