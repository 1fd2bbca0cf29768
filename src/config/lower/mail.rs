//! `smtp_server` and what belongs to it.

use std::time::Duration;

use crate::base::diag::{Severity, Span};
use crate::config::complaints::Complaints;
use crate::config::host::Host;
use crate::config::keyword::Kind;
use crate::config::statement::{Checker, Statement};
use crate::config::value::Value;
use crate::model::notify::{Mail, MailServer};
use crate::model::Config;

const PORT: u16 = 25;

/// The settings of mail, as written.
#[derive(Default)]
pub(super) struct RawMail {
    server: Option<(MailServer, u16, Span)>,
    file: Option<(String, Span)>,
    helo: Option<String>,
    timeout: Option<Duration>,
    from: Option<String>,
    recipients: Vec<String>,
    no_faults: bool,
}

impl RawMail {
    /// Takes a statement; false if it is about something else.
    pub(super) fn take(&mut self, checker: &mut Checker<'_>, s: &Statement<'_>) -> bool {
        match (s.keyword.name, s.value) {
            ("smtp_server", Value::Text(server)) => self.server(server, s),
            ("smtp_alert_file", Value::Text(path)) => {
                self.file = Some((path.to_owned(), s.node.keyword().span));
            }
            ("smtp_helo_name", Value::Text(name)) => self.helo = Some(name.to_owned()),
            ("smtp_connect_timeout", Value::Int(n)) => {
                self.timeout = u64::try_from(n).ok().map(Duration::from_secs);
            }
            ("notification_email_from", Value::Text(from)) => self.from = Some(from.to_owned()),
            ("notification_email", _) => {
                checker.names(s.node, s.keyword, Kind::Text, &mut |_, word| {
                    self.recipients.push(word.text.to_owned());
                });
            }
            ("no_email_faults", _) => self.no_faults = true,
            _ => return false,
        }
        true
    }

    /// With a bad port there is no server: the table complained.
    fn server(&mut self, server: &str, s: &Statement<'_>) {
        let port = match s.node.arg(1) {
            None => Some(PORT),
            Some(word) => word.text.parse().ok().filter(|&port| port != 0),
        };
        let server = match server.parse() {
            Ok(addr) => MailServer::Address(addr),
            Err(_) => MailServer::Name(server.to_owned()),
        };
        self.server = port.map(|port| (server, port, s.node.keyword().span));
    }

    /// Fills in what is not said; `None` if no mail can be sent.
    pub(super) fn settle(self, host: &dyn Host, checker: &mut Checker<'_>) -> Option<Mail> {
        let (server, port, span) = match (self.file, self.server) {
            (Some((path, span)), _) => (MailServer::File(path), PORT, span),
            (None, Some(server)) => server,
            (None, None) => return None,
        };
        if self.recipients.is_empty() {
            checker.out.note(span, "no notification_email is given: no mail is sent");
            return None;
        }
        let hostname = host.hostname().unwrap_or_else(|| "localhost".to_owned());
        let from = self.from.unwrap_or_else(|| {
            let user = host.own_user_name().unwrap_or_else(|| "keepalived".to_owned());
            format!("{user}@{hostname}")
        });
        Some(Mail {
            server,
            port,
            helo: self.helo.unwrap_or(hostname),
            timeout: self.timeout.unwrap_or(Duration::from_secs(30)),
            from,
            recipients: self.recipients,
            no_faults: self.no_faults,
        })
    }
}

/// Tells of mail that is asked for and cannot be sent.
pub(super) fn check(out: &mut Complaints<'_>, config: &Config) {
    let mut instances = config.instances.iter().map(|i| &i.notify);
    let mut groups = config.groups.iter().map(|g| &g.notify);
    let wanted = instances.any(|n| n.mail) || groups.any(|n| n.mail);
    if wanted && config.global.mail.is_none() {
        let text = "smtp_alert: no mail is sent without smtp_server and notification_email in \
                    global_defs";
        out.tell(Severity::Warning, "smtp_alert", None, text);
    }
}
