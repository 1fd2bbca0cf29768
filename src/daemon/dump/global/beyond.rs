//! Global settings that keepalived does not have, or does not show.

use super::super::text::{Seconds, Text};
use crate::model::control::ControlSocket;
use crate::model::sandbox::Sandbox;
use crate::model::Global;

pub(super) fn render(g: &Global, out: &mut Text) {
    out.top("Use pid directory", g.use_pid_dir);
    out.top("VRRP delay after boot", Seconds(g.delay_after_boot));
    if let Some(seed) = g.random_seed {
        out.top("Random seed", seed);
    }
    match &g.control_socket {
        None => {}
        Some(ControlSocket::Off) => out.top("Control socket", "off"),
        Some(ControlSocket::At(path)) => out.top("Control socket", path),
    }
    if let Some(group) = &g.control_read_group {
        out.top("Control read group", &group.name);
    }
    if let Some(at) = &g.metrics_listen {
        out.top("Metrics", at);
    }
    if g.sandbox != Sandbox::default() {
        out.top("Sandbox", g.sandbox);
    }
}
