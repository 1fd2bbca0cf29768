//! Tracked objects, BFD sessions, and what the kernel holds.

use crate::base::ids::InstanceId;
use crate::base::link::LinkState;
use crate::bfd;
use crate::daemon::journal::{Journal, Subject};
use crate::daemon::view::View;
use crate::holdings::{Holder, HoldingState};
use crate::model::track::Object;
use crate::status::{Holding, ObjectKind, Presence, Session, Time, Track, Weighed};
use crate::vrrp;

/// Instances named beside a tracked object; thousands may track one.
const MOST_NAMED: usize = 32;

pub(in crate::daemon) fn interface(
    view: &View<'_>,
    journal: &Journal,
    name: &str,
    state: LinkState,
) -> Track {
    let by = view.vrrp.watchers_of_link(name);
    let weight = |i: &vrrp::Instance| {
        let found = i.trackers().iter().find(|t| t.interface == *name);
        found.map(|t| (t.weight, t.reverse))
    };
    let subject = Subject::new(ObjectKind::Interface, name);
    track(view, journal, subject, state.word().to_owned(), &by, weight)
}

pub(in crate::daemon) fn object(view: &View<'_>, journal: &Journal, object: &Object) -> Track {
    let by = view.vrrp.watchers_of(object);
    let weight = |i: &vrrp::Instance| {
        let found = i.tracked().iter().find(|t| t.object == *object);
        found.map(|t| (t.weight, t.reverse))
    };
    let state = view.vrrp.tracked(object).to_string();
    track(view, journal, object.into(), state, &by, weight)
}

fn track(
    view: &View<'_>,
    journal: &Journal,
    subject: Subject,
    state: String,
    by: &[InstanceId],
    weight: impl Fn(&vrrp::Instance) -> Option<(i16, bool)>,
) -> Track {
    let weighed = |id: &InstanceId| {
        let i = view.vrrp.instance(*id)?;
        let (weight, reverse) = weight(i)?;
        Some(Weighed { instance: i.config().name.to_string(), weight, reverse })
    };
    let last = journal.of(&subject).next_back();
    Track {
        kind: subject.kind,
        since: last.map(|(_, entry)| Time(view.wall_at(entry.at))),
        name: subject.name.to_string(),
        state,
        running: false,
        instances: by.len(),
        tracked_by: by.iter().filter_map(weighed).take(MOST_NAMED).collect(),
    }
}

pub(in crate::daemon) fn session(view: &View<'_>, journal: &Journal, s: &bfd::Session) -> Session {
    let last = journal.of(&Subject::new(ObjectKind::Bfd, s.config().name.as_str())).next_back();
    let counts = s.counts();
    Session {
        name: s.config().name.clone(),
        neighbor: Some(s.config().neighbor),
        state: s.state().to_string(),
        since: Time(view.wall_at(s.since())),
        why: last.and_then(|(_, entry)| entry.why.text()),
        heard: s.neighbor().map(|n| Time(view.wall_at(n.heard))),
        sent: counts.sent,
        received: counts.received,
        refused: counts.refused,
    }
}

/// One of the objects that an owner wants of the kernel.
pub(in crate::daemon) fn holding(view: &View<'_>, owner: Holder, index: usize) -> Option<Holding> {
    let (object, standing) = view.holdings.wanted(owner, index)?;
    let instance = match owner {
        Holder::Host => None,
        Holder::Instance(id) => view.vrrp.instance(id).map(|i| i.config().name.to_string()),
    };
    Some(Holding {
        instance,
        object: object.name().to_string(),
        interface: Some(object.link().to_owned()).filter(|link| !link.is_empty()),
        presence: match standing {
            HoldingState::Present => Presence::Present,
            HoldingState::Requested => Presence::Requested,
            HoldingState::Missing => Presence::Missing,
            HoldingState::Refused => Presence::Refused,
            HoldingState::NoLink => Presence::NoInterface,
            HoldingState::Waived => Presence::Waived,
        },
    })
}
