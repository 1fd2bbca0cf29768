//! Notification: passes changes to the notification core and carries out its actions.

use std::fmt::Display;
use std::rc::Rc;

use crate::base::ids::{GroupId, InstanceId};
use crate::daemon::cores::Message;
use crate::daemon::outlets::fifos::Opened;
use crate::daemon::outlets::report::HeldBack;
use crate::daemon::retries::Lacking;
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::Asker;
use crate::model::script::Script;
use crate::notify::{Action, Because, Input, RunId, Standing, State, Subject, Which};
use crate::sys::reason;
use crate::vrrp::cause::{Cause, GroupCause};
use crate::vrrp::{self, Phase};

/// A change of a virtual router that is notified.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::daemon) enum Telling {
    Instance(InstanceId, State, Rc<Cause>),
    Group(GroupId, State, Rc<GroupCause>),
    LowerPriority(InstanceId),
    Priority(InstanceId, u8),
}

impl Telling {
    /// The notification for an action, if it needs one.
    pub(in crate::daemon) fn of(action: &vrrp::Action) -> Option<Self> {
        match *action {
            vrrp::Action::Changed { id, to, ref cause, .. } => {
                Some(Self::Instance(id, state(to)?, Rc::clone(cause)))
            }
            vrrp::Action::GroupChanged { group, to, ref cause } => {
                Some(Self::Group(group, state(to)?, Rc::clone(cause)))
            }
            vrrp::Action::PriorityChanged { id, to, .. } => Some(Self::Priority(id, to)),
            vrrp::Action::LowerPriority { id } => Some(Self::LowerPriority(id)),
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

impl Runtime {
    pub(in crate::daemon) fn tell(&mut self, telling: Telling) {
        let (out, now) = (&mut self.cores.notify_actions, self.now);
        match telling {
            Telling::Group(id, state, cause) => {
                let Some(name) = self.cores.vrrp.group(id).map(vrrp::Group::name) else { return };
                let Some(group) = self.running.config.groups.iter().find(|g| g.name == *name)
                else {
                    return;
                };
                let because = if cause.is_plain() { None } else { Some(&*cause as &dyn Display) };
                let because = Because(because);
                let input = Input::Group { name, state, notify: &group.notify, because };
                self.cores.notify.handle(input, now, out);
            }
            Telling::Instance(id, state, cause) => {
                let Some(i) = self.cores.vrrp.instance(id) else { return };
                let group = i.group().and_then(|g| self.cores.vrrp.group(g)).map(vrrp::Group::name);
                let (config, priority) = (i.config(), i.priority());
                let (name, notify) = (&config.name, &config.notify);
                let because = match &*cause {
                    Cause::Started | Cause::Stopping | Cause::Removed => Because::NOTHING,
                    cause => Because(Some(cause)),
                };
                let input = Input::Instance { name, state, priority, group, notify, because };
                self.cores.notify.handle(input, now, out);
            }
            Telling::LowerPriority(id) => {
                let Some(i) = self.cores.vrrp.instance(id) else { return };
                let (config, priority) = (i.config(), i.priority());
                let (name, notify) = (&config.name, &config.notify);
                self.cores.notify.handle(Input::LowerPriority { name, priority, notify }, now, out);
            }
            Telling::Priority(id, priority) => {
                let Some(i) = self.cores.vrrp.instance(id) else { return };
                let (name, notify) = (&i.config().name, &i.config().notify);
                self.cores.notify.handle(Input::Priority { name, priority, notify }, now, out);
            }
        }
    }

    pub(in crate::daemon) fn execute_notify(&mut self, action: Action) {
        match action {
            Action::RunScript { run, script, extra } => {
                let extra: Vec<_> = extra.iter().map(String::as_str).collect();
                let asker = Asker::Notify(run);
                if let Err(e) = self.commands.children.start(&script, &extra, None, asker, self.now)
                {
                    self.on_notify_failed(run, &e);
                    self.cores.inbox.push_back(Message::NotifyEnded(run));
                }
            }
            Action::EndScript { run } => {
                self.commands.children.stop(self.now, |asker| *asker == Asker::Notify(run));
            }
            Action::WriteFifo(which) => self.outlets.fifos.write(which, &mut self.cores.notify),
            Action::SendMail(letter) => self.outlets.mailer.post(&letter, &mut self.poll, self.now),
            Action::Noted(note) => {
                if let Some(held_back) = self.outlets.chatter.admit(note.about(), self.now) {
                    log::warn!("{note}{}", HeldBack(held_back));
                }
            }
        }
    }

    /// A script could not be executed. The exit status of those that ran is ignored.
    pub(in crate::daemon) fn on_notify_failed(&mut self, run: RunId, error: &dyn Display) {
        let command = self.cores.notify.command(run).unwrap_or_default();
        if let Some(held_back) =
            self.outlets.chatter.admit(format!("notify script {command}"), self.now)
        {
            log::error!("cannot run notify script '{command}': {error}{}", HeldBack(held_back));
        }
    }

    /// A FIFO has room, or a reader has opened it.
    pub(in crate::daemon) fn on_fifos(&mut self) {
        self.outlets.fifos.on_ready(
            &mut self.cores.notify,
            self.now,
            &mut self.cores.notify_actions,
        );
        self.drain();
    }

    /// Opens FIFOs and starts their scripts as configured. Unchanged FIFOs stay open with their
    /// readers; scripts that have ended are restarted.
    pub(in crate::daemon) fn set_up_notification(&mut self) {
        let (now, out, poll) = (self.now, &mut self.cores.notify_actions, &mut self.poll);
        let global = &self.running.config.global;
        self.cores.notify.handle(Input::Setup(global), now, out);
        self.outlets.mailer.setup(global.mail.as_ref(), poll, now);
        self.open_fifos(None);
    }

    /// Opens the FIFOs and starts their scripts: all of them, or one that was missing.
    pub(in crate::daemon) fn open_fifos(&mut self, lacking: Option<Which>) {
        let (now, out, poll) = (self.now, &mut self.cores.notify_actions, &mut self.poll);
        let fifos = &self.running.config.global.fifos;
        let Opened { changed, mut failed } =
            self.outlets.fifos.setup(fifos, &mut self.cores.notify, poll, now, out);
        for which in Which::ALL.into_iter().filter(|w| lacking.is_none_or(|one| one == *w)) {
            let failure =
                failed.remove(&which).map(|why| format!("{why}: it receives no notifications"));
            let is_another = changed.contains(&which) && !self.commands.readers.remove(&which);
            let script = self.start_fifo_script(which, is_another);
            let failure = failure.or(script);
            match failure {
                None => {
                    self.commands.retries.ended(&Lacking::Fifo(which));
                }
                Some(why) => {
                    if self.commands.retries.failed(Lacking::Fifo(which), &why, now) {
                        log::error!("{}: {why}; it is retried", which.keyword());
                    }
                }
            }
        }
    }

    /// Starts the script of a FIFO unless it is running. Returns the reason for a failure.
    fn start_fifo_script(&mut self, which: Which, is_another: bool) -> Option<String> {
        let wanted = self.fifo_script(which).filter(|_| self.outlets.fifos.is_open(which));
        let runs = self.commands.children.askers().any(|a| *a == Asker::FifoScript(which));
        let stays = runs && wanted.is_some() && !is_another;
        if runs && !stays {
            self.commands.children.stop(self.now, |asker| *asker == Asker::FifoScript(which));
        }
        let (script, path) = wanted.filter(|_| !stays)?;
        let asker = Asker::FifoScript(which);
        let started = self.commands.children.start(&script, &[&path], None, asker, self.now);
        let why = |e| format!("cannot run its script '{}': {}", script.shown(), reason(&e));
        started.err().map(why)
    }

    /// The script of a FIFO, and the path passed to it.
    fn fifo_script(&self, which: Which) -> Option<(Script, String)> {
        let fifos = &self.running.config.global.fifos;
        let fifo = match which {
            Which::All => &fifos.all,
            Which::Vrrp => &fifos.vrrp,
            Which::Lvs => &fifos.lvs,
        };
        let fifo = fifo.as_ref()?;
        Some((fifo.script.clone()?, fifo.path.clone()))
    }

    /// Notifies the current states after a reload.
    pub(in crate::daemon) fn tell_standing(&mut self) {
        let mut list = Vec::new();
        for (_, group) in self.cores.vrrp.groups() {
            if let Some(state) = state(group.phase()) {
                let object = Subject::Group(group.name().clone());
                list.push(Standing { object, state, priority: 0 });
            }
        }
        for i in self.running.ids.iter().filter_map(|id| self.cores.vrrp.instance(*id)) {
            if let Some(state) = state(i.phase()) {
                let object = Subject::Instance(i.config().name.clone());
                list.push(Standing { object, state, priority: i.priority() });
            }
        }
        self.cores.notify(Input::Standing(&list), self.now);
        self.drain();
    }
}
