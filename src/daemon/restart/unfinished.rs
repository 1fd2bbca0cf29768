//! Notifications that are under way, in the snapshot.

use super::router::{since_zero, time};
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::Asker;
use crate::model::script::{Script, User};
use crate::model::track::TrackScript;
use crate::notify::mail::Message;
use crate::notify::outbox::Unsent;
use crate::notify::{RunningScript, Subject, WaitingScripts, Which};
use crate::snapshot::{
    About, FifoLine, ScriptCommand, ScriptRun, ScriptsWaiting, Snapshot, TrackedRun, UnsentMail,
};
use crate::status::ObjectKind;
use crate::sys::children::{self, Child, Sent};

impl Runtime {
    pub(super) fn add_unfinished(&self, to: &mut Snapshot) {
        let notify = &self.cores.notify;
        let pid = |run| {
            let mut running = self.commands.children.running();
            running.find(|(_, asker)| **asker == Asker::Notify(run)).map(|(pid, _)| pid)
        };
        let run = |RunningScript { run, of, command }| {
            Some(ScriptRun { pid: pid(run)?, about: self.object(&of)?, command })
        };
        to.runs = notify.running_scripts().into_iter().filter_map(run).collect();
        let change = |WaitingScripts { of, word, is_minor, scripts }| {
            let commands = scripts.into_iter().map(command).collect();
            Some(ScriptsWaiting { about: self.object(&of)?, word, is_minor, commands })
        };
        to.changes = notify.waiting_scripts().into_iter().filter_map(change).collect();
        let lines = |which: Which| {
            let line = move |text| FifoLine { fifo: which.keyword().to_owned(), text };
            notify.unread_lines(which).into_iter().map(line)
        };
        to.lines = Which::ALL.into_iter().flat_map(lines).collect();
        let mail = |Unsent { message, tries, due, born }| UnsentMail {
            about: self.object(&message.about).unwrap_or_default(),
            from: message.from,
            to: message.to,
            subject: message.subject,
            text: String::from_utf8_lossy(&message.bytes).into_owned(),
            tries,
            due: since_zero(due),
            born: since_zero(born),
        };
        to.mails = self.outlets.mailer.unsent().into_iter().map(mail).collect();
    }

    /// The scripts of virtual routers, before there is another change.
    pub(super) fn resume_scripts_of_routers(&mut self, from: &Snapshot) {
        self.resume_scripts(from, |kind| matches!(kind, ObjectKind::Instance | ObjectKind::Group));
    }

    /// The run of a tracked script.
    pub(super) fn tracked_run(&self, script: &TrackScript) -> Option<TrackedRun> {
        let id = self.cores.track.script_id(&script.name)?;
        let mut running = self.commands.children.running();
        let (pid, _) = running.find(|(_, asker)| **asker == Asker::Track(id))?;
        let end = since_zero(self.commands.children.end_of(pid)?);
        Some(TrackedRun { pid, command: script.script.shown(), end })
    }

    /// The tracked scripts are configured: their runs go on, and those of others end.
    pub(in crate::daemon) fn resume_tracked_runs(&mut self) {
        let Some(recalled) = &self.restart.recalled else { return };
        for script in &recalled.snapshot.scripts {
            let Some(run) = &script.run else { continue };
            let (child, track) = (Child::adopted(run.pid), &self.cores.track);
            let id = track.script_id(&script.name);
            match id.filter(|id| track.is_awaited(*id)) {
                Some(id) => {
                    let timeout = Some(time(run.end).since(self.now));
                    self.commands.children.adopt(child, timeout, Asker::Track(id), self.now);
                }
                None => children::signal_group(child.pid(), Sent::Kill),
            }
        }
    }

    /// All else, once virtual servers and outlets are there.
    pub(super) fn resume_unfinished(&mut self, from: &Snapshot) {
        self.resume_scripts(from, |kind| matches!(kind, ObjectKind::Service | ObjectKind::Server));
        self.end_other_runs(&from.services);
        for FifoLine { fifo, text } in &from.lines {
            if let Some(which) = Which::ALL.into_iter().find(|which| which.keyword() == fifo) {
                self.cores.notify.resume_line(which, text, &mut self.cores.notify_actions);
            }
        }
        let unsent = |mail: &UnsentMail| Unsent {
            message: Message {
                from: mail.from.clone(),
                to: mail.to.clone(),
                bytes: mail.text.clone().into(),
                subject: mail.subject.clone(),
                // Only mails about the same object are compared.
                about: self
                    .subject(&mail.about)
                    .unwrap_or_else(|| Subject::Instance(mail.about.name.as_str().into())),
            },
            tries: mail.tries,
            due: time(mail.due),
            born: time(mail.born),
        };
        let mails = from.mails.iter().map(unsent).collect();
        self.outlets.mailer.resume(mails, &mut self.poll, self.now);
    }

    fn resume_scripts(&mut self, from: &Snapshot, which: impl Fn(ObjectKind) -> bool) {
        for ScriptRun { pid, about, command } in from.runs.iter().filter(|r| which(r.about.kind)) {
            let Some(of) = self.subject(about) else { continue };
            let run = self.cores.notify.resume_script(of, command, self.now);
            self.commands.children.adopt(Child::adopted(*pid), None, Asker::Notify(run), self.now);
        }
        for change in from.changes.iter().filter(|c| which(c.about.kind)) {
            let Some(of) = self.subject(&change.about) else { continue };
            let (word, is_minor) = (change.word.clone(), change.is_minor);
            let scripts = change.commands.iter().map(script).collect();
            let waiting = WaitingScripts { of, word, is_minor, scripts };
            self.cores.notify.resume_change(waiting, self.now, &mut self.cores.notify_actions);
        }
    }

    fn object(&self, subject: &Subject) -> Option<About> {
        let service = |id| Some(self.lvs.service_by_id(id)?.config().to_string());
        Some(match subject {
            Subject::Group(name) => {
                About { kind: ObjectKind::Group, name: name.to_string(), of: None }
            }
            Subject::Instance(name) => {
                About { kind: ObjectKind::Instance, name: name.to_string(), of: None }
            }
            Subject::Service(id) => {
                About { kind: ObjectKind::Service, name: service(*id)?, of: None }
            }
            Subject::Server(id, name) => {
                About { kind: ObjectKind::Server, name: name.to_string(), of: service(*id) }
            }
        })
    }

    fn subject(&self, object: &About) -> Option<Subject> {
        let name = object.name.as_str();
        let service = |name| self.lvs.id_of(name, &self.running.config);
        match object.kind {
            ObjectKind::Group => Some(Subject::Group(name.into())),
            ObjectKind::Instance => Some(Subject::Instance(name.into())),
            ObjectKind::Service => Some(Subject::Service(service(name)?)),
            ObjectKind::Server => {
                Some(Subject::Server(service(object.of.as_deref()?)?, name.into()))
            }
            _ => None,
        }
    }
}

fn command((script, extra): (Script, Vec<String>)) -> ScriptCommand {
    let Script { path, argv, user: User { uid, gid }, by_shell } = script;
    ScriptCommand { path, argv, uid, gid, by_shell, extra }
}

fn script(command: &ScriptCommand) -> (Script, Vec<String>) {
    let ScriptCommand { path, argv, uid, gid, by_shell, extra } = command.clone();
    (Script { path, argv, user: User { uid, gid }, by_shell }, extra)
}
