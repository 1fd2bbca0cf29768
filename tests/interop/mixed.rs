//! Routers with virtual MACs beside routers of other makes, seen by a client.

use std::collections::BTreeSet;

use crate::frr::{self, Frr, Router};
use crate::lab::{
    config, instance, neighbour, pings, require_macvlan, wait, Daemon, Host, NeighbourWatch,
    Outcome, Program, Segment, Skip, SOON,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Make {
    Ours,
    Reference,
    Frr,
}

/// A virtual router in the terms of each make.
#[derive(Clone, Copy)]
struct Form {
    version: u8,
    address: &'static str,
    prefix: u8,
    /// First in the list of addresses (RFC 9568 §5.2.9).
    link_local: Option<&'static str>,
    mac: &'static str,
    vmac: bool,
}

const V4: Form = Form {
    version: 3,
    address: "10.7.1.1",
    prefix: 16,
    link_local: None,
    mac: "00:00:5e:00:01:33",
    vmac: true,
};
const V6: Form = Form {
    address: "fd07::1:1",
    prefix: 64,
    link_local: Some("fe80::51"),
    mac: "00:00:5e:00:02:33",
    ..V4
};
const OLD_V4: Form = Form { version: 2, ..V4 };
const OLD_V6: Form = Form { version: 2, ..V6 };

impl Form {
    const fn plain(self) -> Self {
        Self { vmac: false, ..self }
    }

    fn text(self, priority: u8) -> String {
        let mut block = instance("VI_1").version(self.version).priority(priority);
        if self.version == 2 {
            block = block.every("1");
        }
        if self.vmac {
            block = block.line("use_vmac");
        }
        if let Some(address) = self.link_local {
            block = block.vip(address);
        }
        config(&[block.vip(&format!("{}/{}", self.address, self.prefix))])
    }

    const fn router(self, priority: u8) -> Router {
        let Self { version, address, prefix, link_local, .. } = self;
        let interval_ms = if version == 2 { 1000 } else { 100 };
        Router { version, priority, interval_ms, address, prefix, link_local }
    }
}

enum Running {
    Keepalived(Daemon),
    Frr(Frr),
}

impl Running {
    fn stop(&mut self) {
        match self {
            Self::Keepalived(daemon) => assert_eq!(daemon.stop().code(), Some(0)),
            Self::Frr(frr) => frr.stop(),
        }
    }

    /// The reference complains about several things that are not the other router's.
    fn complaints(&self) -> Vec<String> {
        let Self::Keepalived(daemon) = self else { return Vec::new() };
        let of_the_other = |line: &String| line.contains("nvalid") || line.contains("mismatch");
        daemon.log().into_iter().filter(of_the_other).collect()
    }
}

struct Scene {
    segment: Segment,
    high: Host,
    low: Host,
    client: Host,
    makes: [Make; 2],
    form: Form,
}

impl Scene {
    fn new(makes: [Make; 2], form: Form) -> Result<Self, Skip> {
        require_macvlan()?;
        if makes.contains(&Make::Frr) {
            frr::require_frr()?;
        }
        let (segment, [high, low, client]) = Segment::with_hosts(["high", "low", "client"]);
        let scene = Self { segment, high, low, client, makes, form };
        for n in [0, 1] {
            match scene.makes[n] {
                Make::Ours => {}
                Make::Reference => scene.introduce_client(scene.host(n)),
                Make::Frr => frr::prepare(scene.host(n), form.router(0)),
            }
        }
        Ok(scene)
    }

    /// The reference asks for the client with the virtual address and the MAC of the base, which
    /// the client then has for the virtual address.
    fn introduce_client(&self, host: &Host) {
        let mac = self.client.mac("eth0").map(|byte| format!("{byte:02x}")).join(":");
        for address in ["10.7.0.3", "fd07::3"] {
            host.ip(&format!("neigh replace {address} lladdr {mac} dev eth0 nud permanent"));
        }
    }

    const fn host(&self, n: usize) -> &Host {
        [&self.high, &self.low][n]
    }

    /// Number 0 has the higher priority.
    fn start(&self, n: usize) -> Result<Running, Skip> {
        let (host, priority) = (self.host(n), [200, 100][n]);
        let text = self.form.text(priority);
        Ok(match self.makes[n] {
            Make::Ours => Running::Keepalived(host.start(&text)),
            Make::Reference => {
                Running::Keepalived(host.start_program(&Program::reference()?, &text))
            }
            Make::Frr => Running::Frr(Frr::start(host, self.form.router(priority))),
        })
    }

    fn holds(&self, n: usize) -> bool {
        let link = if self.form.vmac { "vrrp.51" } else { "eth0" };
        match self.makes[n] {
            Make::Frr => frr::holds(self.host(n)),
            Make::Ours | Make::Reference => self.host(n).holds(link, self.form.address),
        }
    }

    /// Waits until one router alone has the address, and the client reaches it.
    #[track_caller]
    fn served_by(&self, n: usize) {
        let name = &self.host(n).name;
        wait(&format!("the address is on {name} alone"), SOON, || {
            self.holds(n) && !self.holds(1 - n)
        });
        self.reached();
    }

    #[track_caller]
    fn reached(&self) {
        wait("the client reaches the address", SOON, || pings(&self.client, self.form.address));
        if self.form.vmac {
            let known = neighbour(&self.client, self.form.address);
            assert_eq!(known.as_deref(), Some(self.form.mac), "the client's neighbour");
        }
    }

    /// The lower router alone, the higher one takes over, leaves, returns and dies.
    fn play(&self) -> Outcome {
        let watch = NeighbourWatch::new(&self.client, self.form.address);
        let low = self.start(1)?;
        self.served_by(1);
        let mut high = self.start(0)?;
        self.served_by(0);
        high.stop();
        self.served_by(1);
        let again = self.start(0)?;
        self.served_by(0);
        let complaints = [&low, &high, &again].map(Running::complaints).concat();
        assert_eq!(complaints, Vec::<String>::new());
        self.segment.isolate(&self.high, "eth0");
        drop(again);
        wait("the lower router takes over", SOON, || self.holds(1));
        self.reached();
        if self.form.vmac {
            assert_eq!(watch.seen(), BTreeSet::from([self.form.mac.to_owned()]));
        }
        Ok(())
    }
}

fn play(makes: [Make; 2], form: Form) -> Outcome {
    Scene::new(makes, form)?.play()
}

macro_rules! stories {
    ($($name:ident: $makes:expr, $form:expr;)+) => {
        $(pub(crate) fn $name() -> Outcome {
            play($makes, $form)
        })+
    };
}

const ABOVE_REFERENCE: [Make; 2] = [Make::Ours, Make::Reference];
const BELOW_REFERENCE: [Make; 2] = [Make::Reference, Make::Ours];
const ABOVE_FRR: [Make; 2] = [Make::Ours, Make::Frr];
const BELOW_FRR: [Make; 2] = [Make::Frr, Make::Ours];

stories! {
    vmac_version_2_over_ipv4_above_the_reference: ABOVE_REFERENCE, OLD_V4;
    vmac_version_2_over_ipv4_below_the_reference: BELOW_REFERENCE, OLD_V4;
    vmac_version_2_over_ipv6_above_the_reference: ABOVE_REFERENCE, OLD_V6;
    vmac_version_2_over_ipv6_below_the_reference: BELOW_REFERENCE, OLD_V6;
    vmac_version_3_over_ipv4_above_the_reference: ABOVE_REFERENCE, V4;
    vmac_version_3_over_ipv4_below_the_reference: BELOW_REFERENCE, V4;
    vmac_version_3_over_ipv6_above_the_reference: ABOVE_REFERENCE, V6;
    vmac_version_3_over_ipv6_below_the_reference: BELOW_REFERENCE, V6;
    vmac_version_2_over_ipv4_above_frr: ABOVE_FRR, OLD_V4;
    vmac_version_2_over_ipv4_below_frr: BELOW_FRR, OLD_V4;
    vmac_version_3_over_ipv4_above_frr: ABOVE_FRR, V4;
    vmac_version_3_over_ipv4_below_frr: BELOW_FRR, V4;
    vmac_version_3_over_ipv6_above_frr: ABOVE_FRR, V6;
    vmac_version_3_over_ipv6_below_frr: BELOW_FRR, V6;
    version_2_over_ipv4_above_frr: ABOVE_FRR, OLD_V4.plain();
    version_2_over_ipv4_below_frr: BELOW_FRR, OLD_V4.plain();
    version_3_over_ipv4_above_frr: ABOVE_FRR, V4.plain();
    version_3_over_ipv4_below_frr: BELOW_FRR, V4.plain();
    version_3_over_ipv6_above_frr: ABOVE_FRR, V6.plain();
    version_3_over_ipv6_below_frr: BELOW_FRR, V6.plain();
}
