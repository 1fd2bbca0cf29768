//! Notifications of a change: scripts, FIFOs, mails. Pure.
//!
//! `mod.rs` decides what is notified and in which order, `scripts.rs` when a script may run, `fifo.rs`
//! which lines readers have still to get, `words.rs` has the wording. How a letter becomes a mail
//! and gets to the server is `mail.rs`, `outbox.rs` and `smtp.rs`.

use std::collections::VecDeque;

use self::fifo::Pipes;
use self::scripts::{Change, Job, Scripts};
use self::words::Scope;
use crate::base::name::SharedName;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::model::notify::Notify;
use crate::model::script::Script;
use crate::model::Global;

pub mod action;
mod complaint;
mod fifo;
pub mod input;
pub mod mail;
pub mod outbox;
mod scripts;
pub mod smtp;
mod unfinished;
mod words;

pub use action::{Action, Letter, Note, RunId, Which};
pub use complaint::complaint;
pub use input::{Because, Input, ServerNews, ServiceEvent, Standing, State, Subject};
pub use unfinished::{RunningScript, WaitingScripts};

/// The word of `notify_master_rx_lower_pri`.
const MASTER_RX_LOWER_PRI: &str = "MASTER_RX_LOWER_PRI";

#[derive(Debug, Default)]
pub struct Domain {
    router_id: String,
    /// `smtp_server` is there.
    mails: bool,
    /// `no_email_faults`.
    no_faults: bool,
    /// The state of each group and instance in its last mail.
    mailed: SortedMap<Subject, State>,
    /// States that were notified before the program was replaced.
    recalled: SortedMap<Subject, State>,
    /// The same of priorities.
    recalled_priorities: SortedMap<SharedName, u8>,
    /// The same of virtual servers, and with their names of real servers.
    recalled_served: SortedMap<(SharedName, Option<SharedName>), bool>,
    scripts: Scripts,
    pipes: Pipes,
}

impl Domain {
    /// Takes one fact. Appends what must be done, in the order it must be done.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Setup(global) => self.on_setup(global),
            Input::Standing(list) => self.on_standing(list, out),
            Input::Recall { object, state, priority } => {
                if let (Subject::Instance(name), Some(priority)) = (&object, priority) {
                    self.recalled_priorities.insert(name.clone(), priority);
                }
                self.recalled.insert(object, state);
            }
            Input::RecallServed { service, server, up } => {
                self.recalled_served.insert((service.into(), server.map(Into::into)), up);
            }
            Input::Instance { name, state, priority, group, notify, because } => {
                let standing = (state, priority);
                self.on_instance(name, standing, group, (notify, because), now, out);
            }
            Input::Group { name, state, notify, because } => {
                self.tell(Scope::Group, name, (state, 0), (notify, because), now, out);
            }
            Input::LowerPriority { name, priority, notify } => {
                self.on_lower_priority(name, priority, notify, now, out);
            }
            Input::Priority { name, priority, notify } => {
                self.on_priority(name, priority, notify, out);
            }
            Input::Service { .. } | Input::Server { .. } | Input::CheckMail { .. } => {
                self.on_lvs(&input, now, out);
            }
            Input::Forget(object) => {
                self.pipes.forget(object);
                self.mailed.remove(object);
            }
            Input::ScriptEnded(run) => self.scripts.on_ended(run, now, out),
            Input::FifoReader { which, present } => self.pipes.on_reader(which, present, now, out),
            Input::Deadline => self.scripts.on_deadline(now, out),
        }
        if cfg!(debug_assertions) {
            self.scripts.check_invariants();
            self.pipes.check_invariants();
        }
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.scripts.next_deadline()
    }

    /// The line to write to a FIFO next, with its end; the same one until it is written.
    pub fn pending_line(&mut self, which: Which) -> Option<&str> {
        self.pipes.pending(which)
    }

    /// The line that `pending_line` gave was written.
    pub fn line_written(&mut self, which: Which) {
        self.pipes.written(which);
    }

    /// The command of a run, as it is shown.
    pub fn command(&self, run: RunId) -> Option<&str> {
        self.scripts.command(run)
    }

    /// No script waits, and those that run are not expected to end.
    pub fn is_idle(&self) -> bool {
        self.scripts.is_idle()
    }

    /// Changes whose scripts wait for those of earlier changes.
    pub fn waiting(&self) -> usize {
        self.scripts.waiting()
    }

    /// Lines that wait for the readers of FIFOs.
    pub fn queued_lines(&self) -> usize {
        self.pipes.queued()
    }

    fn on_setup(&mut self, global: &Global) {
        self.router_id = global.router_id.clone().unwrap_or_default();
        self.mails = global.mail.is_some();
        self.no_faults = global.mail.as_ref().is_some_and(|m| m.no_faults);
        self.pipes.on_setup(&global.fifos);
    }

    fn on_standing(&mut self, list: &[Standing], out: &mut Vec<Action>) {
        // What was not mentioned by now may be something else next time.
        self.recalled.clear();
        self.recalled_served.clear();
        self.recalled_priorities.clear();
        self.mailed.retain(|object, _| list.iter().any(|s| s.object == *object));
        self.pipes.on_standing(list, out);
    }

    fn on_instance(
        &mut self,
        name: &SharedName,
        (mut state, priority): (State, u8),
        group: Option<&SharedName>,
        (notify, because): (&Notify, Because<'_>),
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let object = Subject::Instance(name.clone());
        let told = self.pipes.state(&object);
        // Back where it was, and its group with it. The reference also keeps silent when something
        // else was reported of the instance in between; then its last script would be wrong.
        let group = group.and_then(|g| self.pipes.state(&Subject::Group(g.clone())));
        if group == Some(state) && told == Some(state) {
            return;
        }
        let deleted = state == State::Deleted;
        if deleted && !notify.says_deleted {
            state = State::Fault;
        }
        if !deleted || told != Some(state) {
            self.tell(Scope::Instance, name, (state, priority), (notify, because), now, out);
        }
        if deleted {
            self.pipes.forget(&object);
            self.mailed.remove(&object);
        }
    }

    /// Notifies of a change: the script for it, the one for everything, FIFOs, mail.
    fn tell(
        &mut self,
        scope: Scope,
        name: &SharedName,
        (state, priority): (State, u8),
        (notify, because): (&Notify, Because<'_>),
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let object = match scope {
            Scope::Instance => Subject::Instance(name.clone()),
            Scope::Group => Subject::Group(name.clone()),
        };
        if self.recalled.remove(&object) == Some(state) {
            self.pipes.recall(scope, name, state, priority);
            if notify.mail {
                self.mailed.insert(object, state);
            }
            return;
        }
        let specific = match state {
            State::Master => &notify.master,
            State::Backup => &notify.backup,
            State::Fault => &notify.fault,
            State::Stop => &notify.stop,
            State::Deleted => &notify.deleted,
        };
        let words = [scope.word(), name.as_str(), state.word()].map(str::to_owned);
        let extra = words.into_iter().chain([priority.to_string()]).collect();
        let jobs = specific.iter().map(|s| Job { script: s.as_ref().clone(), extra: Vec::new() });
        let any = notify.any.as_deref().map(|s| Job { script: s.clone(), extra });
        let jobs: VecDeque<_> = jobs.chain(any).collect();
        let change = Change { word: state.word(), minor: false, jobs };
        match state {
            State::Stop => self.scripts.add_last(&object, change, out),
            _ => self.scripts.add(&object, change, now, out),
        }
        self.pipes.tell_vrrp(scope, name, state, priority, out);
        let silent = state == State::Fault && self.no_faults;
        if notify.mail && self.mails && !silent {
            let before = self.mailed.insert(object.clone(), state);
            if before != Some(state) {
                let subject = scope.subject(&self.router_id, name, state);
                out.push(Action::SendMail(Letter {
                    subject,
                    text: scope.text(state, because),
                    about: object,
                }));
            }
        }
    }

    fn on_lower_priority(
        &mut self,
        name: &SharedName,
        priority: u8,
        notify: &Notify,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let script = notify.master_rx_lower_pri.as_deref();
        self.run(&Subject::Instance(name.clone()), MASTER_RX_LOWER_PRI, true, script, now, out);
        self.pipes.tell_event(&words::lower_priority_line(name, priority), out);
    }

    fn on_priority(
        &mut self,
        name: &SharedName,
        priority: u8,
        notify: &Notify,
        out: &mut Vec<Action>,
    ) {
        self.pipes.note_priority(name, priority);
        let is_known = self.recalled_priorities.remove(name) == Some(priority);
        if notify.priority_changes && !is_known {
            let state = self.pipes.state(&Subject::Instance(name.clone()));
            let line = words::priority_line(name, state == Some(State::Master), priority);
            self.pipes.tell_event(&line, out);
        }
    }

    fn on_lvs(&mut self, input: &Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match *input {
            Input::Service { id, name, up, event, script, mail, because } => {
                let object = Subject::Service(id);
                if self.recalled_served.remove(&(name.into(), None)) == Some(up) {
                    self.pipes.recall_service(&object, name, up);
                    return;
                }
                self.run(&object, words::up_down(up), false, script, now, out);
                self.pipes.tell_service(&object, name, up, out);
                if mail && self.mails {
                    let subject = words::service_subject(&self.router_id, name, up);
                    let text = words::service_text(up, event, because);
                    out.push(Action::SendMail(Letter { subject, text, about: object }));
                }
            }
            Input::Server { service, service_name, name, up, script } => {
                let object = Subject::Server(service, name.into());
                let key = (service_name.into(), Some(name.into()));
                if self.recalled_served.remove(&key) == Some(up) {
                    self.pipes.recall_server(&object, service_name, name, up);
                    return;
                }
                self.run(&object, words::up_down(up), false, script, now, out);
                self.pipes.tell_server(&object, service_name, name, up, out);
            }
            Input::CheckMail { service, service_name, name, up, news } if self.mails => {
                let about = Subject::Server(service, name.into());
                let subject = words::server_subject(&self.router_id, service_name, name, up);
                let text = words::server_text(news);
                out.push(Action::SendMail(Letter { subject, text, about }));
            }
            _ => {}
        }
    }

    fn run(
        &mut self,
        of: &Subject,
        word: &'static str,
        minor: bool,
        script: Option<&Script>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let job = |script: &Script| Job { script: script.clone(), extra: Vec::new() };
        let jobs = script.map(job).into_iter().collect();
        self.scripts.add(of, Change { word, minor, jobs }, now, out);
    }
}

#[cfg(test)]
mod tests;
