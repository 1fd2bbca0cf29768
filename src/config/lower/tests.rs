//! The rules of instances and groups, each by a configuration that breaks it.

use std::time::Duration;

use crate::base::addr::Family;
use crate::config::host::Form;
use crate::config::tests::{lowered, lowered_on, machine, told, MemoryHost};
use crate::model::global::ReceiveBuffer;
use crate::model::vrrp::{
    Authentication, Broadcast, ChecksumForm, Delivery, InitialState, Instance, Scope,
    StandingFault, Version,
};
use crate::model::Config;

mod addresses;
mod auth;
#[cfg(feature = "bfd")]
mod bfd;
#[cfg(feature = "lvs")]
mod check;
mod control;
mod coverage;
mod fifo;
mod groups;
#[cfg(feature = "lvs")]
mod lvs;
mod mail;
mod notify;
#[cfg(not(all(feature = "lvs", feature = "bfd", feature = "tls")))]
mod parts;
mod scripts;
#[cfg(feature = "lvs")]
mod shared;
mod strict;
mod track;
mod vlink;

const SAMPLE: &str = "\
global_defs {
  notification_email {
    root@localhost
  }
  notification_email_from keepalived@localhost
  smtp_server 127.0.0.1
  smtp_connect_timeout 30
  router_id node-00
  vrrp_mcast_group4 224.0.38.12
}
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 1
  priority 100
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass x1er44q
  }
  virtual_ipaddress {
    10.1.38.19/16 dev eth0
  }
}
";

/// An instance with `lines` and what it needs to be in order, under the global settings `global`.
fn with(global: &str, lines: &str) -> (Config, Vec<String>) {
    lowered(&format!(
        "global_defs {{\n{global}\n}}\nvrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n\
         {lines}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}"
    ))
}

/// The instance of these lines, and its diagnostics without positions.
fn instance(lines: &str) -> (Instance, Vec<String>) {
    let (config, told) = with("", lines);
    ((*config.instances[0]).clone(), without_place(told))
}

fn without_place(told: Vec<String>) -> Vec<String> {
    told.into_iter()
        .map(|t| match t.split_once(" (Line ") {
            Some((severity, rest)) => {
                format!("{severity} {}", rest.split_once(") ").map_or(rest, |(_, text)| text))
            }
            None => t,
        })
        .collect()
}

#[track_caller]
fn tells(lines: &str, want: &[&str]) -> Instance {
    let (instance, told) = instance(lines);
    assert_eq!(told, want, "{lines}");
    instance
}

#[test]
fn a_usual_configuration_is_clean() {
    let (config, told) = lowered(SAMPLE);
    assert!(told.is_empty(), "{told:?}");
    let instance = &config.instances[0];
    assert_eq!(instance.name, "VI_1");
    assert_eq!(instance.authentication, Authentication::Pass(*b"x1er44q\0"));
    assert_eq!(instance.initial_state, InitialState::Master);
    let group = "224.0.38.12".parse().unwrap();
    assert_eq!(instance.delivery, Delivery::Multicast { group });
    assert_eq!(instance.addresses[0].prefix.to_string(), "10.1.38.19/16");
    assert_eq!(instance.addresses[0].interface, "eth0");
}

#[test]
fn defaults_of_an_instance() {
    let i = tells("", &[]);
    assert_eq!((i.version, i.priority, i.initial_state), (Version::V2, 100, InitialState::Backup));
    assert_eq!(i.advert_interval, Duration::from_secs(1));
    assert_eq!(i.down_timer_adverts, 3);
    assert_eq!((i.garp.delay, i.garp.repeat), (Duration::from_secs(5), 5));
    assert_eq!((i.garp.refresh, i.garp.refresh_repeat), (Duration::ZERO, 1));
    assert_eq!((i.garp.lower_prio_delay, i.garp.lower_prio_repeat), (Duration::from_secs(5), 5));
    assert!(i.accept && !i.nopreempt && !i.lower_prio_no_advert && !i.dont_track_primary);
    assert_eq!(i.checksum, ChecksumForm::PseudoHeader);
}

#[test]
fn global_settings_are_defaults_wherever_they_stand() {
    let (config, told) = lowered(
        "vrrp_instance V {\ninterface eth7\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n\
         global_defs {\ndynamic_interfaces\nvrrp_version 3\nvrrp_garp_master_delay 0\n\
         vrrp_garp_lower_prio_repeat 2\nvrrp_down_timer_adverts 5\nvrrp_lower_prio_no_advert\n\
         v3_checksum_as_v2\n}",
    );
    assert!(told.is_empty(), "{told:?}");
    let i = &config.instances[0];
    assert_eq!(i.version, Version::V3);
    assert_eq!(i.garp.delay, Duration::ZERO);
    assert_eq!((i.garp.lower_prio_delay, i.garp.lower_prio_repeat), (Duration::ZERO, 2));
    assert_eq!(i.down_timer_adverts, 5);
    assert!(i.lower_prio_no_advert);
    assert_eq!(i.checksum, ChecksumForm::AsV2);
}

#[test]
fn min_garp_shrinks_what_was_not_asked_for() {
    let (config, _) = with("vrrp_min_garp\nvrrp_garp_master_repeat 3", "");
    let garp = &config.instances[0].garp;
    assert_eq!((garp.delay, garp.repeat, garp.lower_prio_repeat), (Duration::ZERO, 3, 3));
}

#[test]
fn state_and_priority_make_each_other() {
    assert_eq!(tells("state MASTER", &[]).priority, 255);
    assert_eq!(tells("priority 255", &[]).initial_state, InitialState::Master);
    assert_eq!(tells("state MASTER\npriority 50", &[]).priority, 50);
    let i = tells(
        "state MASTER\nstate BACKUP",
        &["Error (V) state BACKUP after state MASTER is ignored"],
    );
    assert_eq!(i.initial_state, InitialState::Master);
}

#[test]
fn version_2_counts_whole_seconds() {
    for (given, used) in [("0.01", 1), ("0.49", 1), ("1.5", 2), ("2.4", 2), ("254.7", 255)] {
        let want =
            format!("Error (V) advert_int {given}: version 2 counts whole seconds, {used} is used");
        let i = tells(&format!("advert_int {given}"), &[&want]);
        assert_eq!(i.advert_interval, Duration::from_secs(used));
    }
    assert_eq!(tells("advert_int 255", &[]).advert_interval, Duration::from_secs(255));
}

#[test]
fn version_3_counts_hundredths_up_to_40_95() {
    let rule = "version 3 counts hundredths of a second up to 40.95";
    for (given, used, millis) in [("0.016", "0.02", 20), ("41", "40.95", 40_950)] {
        let want = format!("Error (V) advert_int {given}: {rule}, {used} is used");
        let i = tells(&format!("version 3\nadvert_int {given}"), &[&want]);
        assert_eq!(i.advert_interval, Duration::from_millis(millis));
    }
    let i = tells("version 3\nadvert_int 0.25", &[]);
    assert_eq!(i.advert_interval, Duration::from_millis(250));
}

#[test]
fn a_version_is_given_once_and_before_ipv6() {
    let v6 = |lines: &str| {
        lowered(&format!("vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{lines}\n}}"))
    };
    let vip = "virtual_ipaddress {\nfe80::1\n}";
    let (config, told) = v6(&format!("version 2\n{vip}"));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(config.instances[0].version, Version::V2);
    let (config, told) = v6(&format!("{vip}\nversion 2"));
    assert_eq!(told, ["Error (Line 7) (V) version 2 after an IPv6 address is ignored"]);
    assert_eq!(config.instances[0].version, Version::V3);
    assert_eq!(config.instances[0].family, Family::V6);
    tells("version 2\nversion 3", &["Error (V) version 3 after another version is ignored"]);
}

#[test]
fn the_first_address_fixes_the_family() {
    let i = tells(
        "mcast_src_ip 192.0.2.9\nunicast_src_ip 2001:db8::1\nnative_ipv6",
        &[
            "Error (V) no unicast_peer is given: multicast is used in spite of unicast settings",
            "Error (V) unicast_src_ip '2001:db8::1' is an IPv6 address in an IPv4 instance: it is ignored",
            "Error (V) native_ipv6 after an IPv4 address is ignored",
        ],
    );
    assert_eq!(i.source, Some("192.0.2.9".parse().unwrap()));
}

#[test]
fn preemption_excludes() {
    let i = tells(
        "state MASTER\npriority 100\nnopreempt\npreempt_delay 5",
        &[
            "Error (V) nopreempt is ignored with state MASTER",
            "Error (V) preempt_delay is ignored with state MASTER",
        ],
    );
    assert!(!i.nopreempt && i.preempt_delay.is_zero());
    tells("priority 255\nnopreempt", &["Error (V) nopreempt is ignored with priority 255"]);
    let i =
        tells("nopreempt\npreempt_delay 5", &["Error (V) preempt_delay is ignored with nopreempt"]);
    assert!(i.nopreempt && i.preempt_delay.is_zero());
    assert!(!tells("nopreempt\npreempt", &[]).nopreempt);
    tells("timer_expired_backup", &["Error (V) timer_expired_backup is ignored without nopreempt"]);
    assert_eq!(tells("nopreempt\ntimer_expired_backup", &[]).timer_expired_backup, Some(254));
}

#[test]
fn owner_ignore_adverts_goes_with_ownership() {
    let i = tells(
        "owner_ignore_adverts",
        &["Error (V) owner_ignore_adverts is ignored without priority 255"],
    );
    assert!(!i.owner_ignore_adverts);
    let i = tells(
        "priority 255\nowner_ignore_adverts off",
        &["Error (V) owner_ignore_adverts off is ignored with priority 255"],
    );
    assert!(i.owner_ignore_adverts);
}

#[test]
fn authentication_is_for_version_2_with_a_password() {
    let auth =
        |version: u8, lines: &str| format!("version {version}\nauthentication {{\n{lines}\n}}");
    let pass = "auth_type PASS\nauth_pass secret";
    let i = tells(&auth(3, pass), &["Error (V) version 3 has no authentication: it is ignored"]);
    assert_eq!(i.authentication, Authentication::None);
    tells(
        &auth(2, "auth_type PASS"),
        &["Error (V) auth_pass is missing: authentication is ignored"],
    );
    tells(&auth(2, "auth_pass x"), &["Error (V) auth_type is missing: authentication is ignored"]);
    let i = tells(
        &auth(2, "auth_type PASS\nauth_pass 0123456789"),
        &["Error (V) auth_pass is longer than 8 bytes: only the first 8 are used"],
    );
    assert_eq!(i.authentication, Authentication::Pass(*b"01234567"));
}

#[test]
fn unicast_needs_peers() {
    let i = tells(
        "check_unicast_src\nunicast_ttl 5",
        &[
            "Error (V) no unicast_peer is given: multicast is used in spite of unicast settings",
            "Error (V) unicast_ttl without unicast_peer is ignored",
        ],
    );
    assert!(matches!(i.delivery, Delivery::Multicast { .. }));
    let i = tells("unicast_fault_no_peer", &[]);
    assert_eq!(i.standing_fault, Some(StandingFault::NoPeer));
}

#[test]
fn peers_are_of_one_family_and_listed_once() {
    let i = tells(
        "mcast_dst_ip 224.0.0.5\nunicast_peer {\n192.0.2.2 min_ttl 254\n192.0.2.2\n2001:db8::2\n192.0.2.3 max_tl 5\n}",
        &[
            "Error (V) mcast_dst_ip is ignored: the instance has unicast peers",
            "Error (V) unicast_peer '192.0.2.2' again is ignored",
            "Error (V) unicast_peer '2001:db8::2' is an IPv6 address in an IPv4 instance: it is ignored",
            "Error (V) unknown option 'max_tl' of peer '192.0.2.3': the rest of the line is ignored | did you mean 'max_ttl'?",
        ],
    );
    let Delivery::Unicast { peers, check_source, .. } = i.delivery else { panic!() };
    assert_eq!(peers.len(), 2);
    assert_eq!((peers[0].min_ttl, peers[0].max_ttl), (254, 255));
    assert!(check_source, "a limit means that the sender is looked at");
}

#[test]
fn an_interface_without_multicast_stands_in_fault() {
    let (config, told) = lowered(
        "vrrp_instance V {\ninterface tun0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\n}",
    );
    assert_eq!(
        told,
        ["Error (Line 2) (V) interface 'tun0' has no multicast, and no unicast_peer is given: the instance stays in FAULT"]
    );
    assert_eq!(config.instances[0].standing_fault, Some(StandingFault::NoMulticast));
}

#[test]
fn what_an_instance_cannot_do_without_is_fatal() {
    let vip = "virtual_ipaddress {\n192.0.2.1\n}";
    assert_eq!(
        told(&format!("vrrp_instance V {{\ninterface eth0\n{vip}\n}}")),
        ["Fatal (Line 1) (V) the instance has no valid virtual_router_id"]
    );
    assert_eq!(
        told(
            "vrrp_instance V {\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1 dev eth0\n}\n}"
        ),
        ["Fatal (Line 1) (V) interface is missing; only unicast with unicast_src_ip does without"]
    );
    assert_eq!(
        told(&format!("vrrp_instance V {{\nvirtual_router_id 1\ninterface eth9\n{vip}\n}}")),
        ["Fatal (Line 3) (V) interface 'eth9' does not exist | there are eth0, eth1, tun0; 'dynamic_interfaces' in global_defs allows interfaces that come later"]
    );
    assert!(told(&format!("vrrp_instance V {{\nvirtual_router_id 1\ninterface lo\n{vip}\n}}"))
        .contains(
            &"Error (Line 3) (V) interface 'lo' cannot have a virtual router: it is ignored"
                .to_owned()
        ));
    assert_eq!(
        told("vrrp_instance V {\nversion 3\nvirtual_router_id 1\ninterface eth0\n}"),
        ["Fatal (Line 1) (V) no virtual_ipaddress is given: version 3 needs one"]
    );
    assert_eq!(
        told("vrrp_instance V {\nvirtual_router_id 1\ninterface eth0\n}"),
        ["Error (Line 1) (V) no virtual_ipaddress is given"]
    );
    assert_eq!(
        told("vrrp_instance V {\nunicast_src_ip fe80::1\nunicast_peer {\nfe80::2\n}\nvirtual_router_id 1\nvirtual_ipaddress {\nfe80::5 dev eth0\n}\n}"),
        ["Fatal (Line 1) (V) link-local source 'fe80::1' needs an interface"]
    );
}

#[test]
fn one_virtual_router_in_one_place() {
    let one = |name: &str, lines: &str| {
        format!("vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id 5\n{lines}\n}}\n")
    };
    // Warnings about the shared address are not tested here.
    let told = |text: &str| -> Vec<String> {
        told(text).into_iter().filter(|t| !t.starts_with("Warning")).collect()
    };
    let v4 = "virtual_ipaddress {\n192.0.2.1\n}";
    let v6 = "virtual_ipaddress {\nfe80::1\n}";
    assert_eq!(
        told(&(one("A", v4) + &one("B", v4))),
        ["Fatal (Line 10) A and B both use VRID 5 with IPv4 on interface eth0 | A has it from line 3"]
    );
    assert!(told(&(one("A", v4) + &one("B", v6))).is_empty(), "families have spaces of their own");
    let other_group = format!("mcast_dst_ip 224.0.0.99\n{v4}");
    assert!(told(&(one("A", v4) + &one("B", &other_group))).is_empty());
    let peers = |list: &str| format!("unicast_src_ip 192.0.2.9\nunicast_peer {{\n{list}\n}}\n{v4}");
    let a = one("A", &peers("192.0.2.20\n192.0.2.21"));
    assert!(told(&(a.clone() + &one("B", &peers("192.0.2.22")))).is_empty());
    assert_eq!(
        told(&(a + &one("B", &peers("192.0.2.21\n192.0.2.20")))),
        ["Fatal (Line 15) A and B both use VRID 5 with IPv4 and share a unicast peer | A has it from line 3"]
    );
}

#[test]
fn tracked_interfaces() {
    let i = tells(
        "track_interface {\neth1 weight 254\neth1\neth0\n}",
        &[
            "Error (V) weight '254' is not within -253 to 253: 253 is used",
            "Error (V) interface 'eth1' is tracked already: the line is ignored",
            "Error (V) the interface of the instance is tracked anyway: the line is ignored",
        ],
    );
    assert_eq!(i.tracked_links.len(), 1);
    assert_eq!((i.tracked_links[0].weight, i.tracked_links[0].reverse), (253, false));
    let i = tells("track_interface {\neth1 weight 10 reverse\n}", &[]);
    assert!(i.tracked_links[0].reverse);
    let i = tells(
        "priority 255\ntrack_interface {\neth1 weight 10\n}",
        &["Error (V) interface 'eth1' is not tracked: weights mean nothing with priority 255"],
    );
    assert!(i.tracked_links.is_empty());
    tells(
        "track_interface {\neth1 wieght 10\n}",
        &["Error (V) unknown option 'wieght' of interface 'eth1': the line is ignored | did you mean 'weight'?"],
    );
}

#[test]
fn a_receive_buffer_by_policy() {
    let size = |lines: &str| with(lines, "").0.instances[0].rx_buffer;
    assert_eq!(size(""), None);
    assert_eq!(size("vrrp_rx_bufs_policy MTU"), Some(4500));
    assert_eq!(size("vrrp_rx_bufs_policy mtu\nvrrp_rx_bufs_multiplier 2"), Some(3000));
    assert_eq!(size("vrrp_rx_bufs_policy ADVERT"), Some(120));
    assert_eq!(size("vrrp_rx_bufs_policy 12345"), Some(12345));
    assert_eq!(size("vrrp_rx_bufs_policy 0"), None);
    let own = |lines: &str| with("vrrp_rx_bufs_policy MTU", lines).0.instances[0].rx_buffer;
    assert_eq!(own("kernel_rx_buf_size 5000"), Some(5000));
    assert_eq!(own("kernel_rx_buf_size 0"), Some(4500));
}

#[test]
fn the_name_of_a_daemon_implies_its_directory() {
    let (config, told) = lowered("instance a\ninstance b\nnet_namespace n");
    assert_eq!(told, ["Error (Line 2) 'instance' again: the first one counts"]);
    let global = config.global;
    assert_eq!(global.instance_name.as_deref(), Some("a"));
    assert_eq!(global.net_namespace.as_deref(), Some("n"));
    assert!(global.use_pid_dir);
}

#[test]
fn no_accept_is_stored() {
    let i = tells("no_accept", &[]);
    assert!(!i.accept);
}

#[test]
fn delays_of_links_are_cut_so_that_no_backup_takes_over() {
    let delays = |more: &str, lines: &str| {
        let (config, told) = lowered(&format!(
            "interface_up_down_delays {{\n{lines}\n}}\nvrrp_instance V {{\ninterface eth0\n\
             virtual_router_id 1\n{more}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}"
        ));
        let shown = config.link_delays.into_iter();
        let shown = shown.map(|d| format!("{} {:?} {:?}", d.interface, d.down, d.up));
        (shown.collect::<Vec<_>>().join(", "), without_place(told))
    };
    let fine = delays("", "eth0 1.5\neth1 20 30\neth1 200.25 7");
    assert_eq!(fine, ("eth0 1.5s 0ns, eth1 200.25s 7s".to_owned(), vec![]));
    let (shown, told) = delays("", "eth0 2 2");
    assert_eq!(shown, "eth0 1.996093s 1.996093s");
    assert_eq!(
        told,
        ["Note eth0 may be down for 1.996093 s at most, or a backup of V takes over: 1.996093 s is used"]
    );
    assert_eq!(delays("down_timer_adverts 1", "eth0 0.5 3").0, "eth0 0ns 0ns");
    assert_eq!(delays("down_timer_adverts 9", "eth0 2 2").0, "eth0 2s 2s");
    let (shown, told) = delays("", "eth0\neth9 1\neth1 256");
    assert_eq!((shown.as_str(), told.len()), ("eth9 1s 0ns", 3), "{told:#?}");
}

#[test]
fn links_are_polled_where_an_instance_depends_on_them() {
    let polled = |top: &str, lines: &str| {
        let (config, told) = lowered(&format!(
            "{top}\nvrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{lines}\n\
             virtual_ipaddress {{\n192.0.2.1\n}}\n}}"
        ));
        let links = config.polled_links.into_iter();
        let links = links.map(|l| l.interface + l.query.map_or("", |query| query.word()));
        (links.collect::<Vec<_>>().join(" "), without_place(told))
    };
    let track = "track_interface {\neth1\n}";
    let list = "linkbeat_interfaces {\neth1 ETHTOOL\neth0\n}";
    assert_eq!(polled(list, track), ("eth1ETHTOOL eth0".to_owned(), vec![]));
    let told = "Warning the link of 'eth1' is not polled: no instance depends on it";
    assert_eq!(polled(list, ""), ("eth0".to_owned(), vec![told.to_owned()]));
    assert_eq!(polled("linkbeat_use_polling", track), ("eth0".to_owned(), vec![]));
    let told = "Error (V) 'linkbeat_use_polling' is outdated: use linkbeat_interfaces";
    assert_eq!(polled("", "linkbeat_use_polling"), ("eth0".to_owned(), vec![told.to_owned()]));
}

#[test]
fn a_garp_group_needs_a_pace_and_interfaces() {
    let groups = |text: &str| {
        let (config, told) = lowered(text);
        let told = without_place(told);
        (config.garp_groups, told.into_iter().filter(|t| !t.contains("vrrp")).collect::<Vec<_>>())
    };
    let (list, told) = groups(
        "garp_group {\ngarp_interval 0.5\ninterfaces {\neth0 eth1\n}\n}\n\
         garp_group {\ngna_interval 0\ninterface eth1\ninterface lo\n}",
    );
    assert_eq!(told, ["Error 'eth1' is in a garp_group already: it is ignored here"]);
    let half = Some(Duration::from_millis(500));
    assert_eq!(
        (list[0].garp, list[0].gna, list[0].interfaces.join(" ")),
        (half, None, "eth0 eth1".into())
    );
    assert_eq!(
        (list[1].garp, list[1].gna, list[1].interfaces.join(" ")),
        (None, Some(Duration::ZERO), "lo".into())
    );
    let (list, told) = groups("garp_group {\ninterface eth0\n}\ngarp_group {\ngarp_interval 1\n}");
    assert!(list.is_empty());
    assert_eq!(
        told,
        [
            "Error a garp_group without garp_interval and gna_interval is ignored",
            "Error a garp_group without interfaces is ignored"
        ]
    );
}

#[test]
fn further_interfaces_are_announced_if_there_are_some() {
    let extra = |global: &str, lines: &str| with(global, lines).0.instances[0].garp.extra.as_secs();
    let other = "virtual_ipaddress_excluded {\n192.0.2.9 dev eth1\n}";
    assert_eq!(extra("vrrp_garp_extra_if all 20", other), 20);
    assert_eq!(extra("vrrp_garp_extra_if 20 all", ""), 0);
    assert_eq!(extra("vrrp_garp_extra_if 20", other), 0);
    let own = "use_vmac\nvirtual_ipaddress {\n192.0.2.9\n}";
    assert_eq!(extra("vrrp_garp_extra_if 20", own), 0);
    assert_eq!(extra("vrrp_garp_extra_if 20", &format!("vmac_xmit_base\n{own}")), 20);
    let vmac = "virtual_ipaddress_excluded {\n192.0.2.9 dev eth1 use_vmac\n}";
    assert_eq!(extra("", &format!("garp_extra_if 20\n{vmac}")), 20);
    assert_eq!(extra("vrrp_garp_extra_if all 20", &format!("garp_extra_if 0\n{other}")), 0);
    assert_eq!(extra("", &format!("garp_extra_if all 7\n{other}")), 7);
    let lacks = "Error (V) garp_extra_if needs a number of seconds: it is ignored";
    tells("garp_extra_if all", &[lacks]);
    let (_, told) = instance("vmac_garp_intvl all 86401");
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn receive_buffers_of_netlink_sockets() {
    let (config, told) = with(
        "vrrp_netlink_cmd_rcv_bufs 70000\nvrrp_netlink_cmd_rcv_bufs_force\n\
         vrrp_netlink_monitor_rcv_bufs 100000\nlvs_netlink_monitor_rcv_bufs 200000\n\
         lvs_netlink_monitor_rcv_bufs_force\nlvs_netlink_cmd_rcv_bufs 0\n\
         process_monitor_rcv_bufs 5\nprocess_monitor_rcv_bufs_force off",
        "",
    );
    assert!(told.is_empty(), "{told:?}");
    let buffers = config.global.buffers;
    let shown = |b: ReceiveBuffer| (b.bytes, b.force);
    assert_eq!(shown(buffers.vrrp_cmd), (Some(70_000), true));
    assert_eq!(shown(buffers.lvs_cmd), (None, false));
    assert_eq!(shown(buffers.processes), (Some(5), false));
    assert_eq!(shown(buffers.monitor()), (Some(200_000), true));
}
