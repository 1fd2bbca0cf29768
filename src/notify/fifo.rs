//! The lines that the readers of the FIFOs have not read yet.
//!
//! Lines go out as they come. Where they cannot, because the FIFO is full or has no reader, they
//! wait; where too many wait, only the last state of each object is kept, and written when it can be.
//! So a reader may miss what was, but never what is.

use std::collections::VecDeque;

use super::action::{Action, Note, Which};
use super::input::{Standing, State, Subject};
use super::words::{self, Scope};
use crate::base::name::SharedName;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use crate::model::notify::Fifos;

/// Lines that wait. As long as the FIFO has had no reader this stands in for the pipe itself, which
/// takes 64 KiB.
const MOST_WAITING: usize = 1024;
/// A reader that comes back while nothing has changed does not get everything once more before this
/// is over: it may open the FIFO anew for every line, and would be kept busy for ever.
const CALM: Duration = Duration::from_secs(600);

/// The seat of an object among all: its kind, then as they came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Seat(u64);

impl Seat {
    const fn new(rank: u8, order: u64) -> Self {
        Self((rank as u64) << 56 | order)
    }

    const fn rank(self) -> u8 {
        (self.0 >> 56) as u8
    }
}

/// The state of an object, as its line says it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Known {
    Vrrp { scope: Scope, name: SharedName, state: State, priority: u8 },
    Service { name: SharedName, up: bool },
    Server { service: SharedName, name: SharedName, up: bool },
}

impl Known {
    fn line(&self) -> String {
        match self {
            Self::Vrrp { scope, name, state, priority } => scope.line(name, *state, *priority),
            Self::Service { name, up } => words::service_line(name, *up),
            Self::Server { service, name, up } => words::server_line(service, name, *up),
        }
    }

    fn of(standing: &Standing) -> Option<Self> {
        let (scope, name) = match &standing.object {
            Subject::Group(name) => (Scope::Group, name),
            Subject::Instance(name) => (Scope::Instance, name),
            Subject::Service(_) | Subject::Server(..) => return None,
        };
        let (state, priority) = (standing.state, standing.priority);
        Some(Self::Vrrp { scope, name: name.clone(), state, priority })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reader {
    /// None was seen yet: the first one gets everything from the start.
    Never,
    Present,
    Gone,
}

/// What a line that waits is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tells {
    State(Seat),
    Event,
    /// The last that is heard of an object.
    Farewell,
}

#[derive(Debug)]
struct Pipe {
    path: String,
    reader: Reader,
    /// Offered for writing.
    current: Option<String>,
    /// In order.
    waiting: VecDeque<(Tells, String)>,
    /// Objects whose state is written after that. While there are any, lines about states do not
    /// wait: what they say is known.
    behind: SortedSet<Seat>,
    /// Something was written since everything was.
    changed: bool,
    replayed: Option<Instant>,
}

impl Pipe {
    fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            reader: Reader::Never,
            current: None,
            waiting: VecDeque::new(),
            behind: SortedSet::new(),
            changed: false,
            replayed: None,
        }
    }

    /// Takes a line. True when it is the first that readers miss.
    fn tell(&mut self, tells: Tells, line: String) -> bool {
        self.changed = true;
        if self.reader == Reader::Gone || !self.behind.is_empty() {
            if let Tells::State(seat) = tells {
                self.behind.insert(seat);
            }
            return false;
        }
        self.waiting.push_back((tells, line));
        let overflows = self.waiting.len() > MOST_WAITING;
        if overflows {
            self.fall_behind();
        }
        overflows && self.reader == Reader::Present
    }

    /// An object whose last state is this line is no longer known.
    fn forget(&mut self, seat: Seat, line: String) {
        if self.behind.remove(&seat) {
            self.waiting.push_back((Tells::Farewell, line));
        } else {
            let mut last = Tells::Farewell;
            for (tells, _) in self.waiting.iter_mut().rev() {
                if *tells == Tells::State(seat) {
                    *tells = std::mem::replace(&mut last, Tells::Event);
                }
            }
        }
        if self.waiting.len() > MOST_WAITING {
            self.fall_behind();
        }
    }

    /// Keeps of the lines what they say of states, and of those who are gone as much as fits.
    fn fall_behind(&mut self) {
        for (tells, line) in std::mem::take(&mut self.waiting) {
            match tells {
                Tells::State(seat) => {
                    self.behind.insert(seat);
                }
                Tells::Farewell => self.waiting.push_back((tells, line)),
                Tells::Event => {}
            }
        }
        while self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
        }
    }

    fn has_lines(&self) -> bool {
        let any = self.current.is_some() || !self.waiting.is_empty() || !self.behind.is_empty();
        self.reader == Reader::Present && any
    }
}

#[derive(Debug, Default)]
pub(super) struct Pipes {
    seats: SortedMap<Subject, Seat>,
    known: SortedMap<Seat, Known>,
    /// Reported since the configuration was set up. Kept for `states_on_reload` only.
    fresh: SortedSet<Seat>,
    next: u64,
    pipes: SortedMap<Which, Pipe>,
    states_on_reload: bool,
}

impl Pipes {
    pub(super) fn queued(&self) -> usize {
        self.pipes.values().map(|pipe| pipe.waiting.len() + pipe.behind.len()).sum()
    }

    pub(super) fn on_setup(&mut self, fifos: &Fifos) {
        self.states_on_reload = fifos.states_on_reload;
        self.fresh.clear();
        let wanted =
            [(Which::All, &fifos.all), (Which::Vrrp, &fifos.vrrp), (Which::Lvs, &fifos.lvs)];
        for (which, fifo) in wanted {
            let Some(fifo) = fifo else {
                self.pipes.remove(&which);
                continue;
            };
            if self.pipes.get(&which).is_none_or(|p| p.path != fifo.path) {
                // The reader of a FIFO that was not there before knows nothing.
                let mut pipe = Pipe::new(&fifo.path);
                pipe.behind = self.all(which).collect();
                self.pipes.insert(which, pipe);
            }
        }
    }

    /// Takes over where the virtual routers stand after a reload.
    pub(super) fn on_standing(&mut self, list: &[Standing], out: &mut Vec<Action>) {
        let is_vrrp = |o: &Subject| matches!(o, Subject::Group(_) | Subject::Instance(_));
        let before: SortedMap<_, _> =
            self.seats.iter().filter(|(o, _)| is_vrrp(o)).map(|(o, p)| (o.clone(), *p)).collect();
        self.seats.retain(|o, _| !is_vrrp(o));
        // New seats in the new order; a state that is owed is still owed.
        let mut moved = SortedMap::new();
        let mut known = SortedMap::new();
        for standing in list {
            let Some(now) = Known::of(standing) else { continue };
            let seat = self.seat(&standing.object);
            if let Some(old) = before.get(&standing.object) {
                moved.insert(*old, seat);
            }
            known.insert(seat, now);
        }
        let stays = |p: &Seat| p.rank() > INSTANCES;
        let follow = |p: &Seat| if stays(p) { Some(*p) } else { moved.get(p).copied() };
        self.known.retain(|p, _| stays(p));
        known.into_iter().for_each(|(seat, now)| _ = self.known.insert(seat, now));
        self.fresh = self.fresh.iter().filter_map(follow).collect();
        for pipe in self.pipes.values_mut() {
            pipe.behind = pipe.behind.iter().filter_map(follow).collect();
            for (tells, _) in &mut pipe.waiting {
                if let Tells::State(seat) = tells {
                    *tells = follow(seat).map_or(Tells::Farewell, Tells::State);
                }
            }
        }
        if self.states_on_reload {
            self.repeat(out);
        }
    }

    /// `fifo_write_vrrp_states_on_reload`: what did not change is written as well.
    fn repeat(&mut self, out: &mut Vec<Action>) {
        let rest: Vec<_> = self
            .known
            .keys()
            .copied()
            .filter(|p| p.rank() <= INSTANCES && !self.fresh.contains(p))
            .collect();
        for which in [Which::All, Which::Vrrp] {
            let Some(pipe) = self.pipes.get_mut(&which) else { continue };
            if pipe.reader != Reader::Gone {
                pipe.behind.extend(rest.iter().copied());
            }
            if pipe.has_lines() {
                out.push(Action::WriteFifo(which));
            }
        }
    }

    pub(super) fn tell_vrrp(
        &mut self,
        scope: Scope,
        name: &SharedName,
        state: State,
        priority: u8,
        out: &mut Vec<Action>,
    ) {
        let known = Known::Vrrp { scope, name: name.clone(), state, priority };
        self.learn(&vrrp_subject(scope, name), known, out);
    }

    /// Its readers know this already.
    pub(super) fn recall(&mut self, scope: Scope, name: &SharedName, state: State, priority: u8) {
        let known = Known::Vrrp { scope, name: name.clone(), state, priority };
        let seat = self.seat(&vrrp_subject(scope, name));
        self.known.insert(seat, known);
    }

    pub(super) fn recall_service(&mut self, object: &Subject, name: &str, up: bool) {
        let seat = self.seat(object);
        self.known.insert(seat, Known::Service { name: name.into(), up });
    }

    pub(super) fn recall_server(&mut self, object: &Subject, service: &str, name: &str, up: bool) {
        let (seat, service, name) = (self.seat(object), service.into(), name.into());
        self.known.insert(seat, Known::Server { service, name, up });
    }

    /// What no reader has got, states as they are now.
    pub(super) fn unread(&self, which: Which) -> Vec<String> {
        let Some(pipe) = self.pipes.get(&which) else { return Vec::new() };
        let waiting = pipe.waiting.iter().map(|(_, line)| line);
        let states = pipe.behind.iter().filter_map(|seat| self.known.get(seat).map(Known::line));
        pipe.current.iter().chain(waiting).cloned().chain(states).collect()
    }

    /// A line that waited before the program was replaced.
    pub(super) fn tell_again(&mut self, which: Which, line: &str, out: &mut Vec<Action>) {
        self.tell(Tells::Event, line, &[which], out);
    }

    /// Writes an event of an instance that is no change of state.
    pub(super) fn tell_event(&mut self, line: &str, out: &mut Vec<Action>) {
        self.tell(Tells::Event, line, &[Which::All, Which::Vrrp], out);
    }

    pub(super) fn tell_service(
        &mut self,
        object: &Subject,
        name: &str,
        up: bool,
        out: &mut Vec<Action>,
    ) {
        self.learn(object, Known::Service { name: name.into(), up }, out);
    }

    pub(super) fn tell_server(
        &mut self,
        object: &Subject,
        service: &str,
        name: &str,
        up: bool,
        out: &mut Vec<Action>,
    ) {
        let (service, name) = (service.into(), name.into());
        self.learn(object, Known::Server { service, name, up }, out);
    }

    /// The state of a group or an instance as last reported.
    pub(super) fn state(&self, object: &Subject) -> Option<State> {
        match self.known.get(self.seats.get(object)?)? {
            Known::Vrrp { state, .. } => Some(*state),
            Known::Service { .. } | Known::Server { .. } => None,
        }
    }

    pub(super) fn note_priority(&mut self, name: &SharedName, to: u8) {
        let seat = self.seats.get(&Subject::Instance(name.clone()));
        if let Some(Known::Vrrp { priority, .. }) = seat.and_then(|p| self.known.get_mut(p)) {
            *priority = to;
        }
    }

    /// A state that is still owed to a reader is written, if there is room.
    pub(super) fn forget(&mut self, object: &Subject) {
        let Some(seat) = self.seats.remove(object) else { return };
        self.fresh.remove(&seat);
        let Some(known) = self.known.remove(&seat) else { return };
        for pipe in self.pipes.values_mut() {
            pipe.forget(seat, known.line());
        }
    }

    pub(super) fn on_reader(
        &mut self,
        which: Which,
        present: bool,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let all: SortedSet<_> = self.all(which).collect();
        let Some(pipe) = self.pipes.get_mut(&which) else { return };
        match (pipe.reader, present) {
            (Reader::Never, true) => pipe.reader = Reader::Present,
            (Reader::Gone, true) => {
                pipe.reader = Reader::Present;
                let calm = pipe.replayed.is_some_and(|at| now.since(at) < CALM);
                if pipe.changed || !calm {
                    pipe.behind = all;
                    pipe.changed = false;
                    pipe.replayed = Some(now);
                }
            }
            (Reader::Present, false) => {
                pipe.reader = Reader::Gone;
                pipe.current = None;
                pipe.fall_behind();
            }
            (Reader::Present, true) | (Reader::Never | Reader::Gone, false) => {}
        }
        if pipe.has_lines() {
            out.push(Action::WriteFifo(which));
        }
    }

    /// The line to write next, with its end.
    pub(super) fn pending(&mut self, which: Which) -> Option<&str> {
        let pipe = self.pipes.get_mut(&which)?;
        if pipe.reader != Reader::Present {
            return None;
        }
        if pipe.current.is_none() {
            pipe.current = pipe.waiting.pop_front().map(|(_, line)| line);
        }
        while pipe.current.is_none() {
            let seat = pipe.behind.pop_first()?;
            pipe.current = self.known.get(&seat).map(Known::line);
        }
        pipe.current.as_deref()
    }

    pub(super) fn written(&mut self, which: Which) {
        if let Some(pipe) = self.pipes.get_mut(&which) {
            pipe.current = None;
        }
    }

    fn learn(&mut self, object: &Subject, known: Known, out: &mut Vec<Action>) {
        let line = known.line();
        let seat = self.seat(object);
        let lvs = matches!(known, Known::Service { .. } | Known::Server { .. });
        self.known.insert(seat, known);
        if self.states_on_reload {
            self.fresh.insert(seat);
        }
        let other = if lvs { Which::Lvs } else { Which::Vrrp };
        self.tell(Tells::State(seat), &line, &[Which::All, other], out);
    }

    fn tell(&mut self, tells: Tells, line: &str, to: &[Which], out: &mut Vec<Action>) {
        for &which in to {
            let Some(pipe) = self.pipes.get_mut(&which) else { continue };
            if pipe.tell(tells, line.to_owned()) {
                out.push(Action::Noted(Note::Behind { which }));
            }
            if pipe.has_lines() {
                out.push(Action::WriteFifo(which));
            }
        }
    }

    fn seat(&mut self, object: &Subject) -> Seat {
        let next = &mut self.next;
        *self.seats.get_or_insert_with(object.clone(), || {
            *next += 1;
            Seat::new(rank(object), *next)
        })
    }

    /// Everything that a FIFO is about.
    fn all(&self, which: Which) -> impl Iterator<Item = Seat> + '_ {
        let fits = move |p: &Seat| match which {
            Which::All => true,
            Which::Vrrp => p.rank() <= INSTANCES,
            Which::Lvs => p.rank() > INSTANCES,
        };
        self.known.keys().copied().filter(fits)
    }

    pub(super) fn check_invariants(&self) {
        debug_assert_eq!(self.seats.len(), self.known.len(), "who has a seat is known");
        for pipe in self.pipes.values() {
            debug_assert!(pipe.waiting.len() <= MOST_WAITING, "{} has a long queue", pipe.path);
            debug_assert!(pipe.behind.len() <= self.known.len(), "{} owes too much", pipe.path);
        }
    }
}

/// The rank of instances; what is above it is not about virtual routers.
const INSTANCES: u8 = 1;

const fn rank(object: &Subject) -> u8 {
    match object {
        Subject::Group(_) => 0,
        Subject::Instance(_) => INSTANCES,
        Subject::Service(_) => 2,
        Subject::Server(..) => 3,
    }
}

fn vrrp_subject(scope: Scope, name: &SharedName) -> Subject {
    match scope {
        Scope::Group => Subject::Group(name.clone()),
        Scope::Instance => Subject::Instance(name.clone()),
    }
}
