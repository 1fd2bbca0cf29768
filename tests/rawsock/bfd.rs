//! Sockets of BFD.

use std::net::IpAddr;

use keepalived::base::addr::Family;
use keepalived::sys::bfd::{Batch, Peer, Ports, Receiver, Sender};
use libtest_mimic::Failed;

use super::segment::{self, Segment};
use super::Outcome;

/// Two senders reach the receiver from ports of their own, with what it needs to know beside them.
pub(crate) fn arrives(s: &Segment, from: IpAddr, to: IpAddr, multihop: bool) -> Outcome {
    let family = Family::of(&to);
    let receiver = s.b.inside(|| Receiver::open(family, multihop))?;
    let deaf = s.b.inside(|| Receiver::open(family, !multihop))?;
    let sniffer = s.b.sniffer()?;
    let mut ports = Ports::new(7);
    let peer = Peer { neighbor: to, scope: 0, multihop };
    let mut bound = s.a.inside(|| Sender::open(peer, Some(from), &mut ports))?;
    let mut free = s.a.inside(|| Sender::open(peer, None, &mut ports))?;
    assert!(bound.port() >= 49_152 && free.port() >= 49_152 && bound.port() != free.port());
    let mut batch = Batch::default();
    for (is_bound, ttl, packet) in [(true, 255, "one"), (true, 254, "two"), (false, 64, "three")] {
        let sender = if is_bound { &mut bound } else { &mut free };
        sender.send(packet.as_bytes(), ttl)?;
        segment::wait(receiver.fd())?;
        assert_eq!(receiver.receive(&mut batch)?, 1);
        let datagram = batch.packets().next().ok_or("a packet")?;
        let ends = (datagram.source, datagram.destination);
        assert_eq!(ends, (from, Some(to)));
        assert_eq!((datagram.ttl, datagram.payload), (Some(ttl), packet.as_bytes()));
        assert!(datagram.stamp.is_some());
    }
    assert_eq!(deaf.receive(&mut batch)?, 0, "the other port");
    let port = bound.port().to_be_bytes();
    let frame = sniffer.next_frame(|frame| frame.windows(3).any(|bytes| bytes == b"one"))?;
    match family {
        // Internetwork control, no fragments, the source port.
        Family::V4 => {
            assert_eq!((frame[15], frame[20] & 0x40), (0xc0, 0x40));
            assert_eq!(frame[34..36], port);
        }
        Family::V6 => {
            assert_eq!((frame[14], frame[15] >> 4), (0x6c, 0));
            assert_eq!(frame[54..56], port);
        }
    }
    let port = bound.port();
    ports.close(bound);
    let again = s.a.inside(|| Sender::open(peer, Some(from), &mut ports))?;
    assert_ne!(again.port(), port, "the port of a session that is over rests for a while");
    Ok(())
}

pub(crate) fn each_failure_is_reported(s: &Segment) -> Outcome {
    let _first = s.a.inside(|| Receiver::open(Family::V4, false))?;
    let text = |e: keepalived::sys::bfd::OpenError| std::io::Error::from(e).to_string();
    let second = s.a.inside(|| Receiver::open(Family::V4, false)).err().map(text);
    let second = second.ok_or("the port is taken")?;
    assert!(second.starts_with("cannot bind to 0.0.0.0:3784: "), "{second}");
    let mut ports = Ports::new(7);
    let peer = |neighbor| Peer { neighbor, scope: 0, multihop: false };
    let foreign = Some([192, 0, 2, 1].into());
    let sender = s.a.inside(|| Sender::open(peer(s.b.v4), foreign, &mut ports)).err().map(text);
    let sender = sender.ok_or("it is not our address")?;
    assert!(sender.starts_with("cannot bind to 192.0.2.1:"), "{sender}");
    let mut lost = s.a.inside(|| Sender::open(peer([192, 0, 2, 1].into()), None, &mut ports))?;
    let error = s.a.inside(|| lost.send(b"x", 255)).expect_err("there is no route");
    assert_eq!(error.raw_os_error(), Some(libc::ENETUNREACH));
    s.a.inside(|| Sender::open(peer(s.b.v4), None, &mut ports)).map_err(Failed::from)?;
    Ok(())
}
