//! An anonymous network namespace, and operations inside it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use nix::ifaddrs::getifaddrs;
use nix::sched::{setns, unshare, CloneFlags};
use nix::sys::socket::{LinkAddr, SockaddrStorage};

const OWN_NET: &str = "/proc/thread-self/ns/net";

/// A network namespace; it disappears with this value and the daemons in it.
pub(crate) struct Namespace {
    file: File,
}

/// Guard: the thread is inside the namespace until it is dropped.
pub(crate) struct Inside {
    home: File,
}

impl Drop for Inside {
    fn drop(&mut self) {
        setns(&self.home, CloneFlags::CLONE_NEWNET).expect("the way back was open before");
    }
}

impl Namespace {
    /// Fails if the kernel or the user's privileges do not permit it.
    pub(crate) fn try_new() -> io::Result<Self> {
        let file = std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNET)?;
                File::open(OWN_NET)
            });
            made.join().expect("the thread only makes a namespace")
        })?;
        Ok(Self { file })
    }

    /// A namespace with `lo` up, and without IPv6 duplicate address detection, so that an IPv6
    /// address is usable at once.
    pub(crate) fn new() -> Self {
        let new = Self::try_new().expect("the runner has seen that namespaces work");
        for conf in ["all", "default"] {
            new.sysctl(&format!("net/ipv6/conf/{conf}/accept_dad"), "0");
        }
        new.ip("link set lo up");
        new
    }

    pub(crate) fn enter(&self) -> Inside {
        let home = File::open(OWN_NET).expect("/proc is mounted");
        setns(&self.file, CloneFlags::CLONE_NEWNET).expect("an own namespace may be entered");
        Inside { home }
    }

    /// A path by which `ip link ... netns PATH` finds the namespace.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    pub(crate) fn sysctl(&self, name: &str, value: &str) {
        let _inside = self.enter();
        std::fs::write(format!("/proc/sys/{name}"), value)
            .unwrap_or_else(|e| panic!("cannot set {name}: {e}"));
    }

    pub(crate) fn read_sysctl(&self, name: &str) -> String {
        let _inside = self.enter();
        let value = std::fs::read_to_string(format!("/proc/sys/{name}"));
        value.unwrap_or_else(|e| panic!("cannot read {name}: {e}")).trim().to_owned()
    }

    /// Runs `ip` commands, one per line; fails the test if one fails.
    #[track_caller]
    pub(crate) fn ip(&self, lines: &str) {
        let (ok, said) = self.ip_batch(lines);
        assert!(ok, "ip failed: {said}in: {lines}");
    }

    /// Runs `ip` commands, one per line; false if one failed.
    pub(crate) fn try_ip(&self, lines: &str) -> bool {
        self.ip_batch(lines).0
    }

    fn ip_batch(&self, lines: &str) -> (bool, String) {
        let _inside = self.enter();
        let mut ip = Command::new("ip")
            .args(["-batch", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the runner has seen that ip is there");
        let mut stdin = ip.stdin.take().expect("stdin is a pipe");
        for line in lines.lines() {
            writeln!(stdin, "{}", line.trim()).expect("ip reads its input");
        }
        drop(stdin);
        let done = ip.wait_with_output().expect("ip was started");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    }

    /// Output of a program run inside.
    pub(crate) fn output(&self, program: &str, args: &[&str]) -> String {
        let _inside = self.enter();
        let done = Command::new(program)
            .args(args)
            .output()
            .unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// The addresses of every interface.
    pub(crate) fn addresses(&self) -> BTreeMap<String, Vec<IpAddr>> {
        let mut found: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        let _inside = self.enter();
        for entry in getifaddrs().expect("interfaces can be listed") {
            // Secondary addresses are listed with their label instead of the interface name.
            let name = entry.interface_name.split(':').next().unwrap_or_default().to_owned();
            found.entry(name).or_default().extend(entry.address.as_ref().and_then(ip_of));
        }
        found
    }

    /// True while `address` is on `interface`.
    pub(crate) fn holds(&self, interface: &str, address: &str) -> bool {
        let wanted: IpAddr = address.parse().unwrap_or_else(|_| panic!("{address} is no address"));
        self.addresses().get(interface).is_some_and(|list| list.contains(&wanted))
    }

    /// The link-layer address of an interface, with its index; `None` if it does not exist.
    pub(crate) fn link(&self, interface: &str) -> Option<LinkAddr> {
        let _inside = self.enter();
        getifaddrs().ok()?.filter(|entry| entry.interface_name == interface).find_map(|entry| {
            entry.address.as_ref().and_then(SockaddrStorage::as_link_addr).copied()
        })
    }

    #[track_caller]
    pub(crate) fn mac(&self, interface: &str) -> [u8; 6] {
        self.link(interface).and_then(|link| link.addr()).expect("the interface exists")
    }

    /// The IPv6 link-local address assigned by the kernel (RFC 4291, Appendix A).
    #[track_caller]
    pub(crate) fn link_local(&self, interface: &str) -> IpAddr {
        let all = self.addresses();
        let found = all.get(interface).and_then(|list| list.iter().find(|a| is_link_local(a)));
        *found.expect("the interface is up and has IPv6")
    }
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
}

const fn is_link_local(address: &IpAddr) -> bool {
    matches!(address, IpAddr::V6(a) if a.segments()[0] == 0xfe80 && a.octets()[11] == 0xff && a.octets()[12] == 0xfe)
}
