//! Global notification settings: mail, FIFOs, commands at start and stop.

use std::fmt;

use super::{line, quoted, Printer};
use crate::model::notify::{Fifo, LifeScript, Mail, MailServer};
use crate::model::Global;

impl Printer {
    pub(super) fn outlets(&mut self, global: &Global) -> fmt::Result {
        if let Some(mail) = &global.mail {
            self.mail(mail)?;
        }
        self.fifo("notify_fifo", global.fifos.all.as_ref())?;
        self.fifo("vrrp_notify_fifo", global.fifos.vrrp.as_ref())?;
        self.fifo("lvs_notify_fifo", global.fifos.lvs.as_ref())?;
        self.flag(global.fifos.states_on_reload, "fifo_write_vrrp_states_on_reload")?;
        self.life("startup_script", global.startup_script.as_ref())?;
        self.life("shutdown_script", global.shutdown_script.as_ref())
    }

    fn mail(&mut self, mail: &Mail) -> fmt::Result {
        match &mail.server {
            MailServer::Address(addr) => line!(self, "smtp_server {addr} {}", mail.port)?,
            MailServer::Name(name) => line!(self, "smtp_server {} {}", quoted(name), mail.port)?,
            MailServer::File(path) => line!(self, "smtp_alert_file {}", quoted(path))?,
        }
        line!(self, "smtp_helo_name {}", quoted(&mail.helo))?;
        line!(self, "smtp_connect_timeout {}", mail.timeout.as_secs())?;
        line!(self, "notification_email_from {}", quoted(&mail.from))?;
        self.block(format_args!("notification_email"), |out| {
            mail.recipients.iter().try_for_each(|to| line!(out, "{}", quoted(to)))
        })?;
        self.flag(mail.no_faults, "no_email_faults")
    }

    fn fifo(&mut self, name: &str, fifo: Option<&Fifo>) -> fmt::Result {
        let Some(fifo) = fifo else { return Ok(()) };
        line!(self, "{name} {} {} {}", quoted(&fifo.path), fifo.owner.uid, fifo.owner.gid)?;
        match &fifo.script {
            Some(script) => self.command(&format!("{name}_script"), script),
            None => Ok(()),
        }
    }

    fn life(&mut self, name: &str, life: Option<&LifeScript>) -> fmt::Result {
        let Some(life) = life else { return Ok(()) };
        self.command(name, &life.script)?;
        line!(self, "{name}_timeout {}", life.timeout.as_secs())
    }
}
