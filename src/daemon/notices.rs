//! Notification: what the core of notifications asks for is done here, and changes are brought to
//! it.

use std::collections::BTreeMap;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use super::runtime::{Asker, Message, Owner, Runtime};
use crate::base::ids::{GroupId, InstanceId};
use crate::model::notify::Fifo as Wanted;
use crate::notify::{Action, Input, Object, Standing, State, Which};
use crate::sys::fifo::{Fifo, Line};
use crate::sys::poll::Wants;
use crate::vrrp::{self, Note, Phase};

/// What is told of virtual routers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Telling {
    Instance(InstanceId, State),
    Group(GroupId, State),
    LowerPriority(InstanceId),
    Priority(InstanceId, u8),
}

impl Telling {
    /// What of an action others are told.
    pub(super) fn of(action: &vrrp::Action) -> Option<Self> {
        match *action {
            vrrp::Action::Changed { id, to, .. } => Some(Self::Instance(id, state(to)?)),
            vrrp::Action::GroupChanged { group, to } => Some(Self::Group(group, state(to)?)),
            vrrp::Action::PriorityChanged { id, to, .. } => Some(Self::Priority(id, to)),
            vrrp::Action::Noted { id, note: Note::LowerPriority { .. } } => {
                Some(Self::LowerPriority(id))
            }
            _ => None,
        }
    }
}

const fn state(phase: Phase) -> Option<State> {
    Some(match phase {
        Phase::Master => State::Master,
        Phase::Backup => State::Backup,
        Phase::Fault => State::Fault,
        Phase::Stopped => State::Stop,
        Phase::Deleted => State::Deleted,
        Phase::Init => return None,
    })
}

/// An open FIFO.
#[derive(Debug)]
struct Open {
    wanted: Wanted,
    fifo: Fifo,
}

/// The FIFOs that are open.
#[derive(Debug, Default)]
pub(super) struct Fifos {
    open: BTreeMap<Which, Open>,
}

impl Runtime {
    pub(super) fn tell(&mut self, telling: Telling) {
        let (out, now) = (&mut self.notify_actions, self.now);
        match telling {
            Telling::Group(id, state) => {
                let Some(name) = self.vrrp.group(id).map(vrrp::Group::name) else { return };
                let Some(group) = self.config.groups.iter().find(|g| g.name == name) else {
                    return;
                };
                self.notify.handle(Input::Group { name, state, notify: &group.notify }, now, out);
            }
            Telling::Instance(id, state) => {
                let Some(i) = self.vrrp.instance(id) else { return };
                let group = i.group().and_then(|g| self.vrrp.group(g)).map(vrrp::Group::name);
                let (config, priority) = (i.config(), i.priority());
                let (name, notify) = (config.name.as_str(), &config.notify);
                let input = Input::Instance { name, state, priority, group, notify };
                self.notify.handle(input, now, out);
            }
            Telling::LowerPriority(id) => {
                let Some(i) = self.vrrp.instance(id) else { return };
                let (config, priority) = (i.config(), i.priority());
                let (name, notify) = (config.name.as_str(), &config.notify);
                self.notify.handle(Input::LowerPriority { name, priority, notify }, now, out);
            }
            Telling::Priority(id, priority) => {
                let Some(i) = self.vrrp.instance(id) else { return };
                let (name, notify) = (i.config().name.as_str(), &i.config().notify);
                self.notify.handle(Input::Priority { name, priority, notify }, now, out);
            }
        }
    }

    pub(super) fn execute_notify(&mut self, action: Action) {
        match action {
            Action::RunScript { run, script, extra } => {
                let extra: Vec<_> = extra.iter().map(String::as_str).collect();
                let asker = Asker::Notify(run);
                if let Err(e) = self.children.start(&script, &extra, None, asker, self.now) {
                    log::error!("cannot run notify script '{}': {e}", script.shown());
                    self.inbox.push_back(Message::NotifyEnded(run));
                }
            }
            Action::EndScript { run } => {
                self.children.stop(self.now, |asker| *asker == Asker::Notify(run));
            }
            Action::WriteFifo(which) => self.write_fifo(which),
            Action::SendMail(letter) => self.mailer.post(&letter, &mut self.poll, self.now),
            Action::Noted(note) => log::warn!("{note}"),
        }
    }

    /// Writes what waits until the FIFO is full.
    fn write_fifo(&mut self, which: Which) {
        let Some(open) = self.fifos.open.get(&which) else { return };
        while let Some(line) = self.notify.pending_line(which) {
            match open.fifo.write(line.as_bytes()) {
                Ok(Line::Written) => self.notify.line_written(which),
                Ok(Line::Kept) => return,
                Err(e) => {
                    log::warn!("cannot write to FIFO {}: {e}", open.wanted.path);
                    return;
                }
            }
        }
    }

    /// A FIFO has room again.
    pub(super) fn on_fifo_room(&mut self, which: Which) {
        self.write_fifo(which);
    }

    /// Readers of a FIFO have come or gone.
    pub(super) fn on_fifo_readers(&mut self, which: Which) {
        let Some(open) = self.fifos.open.get_mut(&which) else { return };
        loop {
            match open.fifo.readers.read() {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => {
                    log::warn!("cannot watch the readers of FIFO {}: {e}", open.wanted.path);
                    break;
                }
            }
        }
        let present = open.fifo.readers.is_any();
        let input = Input::FifoReader { which, present };
        self.notify.handle(input, self.now, &mut self.notify_actions);
        self.drain();
    }

    /// Brings FIFOs and their scripts in line with the configuration. Those that are the same stay
    /// open, with their readers.
    pub(super) fn set_up_notification(&mut self) {
        let global = &self.config.global;
        self.notify.handle(Input::Setup(global), self.now, &mut self.notify_actions);
        self.mailer.setup(global.mail.as_ref(), &mut self.poll, self.now);
        let fifos = global.fifos.clone();
        for (which, wanted) in
            [(Which::All, fifos.all), (Which::Vrrp, fifos.vrrp), (Which::Lvs, fifos.lvs)]
        {
            let same = |open: &Open| wanted.as_ref() == Some(&open.wanted);
            if self.fifos.open.get(&which).is_some_and(same) {
                continue;
            }
            self.close_fifo(which);
            if let Some(wanted) = wanted {
                self.open_fifo(which, wanted);
            }
        }
    }

    fn open_fifo(&mut self, which: Which, wanted: Wanted) {
        let fifo = match Fifo::open(Path::new(&wanted.path), wanted.owner) {
            Ok(fifo) => fifo,
            Err(e) => return log::error!("{}: {e}", which.keyword()),
        };
        let poll = &mut self.poll;
        let watched = poll
            .watch(fifo.as_raw_fd(), Owner::Fifo(which), Wants::Write)
            .and_then(|()| poll.add(fifo.readers.as_raw_fd(), Owner::FifoReaders(which)));
        if let Err(e) = watched {
            log::error!("cannot watch FIFO {}: {e}", wanted.path);
        }
        if let Some(script) = &wanted.script {
            let asker = Asker::FifoScript(which);
            if let Err(e) = self.children.start(script, &[&wanted.path], None, asker, self.now) {
                log::error!("cannot run {}_script '{}': {e}", which.keyword(), script.shown());
            }
        }
        self.fifos.open.insert(which, Open { wanted, fifo });
        self.on_fifo_readers(which);
    }

    fn close_fifo(&mut self, which: Which) {
        self.children.stop(self.now, |asker| *asker == Asker::FifoScript(which));
        let Some(Open { fifo, .. }) = self.fifos.open.remove(&which) else { return };
        self.poll.remove(fifo.as_raw_fd());
        self.poll.remove(fifo.readers.as_raw_fd());
        fifo.remove();
    }

    pub(super) fn close_fifos(&mut self) {
        for which in Which::ALL {
            self.close_fifo(which);
        }
    }

    /// After a reload: where everything stands.
    pub(super) fn tell_standing(&mut self) {
        let mut list = Vec::new();
        for (_, group) in self.vrrp.groups() {
            if let Some(state) = state(group.phase()) {
                let object = Object::Group(group.name().to_owned());
                list.push(Standing { object, state, priority: 0 });
            }
        }
        for i in self.ids.iter().filter_map(|id| self.vrrp.instance(*id)) {
            if let Some(state) = state(i.phase()) {
                let object = Object::Instance(i.config().name.clone());
                list.push(Standing { object, state, priority: i.priority() });
            }
        }
        self.notify.handle(Input::Standing(&list), self.now, &mut self.notify_actions);
        self.drain();
    }
}
