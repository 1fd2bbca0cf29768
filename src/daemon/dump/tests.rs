use std::net::IpAddr;
use std::rc::Rc;

use super::*;
use crate::base::addr::{Family, HostAddress, Mac, Prefix};
use crate::base::ids::{InstanceId, ScriptId};
use crate::base::link::{KernelEvent, Link};
use crate::base::time::{Duration, Instant, WallTime};
use crate::daemon::lateness::Lateness;
use crate::daemon::view::{Details, OpenSocket};
use crate::holdings;
use crate::model::route::tests::{route, rule};
use crate::model::secret::Secret;
use crate::model::signing::{AntiReplay, Signing, SigningKey, SigningMode};
use crate::model::vlink::{VirtualLink, VirtualLinkKind};
use crate::model::vrrp as model;
use crate::model::vrrp::tests::instance;
use crate::model::vrrp::VirtualAddress;
use crate::model::vrrp::{
    Authentication, Broadcast, Delivery, Peer, Scope, SyncGroup, TrackedLink, Version,
};
use crate::model::Config;
use crate::sys::clock::Local;
use crate::sys::raw::{Endpoint, EndpointKind};
use crate::track as tracking;
use crate::vrrp;
use crate::vrrp::receive::Received;
use crate::vrrp::{Input, LinkState};

mod bfd;
mod global;
#[cfg(feature = "lvs")]
mod lvs;
mod track;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn vip(text: &str) -> VirtualAddress {
    let (addr, len) = text.split_once('/').unwrap();
    let prefix = Prefix { addr: ip(addr), len: len.parse().unwrap() };
    VirtualAddress::plain(prefix, "e0".into())
}

/// An instance on e0 that holds this address.
fn on_e0(name: &str, vrid: u8, address: &str) -> model::Instance {
    model::Instance {
        interface: Some("e0".into()),
        addresses: vec![Rc::new(vip(address))],
        ..instance(name, vrid)
    }
}

/// A daemon without sockets and kernel, started 1795386500 seconds after 1970.
struct Daemon {
    config: Config,
    ids: Vec<InstanceId>,
    vrrp: vrrp::Domain,
    track: tracking::Domain,
    holdings: holdings::Domain,
    lateness: Lateness,
    now: Instant,
}

fn host_address(addr: &str) -> HostAddress {
    HostAddress::plain(Prefix { addr: ip(addr), len: 24 })
}

impl Daemon {
    /// e0 is up and has an address, e1 is down. Instances start 100 ms after the daemon.
    fn start(config: Config) -> Self {
        let mut d = Self {
            ids: Vec::new(),
            vrrp: vrrp::Domain::new(Duration::ZERO),
            track: tracking::Domain::default(),
            holdings: holdings::Domain::default(),
            lateness: Lateness::default(),
            now: Instant::from_millis(100),
            config,
        };
        let mac = Some(Mac([2, 0, 0, 0, 0, 1]));
        let link = |index, name: &str, up| {
            let group = if up { 0 } else { 7 };
            KernelEvent::Link(Link { up, mac, group, ..Link::plain(index, name) })
        };
        let address = KernelEvent::Address { index: 1, address: host_address("10.1.0.1") };
        for event in [link(1, "e0", true), link(2, "e1", false), address] {
            d.holdings.handle(holdings::Input::Kernel(event), d.now, &mut Vec::new());
        }
        d.handle(Input::Link { name: "e0", state: LinkState::Up });
        d.handle(Input::Link { name: "e1", state: LinkState::Down });
        for config in d.config.instances.clone() {
            let id = d.vrrp.vacant_id();
            let source = match config.family {
                Family::V4 => ip("10.1.0.1"),
                Family::V6 => ip("fe80::1"),
            };
            d.handle(Input::Add { id, config });
            d.handle(Input::Source { id, source: Some(source) });
            d.ids.push(id);
        }
        let groups = d.config.groups.clone();
        d.handle(Input::Groups(&groups));
        d.handle(Input::Start);
        d
    }

    fn of(instances: impl IntoIterator<Item = model::Instance>) -> Self {
        let instances = instances.into_iter().map(Rc::new).collect();
        Self::start(Config { instances, ..Config::default() })
    }

    fn handle(&mut self, input: Input<'_>) {
        self.vrrp.handle(input, self.now, &mut Vec::new());
    }

    /// An input of the tracking core, whose results the instances learn. Returns the runs that begin.
    fn track(&mut self, input: tracking::Input<'_>) -> Vec<ScriptId> {
        let (mut out, mut runs) = (Vec::new(), Vec::new());
        self.track.handle(input, self.now, &mut out);
        for action in out {
            match action {
                tracking::Action::Changed { object, state } => {
                    self.handle(Input::Tracked { object: &object, state });
                }
                tracking::Action::Run { script, .. } => runs.push(script),
                _ => {}
            }
        }
        runs
    }

    /// The first instance takes over 4 s after the start, and the kernel has its addresses.
    fn promote(&mut self) {
        self.now = Instant::from_millis(4_000);
        self.handle(Input::Deadline);
        let config = self.vrrp.instance(self.ids[0]).unwrap().config().clone();
        let addresses: Vec<_> = config.all_addresses().map(holdings::KernelObject::from).collect();
        let owner = self.ids[0].into();
        let want = holdings::Input::Want { owner, objects: &addresses };
        let mut out = Vec::new();
        self.holdings.handle(want, self.now, &mut out);
        for action in out {
            let holdings::Action::Ask(request) = action else { continue };
            let input = holdings::Input::Answer { request: request.id, answer: 0.into() };
            self.holdings.handle(input, self.now, &mut Vec::new());
        }
        self.handle(Input::Held { id: self.ids[0] });
        self.vrrp.outbound(self.ids[0], 100, || WallTime(0));
        self.vrrp.count_sent(self.ids[0], 100, self.now);
    }

    /// The first instance hears a master of version 2, priority 200, without authentication.
    fn hear(&mut self, at: Instant) {
        self.now = at;
        let peer = model::Instance { priority: 200, ..(*self.config.instances[0]).clone() };
        let mut packet = Vec::new();
        vrrp::advert::emit(&peer, 200, ip("10.1.0.2"), ip("224.0.0.18"), &mut packet);
        let packet = Received {
            source: ip("10.1.0.2"),
            destination: Some(ip("224.0.0.18")),
            ttl: Some(255),
            arrived: at,
            wall: WallTime(0),
            header: None,
            pdu: &packet[20..],
        };
        self.handle(Input::Packet { id: self.ids[0], packet });
    }

    fn view(&self) -> View<'_> {
        View {
            config: &self.config,
            ids: &self.ids,
            vrrp: &self.vrrp,
            track: &self.track,
            holdings: &self.holdings,
            links: self.holdings.links(),
            details: Details::default(),
            has_ipvs: true,
            lateness: &self.lateness,
            now: self.now,
            wall: WallTime(1_795_386_500_000_000 + self.now.micros()),
            calendar: |wall| Local {
                year: 2026,
                month: 10,
                day: 22,
                weekday: 0,
                hour: 22,
                minute: 28,
                second: u8::try_from(wall.0 / 1_000_000 % 60).unwrap(),
            },
        }
    }
}

/// Text from the line `first` up to, but not including, the line `last`.
fn between<'a>(text: &'a str, first: &str, last: &str) -> &'a str {
    let from = text.find(&format!("{first}\n")).unwrap_or_else(|| panic!("no {first} in {text}"));
    let len = text[from..].find(last).unwrap_or_else(|| panic!("no {last} in {text}"));
    &text[from..from + len]
}

/// As in keepalived, `state MASTER` is the wanted state until an advert of a master arrives or a
/// fault occurs.
#[test]
fn the_wanted_state_in_the_data_dump() {
    let hopeful = model::Instance {
        initial_state: model::InitialState::Master,
        ..on_e0("V1", 51, "10.1.0.101/24")
    };
    let shown = |d: &Daemon| d.vrrp.instance(d.ids[0]).unwrap().wanted_phase().word();
    let mut d = Daemon::of([hopeful.clone()]);
    assert_eq!(shown(&d), "MASTER", "it waits");
    d.hear(Instant::from_millis(500));
    assert_eq!(shown(&d), "BACKUP", "there is a master");
    let mut d = Daemon::of([hopeful.clone()]);
    d.handle(Input::Link { name: "e0", state: LinkState::Down });
    assert_eq!(shown(&d), "FAULT");
    d.handle(Input::Link { name: "e0", state: LinkState::Up });
    assert_eq!(shown(&d), "BACKUP", "after a fault");
    let other = on_e0("V2", 52, "10.1.0.102/24");
    let groups = vec![SyncGroup {
        name: "G".into(),
        members: vec!["V1".to_owned(), "V2".to_owned()],
        ..SyncGroup::default()
    }];
    let instances = vec![Rc::new(hopeful), Rc::new(other)];
    let mut d = Daemon::start(Config { instances, groups, ..Config::default() });
    assert_eq!(shown(&d), "BACKUP", "a group has no wanted state");
    d.handle(Input::Source { id: d.ids[1], source: None });
    assert_eq!(shown(&d), "FAULT", "because of the other member");
}

#[test]
fn a_master_in_the_data_dump() {
    let mut config = on_e0("V1", 51, "10.1.0.101/24");
    config.authentication = Authentication::Pass(*b"secret\0\0");
    config.addresses.push(Rc::new(vip("10.1.0.102/32")));
    config.tracked_links =
        vec![TrackedLink { interface: "e1".into(), weight: -10, reverse: false }].into();
    let mut d = Daemon::of([config]);
    d.promote();
    let text = data::render(&d.view());
    assert_eq!(
        between(&text, " VRRP Instance = V1", "------<"),
        " VRRP Instance = V1
   VRRP Version = 2
   State = MASTER
   Flags: none
   Wantstate = MASTER
   Number of config faults = 0
   Number of tracker faults = 0
   Flags of interface faults - (none)
   Number of track scripts init = 0
   Last transition = 1795386504.000000 (Sun Nov 22 22:28:24.000000 2026)
   Read timeout = 1795386505.000000 (Sun Nov 22 22:28:25.000000 2026)
   Master down timer = 3648437 usecs
   Interface = e0
   Using src_ip = 10.1.0.1
   Multicast address 224.0.0.18
   Gratuitous ARP delay = 5
   Gratuitous ARP repeat = 5
   Gratuitous ARP refresh = 0
   Gratuitous ARP refresh repeat = 1
   Gratuitous ARP lower priority delay = 5
   Gratuitous ARP lower priority repeat = 5
   Down timer adverts = 3
   Send advert after receive lower priority advert = true
   Send advert after receive higher priority advert = false
   Virtual Router ID = 51
   Priority = 100
   Effective priority = 90
   Total priority = 90
   Advert interval = 1 sec
   Last advert sent = 1795386504.000000
   Accept = enabled
   Preempt = enabled
   Promote_secondaries = disabled
   Authentication type = SIMPLE_PASSWORD
   Password = ********
   Virtual IP (2):
     10.1.0.101/24 dev e0 scope global set
     10.1.0.102 dev e0 scope global set
   No sockets allocated
   Tracked interfaces :
     e1 weight -10
   Using smtp notification = no
   Notify deleted = Fault
   Notify priority changes = false
   Version errors = 0
   Checksum errors = 0
   Router ID errors = 0
   From our own address = 0
   Refused peers = 0
   Ignored as owner = 0
"
    );
    assert!(!text.contains("secret"));
}

#[test]
fn a_backup_names_its_master() {
    let mut d = Daemon::of([on_e0("V1", 51, "10.1.0.101/24")]);
    d.hear(Instant::from_millis(1_500));
    d.now = Instant::from_millis(2_250);
    let text = data::render(&d.view());
    assert_eq!(
        between(&text, " VRRP Instance = V1", "   Interface"),
        " VRRP Instance = V1
   VRRP Version = 2
   State = BACKUP
   Master router = 10.1.0.2
   Master priority = 200
   Flags: none
   Wantstate = BACKUP
   Number of config faults = 0
   Number of tracker faults = 0
   Flags of interface faults - (none)
   Number of track scripts init = 0
   Last transition = 1795386500.100000 (Sun Nov 22 22:28:20.100000 2026)
   Read timeout = 1795386505.109375 (Sun Nov 22 22:28:25.109375 2026)
   Master down timer = 3609375 usecs
"
    );
    assert!(text.contains("     10.1.0.101/24 dev e0 scope global\n"), "not set: {text}");
    assert!(
        text.contains("   Last heard = 10.1.0.2 with priority 200, 750.000 ms ago\n"),
        "{text}"
    );
}

#[test]
fn a_fault_is_named_and_has_no_timeout() {
    let mut config = on_e0("F", 60, "10.1.0.199/32");
    config.interface = Some("e1".into());
    let text = data::render(&Daemon::of([config]).view());
    assert!(text.contains("   State = FAULT\n"), "{text}");
    let faults =
        "   Number of tracker faults = 0\n   Flags of interface faults:\n     interface e1 down\n";
    assert!(text.contains(faults), "{text}");
    assert!(text.contains("   Read timeout = DISABLED\n"), "{text}");
    assert!(text.contains("   Faults (1):\n     interface e1 down\n"), "{text}");
}

#[test]
fn version_3_and_unicast_have_lines_of_their_own() {
    let mut config = on_e0("U", 53, "10.1.0.150/32");
    config.version = Version::V3;
    config.advert_interval = Duration::from_millis(250);
    config.source = Some(ip("10.1.0.1"));
    config.nopreempt = true;
    let peer = Peer { addr: ip("10.1.0.2"), min_ttl: 254, max_ttl: 255 };
    config.delivery = Delivery::Unicast { peers: vec![peer], ttl: Some(255), check_source: true };
    let text = data::render(&Daemon::of([config]).view());
    assert!(text.contains("   Flags:\n     Using unicast\n"), "{text}");
    assert!(text.contains("   Using src_ip = 10.1.0.1 (from configuration)\n"), "{text}");
    assert!(text.contains("   Advert interval = 250 milli-sec\n"), "{text}");
    assert!(text.contains("   Master advert interval = 250 milli-sec\n"), "{text}");
    assert!(text.contains("   Preempt = disabled\n"), "{text}");
    let unicast = "   Unicast TTL = 255\n   Check unicast src : yes\n   Unicast Peer :\n     \
                   10.1.0.2 min_ttl 254 max_ttl 255\n   Unicast checksum compatibility = no\n";
    assert!(text.contains(unicast), "{text}");
    assert!(!text.contains("Authentication") && !text.contains("Multicast"), "{text}");
}

#[test]
fn sections_beside_the_instances() {
    let instances = [on_e0("A", 1, "10.1.0.101/24"), on_e0("B", 2, "10.1.0.102/24")];
    let group =
        SyncGroup { name: "G".into(), members: vec!["A".into(), "B".into()], ..Default::default() };
    let mut config = Config { groups: vec![group], ..Config::default() };
    config.global.router_id = Some("rtr".into());
    config.instances = instances.into_iter().map(Rc::new).collect();
    let mut d = Daemon::start(config);
    d.lateness.on_turn(Some(Instant::ZERO), Instant::from_millis(7));
    let endpoint = Endpoint {
        family: Family::V4,
        link: Some((1, "e0".into())),
        kind: EndpointKind::Multicast { group: ip("224.0.0.18"), base: None },
        has_header: false,
    };
    let mut view = d.view();
    let open = OpenSocket { endpoint: &endpoint, fds: [8, 9], buffer: 0, members: d.ids.clone() };
    view.details.sockets.push(open);
    let text = data::render(&view);
    assert!(text.starts_with("------< Global definitions >------\n"), "{text}");
    assert!(text.contains("\n Router ID = rtr\n"), "{text}");
    let title = "\n VRRP delay after boot = 0\n------< VRRP Topology >------\n";
    assert!(text.contains(title), "{text}");
    assert!(text.contains("   VRRP Version = 2\n   Sync group = G\n   State = BACKUP\n"), "{text}");
    assert_eq!(
        between(&text, "------< VRRP Sockpool >------", " Running"),
        "\
------< VRRP Sockpool >------
 fd_in 8 fd_out = 9
   Interface = e0
   Family = IPv4
   Protocol = VRRP
   Type = Multicast
   Rx buf size = 0
   VRRP instances
     A vrid 1
     B vrid 2
------< VRRP Sync groups >------
 VRRP Sync Group = G, BACKUP
   Num member fault 0, num member init 0
   VRRP member instances :
     A
     B
   Using smtp notification = no
------< Interfaces >------
 Name = e0
   index = 1
   IPv4 address = 10.1.0.1
   IPv6 address = (none)
   MAC = 02:00:00:00:00:01
   State = UP, RUNNING
   Seen up = 1
   Delayed state change running = false
   Up debounce timer = 0us
   Down debounce timer = 0us
   Group = 0
   MTU = 1500
   HW Type = ETHERNET
   NIC netlink status update
   Reset ARP config counter 0
   Original arp_ignore 0
   Original arp_filter 0
   Original promote_secondaries 0
   Reset promote_secondaries counter 0
   Tracking VRRP instances :
     A, weight 0
     B, weight 0
 Name = e1
   index = 2
   IPv4 address = (none)
   IPv6 address = (none)
   MAC = 02:00:00:00:00:01
   State = UP, not RUNNING
   Seen up = 0
   Delayed state change running = false
   Up debounce timer = 0us
   Down debounce timer = 0us
   Group = 7
   MTU = 1500
   HW Type = ETHERNET
   NIC netlink status update
   Reset ARP config counter 0
   Original arp_ignore 0
   Original arp_filter 0
   Original promote_secondaries 0
   Reset promote_secondaries counter 0
------< Event loop >------
"
    );
    assert!(text.ends_with(" Turns = 1\n Late turns = 1\n Worst lateness = 7.000 ms\n"), "{text}");
}

#[test]
fn instances_are_shown_in_the_order_of_the_file() {
    let mut d = Daemon::of([on_e0("A", 1, "10.1.0.1/32"), on_e0("B", 2, "10.1.0.2/32")]);
    d.ids.reverse();
    let view = d.view();
    for text in [data::render(&view), stats::render(&view), json::render(&view)] {
        let position = |names: [&str; 3]| names.iter().find_map(|n| text.find(n));
        let a = position(["VRRP Instance = A", "VRRP Instance: A", "\"iname\":\"A\""]);
        let b = position(["VRRP Instance = B", "VRRP Instance: B", "\"iname\":\"B\""]);
        assert!(b.unwrap() < a.unwrap(), "{text}");
    }
}

#[test]
fn the_statistics_file() {
    let mut d = Daemon::of([on_e0("V1", 51, "10.1.0.101/24")]);
    d.hear(Instant::from_millis(200));
    d.promote();
    assert_eq!(
        stats::render(&d.view()),
        "\
VRRP Instance: V1
  Advertisements:
    Received: 1
    Sent: 1
  Became master: 1
  Released master: 0
  Packet Errors:
    Length: 0
    TTL: 0
    Invalid Type: 0
    Advertisement Interval: 0
    Address List: 0
  Authentication Errors:
    Invalid Type: 0
    Type Mismatch: 0
    Failure: 0
  Authentication Extension Errors:
    Missing: 0
    Malformed: 0
    Unknown Key: 0
    Invalid HMAC: 0
    Stale: 0
    Replay: 0
  Priority Zero:
    Received: 0
    Sent: 0
"
    );
}

#[test]
fn a_vmac_is_shown_with_the_interface_below_it() {
    let mut config = on_e0("V1", 51, "10.1.0.101/24");
    let kind = VirtualLinkKind::Macvlan { mac: Mac([2, 0, 0, 0, 0, 51]) };
    let (name, base) = ("vrrp.51".to_owned(), "e0".to_owned());
    let link = VirtualLink { name, base, kind, group: Some(7), notify_base: true };
    config.addresses = vec![Rc::new(VirtualAddress {
        interface: link.name.as_str().into(),
        ..vip("10.1.0.101/24")
    })];
    config.vlink = Some(Rc::new(link));
    let d = Daemon::of([config.clone()]);
    let text = data::render(&d.view());
    let shown = "   Use VMAC, i/f name vrrp.51, is_up = false, xmit_base = false
     MAC = 02:00:00:00:00:33
     Force netlink update for base interface
     Interface group 7
   Interface = vrrp.51, vmac on e0
";
    assert!(text.contains(shown), "{text}");
    assert!(text.contains("     10.1.0.101/24 dev vrrp.51@e0 scope global\n"), "{text}");
    let json = json::render(&d.view());
    assert!(json.contains(r#""vmac_ifname":"vrrp.51","ifp_ifname":"vrrp.51","#), "{json}");
    assert!(json.contains("dev vrrp.51@e0 scope global"), "{json}");
    config.xmit_base = true;
    let text = data::render(&Daemon::of([config]).view());
    assert!(text.contains("   Interface = vrrp.51, vmac on e0, xmit base i/f\n"), "{text}");
}

#[test]
fn an_ipvlan_is_shown_with_its_address() {
    let mut config = on_e0("V1", 51, "10.1.0.101/24");
    let (name, base) = ("ipv.51".to_owned(), "e0".to_owned());
    let kind = VirtualLinkKind::Ipvlan { flags: 1 };
    config.vlink = Some(Rc::new(VirtualLink { name, base, kind, group: None, notify_base: false }));
    config.ipvlan_address = Some(Rc::new(vip("10.1.0.9/24")));
    let text = data::render(&Daemon::of([config]).view());
    let shown = "   Use IPVLAN, i/f ipv.51, is_up = false, i/f address = 10.1.0.9/24, type private
   Interface = ipv.51, ipvlan on e0
";
    assert!(text.contains(shown), "{text}");
}

#[test]
fn keys_are_in_no_dump() {
    let secret = || Secret::new(b"0123456789abcdef0123456789abcdef");
    let dumped = |authentication| {
        let mut config = on_e0("V1", 51, "10.1.0.101/24");
        config.authentication = authentication;
        let d = Daemon::of([config]);
        let (data, json) = (data::render(&d.view()), json::render(&d.view()));
        assert!(!data.contains("0123456789") && !json.contains("0123456789"), "{data}{json}");
        (data, json)
    };
    let (data, json) = dumped(Authentication::Header(secret()));
    let shown = "   Authentication type = IPSEC_AH\n   Virtual IP (1):\n";
    assert!(data.contains(shown), "{data}");
    assert!(json.contains(r#""auth_type":2,"auth_data":"********""#), "{json}");
    for (anti_replay, line) in [
        (AntiReplay::Time { window: Duration::from_secs(5) }, "time, window = 5 sec"),
        (AntiReplay::Monotonic, "monotonic"),
    ] {
        let keys = [1, 7].map(|id| SigningKey { id, secret: secret() }).to_vec();
        let signing = Signing { keys, active: 7, mode: SigningMode::Permissive, anti_replay };
        let (data, json) = dumped(Authentication::Signed(Box::new(signing)));
        let shown = format!(
            "   Authentication type = none\n   Authentication extension = HMAC-SHA256-128\n     \
             Keys = 2, active key id = 7\n     Mode = permissive\n     Anti replay = {line}\n"
        );
        assert!(data.contains(&shown), "{data}");
        assert!(json.contains(r#""auth_type":0"#), "{json}");
    }
}

#[test]
fn the_json_dump() {
    let mut config = on_e0("V1", 51, "10.1.0.101/24");
    config.authentication = Authentication::Pass(*b"secret\0\0");
    Rc::make_mut(&mut config.garp).delay = Duration::from_millis(2_500);
    config.excluded = vec![Rc::new(vip("fd00::10/64"))].into();
    config.tracked_links =
        vec![TrackedLink { interface: "e1".into(), weight: 1, reverse: false }].into();
    let mut d = Daemon::of([config]);
    d.promote();
    assert_eq!(
        json::render(&d.view()),
        concat!(
            r#"[{"data":{"iname":"V1","dont_track_primary":0,"skip_check_adv_addr":0,"#,
            r#""strict_mode":0,"vmac_ifname":"","ifp_ifname":"e0","master_priority":0,"#,
            r#""last_transition":1795386504.000000,"garp_delay":2.5,"garp_refresh":0,"#,
            r#""garp_rep":5,"garp_refresh_rep":1,"garp_lower_prio_delay":5,"#,
            r#""garp_lower_prio_rep":5,"lower_prio_no_advert":0,"higher_prio_send_advert":0,"#,
            r#""vrid":51,"base_priority":100,"effective_priority":100,"vipset":true,"#,
            r#""promote_secondaries":false,"adver_int":1,"master_adver_int":1,"accept":1,"#,
            r#""nopreempt":false,"preempt_delay":0,"state":2,"wantstate":2,"version":2,"#,
            r#""smtp_alert":false,"notify_deleted":false,"#,
            r#""vips":["10.1.0.101/24 dev e0 scope global set"],"#,
            r#""evips":["fd00::10/64 dev e0 scope global preferred_lft forever set"],"#,
            r#""track_ifp":["e1"],"auth_type":1,"auth_data":"********"},"#,
            r#""stats":{"advert_rcvd":0,"advert_sent":1,"become_master":1,"release_master":0,"#,
            r#""packet_len_err":0,"advert_interval_err":0,"ip_ttl_err":0,"invalid_type_rcvd":0,"#,
            r#""addr_list_err":0,"invalid_authtype":0,"authtype_mismatch":0,"auth_failure":0,"#,
            r#""auth_ext_missing":0,"auth_ext_malformed":0,"auth_ext_unknown_key":0,"#,
            r#""auth_ext_invalid_hmac":0,"auth_ext_stale":0,"auth_ext_replay":0,"#,
            r#""pri_zero_rcvd":0,"pri_zero_sent":0}}]"#,
            "\n"
        )
    );
}

#[test]
fn addresses_have_the_format_of_keepalived() {
    let shown = |a: &VirtualAddress| crate::daemon::status::address::address(a, None);
    let full = VirtualAddress {
        broadcast: Broadcast::Address([10, 1, 0, 255].into()),
        scope: Scope::SITE,
        label: Some("e0:x".into()),
        home: true,
        mngtmpaddr: true,
        noprefixroute: true,
        autojoin: true,
        no_track: true,
        ..vip("10.1.0.101/24")
    };
    assert_eq!(
        shown(&full),
        "10.1.0.101/24 brd 10.1.0.255 dev e0 scope site label e0:x home mngtmpaddr \
         noprefixroute autojoin no_track"
    );
    let peer = VirtualAddress { peer: Some(ip("10.9.9.10")), ..vip("10.9.9.9/32") };
    assert_eq!(shown(&peer), "10.9.9.9 dev e0 scope global peer 10.9.9.10/32");
    let v6 = |lft| VirtualAddress { preferred_lft: lft, ..vip("fd00::1/128") };
    assert_eq!(shown(&v6(Some(0))), "fd00::1 dev e0 scope global deprecated");
    assert_eq!(shown(&v6(Some(20))), "fd00::1 dev e0 scope global preferred_lft 20");
    let dad = VirtualAddress { nodad: false, scope: Scope(77), ..v6(None) };
    assert_eq!(shown(&dad), "fd00::1 dev e0 scope 77 -nodad preferred_lft forever");
}

#[test]
fn a_moment_is_converted_to_the_wall_clock_both_ways() {
    let mut d = Daemon::of([]);
    d.now = Instant::from_millis(5_000);
    let at = |ms| d.view().wall_at(Instant::from_millis(ms)).0 % 1_000_000_000;
    assert_eq!((at(4_999), at(5_000), at(7_001)), (504_999_000, 505_000_000, 507_001_000));
}

#[test]
fn routes_and_rules_are_shown_as_configured() {
    let mut instance = on_e0("VI", 51, "10.1.0.1/24");
    instance.routes = vec![Rc::new(route(5, ""))].into();
    instance.rules = vec![Rc::new(rule(100))].into();
    let config = Config {
        instances: vec![Rc::new(instance)],
        static_routes: vec![Rc::new(route(6, ""))],
        static_rules: vec![Rc::new(rule(101))],
        ..Config::default()
    };
    let d = Daemon::start(config);
    let text = data::render(&d.view());
    for part in [
        "------< Static Routes >------\n     prepend 0.0.0.0/0 via inet 10.0.0.1 dev eth1 proto 18 \
         metric 6\n------< Static Rules >------\n     from all priority 101 tos 0x0 iif eth2 oif eth3 \
         protocol 18 lookup 100\n",
        "   Virtual Routes :\n     prepend 0.0.0.0/0 via inet 10.0.0.1 dev eth1 proto 18 metric 5\n   \
         Virtual Rules :\n     from all priority 100 tos 0x0 iif eth2 oif eth3 protocol 18 lookup 100\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let json = json::render(&d.view());
    let routes = r#""vroutes":["prepend 0.0.0.0/0 via inet 10.0.0.1 dev eth1 proto 18 metric 5"]"#;
    assert!(json.contains(routes), "{json}");
}
