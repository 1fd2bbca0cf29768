//! Reports the state of the daemon to systemd (sd_notify(3)): one datagram per change, without
//! waiting.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

/// States reported to systemd.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Start-up or reload is complete; the main process has this id.
    Ready {
        pid: u32,
    },
    Reloading {
        monotonic_usec: u64,
    },
    Stopping,
}

/// The connection to systemd, if it started the daemon.
#[derive(Debug, Default)]
pub struct Notifier {
    target: Option<(UnixDatagram, SocketAddr)>,
}

impl Notifier {
    /// Active only if the parent is systemd itself and requests it: a daemon started from a shell
    /// within some service would otherwise report for that service.
    ///
    /// `is_parent` is the answer of [`is_parent`] before the process left its parent.
    pub fn to_environment(is_parent: bool) -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET");
        match socket.filter(|_| is_parent) {
            // Without a message, systemd notices the lack by itself.
            Some(name) => Self::to(&name).unwrap_or_default(),
            None => Self::default(),
        }
    }

    fn to(name: &OsString) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            path => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self { target: Some((socket, address)) })
    }

    pub fn is_active(&self) -> bool {
        self.target.is_some()
    }

    /// Sends, if systemd has started the daemon. A failure has no effect.
    pub fn notify(&self, state: State) {
        self.send(&message(state));
    }

    /// One line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.send(&status(text));
    }

    fn send(&self, message: &str) {
        if let Some((socket, address)) = &self.target {
            // Nothing could be done about a failure, and start-up must not depend on it.
            let _ = socket.send_to_addr(message.as_bytes(), address);
        }
    }
}

fn message(state: State) -> String {
    match state {
        State::Ready { pid } => format!("READY=1\nMAINPID={pid}"),
        State::Reloading { monotonic_usec } => {
            format!("RELOADING=1\nMONOTONIC_USEC={monotonic_usec}")
        }
        State::Stopping => "STOPPING=1".to_owned(),
    }
}

/// Text of the configuration may be in it: a line end would begin another assignment.
fn status(text: &str) -> String {
    format!("STATUS={}", text.replace(|c: char| c.is_control(), " "))
}

/// True if systemd itself started this process.
pub fn is_parent() -> bool {
    std::os::unix::process::parent_id() == 1
        && super::open::kernel_read(Path::new("/proc/1/comm"))
            .is_ok_and(|name| name == b"systemd\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::tests::TempDir;

    fn received(server: &UnixDatagram) -> String {
        let mut got = [0; 100];
        let n = server.recv(&mut got).expect("a message");
        String::from_utf8_lossy(&got[..n]).into_owned()
    }

    #[test]
    fn messages_have_the_form_of_sd_notify() {
        assert_eq!(message(State::Ready { pid: 7 }), "READY=1\nMAINPID=7");
        assert_eq!(
            message(State::Reloading { monotonic_usec: 9 }),
            "RELOADING=1\nMONOTONIC_USEC=9"
        );
        assert_eq!(message(State::Stopping), "STOPPING=1");
        assert_eq!(status("1 MASTER\nMAINPID=1"), "STATUS=1 MASTER MAINPID=1");
    }

    #[test]
    fn reaches_sockets_in_the_file_system_and_abstract_ones() {
        let dir = TempDir::new("notify");
        let path = dir.path().join("socket");
        let server = UnixDatagram::bind(&path).expect("binds");
        Notifier::to(&path.into_os_string()).expect("a path").notify(State::Stopping);
        assert_eq!(received(&server), "STOPPING=1");

        let name = format!("keepalived-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("a name");
        let server = UnixDatagram::bind_addr(&address).expect("binds");
        Notifier::to(&format!("@{name}").into()).expect("a name").notify(State::Stopping);
        assert_eq!(received(&server), "STOPPING=1");
    }

    #[test]
    fn what_is_said_before_the_socket_is_there_is_lost_and_nothing_else() {
        let dir = TempDir::new("notify-later");
        let path = dir.path().join("socket");
        let notifier = Notifier::to(&path.clone().into_os_string()).expect("a path");
        notifier.notify(State::Reloading { monotonic_usec: 9 });
        let server = UnixDatagram::bind(&path).expect("binds");
        notifier.notify(State::Stopping);
        assert_eq!(received(&server), "STOPPING=1");
        let silent = Notifier::default();
        silent.notify(State::Ready { pid: 7 });
        assert!(notifier.is_active() && !silent.is_active());
    }
}
