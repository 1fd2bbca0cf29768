//! Hosts, and the bridges between them.

use std::ops::Deref;
use std::rc::Rc;

use super::{Capture, Daemon, Injector, Namespace, Program};

/// A host of the laboratory.
pub(crate) struct Host {
    pub(crate) name: String,
    namespace: Rc<Namespace>,
}

impl Deref for Host {
    type Target = Namespace;

    fn deref(&self) -> &Namespace {
        &self.namespace
    }
}

impl Host {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), namespace: Rc::new(Namespace::new()) }
    }

    /// Starts the daemon under test.
    pub(crate) fn start(&self, config: &str) -> Daemon {
        self.start_program(Program::under_test(), config)
    }

    pub(crate) fn start_program(&self, program: &Program, config: &str) -> Daemon {
        Daemon::start(program, Rc::clone(&self.namespace), &self.name, config, &[])
    }

    /// Starts the daemon without `-n`; returns the process that starts it.
    pub(crate) fn start_in_background(&self, config: &str) -> Daemon {
        Daemon::start_in_background(
            Program::under_test(),
            Rc::clone(&self.namespace),
            &self.name,
            config,
        )
    }

    /// The same with more arguments.
    pub(crate) fn start_detached(&self, config: &str, args: &[&str]) -> Daemon {
        let (program, space) = (Program::under_test(), Rc::clone(&self.namespace));
        Daemon::start_detached(program, space, &self.name, config, args)
    }

    /// Starts a daemon with an injected fault: see `src/daemon/start/fault.rs`.
    pub(crate) fn start_faulty(&self, config: &str, fault: &str, args: &[&str]) -> Daemon {
        let (program, space) = (Program::under_test(), Rc::clone(&self.namespace));
        Daemon::start_faulty(program, space, &self.name, config, fault, args)
    }

    /// Starts a daemon without this capability (`net_admin`).
    pub(crate) fn start_without(&self, capability: &str, config: &str) -> Daemon {
        self.start_confined(&[&format!("--bounding-set=-{capability}")], None, config, &[])
    }

    /// Starts a daemon with the rights that these options of setpriv leave, in a directory of
    /// `owner`.
    pub(crate) fn start_confined(
        &self,
        rights: &[&str],
        owner: Option<u32>,
        config: &str,
        args: &[&str],
    ) -> Daemon {
        let space = Rc::clone(&self.namespace);
        Daemon::start_confined(space, &self.name, config, (rights, owner), args)
    }

    /// Starts a daemon that searches for commands in this directory first.
    pub(crate) fn start_finding(&self, first: &str, config: &str) -> Daemon {
        let (program, space) = (Program::under_test(), Rc::clone(&self.namespace));
        Daemon::start_finding(program, space, &self.name, config, first)
    }

    pub(crate) fn start_with(&self, config: &str, args: &[&str]) -> Daemon {
        Daemon::start(Program::under_test(), Rc::clone(&self.namespace), &self.name, config, args)
    }

    pub(crate) fn capture(&self, interface: &str) -> Capture {
        Capture::new(self, interface)
    }

    pub(crate) fn injector(&self, interface: &str) -> Injector {
        Injector::new(self, interface)
    }
}

/// A broadcast domain: a bridge in its own namespace, where all traffic is visible.
pub(crate) struct Segment {
    switch: Namespace,
    number: u8,
}

impl Segment {
    /// Number `n` has 10.N.0.0/16 and fdN::/64; its hosts are .0.1, .0.2 and so on.
    pub(crate) fn new(number: u8) -> Self {
        let switch = Namespace::new();
        switch.ip("link add br0 type bridge mcast_snooping 0 forward_delay 0\nlink set br0 up");
        Self { switch, number }
    }

    /// `N` hosts on one segment (number 7), each with its eth0 on it.
    pub(crate) fn with_hosts<const N: usize>(names: [&str; N]) -> (Self, [Host; N]) {
        let segment = Self::new(7);
        let hosts = names.map(Host::new);
        for (i, host) in hosts.iter().enumerate() {
            segment.attach(host, "eth0", u8::try_from(i + 1).expect("few hosts"));
        }
        (segment, hosts)
    }

    /// Gives a host an interface on this segment, with the addresses of number `id`.
    pub(crate) fn attach(&self, host: &Host, interface: &str, id: u8) {
        self.plug(host, interface);
        host.ip(&format!(
            "addr add {} dev {interface}\naddr add {} dev {interface}",
            self.v4(id),
            self.v6(id)
        ));
    }

    /// Gives a host an interface on this segment, up, without an address.
    pub(crate) fn plug(&self, host: &Host, interface: &str) {
        let port = Self::port(host, interface);
        host.ip(&format!(
            "link add {interface} type veth peer name {port} netns {}",
            self.switch.path()
        ));
        self.switch.ip(&format!("link set {port} master br0 up"));
        host.ip(&format!("link set {interface} up"));
    }

    pub(crate) fn v4(&self, id: u8) -> String {
        format!("10.{}.0.{id}/16", self.number)
    }

    pub(crate) fn v6(&self, id: u8) -> String {
        format!("fd{:02x}::{id}/64", self.number)
    }

    fn port(host: &Host, interface: &str) -> String {
        format!("{}-{interface}", host.name)
    }

    /// Takes the carrier of a host's interface down.
    pub(crate) fn pull_cable(&self, host: &Host, interface: &str) {
        self.switch.ip(&format!("link set {} down", Self::port(host, interface)));
    }

    pub(crate) fn plug_cable(&self, host: &Host, interface: &str) {
        self.switch.ip(&format!("link set {} up", Self::port(host, interface)));
    }

    /// Blocks the frames of a host, while its link stays up.
    pub(crate) fn isolate(&self, host: &Host, interface: &str) {
        self.switch.ip(&format!("link set {} nomaster", Self::port(host, interface)));
    }

    pub(crate) fn join(&self, host: &Host, interface: &str) {
        self.switch.ip(&format!("link set {} master br0", Self::port(host, interface)));
    }

    /// All multicast and broadcast traffic on the segment.
    pub(crate) fn capture(&self) -> Capture {
        Capture::new(&self.switch, "br0")
    }
}
