//! What `global_defs` says of IPVS and of the checks, and the `SSL` block.

use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::entry;
use crate::config::keyword::{strict, Kind};
use crate::config::keywords::{LVS_SYNC_DAEMON, LVS_TIMEOUTS, SSL};
use crate::config::statement::{Checker, Statement};
use crate::config::value::{parse, Value};
use crate::model::check::Tls;
use crate::model::lvs::{FlushOnStop, Lvs, Namespace, SyncDaemon, Timeouts};

use super::inherit::is_on;

/// What was given so far.
#[derive(Default)]
pub(super) struct Draft {
    pub lvs: Lvs,
    pub checks: ChecksDefaults,
    pub sync: Option<RawSync>,
}

/// What checks and servers take where they say nothing themselves.
#[derive(Clone, Copy, Default)]
pub(super) struct ChecksDefaults {
    /// `smtp_alert_checker`.
    pub mail: Option<bool>,
    /// `checker_log_all_failures`.
    pub log_all_failures: bool,
}

/// `lvs_sync_daemon` before its instance is looked up.
pub(super) struct RawSync {
    daemon: SyncDaemon,
    id: Option<u8>,
    /// Where the instance is named.
    span: Span,
}

impl Draft {
    /// Takes a statement of `global_defs` if it belongs here.
    pub(super) fn take(&mut self, checker: &mut Checker<'_>, s: Statement<'_>) -> bool {
        match s.keyword.name {
            "lvs_timeouts" => self.timeouts(checker, s.node),
            "lvs_flush" => self.lvs.flush = true,
            "lvs_flush_on_stop" => {
                self.lvs.flush_on_stop = match s.value {
                    Value::Nothing => FlushOnStop::All,
                    _ => FlushOnStop::Services,
                };
            }
            "lvs_sync_daemon" => self.sync = sync_daemon(checker, s.node),
            "rs_init_notifies" => self.lvs.init_notifies = is_on(s.value),
            "no_checker_emails" => self.lvs.no_checker_mail = is_on(s.value),
            "smtp_alert_checker" => self.checks.mail = Some(is_on(s.value)),
            "checker_log_all_failures" => self.checks.log_all_failures = is_on(s.value),
            _ => return false,
        }
        true
    }

    /// `lvs_sync_daemon_interface` of an instance, the older form. Its sync id is 0, as that of peers
    /// that have it, and not the VRID.
    pub(super) fn follow(&mut self, checker: &mut Checker<'_>, interface: Word<'_>, name: &str) {
        if let Some(first) = &self.sync {
            let text = format!(
                "lvs_sync_daemon_interface is ignored: there is a sync daemon on {}",
                first.daemon.interface
            );
            checker.out.error("lvs_sync_daemon_interface", interface.span, text);
            return;
        }
        let daemon =
            SyncDaemon { instance: Some(name.to_owned()), ..SyncDaemon::on(interface.text) };
        self.sync = Some(RawSync { daemon, id: Some(0), span: interface.span });
    }

    fn timeouts(&mut self, checker: &mut Checker<'_>, node: Node<'_>) {
        let (items, all_good) = entry::items(node, &LVS_TIMEOUTS);
        let mut timeouts = Timeouts::default();
        for item in &items {
            let Value::Int(n) = item.value else { continue };
            let seconds = u32::try_from(n).ok();
            match item.option {
                "tcp" => timeouts.tcp = seconds,
                "tcpfin" => timeouts.tcp_fin = seconds,
                _ => timeouts.udp = seconds,
            }
        }
        if items.is_empty() && all_good {
            let text = "lvs_timeouts needs one of 'tcp N', 'tcpfin N' and 'udp N'";
            checker.out.error("lvs_timeouts", node.keyword().span, text);
        } else {
            self.lvs.timeouts = timeouts;
        }
    }
}

/// Reads a line that was checked, in the present or the outdated form (`IF INSTANCE [ID]`).
fn sync_daemon(checker: &mut Checker<'_>, node: Node<'_>) -> Option<RawSync> {
    const ID: Kind = strict(0, 255);
    let (items, _) = entry::items(node, &LVS_SYNC_DAEMON);
    let mut items = items.into_iter();
    let mut daemon = SyncDaemon::on(items.next()?.word.text);
    let mut raw_id = None;
    let mut span = node.keyword().span;
    for item in items {
        let number = match item.value {
            Value::Int(n) => u16::try_from(n).ok(),
            _ => None,
        };
        match (item.option, item.value) {
            ("inst", _) | ("", Value::Text(_)) if daemon.instance.is_none() => {
                daemon.instance = Some(item.word.text.to_owned());
                span = item.word.span;
            }
            ("", Value::Text(text)) => match parse(ID, text) {
                Ok(Value::Int(n)) => {
                    let text = format!("'{n}' alone is outdated: write 'id {n}'");
                    checker.out.error("lvs_sync_daemon", item.word.span, text);
                    raw_id = u8::try_from(n).ok();
                }
                _ => {
                    let text = format!("unknown option '{text}' of lvs_sync_daemon: it is ignored");
                    checker.out.error("lvs_sync_daemon", item.word.span, text);
                }
            },
            ("inst", _) => {
                let text = "'inst' again: the first one counts";
                checker.out.error("lvs_sync_daemon", item.word.span, text);
            }
            ("id", _) => raw_id = number.and_then(|n| u8::try_from(n).ok()),
            ("maxlen", _) => daemon.max_len = number,
            ("port", _) => daemon.port = number,
            ("ttl", _) => daemon.ttl = number.and_then(|n| u8::try_from(n).ok()),
            ("group", Value::Addr(addr)) => daemon.group = Some(addr),
            _ => {}
        }
    }
    Some(RawSync { daemon, id: raw_id, span })
}

impl RawSync {
    /// With the id of its instance; `vrid` looks that up. `None` without such an instance.
    pub(super) fn settle(
        self,
        checker: &mut Checker<'_>,
        vrid: impl FnOnce(&str) -> Option<u8>,
    ) -> Option<SyncDaemon> {
        let mut daemon = self.daemon;
        let mut id = 0;
        if let Some(name) = &daemon.instance {
            let Some(vrid) = vrid(name) else {
                let text =
                    format!("vrrp_instance '{name}' does not exist: lvs_sync_daemon is ignored");
                // To keepalived this is no error of the configuration.
                checker.out.warn("lvs_sync_daemon", self.span, text);
                return None;
            };
            id = vrid;
        }
        daemon.id = self.id.unwrap_or(id);
        Some(daemon)
    }
}

/// `net_namespace_ipvs`.
pub(super) fn namespace(value: Value<'_>) -> Namespace {
    match value {
        Value::Text(name) => Namespace::Named(name.to_owned()),
        _ => Namespace::Initial,
    }
}

/// Reads an `SSL` block.
pub(super) fn tls(checker: &mut Checker<'_>, node: Node<'_>) -> Tls {
    let mut tls = Tls::default();
    checker.block(node.children(), &SSL, &mut |checker, s| {
        let Value::Text(text) = s.value else { return };
        let given = Some(text.to_owned());
        match s.keyword.name {
            "password" => tls.password = given,
            "ca" => {
                // It looks like protection.
                let text = "ca has no effect: checks do not verify certificates of servers";
                checker.out.note(s.node.keyword().span, text);
                tls.ca = given;
            }
            "certificate" => tls.certificate = given,
            "key" => tls.key = given,
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    });
    tls
}
