//! Receive buffers of netlink sockets, as configured.

use std::io;

use crate::daemon::runtime::Runtime;
use crate::sys::reason;

impl Runtime {
    /// Applies the configured sizes at the start and after each reload.
    pub(in crate::daemon) fn set_netlink_buffers(&mut self) {
        let buffers = self.running.config.global.buffers;
        if buffers == self.network.buffers {
            return;
        }
        self.network.buffers = buffers;
        let network = &self.network;
        let request = network.requests.set_receive_buffer(buffers.vrrp_cmd);
        is_set("vrrp_netlink_cmd_rcv_bufs", request);
        let monitor = network.monitor.set_receive_buffer(buffers.monitor());
        is_set("vrrp_netlink_monitor_rcv_bufs", monitor);
    }
}

/// A refusal means less room.
pub(in crate::daemon) fn is_set(keyword: &str, result: io::Result<()>) {
    if let Err(e) = result {
        log::warn!("{keyword}: the kernel refuses this size: {}", reason(&e));
    }
}
