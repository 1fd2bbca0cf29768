//! The sync daemon of IPVS.

use crate::base::diag::Span;
use crate::config::document::Word;
use crate::config::keywords::RawSync;
use crate::config::statement::Checker;
use crate::model::lvs::SyncDaemon;

/// `lvs_sync_daemon_interface` of an instance, the older form of `lvs_sync_daemon`. Its sync id is
/// 0, as that of peers that have it, and not the VRID.
pub(super) fn follow<'d>(
    sync: &mut Option<RawSync<'d>>,
    checker: &mut Checker<'_>,
    interface: Word<'d>,
    name: &'d str,
) {
    if let Some(first) = sync {
        let text = format!(
            "lvs_sync_daemon_interface is ignored: there is a sync daemon on {}",
            first.interface.unwrap_or_default()
        );
        checker.out.error("lvs_sync_daemon_interface", interface.span, text);
        return;
    }
    let instance = Some(Word { text: name, ..interface });
    let interface = Some(interface.text);
    *sync = Some(RawSync { interface, instance, id: Some(0), ..RawSync::default() });
}

/// The daemon with the id of its instance; `vrid` looks that up. `None` without such an instance.
pub(super) fn sync_daemon(
    raw: &RawSync<'_>,
    checker: &mut Checker<'_>,
    vrid: impl FnOnce(&str) -> Option<u8>,
) -> Option<SyncDaemon> {
    let mut id = 0;
    if let Some(Word { text: name, span, .. }) = raw.instance {
        id = vrid(name).or_else(|| no_instance(checker, name, span))?;
    }
    Some(SyncDaemon {
        instance: raw.instance.map(|word| word.text.to_owned()),
        id: raw.id.unwrap_or(id),
        max_len: raw.max_len,
        port: raw.port,
        ttl: raw.ttl,
        group: raw.group,
        ..SyncDaemon::on(raw.interface.unwrap_or_default())
    })
}

/// keepalived does not count this as an error.
fn no_instance(checker: &mut Checker<'_>, name: &str, span: Span) -> Option<u8> {
    let text = format!("vrrp_instance '{name}' does not exist: lvs_sync_daemon is ignored");
    checker.out.warn("lvs_sync_daemon", span, text);
    None
}
