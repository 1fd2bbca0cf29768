//! One router runs this program, the other the reference: every kind of failover between them.

use crate::lab::{
    config, instance, stays, wait, Daemon, Host, Instance, Outcome, Program, Segment, SOON,
};
use crate::lab::{millis, secs};

/// The program with the higher priority.
#[derive(Clone, Copy)]
enum Above {
    Ours,
    Theirs,
}

struct Scene {
    hosts: [Host; 2],
    _segment: Segment,
    programs: [Program; 2],
    texts: [String; 2],
    vip: &'static str,
}

impl Scene {
    /// `block` builds the instance of host number `.0` with peer number `.1`.
    fn new(
        above: Above,
        block: impl Fn(u8, u8) -> Instance,
        vip: &'static str,
    ) -> Result<Self, crate::lab::Skip> {
        let under_test = Program::under_test();
        let ours = Program { path: under_test.path.clone(), ours: under_test.ours };
        let theirs = Program::reference()?;
        let (segment, hosts) = Segment::with_hosts(["high", "low"]);
        let programs = match above {
            Above::Ours => [ours, theirs],
            Above::Theirs => [theirs, ours],
        };
        let texts = [config(&[block(1, 2).priority(200)]), config(&[block(2, 1).priority(100)])];
        Ok(Self { hosts, _segment: segment, programs, texts, vip })
    }

    fn start(&self, n: usize) -> Daemon {
        self.hosts[n].start_program(&self.programs[n], &self.texts[n])
    }

    #[track_caller]
    fn held_by(&self, n: usize) {
        let held = |n: usize| self.hosts[n].holds("eth0", self.vip);
        wait(&format!("the address is on {} alone", self.hosts[n].name), SOON, || {
            held(n) && !held(1 - n)
        });
    }

    /// Start, stop, return, stop and start of the backup.
    fn play(&self) {
        let mut high = self.start(0);
        high.wait_master("VI_1");
        let mut low = self.start(1);
        low.wait_backup("VI_1");
        self.held_by(0);
        let quiet =
            || self.hosts[0].holds("eth0", self.vip) && !self.hosts[1].holds("eth0", self.vip);
        stays("both agree on who is master", millis(1500), quiet);
        assert_eq!(low.state_changes(0).len(), 1, "the backup never left its state");
        assert_eq!(high.state_changes(0).len(), 2, "the master never left its state");

        // A stop hands over with priority 0.
        assert_eq!(high.stop().code(), Some(0));
        low.wait_master("VI_1");
        self.held_by(1);

        // The router with the higher priority comes back and takes over.
        let mut high = self.start(0);
        high.wait_master("VI_1");
        low.wait_log("(VI_1) Entering BACKUP STATE");
        self.held_by(0);

        // A crash is detected by the missing advertisements. Its addresses are still on the
        // interface.
        let mark = low.mark();
        high.crash();
        low.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
        wait("the backup holds the address", SOON, || self.hosts[1].holds("eth0", self.vip));
        let high = self.start(0);
        high.wait_master("VI_1");
        self.held_by(0);

        // The stop of a backup has no effect.
        let mark = high.mark();
        assert_eq!(low.stop().code(), Some(0));
        stays("the master stays", millis(500), || self.hosts[0].holds("eth0", self.vip));
        assert_eq!(high.state_changes(mark), Vec::<String>::new());
        for daemon in [&high, &low] {
            let complaints: Vec<_> = daemon
                .log()
                .into_iter()
                .filter(|l| l.contains("nvalid") || l.contains("mismatch"))
                .collect();
            assert_eq!(complaints, Vec::<String>::new(), "{} complains of the other", daemon.name);
        }
    }
}

fn version_2(above: Above) -> Outcome {
    Scene::new(above, |_, _| instance("VI_1").v2_pass("x1er44q").vip("10.7.1.1/16"), "10.7.1.1")?
        .play();
    Ok(())
}

fn header(above: Above) -> Outcome {
    let block = |_, _| instance("VI_1").v2_header("s3cr3t").vip("10.7.1.1/16");
    Scene::new(above, block, "10.7.1.1")?.play();
    Ok(())
}

fn header_unicast(above: Above) -> Outcome {
    let block = |own, peer| {
        let source = format!("unicast_src_ip 10.7.0.{own}");
        let peer = format!("unicast_peer {{\n 10.7.0.{peer}\n }}");
        instance("VI_1").v2_header("s3cr3t").line(&source).line(&peer).vip("10.7.1.1/16")
    };
    Scene::new(above, block, "10.7.1.1")?.play();
    Ok(())
}

fn version_3(above: Above) -> Outcome {
    Scene::new(above, |_, _| instance("VI_1").vip("10.7.1.1/16").vip("10.7.1.2/16"), "10.7.1.2")?
        .play();
    Ok(())
}

fn version_3_ipv6(above: Above) -> Outcome {
    Scene::new(above, |_, _| instance("VI_1").vip("fe80::51/64").vip("fd07::1:1/64"), "fd07::1:1")?
        .play();
    Ok(())
}

fn unicast(above: Above) -> Outcome {
    let block = |own, peer| {
        let source = format!("unicast_src_ip 10.7.0.{own}");
        let peer = format!("unicast_peer {{\n 10.7.0.{peer}\n }}");
        instance("VI_1").line(&source).line(&peer).vip("10.7.1.1/16")
    };
    Scene::new(above, block, "10.7.1.1")?.play();
    Ok(())
}

fn unicast_ipv6(above: Above) -> Outcome {
    let block = |own, peer| {
        let source = format!("unicast_src_ip fd07::{own}");
        let peer = format!("unicast_peer {{\n fd07::{peer}\n }}");
        instance("VI_1").line(&source).line(&peer).vip("fd07::1:1/64")
    };
    Scene::new(above, block, "fd07::1:1")?.play();
    Ok(())
}

pub(crate) fn version_2_with_a_password_ours_above() -> Outcome {
    version_2(Above::Ours)
}

pub(crate) fn version_2_with_a_password_theirs_above() -> Outcome {
    version_2(Above::Theirs)
}

pub(crate) fn authentication_headers_ours_above() -> Outcome {
    header(Above::Ours)
}

pub(crate) fn authentication_headers_theirs_above() -> Outcome {
    header(Above::Theirs)
}

pub(crate) fn authentication_headers_of_unicast_ours_above() -> Outcome {
    header_unicast(Above::Ours)
}

pub(crate) fn authentication_headers_of_unicast_theirs_above() -> Outcome {
    header_unicast(Above::Theirs)
}

pub(crate) fn version_3_over_ipv4_ours_above() -> Outcome {
    version_3(Above::Ours)
}

pub(crate) fn version_3_over_ipv4_theirs_above() -> Outcome {
    version_3(Above::Theirs)
}

pub(crate) fn version_3_over_ipv6_ours_above() -> Outcome {
    version_3_ipv6(Above::Ours)
}

pub(crate) fn version_3_over_ipv6_theirs_above() -> Outcome {
    version_3_ipv6(Above::Theirs)
}

pub(crate) fn unicast_over_ipv4_ours_above() -> Outcome {
    unicast(Above::Ours)
}

pub(crate) fn unicast_over_ipv4_theirs_above() -> Outcome {
    unicast(Above::Theirs)
}

pub(crate) fn unicast_over_ipv6_ours_above() -> Outcome {
    unicast_ipv6(Above::Ours)
}

pub(crate) fn unicast_over_ipv6_theirs_above() -> Outcome {
    unicast_ipv6(Above::Theirs)
}

/// Both are master while the network is partitioned; afterwards the higher address stays master,
/// regardless of the program.
pub(crate) fn equal_priorities_settle_after_a_split() -> Outcome {
    let theirs = Program::reference()?;
    for ours_first in [true, false] {
        let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
        let programs = if ours_first {
            [Program::under_test(), &theirs]
        } else {
            [&theirs, Program::under_test()]
        };
        let text = config(&[instance("VI_1").vip("10.7.1.1/16")]);
        let first = a.start_program(programs[0], &text);
        first.wait_master("VI_1");
        segment.isolate(&b, "eth0");
        let second = b.start_program(programs[1], &text);
        second.wait_master("VI_1");
        segment.join(&b, "eth0");
        first.wait_log("(VI_1) Entering BACKUP STATE");
        wait("one holds the address", SOON, || {
            !a.holds("eth0", "10.7.1.1") && b.holds("eth0", "10.7.1.1")
        });
        stays("for good", secs(1), || !a.holds("eth0", "10.7.1.1") && b.holds("eth0", "10.7.1.1"));
    }
    Ok(())
}

/// Old versions compute the checksum of a unicast packet as if it were sent to the group.
pub(crate) fn an_old_style_unicast_checksum_is_understood() -> Outcome {
    let block = |own, peer| {
        let line = format!("unicast_src_ip 10.7.0.{own}\nunicast_peer {{\n 10.7.0.{peer}\n }}");
        let block = instance("VI_1").line(&line).vip("10.7.1.1/16");
        // The reference sends the old form and accepts only that.
        if own == 1 {
            block.line("old_unicast_checksum")
        } else {
            block
        }
    };
    let scene = Scene::new(Above::Theirs, block, "10.7.1.1")?;
    let mut high = scene.start(0);
    high.wait_master("VI_1");
    let low = scene.start(1);
    low.wait_backup("VI_1");
    stays("the backup hears the master", millis(1500), || {
        !scene.hosts[1].holds("eth0", "10.7.1.1")
    });
    assert_eq!(low.state_changes(0).len(), 1);
    low.wait_log("(VI_1) Setting unicast VRRPv3 checksum to old version");
    assert_eq!(high.stop().code(), Some(0));
    low.wait_master("VI_1");
    scene.held_by(1);
    Ok(())
}
