//! Virtual routers in the snapshot.

use std::net::IpAddr;

use crate::base::ids::InstanceId;
use crate::base::time::{micros, Duration, Instant};
use crate::daemon::runtime::Runtime;
use crate::daemon::status;
use crate::snapshot::{self, Router};
use crate::vrrp::refusals::{Refusal, RefusalReason};
use crate::vrrp::{self, Heir, Mark, Past};

pub(super) const fn time(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

pub(super) fn since_zero(at: Instant) -> u64 {
    micros(at.since(Instant::ZERO))
}

fn router(heir: &Heir) -> Router {
    Router { address: heir.addr, priority: heir.priority, at: since_zero(heir.at) }
}

fn heir(router: &Router) -> Heir {
    Heir { addr: router.address, priority: router.priority, at: time(router.at) }
}

fn refused((from, r): &(IpAddr, Refusal)) -> snapshot::Refused {
    let (first, last) = (since_zero(r.first), since_zero(r.last));
    let (count, reason, is_rival) = (r.count, r.reason.to_string(), r.is_rival);
    snapshot::Refused { from: *from, count, first, last, reason, is_rival }
}

fn refusal(r: &snapshot::Refused) -> (IpAddr, Refusal) {
    let reason = RefusalReason::Before(r.reason.as_str().into());
    let (count, first, last) = (r.count, time(r.first), time(r.last));
    (r.from, Refusal { count, first, last, reason, is_rival: r.is_rival })
}

impl Runtime {
    pub(super) fn router(&self, id: InstanceId, i: &vrrp::Instance) -> snapshot::Instance {
        let (vrrp, totals) = (&self.cores.vrrp, &self.journal.totals);
        let (name, past) = (&i.config().name, vrrp.past(id).unwrap_or_default());
        let mark =
            |m: &Mark| snapshot::Mark { from: m.from, sequence: m.sequence, at: since_zero(m.at) };
        snapshot::Instance {
            name: name.to_string(),
            state: status::instance::state(i.phase()),
            priority: i.priority(),
            since: since_zero(i.since()),
            why: vrrp.cause(id).map(ToString::to_string),
            ordered: vrrp.ordered_priority(id),
            failover: vrrp.failover_of(id).and_then(|order| {
                Some(snapshot::Failover { end: since_zero(order.until()?), to: order.to() })
            }),
            counters: status::instance::counters(i),
            transitions: totals.transitions(name),
            contested: totals.contested(name),
            heard: past.heard.as_ref().map(|(heard, _)| router(heard)),
            master_interval: past.heard.map(|(_, interval)| micros(interval)).unwrap_or_default(),
            heirs: past.heirs.iter().map(router).collect(),
            old_style: past.old_style,
            marks: past.marks.iter().map(mark).collect(),
            tolerates_until: past.tolerates_until.map(since_zero),
            ident: past.ident,
            refused: past.refusals.iter().map(refused).collect(),
        }
    }
}

/// What the core is to know of an instance.
pub(super) fn past(from: &snapshot::Instance) -> Past {
    let mark = |m: &snapshot::Mark| Mark { from: m.from, sequence: m.sequence, at: time(m.at) };
    let interval = Duration::from_micros(from.master_interval);
    Past {
        counters: status::instance::counted(&from.counters),
        heard: from.heard.as_ref().map(|heard| (heir(heard), interval)),
        heirs: from.heirs.iter().map(heir).collect(),
        old_style: from.old_style.clone(),
        marks: from.marks.iter().map(mark).collect(),
        tolerates_until: from.tolerates_until.map(time),
        ident: from.ident,
        refusals: from.refused.iter().map(refusal).collect(),
    }
}
