//! Common settings of the checks of a real server: schedule and connection.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::Scene;
use crate::base::addr::{is_link_local, Family};
use crate::config::keywords::{CheckKind, Inherited, RawCheck};
use crate::config::table::Given;
use crate::model::bfd::BfdInstance;
use crate::model::check::{Check, Connect, Kind, Schedule};
use crate::model::track::TrackFile;

/// The files that checks can name.
pub(super) type Files<'a> = HashMap<&'a str, &'a TrackFile>;
/// The BFD sessions that checks can name.
pub(super) type Sessions<'a> = HashMap<&'a str, &'a BfdInstance>;

/// Settings of its servers and of the rest of the configuration that a check needs.
pub(super) struct Around<'a> {
    pub addr: IpAddr,
    /// As it was written for the real server, or that of the virtual server.
    pub port: u16,
    /// Of the real server, then of the virtual server.
    pub inherited: Inherited,
    /// `delay_loop` of the virtual server.
    pub delay_loop: Duration,
    /// `virtualhost` of the real server, then of the virtual server.
    pub virtualhost: Option<&'a str>,
    /// `virtualhost` of the virtual server.
    pub service_virtualhost: Option<&'a str>,
    pub files: &'a Files<'a>,
    pub sessions: &'a Sessions<'a>,
}

impl RawCheck<'_> {
    /// The check, with every default.
    pub(in crate::config::lower) fn finish(
        &self,
        scene: &Scene<'_, '_>,
        around: &Around<'_>,
        kind: Kind,
    ) -> Check {
        let given = self.inherited.or(around.inherited);
        let delay_loop = given.delay_loop();
        let (retry, delay) = match &kind {
            Kind::Http(..) => (1, Duration::from_secs(3)),
            Kind::Dns(..) => (3, delay_loop),
            Kind::Misc(_) => (0, Duration::from_secs(1)),
            _ => (1, Duration::from_secs(1)),
        };
        let alpha = given.alpha.unwrap_or(false) && !matches!(kind, Kind::File(_));
        if matches!(kind, Kind::File(_) | Kind::Bfd(_)) {
            return Check { kind, schedule: Schedule::default(), alpha, log_all_failures: false };
        }
        let schedule = Schedule {
            delay_loop,
            retry: given.retry.unwrap_or(retry),
            delay_before_retry: given.delay_before_retry.unwrap_or(delay),
            warmup: given.warmup.unwrap_or(delay_loop),
        };
        let everywhere = scene.defaults.checks.log_all_failures;
        let log_all_failures = self.log_all_failures.unwrap_or(everywhere);
        Check { kind, schedule, alpha, log_all_failures }
    }

    /// Destination of the check; `None`, with a diagnostic, if it is impossible.
    pub(in crate::config::lower) fn connect(
        &self,
        scene: &mut Scene<'_, '_>,
        around: &Around<'_>,
    ) -> Option<Connect> {
        let raw = &self.connect;
        let word = self.word;
        let addr = raw.addr.unwrap_or(around.addr);
        if is_link_local(&addr) && raw.bind_if.is_none() {
            let text = format!("'{addr}' is link-local and needs bind_if: the check is left out");
            scene.error(word.text, word.span, text);
            return None;
        }
        let mut bind_addr = raw.bind_addr;
        let differs = |bind: &Given<IpAddr>| Family::of(&bind.value) != Family::of(&addr);
        if let Some(Given { value, span }) = bind_addr.filter(differs) {
            let text =
                format!("bindto '{value}' is of another family than '{addr}': it is ignored");
            scene.error("bindto", span, text);
            bind_addr = None;
        }
        let given = self.inherited.or(around.inherited);
        let mut connect = Connect::to(addr, raw.port.map_or(around.port, |port| port.value));
        connect.bind_addr = bind_addr.map(|bind| bind.value);
        connect.bind_port = raw.bind_port.map(|port| port.value);
        connect.bind_if = raw.bind_if.map(str::to_owned);
        connect.timeout = given.connect_timeout.unwrap_or(connect.timeout);
        connect.fwmark = raw.fwmark;
        if connect.port == 0 && self.kind != CheckKind::Ping {
            let text = "there is no port to connect to: connect_port says which";
            scene.checker.out.warn(word.text, word.span, text);
        }
        Some(connect)
    }
}
