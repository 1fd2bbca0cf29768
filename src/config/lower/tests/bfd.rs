use super::*;
use crate::model::bfd::{BfdAuthKind, BfdInstance};
use crate::model::check::Kind;
use crate::model::track::{Object, Tracked};

fn session(name: &str, lines: &str) -> String {
    format!("bfd_instance {name} {{\nneighbor_ip 192.0.2.9\n{lines}\n}}\n")
}

/// The sessions, below the instance or above it, and the complaints.
fn read(sessions: &str, lines: &str) -> (Config, Vec<String>) {
    let (config, told) = lowered(&format!(
        "{sessions}vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{lines}\n\
         virtual_ipaddress {{\n192.0.2.1\n}}\n}}"
    ));
    (config, without_place(told))
}

fn one(lines: &str) -> (BfdInstance, Vec<String>) {
    let (config, told) = read(&session("b", lines), "");
    ((*config.bfd[0]).clone(), told)
}

#[test]
fn a_session_has_defaults() {
    let (b, told) = one("");
    assert!(told.is_empty(), "{told:?}");
    let ms = Duration::from_millis;
    assert_eq!((b.min_rx, b.min_tx, b.idle_tx), (ms(10), ms(10), ms(1000)));
    assert_eq!((b.multiplier, b.ttl, b.max_hops, b.weight), (5, 255, Some(0), 0));
    assert!(!b.passive && !b.multihop && !b.reverse && b.for_vrrp && b.for_checks);
    assert_eq!((b.source, b.auth), (None, None));
}

#[test]
fn a_session_takes_every_setting() {
    let (b, told) = one("source_ip 192.0.2.8\nmin_rx 50.5\nmin_tx 100\nidle_tx 2000\n\
         multiplier 3\npassive\nttl 254\nmax_hops 3\nmultihop\nweight -10 reverse\nchecker\n\
         auth {\ntype meticulous_sha1\nkey 7 topsecret\n}");
    assert!(told.is_empty(), "{told:?}");
    let us = Duration::from_micros;
    assert_eq!((b.min_rx, b.min_tx, b.idle_tx), (us(50_500), us(100_000), us(2_000_000)));
    assert_eq!((b.multiplier, b.ttl, b.max_hops, b.weight), (3, 254, Some(4), -10));
    assert!(b.passive && b.multihop && b.reverse && !b.for_vrrp && b.for_checks);
    assert_eq!(b.source, Some("192.0.2.8".parse().unwrap()));
    let auth = b.auth.unwrap();
    assert_eq!((auth.kind, auth.key_id), (BfdAuthKind::MeticulousSha1, 7));
    assert_eq!(auth.key.bytes(), b"topsecret");
}

#[test]
fn hops_count_from_the_ttl() {
    for (lines, hops) in [
        ("ttl 64", Some(191)),
        ("hoplimit 64\nmax_hops 4", Some(195)),
        ("ttl 3\nmax_hops 4", Some(255)),
        ("max_hops -1", None),
        ("max_hops 255", Some(255)),
    ] {
        assert_eq!(one(lines).0.max_hops, hops, "{lines}");
    }
}

#[test]
fn a_session_that_cannot_be_is_removed() {
    let same = "Error (c) 'b' has the same neighbor_ip and source_ip: the bfd_instance is removed";
    let family = "Error (c) source_ip and neighbor_ip are of different families: the bfd_instance \
                  is removed";
    let link =
        "Error (c) 'fe80::1' is link-local: its interface is missing: the bfd_instance is removed";
    let hops = "Error (c) 'fe80::1' is link-local: it is one hop away: the bfd_instance is removed";
    for (second, why) in [
        ("bfd_instance c {\n}", "Error (c) there is no neighbor_ip: the bfd_instance is removed"),
        ("bfd_instance c {\nneighbor_ip 192.0.2.9\n}", same),
        ("bfd_instance c {\nneighbor_ip 192.0.2.9\nsource_ip 192.0.2.8\n}", same),
        ("bfd_instance c {\nneighbor_ip 192.0.2.3\nsource_ip fd00::1\n}", family),
        ("bfd_instance c {\nneighbor_ip fe80::1\n}", link),
        ("bfd_instance c {\nneighbor_ip fe80::1\ninterface eth0\nmultihop\n}", hops),
    ] {
        let (config, told) = read(&format!("{}{second}\n", session("b", "")), "");
        assert_eq!(told, [why], "{second}");
        assert_eq!(config.bfd.len(), 1, "{second}");
    }
    let both = session("b", "") + &session("c", "multihop");
    assert_eq!(read(&both, "").1, [""; 0]);
}

#[test]
fn a_link_local_neighbour_has_an_interface() {
    let near = |name: &str, lines: &str| {
        format!("bfd_instance {name} {{\nneighbor_ip fe80::1\n{lines}\n}}\n")
    };
    let both = near("b", "interface eth0\nsource_ip fe80::2") + &near("c", "interface eth1");
    let (config, told) = read(&both, "");
    assert_eq!(told, [""; 0]);
    let interfaces = config.bfd.iter().map(|b| b.interface.as_deref());
    assert_eq!(interfaces.collect::<Vec<_>>(), [Some("eth0"), Some("eth1")]);
    let again = near("b", "interface eth0") + &near("c", "interface eth0");
    let why = "Error (c) 'b' has the same neighbor_ip and source_ip: the bfd_instance is removed";
    assert_eq!(read(&again, "").1, [why]);
    let (b, told) = one("interface eth0");
    let ignored = "Warning (b) '192.0.2.9' is not link-local: the interface is ignored";
    assert_eq!((b.interface, told), (None, vec![ignored.to_owned()]));
}

#[test]
fn a_session_with_a_useless_key_keeps_the_daemon_from_starting() {
    let long = "x".repeat(21);
    for (auth, why) in [
        ("type sha1", "auth has no key".to_owned()),
        ("key 1 abc", "auth has no type".to_owned()),
        (&format!("type sha1\nkey 1 {long}"), "the key has 21 bytes, 1 to 20 are allowed".into()),
    ] {
        let (_, told) = one(&format!("auth {{\n{auth}\n}}"));
        assert_eq!(told, [format!("Fatal (b) {why}")], "{auth}");
    }
}

#[test]
fn instances_track_sessions_with_the_weight_of_the_session_or_their_own() {
    let sessions = session("b", "weight 5 reverse")
        + "bfd_instance c {\nneighbor_ip 192.0.2.3\n}\n\
           bfd_instance d {\nneighbor_ip 192.0.2.4\nchecker\n}\n";
    let lines = "track_bfd {\nb\nc weight -20\nd\ne\n}";
    let (config, told) = read(&sessions, lines);
    let entry = |name: &str, weight, reverse| Tracked {
        object: Object::Bfd(name.to_owned()),
        weight,
        reverse,
    };
    assert_eq!(config.instances[0].tracked, [entry("b", 5, true), entry("c", -20, false)]);
    assert_eq!(
        told,
        [
            "Error (V) bfd_instance 'd' is for checkers only: it is not tracked (add 'vrrp' to it)",
            "Error (V) bfd_instance 'e' does not exist: it is not tracked",
        ]
    );
}

#[test]
fn a_server_follows_a_session() {
    let server = |check: &str| {
        format!(
            "virtual_server 192.0.2.7 80 {{\nlvs_sched rr\nlvs_method DR\nprotocol TCP\nreal_server 192.0.2.9 80 {{\n\
             BFD_CHECK {{\n{check}\n}}\n}}\n}}\n"
        )
    };
    let (config, told) = lowered(&(session("b", "") + &server("name b\nalpha")));
    assert!(told.is_empty(), "{told:?}");
    let check = &config.virtual_servers[0].servers[0].checks[0];
    assert_eq!((&check.kind, check.alpha), (&Kind::Bfd("b".to_owned()), true));
    for (lines, check, why) in [
        ("", "", "name is missing: the check is left out"),
        ("", "name c", "bfd_instance 'c' does not exist: the check is left out"),
        (
            "vrrp",
            "name b",
            "bfd_instance 'b' is for vrrp only (add 'checker' to it): the check is left out",
        ),
    ] {
        let (_, told) = lowered(&(session("b", lines) + &server(check)));
        assert!(told[0].ends_with(why), "{told:?}");
    }
}
