//! What is worth an entry: actions of the cores, tracked objects, reloads, commands.

use std::rc::Rc;

use super::{Entry, Journal, Subject, What, Why};
use crate::base::link::LinkState;
use crate::base::time::Instant;
use crate::base::tracked::{Finding, TrackState};
use crate::bfd::{self, SessionState};
use crate::lvs::{self, Leaving, QuorumCause, ServerCause, SorryCause};
use crate::model::track::Object;
use crate::status::{Change, ObjectKind, Reload};
use crate::vrrp::{self, Note, Phase};

/// Lines kept of what a reload changed or why it was refused.
const MOST_LINES: usize = 20;

impl Journal {
    /// An action of the VRRP core.
    pub(in crate::daemon) fn vrrp(
        &mut self,
        action: &vrrp::Action,
        domain: &vrrp::Domain,
        now: Instant,
    ) {
        use vrrp::Action;
        self.totals.vrrp(action, domain);
        match action {
            // Thousands of instances start, and each says since when it is in its state.
            Action::Changed { cause, from: Phase::Init, .. } if cause.is_start() => {}
            Action::Changed { id, from, to, cause } => {
                let Some(instance) = domain.instance(*id) else { return };
                let subject = Subject::new(ObjectKind::Instance, instance.config().name.clone());
                let what = What::State { from: Some(from.word()), to: to.word() };
                self.add(Entry { at: now, subject, what, why: Why::Instance(Rc::clone(cause)) });
            }
            Action::GroupChanged { cause, .. } if cause.is_plain() => {}
            Action::GroupChanged { group, to, cause } => {
                let Some(group) = domain.group(*group) else { return };
                let subject = Subject::new(ObjectKind::Group, group.name().clone());
                let what = What::State { from: None, to: to.word() };
                self.add(Entry { at: now, subject, what, why: Why::Group(Rc::clone(cause)) });
            }
            Action::PriorityChanged { id, from, to, cause } => {
                let Some(instance) = domain.instance(*id) else { return };
                // The first states of what it tracks are no change.
                let is_start = domain.cause(*id).is_none() && instance.since() == now;
                if is_start || instance.phase() == Phase::Init {
                    return;
                }
                let subject = Subject::new(ObjectKind::Instance, instance.config().name.clone());
                let what = Change::Priority { from: *from, to: *to }.into();
                let why = Why::Priority(Box::new(cause.clone()));
                self.add(Entry { at: now, subject, what, why });
            }
            Action::Ordered { kind, news } => {
                let subject = match news.id().map(|id| domain.instance(id)) {
                    Some(Some(i)) => Subject::new(ObjectKind::Instance, i.config().name.clone()),
                    Some(None) => return,
                    None => Subject::daemon(),
                };
                let (order, text) = (kind.to_string(), news.to_string());
                let what = Change::Order { order, text }.into();
                self.add(Entry { at: now, subject, what, why: Why::Nothing });
            }
            Action::Noted { id, note: Note::Contested { from, theirs }, .. } => {
                let Some(instance) = domain.instance(*id) else { return };
                let subject = Subject::new(ObjectKind::Instance, instance.config().name.clone());
                let (by, priority) = (from.to_string(), *theirs);
                let what = Change::Contested { by, priority }.into();
                self.add(Entry { at: now, subject, what, why: Why::Nothing });
            }
            _ => {}
        }
    }

    /// A tracked object goes from one state to another.
    pub(in crate::daemon) fn tracked(
        &mut self,
        object: &Object,
        from: &TrackState,
        to: &TrackState,
        now: Instant,
    ) {
        let is_news = match (from, to) {
            // The first result, if it is as hoped for.
            (TrackState::Pending, TrackState::Up(_) | TrackState::Value(_)) => false,
            (TrackState::Up(_), TrackState::Up(_)) | (_, TrackState::Pending) => false,
            (TrackState::Down(_), TrackState::Down(_)) => false,
            (from, to) => from != to,
        };
        // A session is recorded with its own states.
        if !is_news || matches!(object, Object::Bfd(_)) {
            return;
        }
        let (what, why) = match to {
            TrackState::Value(value) => {
                let (from, to) = (Some(from.to_string()), format!("value {value}"));
                (Change::State { from, to }.into(), Why::Nothing)
            }
            TrackState::Up(found) | TrackState::Down(found) => {
                // What it was in the run before, the last entry says that was taken over, if any was.
                let from = (*found != Finding::Recalled).then(|| word(from));
                (What::State { from, to: word(to) }, Why::Text(found.to_string().into()))
            }
            TrackState::Pending => return,
        };
        self.add(Entry { at: now, subject: object.into(), what, why });
    }

    /// An interface of virtual routers goes from one state to another.
    pub(in crate::daemon) fn link(
        &mut self,
        name: &str,
        from: LinkState,
        to: LinkState,
        now: Instant,
    ) {
        if from != to {
            let subject = Subject::new(ObjectKind::Interface, name);
            let what = What::State { from: Some(from.word()), to: to.word() };
            self.add(Entry { at: now, subject, what, why: Why::Nothing });
        }
    }

    /// An action of the core of virtual servers.
    pub(in crate::daemon) fn lvs(&mut self, action: &lvs::Action, now: Instant) {
        use lvs::Action;
        let server = |server: &lvs::ServerRef| {
            let service = server.service.config.to_string();
            Subject::server(&service, &server.name().to_string())
        };
        let service =
            |of: &lvs::ServiceRef| Subject::new(ObjectKind::Service, of.config.to_string());
        let (subject, what, why) = match action {
            Action::ServerChanged {
                cause: ServerCause::Initial | ServerCause::Confirmed(_),
                ..
            }
            | Action::QuorumChanged { up: true, starting: true, .. } => return,
            Action::ServerChanged { server: of, up, cause } => {
                (server(of), turned(*up), cause.to_string())
            }
            Action::WeightChanged { server: of, from, to, cause, .. } => {
                let what = Change::Weight { from: *from, to: *to }.into();
                (server(of), what, cause.to_string())
            }
            Action::QuorumChanged { service: of, up, starting, tally, cause, .. } => {
                let from = if *starting { None } else { Some(up_word(!*up)) };
                let what = What::State { from, to: up_word(*up) };
                let why = match &**cause {
                    QuorumCause::Started => tally.to_string(),
                    cause => format!("{tally}, {cause}"),
                };
                (service(of), what, why)
            }
            Action::SorryServer { service: of, on, cause } => {
                let why = match cause {
                    SorryCause::Quorum(_) if *on => "the quorum was lost".to_owned(),
                    SorryCause::Quorum(_) => "the quorum was gained".to_owned(),
                    cause @ SorryCause::Reload => cause.to_string(),
                };
                (service(of), Change::Sorry { on: *on }.into(), why)
            }
            // What ends with the daemon is of no interest to its journal.
            Action::ServerGone { server: of, leaving: Leaving::Removed, .. } => {
                let what = What::State { from: None, to: "removed" };
                (server(of), what, "no longer configured".to_owned())
            }
            Action::ServiceGone { service: of, leaving: Leaving::WithService, .. } => {
                let what = What::State { from: None, to: "removed" };
                (service(of), what, "no longer configured".to_owned())
            }
            _ => return,
        };
        self.add(Entry { at: now, subject, what, why: Why::Text(why.into()) });
    }

    /// An action of the BFD core.
    pub(in crate::daemon) fn bfd(
        &mut self,
        action: &bfd::Action,
        domain: &bfd::Domain,
        now: Instant,
    ) {
        let bfd::Action::Changed { id, from, to, cause, .. } = action else { return };
        // Attempts to reach a neighbour may fail for hours.
        if !matches!((from, to), (SessionState::Up, _) | (_, SessionState::Up)) {
            return;
        }
        let Some(session) = domain.session(*id) else { return };
        let subject = Subject::new(ObjectKind::Bfd, session.config().name.as_str());
        let (from, to) = (Some(from.to_string()), to.to_string());
        let (what, why) = (Change::State { from, to }.into(), Why::Text(cause.to_string().into()));
        self.add(Entry { at: now, subject, what, why });
    }

    /// The daemon started.
    pub(in crate::daemon) fn started(&mut self, version: &str, now: Instant) {
        let what = Change::Started { version: version.to_owned() }.into();
        self.add(Entry { at: now, subject: Subject::daemon(), what, why: Why::Nothing });
    }

    /// A reload, with the first lines of what it changed or of what is wrong.
    pub(in crate::daemon) fn reload(&mut self, reload: &Reload, now: Instant) {
        self.totals.reload(reload);
        let texts = reload.complaints.iter().map(ToString::to_string);
        let all = texts.chain(reload.changes.iter().cloned());
        let mut lines: Vec<_> = all.take(MOST_LINES).collect();
        let more = reload.complaints.len() + reload.changes.len() - lines.len();
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        let what = Change::Reload { accepted: reload.accepted, lines }.into();
        let why = reload.reason.as_deref().map_or(Why::Nothing, |text| Why::Text(text.into()));
        self.add(Entry { at: now, subject: Subject::daemon(), what, why });
    }

    /// A command of an operator that changes something.
    pub(in crate::daemon) fn command(&mut self, text: &str, uid: u32, now: Instant) {
        let what = Change::Command { text: text.to_owned(), uid }.into();
        self.add(Entry { at: now, subject: Subject::daemon(), what, why: Why::Nothing });
    }
}

impl What {
    pub(super) fn is_state(&self) -> bool {
        match self {
            Self::State { .. } => true,
            Self::Other(change) => matches!(**change, Change::State { .. }),
        }
    }
}

impl From<Change> for What {
    fn from(change: Change) -> Self {
        Self::Other(Box::new(change))
    }
}

const fn turned(up: bool) -> What {
    What::State { from: Some(up_word(!up)), to: up_word(up) }
}

const fn up_word(up: bool) -> &'static str {
    if up {
        "up"
    } else {
        "down"
    }
}

const fn word(state: &TrackState) -> &'static str {
    match state {
        TrackState::Pending => "pending",
        TrackState::Up(_) => "up",
        TrackState::Down(_) => "down",
        TrackState::Value(_) => "a value",
    }
}
