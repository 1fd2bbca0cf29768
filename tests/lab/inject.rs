//! Injection of raw frames, as a broken or hostile neighbour might send.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    bind, send, socket, AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType,
};

use super::frames::checksum;
use super::Namespace;

pub(crate) struct Injector {
    socket: OwnedFd,
}

impl Injector {
    #[track_caller]
    pub(crate) fn new(namespace: &Namespace, interface: &str) -> Self {
        let link = namespace.link(interface).expect("the interface exists");
        let _inside = namespace.enter();
        let socket = socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::EthAll,
        )
        .expect("packet socket");
        bind(socket.as_raw_fd(), &link).expect("the interface is there");
        Self { socket }
    }

    pub(crate) fn send(&self, frame: &[u8]) {
        match send(self.socket.as_raw_fd(), frame, MsgFlags::empty()) {
            Ok(_) | Err(Errno::ENOBUFS) => {}
            Err(e) => panic!("cannot send a frame of {} octets: {e}", frame.len()),
        }
    }
}

/// Result of a flood.
#[derive(Debug)]
pub(crate) struct Flooded {
    pub(crate) frames: u64,
    pub(crate) time: Duration,
}

impl Flooded {
    pub(crate) fn rate(&self) -> f64 {
        self.frames as f64 / self.time.as_secs_f64()
    }
}

impl Injector {
    /// Sends these frames in rotation from a separate thread, at most `rate` per second, for the
    /// given time.
    pub(crate) fn flood(
        self,
        frames: Vec<Vec<u8>>,
        rate: u64,
        time: Duration,
    ) -> JoinHandle<Flooded> {
        std::thread::spawn(move || {
            let (start, mut sent) = (Instant::now(), 0);
            while start.elapsed() < time {
                let due =
                    rate * u64::try_from(start.elapsed().as_micros()).expect("short") / 1_000_000;
                let wave = due.min(sent + 1000);
                for turn in sent..wave {
                    self.send(&frames[usize::try_from(turn).expect("few") % frames.len()]);
                }
                sent = wave.max(sent);
                std::thread::sleep(Duration::from_micros(500));
            }
            Flooded { frames: sent, time: start.elapsed() }
        })
    }
}

/// A version 2 or 3 advertisement over IPv4 in an Ethernet frame; every field can be invalid.
#[derive(Clone)]
pub(crate) struct FrameBuilder {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) ttl: u8,
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) vrid: u8,
    pub(crate) priority: u8,
    /// Value of the count field; `None`: the correct one.
    pub(crate) count: Option<u8>,
    /// Octets four and five of the header: interval and, in version 2, authentication type.
    pub(crate) middle: [u8; 2],
    pub(crate) addresses: Vec<Ipv4Addr>,
    /// Version 2: eight octets of authentication data.
    pub(crate) auth: Vec<u8>,
    /// Destination in the pseudo-header of version 3; `None`: the correct one.
    pub(crate) pseudo_destination: Option<Ipv4Addr>,
    /// Added to the correct checksum.
    pub(crate) checksum_error: u16,
    /// Number of payload octets sent.
    pub(crate) cut_to: Option<usize>,
    /// Octets after the payload, included in the length of the IP header.
    pub(crate) excess: usize,
    /// Length field of the IP header; `None`: the correct one.
    pub(crate) ip_length: Option<u16>,
    /// Header length in words in the IP header.
    pub(crate) ihl: u8,
    /// Flags and fragment offset.
    pub(crate) fragment: u16,
}

impl FrameBuilder {
    /// An advertisement that is valid for routers with this router id and these addresses.
    pub(crate) fn v3(
        source: &str,
        vrid: u8,
        priority: u8,
        centiseconds: u16,
        addresses: &[&str],
    ) -> Self {
        Self {
            source: source.parse().expect("an address"),
            destination: Ipv4Addr::new(224, 0, 0, 18),
            ttl: 255,
            version: 3,
            kind: 1,
            vrid,
            priority,
            count: None,
            middle: centiseconds.to_be_bytes(),
            addresses: addresses.iter().map(|a| a.parse().expect("an address")).collect(),
            auth: Vec::new(),
            pseudo_destination: None,
            checksum_error: 0,
            cut_to: None,
            excess: 0,
            ip_length: None,
            ihl: 5,
            fragment: 0,
        }
    }

    /// Version 2 with PASS authentication.
    pub(crate) fn v2_pass(
        source: &str,
        vrid: u8,
        priority: u8,
        seconds: u8,
        addresses: &[&str],
        password: &str,
    ) -> Self {
        let mut auth = password.as_bytes().to_vec();
        auth.resize(8, 0);
        Self {
            version: 2,
            middle: [1, seconds],
            auth,
            ..Self::v3(source, vrid, priority, 0, addresses)
        }
    }

    fn payload(&self) -> Vec<u8> {
        let count =
            self.count.unwrap_or_else(|| u8::try_from(self.addresses.len()).expect("at most 255"));
        let mut pdu = vec![
            self.version << 4 | self.kind,
            self.vrid,
            self.priority,
            count,
            self.middle[0],
            self.middle[1],
            0,
            0,
        ];
        pdu.extend(self.addresses.iter().flat_map(Ipv4Addr::octets));
        pdu.extend(&self.auth);
        let length = u16::try_from(pdu.len()).expect("fits a packet").to_be_bytes();
        let to = self.pseudo_destination.unwrap_or(self.destination).octets();
        let pseudo = [&self.source.octets()[..], &to, &[0, 112], &length].concat();
        let head = if self.version == 3 { &pseudo[..] } else { &[] };
        let sum = checksum(head, &pdu).wrapping_add(self.checksum_error);
        pdu[6..8].copy_from_slice(&sum.to_be_bytes());
        pdu.truncate(self.cut_to.unwrap_or(usize::MAX));
        pdu.resize(pdu.len() + self.excess, 0x5a);
        pdu
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let payload = self.payload();
        let length = self
            .ip_length
            .unwrap_or_else(|| u16::try_from(payload.len() + 20).expect("fits a packet"));
        let mut ip = vec![0x40 | self.ihl, 0xc0];
        ip.extend(length.to_be_bytes());
        ip.extend([0, 1]);
        ip.extend(self.fragment.to_be_bytes());
        ip.extend([self.ttl, 112, 0, 0]);
        ip.extend(self.source.octets());
        ip.extend(self.destination.octets());
        let sum = checksum(&ip, &[]);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        let [_, b, c, d] = self.destination.octets();
        let mut frame = vec![0x01, 0x00, 0x5e, b & 0x7f, c, d, 0x02, 0, 0, 0, 0, 0x66, 0x08, 0x00];
        frame.extend(ip);
        frame.extend(payload);
        frame
    }
}
