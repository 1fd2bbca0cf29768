//! FRR's zebra and vrrpd in a namespace.
//!
//! vrrpd neither makes interfaces nor adds addresses: it takes the carrier of a macvlan that has
//! both the virtual MAC and the addresses.

use std::fs::{set_permissions, Permissions};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;

use crate::lab::{wait, Host, Outcome, Runs, Skip, Workshop, SOON};

const FOLDER: &str = "/usr/lib/frr";

/// Its macvlan.
pub(crate) const LINK: &str = "gate";

pub(crate) fn require_frr() -> Outcome {
    if !std::path::Path::new(FOLDER).join("vrrpd").exists() {
        return Err(Skip::new("FRR is missing: apt-get install frr"));
    }
    if std::env::var_os("KEEPALIVED_LAB_USER_NAMESPACE").is_some() {
        return Err(Skip::new("FRR runs as a user of its own, and needs real root"));
    }
    Ok(())
}

/// A virtual router as FRR sees it: number 51, on eth0.
#[derive(Clone, Copy)]
pub(crate) struct Router {
    pub(crate) version: u8,
    pub(crate) priority: u8,
    pub(crate) interval_ms: u32,
    pub(crate) address: &'static str,
    pub(crate) prefix: u8,
    pub(crate) link_local: Option<&'static str>,
}

/// Makes the macvlan of a router, without carrier for now.
pub(crate) fn prepare(host: &Host, router: Router) {
    let family = if router.link_local.is_some() { 2 } else { 1 };
    let (address, prefix) = (router.address, router.prefix);
    host.ip(&format!(
        "link add link eth0 name {LINK} address 00:00:5e:00:0{family}:33 type macvlan mode bridge\n\
         addr add {address}/{prefix} dev {LINK}\n\
         link set {LINK} protodown on\n\
         link set {LINK} up"
    ));
    // Otherwise the kernel answers for the address with the MAC of eth0, too.
    for (name, value) in [("arp_ignore", "1"), ("arp_announce", "2")] {
        host.sysctl(&format!("net/ipv4/conf/eth0/{name}"), value);
    }
}

/// True while vrrpd is master: the macvlan has a carrier.
pub(crate) fn holds(host: &Host) -> bool {
    host.output("ip", &["link", "show", "dev", LINK]).contains("LOWER_UP")
}

/// zebra and vrrpd.
pub(crate) struct Frr {
    // In the order of their end.
    vrrpd: Runs,
    _zebra: Runs,
    _shop: Workshop,
}

impl Frr {
    pub(crate) fn start(host: &Host, router: Router) -> Self {
        let shop = Workshop::new();
        // FRR changes to its own user.
        set_permissions(shop.path(""), Permissions::from_mode(0o777)).expect("the folder is ours");
        shop.write("zebra.conf", "");
        shop.write("vrrpd.conf", &configuration(router));
        let zebra = run(host, &shop, "zebra", &[]);
        wait("zebra listens", SOON, || shop.exists("zserv.api"));
        let vrrpd = run(host, &shop, "vrrpd", &[]);
        Self { vrrpd, _zebra: zebra, _shop: shop }
    }

    /// SIGTERM to vrrpd, which sends priority 0 if it is master.
    pub(crate) fn stop(&mut self) {
        self.vrrpd.stop();
    }
}

impl Drop for Frr {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- vrrpd ----\n{}----", self.vrrpd.output());
        }
    }
}

fn configuration(router: Router) -> String {
    let Router { version, priority, interval_ms, address, link_local, .. } = router;
    let kind = if address.parse().is_ok_and(|a: IpAddr| a.is_ipv4()) { "ip" } else { "ipv6" };
    let mut text = format!(
        "interface eth0\n vrrp 51 version {version}\n vrrp 51 priority {priority}\n \
         vrrp 51 advertisement-interval {interval_ms}\n"
    );
    for address in link_local.into_iter().chain([address]) {
        text += &format!(" vrrp 51 {kind} {address}\n");
    }
    text
}

/// Starts one of its daemons, which finds its configuration in the workshop.
pub(crate) fn run(host: &Host, shop: &Workshop, name: &str, more: &[&str]) -> Runs {
    let path = |name: String| shop.path(&name);
    let (conf, pid) = (path(format!("{name}.conf")), path(format!("{name}.pid")));
    let program = format!("{FOLDER}/{name}");
    let (folder, zebra) = (shop.path(""), shop.path("zserv.api"));
    let files = ["-f", &conf, "-i", &pid, "-z", &zebra, "--vty_socket", &folder];
    Runs::new(host, &[&[&program[..]], &files[..], &["-P", "0", "--log", "stdout"], more].concat())
}
