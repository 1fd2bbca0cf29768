//! Several virtual servers of one service: one, with the real servers of all.
//!
//! keepalived runs each by itself, and they meet in the kernel: the service is that of the first,
//! and a server of several is there as long as none of them has found it down.

use super::Scene;
use crate::base::diag::Span;
use crate::model::lvs::VirtualServer;

/// Adds the servers of `more` to the virtual server that came before it. Each has the place where
/// it begins.
pub(super) fn merge(
    scene: &mut Scene<'_, '_>,
    (first, first_span): (&mut VirtualServer, Span),
    (more, span): (VirtualServer, Span),
) {
    const NAME: &str = "virtual_server";
    let text =
        "there is such a virtual_server already: it gets these real servers as well, and its \
                own settings count";
    let reported = scene.checker.out.warn(NAME, span, text);
    if reported && first_span.file == span.file {
        scene.checker.out.hint(format!("it begins in line {}", first_span.line));
    }
    for server in more.servers {
        scene.host.breathe();
        let twin =
            first.servers.iter_mut().find(|s| s.addr == server.addr && s.port == server.port);
        let Some(twin) = twin else {
            first.servers.push(server);
            continue;
        };
        let text = format!(
            "real_server {} {} is in both: the first one counts, with the checks of both",
            server.addr, server.port
        );
        scene.checker.out.warn("real_server", span, text);
        for check in server.checks {
            if !twin.checks.contains(&check) {
                twin.checks.push(check);
            }
        }
    }
    first.quorum_up = first.quorum_up.take().or(more.quorum_up);
    first.quorum_down = first.quorum_down.take().or(more.quorum_down);
    first.sorry_server = first.sorry_server.take().or(more.sorry_server);
    if let Some(sorry) = &mut first.sorry_server {
        let twin = first.servers.iter().find(|s| s.addr == sorry.addr && s.port == sorry.port);
        sorry.inhibit = twin.map_or(sorry.inhibit, |twin| twin.inhibit_on_failure);
    }
}
