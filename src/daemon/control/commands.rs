//! What clients ask for.

use super::answer::{Answer, Events};
use super::document::{Form, Writing};
use super::orders::Failover;
use crate::control::{Code, Command, Failure, Reply, Topic};
use crate::daemon::runtime::Runtime;
use crate::sys::log::{self as logging, Spec};
use crate::vrrp::Input;
use crate::web::{Document, Metrics};

impl Runtime {
    pub(super) fn command(&mut self, command: Command, uid: u32) -> Result<Answer, Failure> {
        match command {
            Command::Status => Ok(Answer::status()),
            Command::Show { topic: Topic::Holdings, name } => self.holdings(name),
            Command::Show { topic, name } => Ok(Answer::show(topic, name)),
            Command::Metrics => {
                let metrics = Document::Metrics(Metrics::default());
                Ok(Answer::Document(Box::new(Writing::new(metrics, Form::Lines, self.now))))
            }
            Command::Events { since, follow, name } => {
                Ok(Answer::Events(Events { last: since, follow, name, is_idle: false }))
            }
            _ if !self.is_running() => {
                let text = "the daemon is stopping".to_owned();
                Err(Failure { code: Code::Busy, text })
            }
            Command::Reload => {
                log::info!("Reload by command of user {uid}");
                self.journal.command("reload", uid, self.now);
                self.reload();
                let outcome = self.running.last_reload.clone().unwrap_or_default();
                Ok(Answer::Lines(vec![Reply::Done, Reply::Reload(outcome)]))
            }
            Command::Rehearse { file } => {
                let outcome = self.rehearse(&file);
                Ok(Answer::Lines(vec![Reply::Done, Reply::Reload(outcome)]))
            }
            Command::Restart => {
                log::info!("Restart by command of user {uid}");
                self.journal.command("restart", uid, self.now);
                self.begin_restart()?;
                Ok(Answer::Lines(vec![Reply::Done]))
            }
            Command::Priority { name, base } => self.order_priority(&name, base, uid),
            Command::Failover { name, to, seconds, force, dry_run } => {
                self.order_failover(&name, Failover { to, seconds, force, dry_run }, uid)
            }
            Command::EndFailover { name } => self.end_failover(&name, uid),
            Command::Maintenance { on, seconds } => self.order_maintenance(on, seconds, uid),
            Command::Server { service, server, order } => {
                self.order_server(&service, &server, order, uid)
            }
            Command::Script { name } => self.run_script(&name, uid),
            Command::LogLevel { filter } => self.filter_log(filter, uid),
        }
    }

    fn holdings(&self, name: Option<String>) -> Result<Answer, Failure> {
        let known = &self.running.config.instances;
        match name {
            Some(name) if !known.iter().any(|i| i.name == *name) => {
                let text = format!("there is no instance called '{name}'");
                Err(Failure { code: Code::Unknown, text })
            }
            // One that is not MASTER wants nothing.
            name => Ok(Answer::holdings(name)),
        }
    }

    /// The core weighs the instance again; what follows is an election like any other.
    fn order_priority(
        &mut self,
        name: &str,
        base: Option<u8>,
        uid: u32,
    ) -> Result<Answer, Failure> {
        let refuse = |code, text: String| Err(Failure { code, text });
        let mut instances = self.cores.vrrp.instances();
        let Some((id, i)) = instances.find(|(_, i)| i.config().name == *name) else {
            return refuse(Code::Unknown, format!("there is no instance called '{name}'"));
        };
        if i.config().is_owner() {
            let text = format!("{name} owns its addresses (priority 255): an order has no effect");
            return refuse(Code::Request, text);
        }
        if base.is_some_and(|base| !(1..=254).contains(&base)) {
            return refuse(Code::Request, "a priority is from 1 to 254".to_owned());
        }
        drop(instances);
        let what = match base {
            Some(base) => format!("priority {name} {base}"),
            None => format!("priority {name} reset"),
        };
        self.note_command(&what, uid);
        self.cores.vrrp(Input::Priority { id, base }, self.now);
        self.drain();
        self.flush_adverts();
        Ok(Answer::Lines(vec![Reply::Done]))
    }

    /// In the log and the journal.
    pub(super) fn note_command(&mut self, what: &str, uid: u32) {
        log::info!("{what}, by command of user {uid}");
        self.journal.command(what, uid, self.now);
        self.continuity.orders_are_stale = true;
    }

    fn filter_log(&mut self, filter: Option<String>, uid: u32) -> Result<Answer, Failure> {
        let spec = match filter.as_deref().map(Spec::parse).transpose() {
            Ok(spec) => spec.or_else(|| self.options.log_filter.clone()),
            Err(text) => return Err(Failure { code: Code::Request, text }),
        };
        logging::refilter(spec.as_ref());
        self.control.log_filter.clone_from(&filter);
        let what = match &filter {
            Some(filter) => format!("log-level {filter}"),
            None => "log-level as at the start".to_owned(),
        };
        self.note_command(&what, uid);
        Ok(Answer::Lines(vec![Reply::Done]))
    }
}
