//! Answers in pieces: a cursor through the status or the journal, which adds one object at a time.
//!
//! Between two pieces the daemon goes on, so a large answer is no picture of one moment. Objects
//! that a reload adds or removes meanwhile may be in it or not.

use std::ops::Bound;

use super::document::Writing;
use crate::base::ids::GroupId;
use crate::control::session::Session;
use crate::control::{Code, Reply, Topic};
use crate::daemon::runtime::Runtime;
use crate::daemon::status::{event, instance, service, track};
use crate::holdings::Holder;
use crate::model::track::Object;
use crate::model::Config;

/// What remains to be said.
#[derive(Debug)]
pub(super) enum Answer {
    /// Prepared lines; the last one comes first.
    Lines(Vec<Reply>),
    Objects(Objects),
    Events(Events),
    /// What became of an order, once that is clear.
    Result {
        order: u64,
        is_idle: bool,
    },
    Document(Box<Writing>),
    Over,
}

/// Objects of some topics, in this order.
#[derive(Debug)]
pub(super) struct Objects {
    /// The last one is the current one.
    topics: Vec<Topic>,
    /// Only those of this name.
    name: Option<String>,
    /// At least one was found.
    found: bool,
    place: Bookmark,
}

/// The next object of the current topic.
#[derive(Debug, Default)]
pub(super) struct Bookmark {
    pub(super) index: usize,
    /// Of a list within an object.
    inner: usize,
    /// The last interface, for interfaces are known by their names.
    link: Option<String>,
    /// The last event.
    pub(super) event: Option<u64>,
    pub(super) detail: Detail,
}

/// What is shown of an object.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Detail {
    #[default]
    Everything,
    Figures,
    /// Of virtual servers and real servers, which were read before.
    Traffic,
}

/// Entries of the journal.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) last: u64,
    pub(super) follow: bool,
    pub(super) name: Option<String>,
    /// Everything that there is has been said.
    pub(super) is_idle: bool,
}

/// What one step through a topic brings.
pub(super) enum Step {
    Reply(Reply),
    /// An object of another name.
    Nothing,
    End,
}

impl Answer {
    pub(super) fn status() -> Self {
        use Topic::{Daemon, Group, Instance, Server, Service, Track};
        Self::objects(vec![Server, Service, Track, Group, Instance, Daemon], None)
    }

    pub(super) fn show(topic: Topic, name: Option<String>) -> Self {
        use Topic::{Any, Group, Instance, Server, Service, Track};
        let topics = match topic {
            Any => vec![Server, Service, Track, Group, Instance],
            other => vec![other],
        };
        Self::objects(topics, name)
    }

    /// Of an instance that exists, which may want nothing.
    pub(super) fn holdings(name: Option<String>) -> Self {
        let topics = vec![Topic::Holdings];
        Self::Objects(Objects { topics, name, found: true, place: Bookmark::default() })
    }

    fn objects(topics: Vec<Topic>, name: Option<String>) -> Self {
        Self::Objects(Objects { topics, name, found: false, place: Bookmark::default() })
    }

    pub(super) const fn result(order: u64) -> Self {
        Self::Result { order, is_idle: false }
    }

    /// Each new event may be of interest to it.
    pub(super) fn follows(&self) -> bool {
        matches!(self, Self::Events(Events { follow: true, .. }) | Self::Result { .. })
    }

    /// True if there is nothing to add now.
    pub(super) fn is_idle(&self) -> bool {
        match self {
            Self::Over => true,
            Self::Events(events) => events.is_idle,
            Self::Result { is_idle, .. } => *is_idle,
            Self::Lines(_) | Self::Objects(_) | Self::Document(_) => false,
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }
}

impl Runtime {
    /// Adds one piece.
    pub(super) fn answer(&mut self, answer: &mut Answer, session: &mut Session) {
        let reply = match answer {
            Answer::Over => None,
            Answer::Lines(lines) => lines.pop(),
            Answer::Objects(objects) => match self.next_object(objects) {
                Step::Reply(reply) => {
                    objects.found = true;
                    Some(reply)
                }
                Step::Nothing => None,
                Step::End => {
                    objects.topics.pop();
                    objects.place = Bookmark::default();
                    objects.topics.is_empty().then(|| objects.end())
                }
            },
            Answer::Events(events) => self.next_event(events, session),
            Answer::Result { order, is_idle } => match self.result_of_order(*order) {
                Some(lines) => {
                    *answer = Answer::Lines(lines);
                    None
                }
                None => {
                    *is_idle = true;
                    None
                }
            },
            Answer::Document(writing) => {
                if !self.write(writing, session) {
                    *answer = Answer::Over;
                }
                return;
            }
        };
        if let Some(reply) = reply {
            if reply.is_last() {
                *answer = Answer::Over;
            }
            session.reply(&reply, self.now);
        }
    }

    fn next_event(&self, events: &mut Events, session: &mut Session) -> Option<Reply> {
        let Some((number, entry, missed)) = self.journal.after(events.last) else {
            events.is_idle = true;
            return (!events.follow).then_some(Reply::Done);
        };
        events.is_idle = false;
        if missed > 0 {
            session.reply(&Reply::Missed(missed), self.now);
        }
        events.last = number;
        let subject = &entry.subject;
        let names = |name: &String| {
            subject.name == **name || subject.of.as_ref().is_some_and(|of| *of == **name)
        };
        let is_wanted = events.name.as_ref().is_none_or(names);
        is_wanted.then(|| Reply::Event(event::event(&self.view(), number, entry)))
    }

    fn next_object(&self, objects: &mut Objects) -> Step {
        let Some(topic) = objects.topics.last() else { return Step::End };
        self.next_of(*topic, &mut objects.place, objects.name.as_deref())
    }

    pub(super) fn next_of(&self, topic: Topic, place: &mut Bookmark, name: Option<&str>) -> Step {
        match topic {
            Topic::Daemon if place.index == 0 => {
                place.index = 1;
                Step::Reply(Reply::Daemon(Box::new(self.daemon_status())))
            }
            Topic::Daemon | Topic::Any => Step::End,
            Topic::Instance => self.next_instance(place, name),
            Topic::Group => self.next_group(place, name),
            Topic::Track => self.next_track(place, name),
            Topic::Service => self.next_service(place, name),
            Topic::Server => self.next_server(place, name),
            Topic::Holdings => self.next_holding(place, name),
        }
    }

    fn next_instance(&self, place: &mut Bookmark, name: Option<&str>) -> Step {
        let Some(&id) = self.running.ids.get(place.index) else { return Step::End };
        place.index += 1;
        let Some(i) = self.cores.vrrp.instance(id) else { return Step::Nothing };
        if name.is_some_and(|name| i.config().name != *name) {
            return Step::Nothing;
        }
        let (view, journal) = (self.view(), &self.journal);
        let shown = match place.detail {
            Detail::Everything => instance::instance(&view, journal, id),
            Detail::Figures | Detail::Traffic => instance::figures(&view, journal, id),
        };
        shown.map_or(Step::Nothing, |shown| Step::Reply(Reply::Instance(Box::new(shown))))
    }

    fn next_group(&self, place: &mut Bookmark, name: Option<&str>) -> Step {
        let id = GroupId(u32::try_from(place.index).unwrap_or(u32::MAX));
        let Some(group) = self.cores.vrrp.group(id) else { return Step::End };
        place.index += 1;
        if name.is_some_and(|name| *group.name() != *name) {
            return Step::Nothing;
        }
        Step::Reply(Reply::Group(instance::group(&self.view(), &self.journal, group)))
    }

    /// Interfaces first, then scripts, files, processes and BFD sessions.
    fn next_track(&self, place: &mut Bookmark, name: Option<&str>) -> Step {
        let after = match &place.link {
            Some(last) => Bound::Excluded(last.as_str()),
            None => Bound::Unbounded,
        };
        let is_wanted = |found: &str| name.is_none_or(|name| name == found);
        let mut links = self.running.interesting.range::<str, _>((after, Bound::Unbounded));
        if let Some(link) = links.next().filter(|_| place.index == 0) {
            place.link = Some(link.clone());
            return match self.network.told_links.get(link).filter(|_| is_wanted(link)) {
                Some(state) => {
                    let shown = track::interface(&self.view(), &self.journal, link, *state);
                    Step::Reply(Reply::Track(shown))
                }
                None => Step::Nothing,
            };
        }
        place.index += 1;
        match tracked_object(&self.running.config, place.index - 1) {
            Some(Some(object)) if is_wanted(object.name()) => {
                let mut shown = track::object(&self.view(), &self.journal, &object);
                shown.running = self.cores.track.is_running(&object);
                Step::Reply(Reply::Track(shown))
            }
            Some(_) => Step::Nothing,
            None => self.next_session(place, name),
        }
    }

    fn next_session(&self, place: &mut Bookmark, name: Option<&str>) -> Step {
        let Some((_, session)) = self.cores.bfd.sessions().nth(place.inner) else {
            return Step::End;
        };
        place.inner += 1;
        let is_wanted = name.is_none_or(|name| session.config().name == *name);
        if session.is_departing() || !is_wanted {
            return Step::Nothing;
        }
        Step::Reply(Reply::Session(track::session(&self.view(), &self.journal, session)))
    }

    fn next_service(&self, place: &mut Bookmark, name: Option<&str>) -> Step {
        let index = place.index;
        let shown = match place.detail {
            Detail::Traffic => self.lvs.service_traffic(index),
            Detail::Everything | Detail::Figures => {
                let found = self.lvs.service(index);
                found.map(|found| service::service(&self.view(), &self.journal, found))
            }
        };
        let Some(shown) = shown else { return Step::End };
        place.index += 1;
        if name.is_some_and(|name| shown.name != name) {
            return Step::Nothing;
        }
        Step::Reply(Reply::Service(Box::new(shown)))
    }

    /// Those of a virtual server of this name, and those that have it themselves.
    fn next_server(&self, place: &mut Bookmark, name: Option<&str>) -> Step {
        let Some(of) = self.lvs.service(place.index) else { return Step::End };
        let inner = place.inner;
        let shown = match place.detail {
            Detail::Everything => self.server_status(of, inner),
            Detail::Figures => service::server_figures(&self.view(), of, inner),
            Detail::Traffic => self.lvs.server_traffic(place.index, inner),
        };
        let Some(shown) = shown else {
            (place.index, place.inner) = (place.index + 1, 0);
            return Step::Nothing;
        };
        place.inner += 1;
        if name.is_some_and(|name| shown.name != name && shown.service != name) {
            return Step::Nothing;
        }
        Step::Reply(Reply::Server(Box::new(shown)))
    }

    /// Those of the host first, then those of each instance.
    fn next_holding(&self, place: &mut Bookmark, name: Option<&str>) -> Step {
        let owner = match place.index.checked_sub(1) {
            None => Holder::Host,
            Some(n) => match self.running.ids.get(n) {
                Some(id) => Holder::Instance(*id),
                None => return Step::End,
            },
        };
        let view = self.view();
        let Some(shown) = track::holding(&view, owner, place.inner) else {
            (place.index, place.inner) = (place.index + 1, 0);
            return Step::Nothing;
        };
        if name.is_some_and(|name| shown.instance.as_deref() != Some(name)) {
            (place.index, place.inner) = (place.index + 1, 0);
            return Step::Nothing;
        }
        place.inner += 1;
        Step::Reply(Reply::Holding(shown))
    }
}

/// One of the scripts, files, processes and BFD sessions, by its place. `Some(None)`: a session that
/// is only for checks.
fn tracked_object(config: &Config, place: usize) -> Option<Option<Object>> {
    let mut n = place;
    if let Some(script) = config.scripts.get(n) {
        return Some(Some(Object::Script(script.name.clone())));
    }
    n -= config.scripts.len();
    if let Some(file) = config.files.get(n) {
        return Some(Some(Object::File(file.name.clone())));
    }
    n -= config.files.len();
    if let Some(process) = config.processes.get(n) {
        return Some(Some(Object::Process(process.name.clone())));
    }
    let session = config.bfd.get(n - config.processes.len())?;
    Some(session.for_vrrp.then(|| Object::Bfd(session.name.clone())))
}

impl Objects {
    fn end(&self) -> Reply {
        match &self.name {
            Some(name) if !self.found => {
                Reply::error(Code::Unknown, format!("there is no object called '{name}'"))
            }
            _ => Reply::Done,
        }
    }
}
