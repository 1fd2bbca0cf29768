//! Packet capture on an interface, with kernel time stamps.

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    bind, recvmsg, setsockopt, socket, sockopt, AddressFamily, ControlMessageOwned, MsgFlags,
    SockFlag, SockProtocol, SockType,
};
use nix::sys::time::TimeSpec;

use super::frames::{advert, announcement};
use super::{wait, Advert, Announcement, Namespace};

pub(crate) struct Frame {
    pub(crate) at: Duration,
    pub(crate) bytes: Vec<u8>,
}

/// A packet socket on one interface. The kernel queues packets until they are read.
pub(crate) struct Capture {
    socket: OwnedFd,
    frames: Vec<Frame>,
}

impl Capture {
    #[track_caller]
    pub(crate) fn new(namespace: &Namespace, interface: &str) -> Self {
        let link = namespace.link(interface).expect("the interface exists");
        let _inside = namespace.enter();
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)
            .expect("packet socket");
        // Beyond the usual limit only if permitted.
        let _ = setsockopt(&socket, sockopt::RcvBufForce, &(32 << 20));
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).expect("time stamps");
        bind(socket.as_raw_fd(), &link).expect("the interface is still there");
        Self { socket, frames: Vec::new() }
    }

    fn read(&mut self) {
        let mut buffer = [0; 65536];
        loop {
            let mut space = nix::cmsg_space!(TimeSpec);
            let mut slices = [IoSliceMut::new(&mut buffer)];
            let got = recvmsg::<()>(
                self.socket.as_raw_fd(),
                &mut slices,
                Some(&mut space),
                MsgFlags::empty(),
            );
            match got {
                Ok(message) => {
                    let stamp = message
                        .cmsgs()
                        .ok()
                        .and_then(|mut all| all.find_map(stamp))
                        .expect("a time stamp");
                    let length = message.bytes;
                    self.frames.push(Frame { at: stamp, bytes: buffer[..length].to_vec() });
                }
                Err(Errno::EAGAIN | Errno::ENETDOWN) => return,
                Err(e) => panic!("capture: {e}"),
            }
        }
    }

    /// All frames captured so far.
    pub(crate) fn frames(&mut self) -> &[Frame] {
        self.read();
        &self.frames
    }

    /// Discards all frames captured so far.
    pub(crate) fn clear(&mut self) {
        self.read();
        self.frames.clear();
    }

    /// The advertisements so far, in order.
    pub(crate) fn adverts(&mut self) -> Vec<Advert> {
        self.frames().iter().filter_map(advert).collect()
    }

    pub(crate) fn adverts_of(&mut self, vrid: u8) -> Vec<Advert> {
        self.adverts().into_iter().filter(|a| a.vrid == vrid).collect()
    }

    /// The gratuitous ARPs and unsolicited neighbour advertisements so far, in order.
    pub(crate) fn announcements(&mut self) -> Vec<Announcement> {
        self.frames().iter().filter_map(announcement).collect()
    }

    /// Waits for an advertisement that satisfies `accept`; earlier ones are skipped.
    #[track_caller]
    pub(crate) fn wait_advert(
        &mut self,
        what: &str,
        limit: Duration,
        accept: impl Fn(&Advert) -> bool,
    ) -> Advert {
        let mut found = None;
        wait(what, limit, || {
            found = self.adverts().into_iter().find(|a| accept(a));
            found.is_some()
        });
        found.expect("waited for it")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "called by find_map")]
fn stamp(message: ControlMessageOwned) -> Option<Duration> {
    match message {
        ControlMessageOwned::ScmTimestampns(time) => Some(time.into()),
        _ => None,
    }
}
