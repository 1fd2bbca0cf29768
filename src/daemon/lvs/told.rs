//! What notifications are told of virtual servers, in the terms of their core.

use crate::check::{self, dns, smtp, Pool, Reason, Verdict};
use crate::lvs::{Action, Leaving, ServerRef, ServiceRef, Tally, Weight};
use crate::model::check::Kind;
use crate::notify::{self, Input, Object, ServiceEvent};

/// Something that happened, with what is needed to tell it later.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::daemon) struct Told {
    action: Action,
    said: Said,
}

/// What a check says, as `notify::Verdict`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
enum Said {
    #[default]
    Nothing,
    Tcp,
    Http,
    Smtp(String),
    Misc,
    MiscTimedOut,
    Dns,
    Udp,
    Ping,
    File,
    Bfd(String),
}

impl Told {
    /// `None` where there is nothing to tell.
    pub(super) fn of(action: Action, pool: &Pool) -> Option<Self> {
        let said = match &action {
            Action::QuorumChanged { told: false, .. } => return None,
            Action::CheckTurned { check, .. } => {
                let entry = pool.check(*check)?;
                let verdict = entry.last().map(|(last, _)| last.verdict);
                said(&entry.config().kind, verdict)
            }
            _ => Said::Nothing,
        };
        Some(Self { action, said })
    }

    /// Hands over what notifications have to hear, in order. `no_checker_mail`: mails of checks
    /// only when the server went up or down with it.
    pub(in crate::daemon) fn tell(&self, no_checker_mail: bool, mut hear: impl FnMut(Input<'_>)) {
        match &self.action {
            Action::ServerChanged { server, up, .. } => tell_server(server, *up, &mut hear),
            Action::CheckTurned { server, up, server_changed, .. } => {
                let wanted = *server_changed || !no_checker_mail;
                if server.config().mail && wanted {
                    mail(server, *up, self.said.as_verdict(), &mut hear);
                }
            }
            Action::ServerGone { server, told, leaving, .. } => {
                if *told {
                    tell_server(server, false, &mut hear);
                    let verdict = match leaving {
                        Leaving::Shutdown | Leaving::Flushed => notify::Verdict::ShuttingDown,
                        Leaving::Removed | Leaving::WithService => notify::Verdict::Removing,
                    };
                    if server.config().mail {
                        mail(server, false, Some(verdict), &mut hear);
                    }
                }
                if !matches!(leaving, Leaving::Shutdown | Leaving::Flushed) {
                    let name = server.name().to_string();
                    hear(Input::Forget(&Object::Server(server.service.id, name)));
                }
            }
            Action::QuorumChanged { service, up, starting, tally, .. } => {
                let tally = of_tally(tally);
                let event = match starting {
                    true => ServiceEvent::Starting(tally),
                    false => ServiceEvent::Quorum(tally),
                };
                tell_service(service, *up, event, &mut hear);
            }
            Action::ServiceGone { service, leaving, told } => {
                let event = match leaving {
                    Leaving::Shutdown | Leaving::Flushed => ServiceEvent::ShuttingDown,
                    Leaving::Removed | Leaving::WithService => ServiceEvent::Removing,
                };
                if *told {
                    tell_service(service, false, event, &mut hear);
                }
                if !matches!(leaving, Leaving::Shutdown | Leaving::Flushed) {
                    hear(Input::Forget(&Object::Service(service.id)));
                }
            }
            _ => {}
        }
    }
}

fn tell_service(
    service: &ServiceRef,
    up: bool,
    event: ServiceEvent,
    hear: &mut impl FnMut(Input<'_>),
) {
    let config = &service.config;
    let script = if up { &config.quorum_up } else { &config.quorum_down };
    hear(Input::Service {
        id: service.id,
        name: &config.to_string(),
        up,
        event,
        script: script.as_ref(),
        mail: config.mail,
    });
}

fn tell_server(server: &ServerRef, up: bool, hear: &mut impl FnMut(Input<'_>)) {
    let config = server.config();
    let script = if up { &config.notify_up } else { &config.notify_down };
    hear(Input::Server {
        service: server.service.id,
        service_name: &server.service.config.to_string(),
        name: &server.name().to_string(),
        up,
        script: script.as_deref(),
    });
}

fn mail(
    server: &ServerRef,
    up: bool,
    verdict: Option<notify::Verdict<'_>>,
    hear: &mut impl FnMut(Input<'_>),
) {
    let Some(verdict) = verdict else { return };
    hear(Input::CheckMail {
        service: server.service.id,
        service_name: &server.service.config.to_string(),
        name: &server.name().to_string(),
        up,
        verdict,
    });
}

impl Said {
    fn as_verdict(&self) -> Option<notify::Verdict<'_>> {
        Some(match self {
            Self::Nothing => return None,
            Self::Tcp => notify::Verdict::Tcp,
            Self::Http => notify::Verdict::Http,
            Self::Smtp(why) => notify::Verdict::Smtp(why),
            Self::Misc => notify::Verdict::Misc,
            Self::MiscTimedOut => notify::Verdict::MiscTimedOut,
            Self::Dns => notify::Verdict::Dns,
            Self::Udp => notify::Verdict::Udp,
            Self::Ping => notify::Verdict::Ping,
            Self::File => notify::Verdict::File,
            Self::Bfd(name) => notify::Verdict::Bfd(name),
        })
    }
}

fn said(kind: &Kind, verdict: Option<&Verdict>) -> Said {
    match (kind, verdict) {
        (Kind::Tcp(_), _) => Said::Tcp,
        (Kind::Http(..), _) => Said::Http,
        (Kind::Smtp(to, _), Some(Verdict::Down(reason))) => {
            Said::Smtp(smtp::complaint(reason, to.target()))
        }
        (Kind::Smtp(..), _) => Said::Smtp(String::new()),
        (Kind::Misc(_), Some(Verdict::Down(Reason::Overran))) => Said::MiscTimedOut,
        (Kind::Misc(_), _) => Said::Misc,
        (Kind::Dns(..), _) => Said::Dns,
        (Kind::Udp(..), _) => Said::Udp,
        (Kind::Ping(_), _) => Said::Ping,
        (Kind::File(_), _) => Said::File,
        (Kind::Bfd(name), _) => Said::Bfd(name.clone()),
    }
}

/// What keepalived's lines say of a failure, where it is more than "failed".
pub(super) fn complaint(kind: &Kind, reason: &Reason) -> Option<String> {
    match kind {
        Kind::Smtp(to, _) => Some(smtp::complaint(reason, to.target())),
        Kind::Dns(..) => Some(dns::complaint(reason)),
        _ => None,
    }
}

const fn of_tally(tally: &Tally) -> notify::Tally {
    notify::Tally {
        quorum: tally.quorum,
        hysteresis: tally.hysteresis,
        threshold: tally.threshold,
        weight: tally.weight,
    }
}

pub(super) const fn weight(weight: check::Weight) -> Weight {
    match weight {
        check::Weight::Unchanged => Weight::Unchanged,
        check::Weight::Instead(n) => Weight::Instead(n),
        check::Weight::Plus(n) => Weight::Plus(n),
    }
}
