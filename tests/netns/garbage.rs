//! Packets from a broken or hostile neighbour have no effect.

use crate::lab::{
    config, instance, millis, ours_only, pass, stays, wait, Capture, Daemon, FrameBuilder, Host,
    Injector, Instance, Outcome, Program, Segment, SOON,
};

const VIP: &str = "10.7.1.1";

struct Scene {
    segment: Segment,
    hosts: [Host; 3],
    master: Daemon,
    backup: Daemon,
    capture: Capture,
    wire: Injector,
}

fn scene(block: impl Fn(Instance) -> Instance) -> Scene {
    let (segment, hosts) = Segment::with_hosts(["a", "b", "evil"]);
    let capture = segment.capture();
    let router =
        |priority| config(&[block(instance("VI_1").priority(priority).vip("10.7.1.1/16"))]);
    let master = hosts[0].start(&router(200));
    master.wait_master("VI_1");
    let backup = hosts[1].start(&router(100));
    backup.wait_backup("VI_1");
    wait("the master holds the address", SOON, || hosts[0].holds("eth0", VIP));
    let wire = hosts[2].injector("eth0");
    Scene { segment, hosts, master, backup, capture, wire }
}

impl Scene {
    /// Sends the frames while watching the routers, then verifies that they still work.
    fn unmoved_by(mut self, frames: &[Vec<u8>]) {
        let marks = [self.master.mark(), self.backup.mark()];
        self.capture.clear();
        for chunk in frames.chunks(20) {
            chunk.iter().for_each(|frame| self.wire.send(frame));
            pass(millis(10));
        }
        stays("master and backup are what they were", millis(700), || {
            self.hosts[0].holds("eth0", VIP) && !self.hosts[1].holds("eth0", VIP)
        });
        assert_eq!(self.master.state_changes(marks[0]), Vec::<String>::new());
        assert_eq!(self.backup.state_changes(marks[1]), Vec::<String>::new());
        let mac = self.hosts[1].mac("eth0");
        assert!(self.capture.adverts().iter().all(|a| a.mac != mac), "the backup spoke");
        if Program::under_test().ours {
            for (daemon, mark) in [(&self.master, marks[0]), (&self.backup, marks[1])] {
                let lines = daemon.mark() - mark;
                assert!(
                    lines < 300,
                    "{} wrote {lines} lines for {} frames",
                    daemon.name,
                    frames.len()
                );
            }
        }
        self.master.crash();
        self.backup.wait_master("VI_1");
        wait("the backup takes over", SOON, || self.hosts[1].holds("eth0", VIP));
        assert!(self.backup.is_running());
        drop(self.segment);
    }
}

/// A frame that would win the election if it were valid.
fn winner() -> FrameBuilder {
    FrameBuilder::v3("10.7.0.3", 51, 250, 10, &[VIP])
}

pub(crate) fn packets_of_the_wrong_length() -> Outcome {
    let whole = winner().build().len() - 34;
    let mut frames = Vec::new();
    for cut in 0..whole {
        let short = FrameBuilder { cut_to: Some(cut), ..winner() };
        frames.push(short.build());
        // The length in the IP header exceeds the packet.
        let ip_length = Some(u16::try_from(whole + 20).expect("short"));
        frames.push(FrameBuilder { ip_length, ..short }.build());
    }
    frames.extend(
        // Two more octets are accepted as padding, which some senders include in the length.
        [1, 3, 4, 7, 8, 12, 16, 28, 100, 1400]
            .map(|excess| FrameBuilder { excess, ..winner() }.build()),
    );
    frames.extend(
        [0, 2, 3, 200, 255].map(|count| FrameBuilder { count: Some(count), ..winner() }.build()),
    );
    frames.extend(
        [0, 1, 19, 20, 27]
            .map(|length| FrameBuilder { ip_length: Some(length), ..winner() }.build()),
    );
    frames.extend([0, 4, 6, 15].map(|ihl| FrameBuilder { ihl, ..winner() }.build()));
    frames.extend(
        [0x2000, 0x0001, 0x1fff].map(|fragment| FrameBuilder { fragment, ..winner() }.build()),
    );
    // Frames shorter than an IP header.
    let frame = winner().build();
    frames.extend((14..34).map(|n| frame[..n].to_vec()));
    scene(|i| i).unmoved_by(&frames);
    Ok(())
}

pub(crate) fn packets_with_a_wrong_field() -> Outcome {
    let mut frames = Vec::new();
    for version in (0..16).filter(|v| *v != 3) {
        frames.push(FrameBuilder { version, ..winner() }.build());
        frames.push(FrameBuilder { version, auth: vec![0; 8], ..winner() }.build());
    }
    frames
        .extend((0..16).filter(|k| *k != 1).map(|kind| FrameBuilder { kind, ..winner() }.build()));
    frames.extend(
        [1, 0xff, 0x100, 0xfffe]
            .map(|checksum_error| FrameBuilder { checksum_error, ..winner() }.build()),
    );
    frames.extend([0, 1, 64, 254].map(|ttl| FrameBuilder { ttl, ..winner() }.build()));
    frames.extend([0, 50, 52, 255].map(|vrid| FrameBuilder { vrid, ..winner() }.build()));
    scene(|i| i).unmoved_by(&frames);
    Ok(())
}

pub(crate) fn packets_of_version_2_with_a_wrong_field() -> Outcome {
    let right = || FrameBuilder::v2_pass("10.7.0.3", 51, 250, 1, &[VIP], "secret");
    let mut frames = Vec::new();
    for password in ["", "Secret", "secre", "secret1", "wrong"] {
        frames.push(FrameBuilder::v2_pass("10.7.0.3", 51, 250, 1, &[VIP], password).build());
    }
    frames.extend([0, 2, 3, 255].map(|kind| FrameBuilder { middle: [kind, 1], ..right() }.build()));
    frames.extend(
        [0, 2, 255].map(|seconds| FrameBuilder { middle: [1, seconds], ..right() }.build()),
    );
    frames.push(FrameBuilder { auth: Vec::new(), ..right() }.build());
    frames.push(FrameBuilder { auth: vec![0; 7], ..right() }.build());
    frames.push(winner().build());
    scene(|i| i.v2_pass("secret")).unmoved_by(&frames);
    Ok(())
}

/// Lower priorities never win, regardless of other fields.
pub(crate) fn valid_packets_with_a_lower_priority() -> Outcome {
    let mut frames = Vec::new();
    for _ in 0..20 {
        frames.push(FrameBuilder::v3("10.7.0.3", 51, 1, 10, &[VIP]).build());
        frames.push(FrameBuilder::v3("10.7.0.3", 51, 1, 10, &["192.0.2.1"]).build());
        frames.push(FrameBuilder::v3("10.7.0.3", 51, 1, 0, &[]).build());
    }
    scene(|i| i).unmoved_by(&frames);
    Ok(())
}

/// The master's own packets, sent back to it and to the backup with a higher priority.
pub(crate) fn packets_from_the_masters_own_address() -> Outcome {
    let scene = scene(|i| i);
    let reflected = FrameBuilder::v3("10.7.0.1", 51, 200, 10, &[VIP]).build();
    let frames = vec![reflected; 50];
    scene.unmoved_by(&frames);
    Ok(())
}

/// The reference reads one packet per router id and wake-up, so a flood starves those of the
/// master.
pub(crate) fn a_flood_of_noise() -> Outcome {
    ours_only()?;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let frame = winner().build();
    let mut frames = Vec::new();
    for turn in 0..3000 {
        let mut broken = frame.clone();
        // After the addresses, so that the packet reaches the socket. It is never valid: the
        // checksum covers every octet but its own two.
        let place = 34 + usize::try_from(random() % 12).expect("small");
        broken[place] ^= u8::try_from(random() % 255).expect("small") + 1;
        if turn % 3 == 0 {
            broken.extend((0..random() % 60).map(|_| turn as u8));
        }
        frames.push(broken);
    }
    scene(|i| i).unmoved_by(&frames);
    Ok(())
}
