//! `smtp_server` and related settings.

use std::time::Duration;

use crate::base::diag::Severity;
use crate::config::complaints::Complaints;
use crate::config::host::Host;
use crate::config::keywords::RawMail;
use crate::config::statement::Checker;
use crate::config::table::Given;
use crate::model::notify::{Mail, MailServer};
use crate::model::Config;

/// Fills in defaults; `None` if no mail can be sent.
pub(super) fn lower(raw: &RawMail<'_>, host: &dyn Host, checker: &mut Checker<'_>) -> Option<Mail> {
    let (server, port, span) = match (&raw.file, &raw.server) {
        // The port is not used.
        (Some(Given { value: path, span }), _) => (MailServer::File((*path).to_owned()), 25, *span),
        (None, Some(Given { value: (server, port), span })) => (server.clone(), *port, *span),
        (None, None) => return None,
    };
    if raw.recipients.is_empty() {
        checker.out.note(span, "no notification_email is given: no mail is sent");
        return None;
    }
    let hostname = host.hostname().unwrap_or_else(|| "localhost".to_owned());
    let from = raw.from.map(str::to_owned).unwrap_or_else(|| {
        let user = host.own_user_name().unwrap_or_else(|| "keepalived".to_owned());
        format!("{user}@{hostname}")
    });
    Some(Mail {
        server,
        port,
        helo: raw.helo.map_or(hostname, str::to_owned),
        timeout: raw.timeout.unwrap_or(Duration::from_secs(30)),
        from,
        recipients: raw.recipients.iter().map(|word| word.text.to_owned()).collect(),
        no_faults: raw.no_faults,
    })
}

/// Warns of requested mail that cannot be sent.
pub(super) fn check(out: &mut Complaints<'_>, config: &Config) {
    let mut instances = config.instances.iter().map(|i| &i.notify);
    let mut groups = config.groups.iter().map(|g| &g.notify);
    let wanted = instances.any(|n| n.mail) || groups.any(|n| n.mail);
    if wanted && config.global.mail.is_none() {
        let text = "smtp_alert: no mail is sent without smtp_server and notification_email in \
                    global_defs";
        out.report(Severity::Warning, "smtp_alert", None, text);
    }
}
