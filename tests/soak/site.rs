//! The two routers, their client, and its servers.

use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;

use keepalived::base::rng::Rng;
use nix::sched::{unshare, CloneFlags};

use crate::books::{check_journal, Held, Objects};
use crate::lab::{
    eventually, instance, kactl_says, millis, output_of, pass, require_macvlan, require_program,
    secs, with_fake_ipvs, Daemon, Host, Program, Segment, Skip, Workshop,
};
use crate::trouble::Trouble;

/// After this time, every trouble is over.
const CALM: std::time::Duration = secs(30);
/// One instance with a VMAC, one without.
const ADDRESSES: [&str; 2] = ["10.7.1.1", "10.7.1.2"];

pub(crate) struct Hosts {
    pub(crate) segment: Segment,
    pub(crate) routers: [Host; 2],
    pub(crate) client: Host,
}

impl Hosts {
    pub(crate) fn objects(&self) -> [Objects; 2] {
        [0, 1].map(|n| Objects::of(&self.routers[n]))
    }
}

pub(crate) struct Site {
    pub(crate) daemons: [Daemon; 2],
    pub(crate) servers: [Option<Server>; 2],
    _disks: [Disk; 2],
    pub(crate) shops: [Workshop; 2],
    pub(crate) hosts: Hosts,
}

/// A server that accepts connections, and closes them.
pub(crate) struct Server {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(host: &Host, port: u16) -> Self {
        let listener = {
            let _inside = host.enter();
            TcpListener::bind(("10.7.0.3", port)).expect("the port is free")
        };
        listener.set_nonblocking(true).expect("a socket can be told so");
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                if listener.accept().is_err() {
                    pass(millis(5));
                }
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Site {
    pub(crate) fn hosts() -> Hosts {
        let (segment, [a, b, client]) = Segment::with_hosts(["a", "b", "c"]);
        for host in [&a, &b] {
            // A flap would take the IPv6 address that was set by hand.
            host.sysctl("net/ipv6/conf/eth0/keep_addr_on_down", "1");
        }
        Hosts { segment, routers: [a, b], client }
    }

    pub(crate) fn new(hosts: Hosts) -> Result<Self, Skip> {
        require_macvlan()?;
        require_program("nft", "nftables")?;
        unshare(CloneFlags::CLONE_NEWNS).map_err(Skip::new)?;
        run("mount", &["--make-rprivate", "/"]);
        let shops = [Workshop::new(), Workshop::new()];
        let disks = [0, 1].map(|n: usize| Disk::new(shops[n].path("disk")));
        for shop in &shops {
            shop.script("check.sh", "[ -e $HERE/hang ] && sleep 60\n[ ! -e $HERE/fail ]");
            shop.script("notify.sh", "echo \"$@\" >>$HERE/disk/changes; exit 0");
        }
        let mut daemons = Vec::new();
        for (n, shop) in shops.iter().enumerate() {
            let program = with_fake_ipvs(Program::under_test(), shop, "")?;
            daemons.push(hosts.routers[n].start_program(&program, &text(n, shop, Variant::Usual)));
        }
        let daemons = daemons.try_into().unwrap_or_else(|_| unreachable!("there are two"));
        let servers = [8001, 8002].map(|port| Some(Server::start(&hosts.client, port)));
        let site = Self { daemons, servers, _disks: disks, shops, hosts };
        site.wait_usual();
        Ok(site)
    }

    pub(crate) fn text(&self, n: usize, variant: Variant) -> String {
        text(n, &self.shops[n], variant)
    }

    /// One trouble of the router `n`, and the time until it is over.
    pub(crate) fn suffer(&mut self, trouble: Trouble, n: usize, rng: &mut Rng) {
        println!("{trouble:?} of {}", self.daemons[n].name);
        trouble.happen(self, n, rng);
        self.wait("each address has one owner", Self::is_whole);
    }

    fn owners(&self, address: &str) -> usize {
        let links = ["eth0", "vrrp.51"];
        let holds = |daemon: &&Daemon| links.iter().any(|link| daemon.holds(link, address));
        self.daemons.iter().filter(holds).count()
    }

    fn is_whole(&self) -> bool {
        ADDRESSES.iter().all(|address| self.owners(address) == 1)
    }

    /// The first router is master of all, every server is up, and no script runs for ever.
    fn is_usual(&self) -> bool {
        let holds = |link, address| self.daemons[0].holds(link, address);
        let servers = |daemon| {
            let text = kactl_says(daemon, &["metrics"]);
            let up = text.lines().filter(|line| line.starts_with("keepalived_real_server_up{"));
            up.filter(|line| line.ends_with(" 1")).count() == 2
        };
        self.is_whole()
            && holds("vrrp.51", ADDRESSES[0])
            && holds("eth0", ADDRESSES[1])
            && self.daemons.iter().all(servers)
    }

    pub(crate) fn wait_usual(&self) {
        self.wait("everything is as usual", Self::is_usual);
    }

    fn wait(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        if eventually(CALM, || condition(self)) {
            return;
        }
        for daemon in &self.daemons {
            let log = daemon.log();
            println!("{}:\n{}", daemon.name, log[log.len().saturating_sub(60)..].join("\n"));
            println!("{}", kactl_says(daemon, &["status"]));
        }
        panic!("not within {CALM:?}: {what}");
    }

    pub(crate) fn wait_objects(&self, expected: &[Objects; 2]) {
        let is_same = || self.hosts.objects() == *expected;
        if !eventually(CALM, is_same) {
            let now = self.hosts.objects();
            let differences = [0, 1].map(|n| expected[n].differences(&now[n]));
            panic!("the kernel has other objects: {differences:#?}");
        }
    }

    pub(crate) fn held(&self) -> [Held; 2] {
        [0, 1].map(|n| Held::by(&self.daemons[n]))
    }

    pub(crate) fn wait_held(&self, before: [Held; 2]) {
        let is_like = || before.iter().zip(self.held()).all(|(before, now)| now.is_like(*before));
        assert!(eventually(CALM, is_like), "{before:?}, at last {:?}", self.held());
    }

    pub(crate) fn books_are_in_order(&self) {
        self.daemons.iter().for_each(check_journal);
    }

    /// Both daemons end.
    pub(crate) fn stop(mut self) -> Hosts {
        for daemon in &mut self.daemons {
            let status = daemon.stop();
            assert!(status.success(), "{} ends with {status}", daemon.name);
        }
        self.hosts
    }
}

/// A file system of 256 KiB, in a mount namespace of this thread and what it starts.
struct Disk(String);

impl Disk {
    fn new(path: String) -> Self {
        std::fs::create_dir(&path).expect("the folder is ours");
        run("mount", &["-t", "tmpfs", "-o", "size=256k", "tmpfs", &path]);
        Self(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = output_of(Command::new("umount").args(["--lazy", &self.0]));
    }
}

fn run(program: &str, words: &[&str]) {
    let (status, said) = output_of(Command::new(program).args(words));
    assert_eq!(status, Some(0), "{program} {words:?}: {said}");
}

/// Configurations of a router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Variant {
    Usual,
    /// With other priorities, one more address, and another delay of checks.
    Changed,
    /// It is refused.
    Wrong,
}

fn text(n: usize, shop: &Workshop, variant: Variant) -> String {
    let usual = if n == 0 { 150 } else { 100 };
    let priority = if variant == Variant::Changed { usual - 1 } else { usual };
    let tracking = |name, vrid, address: &str| {
        let block = instance(name).vrid(vrid).priority(priority).vip(&format!("{address}/16"));
        block.line("track_script {\n check weight -60\n }").line(&format!(
            "notify {}\n virtual_routes {{\n 10.{vrid}.0.0/16 via 10.7.0.3\n }}",
            shop.path("notify.sh")
        ))
    };
    let mut second = tracking("VI_2", 52, ADDRESSES[1]).line("no_accept");
    if variant == Variant::Changed {
        second = second.vip("10.7.1.3/16");
    }
    let instances = [tracking("VI_1", 51, ADDRESSES[0]).line("use_vmac"), second];
    let delay = if variant == Variant::Changed { 2 } else { 1 };
    let server = |port| {
        format!(" real_server 10.7.0.3 {port} {{\n TCP_CHECK {{\n connect_timeout 1\n }}\n }}\n")
    };
    let wrong = if variant == Variant::Wrong { "vrrp_instance {\n" } else { "" };
    format!(
        "global_defs {{\n router_id soak\n vrrp_garp_master_repeat 1\n enable_script_security\n \
         script_user root\n state_dump_file {0}/a.data\n stats_dump_file {0}/a.stats\n \
         config_save_dir {0}/saved\n notify_fifo {0}/fifo\n}}\n\
         vrrp_script check {{\n script {1}\n interval 1\n timeout 1\n fall 1\n rise 1\n}}\n{2}{3}\
         virtual_server 10.9.0.100 80 {{\n lvs_sched rr\n lvs_method NAT\n protocol TCP\n \
         delay_loop {delay}\n{4}{5}}}\n{wrong}",
        shop.path("disk"),
        shop.path("check.sh"),
        instances[0],
        instances[1],
        server(8001),
        server(8002),
    )
}
