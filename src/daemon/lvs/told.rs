//! Notifications about virtual servers, as inputs of the notification core.

use crate::lvs::{Action, Found, Leaving, QuorumCause, ServerRef, ServiceRef};
use crate::notify::{Because, Input, ServerNews, ServiceEvent, Subject};

/// An event with the data for its later notification.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::daemon) struct Told(Action);

impl Told {
    /// `None` if the action needs no notification.
    pub(super) fn of(action: Action) -> Option<Self> {
        let is_quiet = matches!(action, Action::QuorumChanged { told: false, .. });
        (!is_quiet).then_some(Self(action))
    }

    /// The real server that is up or down, or has left.
    pub(in crate::daemon) fn server(&self) -> Option<(&ServerRef, Option<bool>)> {
        match &self.0 {
            Action::ServerChanged { server, up, .. } => Some((server, Some(*up))),
            Action::ServerGone { server, .. } => Some((server, None)),
            _ => None,
        }
    }

    /// Passes the inputs of the notification core to `hear`, in order. With `no_checker_mail`,
    /// checks send mail only if the server changed its state with them.
    pub(in crate::daemon) fn tell(&self, no_checker_mail: bool, mut hear: impl FnMut(Input<'_>)) {
        match &self.0 {
            Action::ServerChanged { server, up, .. } => tell_server(server, *up, &mut hear),
            Action::CheckTurned { server, found, server_changed } => {
                let wanted = *server_changed || !no_checker_mail;
                if server.config().mail && wanted {
                    let Found { verdict, .. } = &**found;
                    let news = ServerNews::Check { probed: found.probed(), verdict };
                    mail(server, verdict.is_up(), news, &mut hear);
                }
            }
            Action::ServerGone { server, told, leaving, .. } => {
                if *told {
                    tell_server(server, false, &mut hear);
                    let news = match leaving {
                        Leaving::Shutdown | Leaving::Flushed => ServerNews::ShuttingDown,
                        Leaving::Removed | Leaving::WithService => ServerNews::Removing,
                    };
                    if server.config().mail {
                        mail(server, false, news, &mut hear);
                    }
                }
                if !matches!(leaving, Leaving::Shutdown | Leaving::Flushed) {
                    let name = server.name().to_string();
                    hear(Input::Forget(&Subject::Server(server.service.id, name.into())));
                }
            }
            Action::QuorumChanged { service, up, tally, cause, .. } => {
                let (event, because) = match &**cause {
                    QuorumCause::Started => (ServiceEvent::Starting(*tally), Because::NOTHING),
                    cause => (ServiceEvent::Quorum(*tally), Because(Some(cause))),
                };
                tell_service(service, *up, event, because, &mut hear);
            }
            Action::ServiceGone { service, leaving, told } => {
                let event = match leaving {
                    Leaving::Shutdown | Leaving::Flushed => ServiceEvent::ShuttingDown,
                    Leaving::Removed | Leaving::WithService => ServiceEvent::Removing,
                };
                if *told {
                    tell_service(service, false, event, Because::NOTHING, &mut hear);
                }
                if !matches!(leaving, Leaving::Shutdown | Leaving::Flushed) {
                    hear(Input::Forget(&Subject::Service(service.id)));
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
    because: Because<'_>,
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
        because,
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

fn mail(server: &ServerRef, up: bool, news: ServerNews<'_>, hear: &mut impl FnMut(Input<'_>)) {
    hear(Input::CheckMail {
        service: server.service.id,
        service_name: &server.service.config.to_string(),
        name: &server.name().to_string(),
        up,
        news,
    });
}
