use super::*;
use crate::base::addr::Prefix;
use crate::base::time::Duration;
use crate::model::vrrp::{tests::instance, Peer, VirtualAddress};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(in crate::vrrp) fn address(text: &str) -> VirtualAddress {
    VirtualAddress::plain(Prefix::host(ip(text)), "eth0".into())
}

pub(in crate::vrrp) fn unicast(peers: &[&str]) -> Delivery {
    let peers = peers.iter().map(|p| Peer { addr: ip(p), min_ttl: 0, max_ttl: 255 }).collect();
    Delivery::Unicast { peers, ttl: None, check_source: false }
}

pub(in crate::vrrp) fn configured(version: Version, vrid: u8, addresses: &[&str]) -> Instance {
    let mut config = instance("I", vrid);
    config.version = version;
    config.family = Family::of(&ip(addresses[0]));
    config.addresses = addresses.iter().map(|a| address(a).into()).collect();
    if config.family == Family::V6 {
        config.delivery = Delivery::Multicast { group: wire::GROUP_V6.into() };
    }
    config
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn emitted(config: &Instance, priority: u8, source: &str, destination: &str) -> Vec<u8> {
    let mut out = vec![1, 2, 3];
    emit(config, priority, ip(source), ip(destination), &mut out);
    out
}

// The expected bytes of the following tests were captured from the reference implementation.

#[test]
fn version_2_without_authentication_has_eight_zero_octets_at_the_end() {
    let config = configured(Version::V2, 1, &["10.1.0.101", "10.1.0.102"]);
    assert_eq!(
        hex(&emitted(&config, 100, "10.1.0.1", "224.0.0.18")),
        "45c0002c00010000ff70d08c0a010001e0000012\
         210164020001662e0a0100650a0100660000000000000000"
    );
}

#[test]
fn version_2_with_a_password_has_it_in_the_checksum() {
    let mut config = configured(Version::V2, 2, &["10.1.0.103"]);
    config.authentication = Authentication::Pass(*b"s3cr3tpa");
    assert_eq!(
        hex(&emitted(&config, 101, "10.1.0.1", "224.0.0.18")),
        "45c0002800010000ff70d0900a010001e0000012210265010101f4170a0100677333637233747061"
    );
}

#[test]
fn version_3_has_the_pseudo_header_in_the_checksum_unless_told_otherwise() {
    let mut config = configured(Version::V3, 4, &["10.1.0.105"]);
    config.advert_interval = Duration::from_millis(500);
    let packet = emitted(&config, 103, "10.1.0.1", "224.0.0.18");
    assert_eq!(hex(&packet), "45c0002000010000ff70d0980a010001e000001231046701003272cd0a010069");

    let mut config = configured(Version::V3, 5, &["10.1.0.106"]);
    config.checksum = ChecksumForm::AsV2;
    let packet = emitted(&config, 104, "10.1.0.1", "224.0.0.18");
    assert_eq!(hex(&packet), "45c0002000010000ff70d0980a010001e00000123105680100645c2a0a01006a");
}

#[test]
fn unicast_has_the_peer_in_the_checksum_and_the_old_form_the_group() {
    let mut config = configured(Version::V3, 7, &["10.1.0.107"]);
    config.delivery = unicast(&["10.1.0.2"]);
    let packet = emitted(&config, 106, "10.1.0.1", "10.1.0.2");
    assert_eq!(hex(&packet), "45c0002000010000ff70a6a80a0100010a01000231076a01006445a60a01006b");
    let mut old = Vec::new();
    let (source, peer) = (ip("10.1.0.1"), ip("10.1.0.2"));
    emit_as(&config, ChecksumForm::OldUnicast, 106, source, peer, &mut old);
    assert_eq!(old[..26], packet[..26]);
    // 10.1.0.2 in the sum is replaced by 224.0.0.18.
    assert_eq!(hex(&old[26..28]), "6f96");
}

#[test]
fn over_ipv6_the_kernel_writes_the_header() {
    let config = configured(Version::V3, 6, &["fe80::6", "fd01::106"]);
    assert_eq!(
        hex(&emitted(&config, 105, "fe80::ff:fe00:1", "ff02::12")),
        "3106690200646bd5\
         fe800000000000000000000000000006fd010000000000000000000000000106"
    );
}

#[test]
fn the_last_advertisement_is_a_patched_one() {
    let mut config = configured(Version::V3, 4, &["10.1.0.105"]);
    config.advert_interval = Duration::from_millis(500);
    let mut packet = emitted(&config, 103, "10.1.0.1", "224.0.0.18");
    set_priority(&mut packet, &config, 0);
    assert_eq!(hex(&packet[20..]), "310400010032d9cd0a010069");
    set_ident(&mut packet, Family::V4, 0xbeef);
    let mut again = emitted(&config, 0, "10.1.0.1", "224.0.0.18");
    set_ident(&mut again, Family::V4, 0xbeef);
    assert_eq!(packet, again);

    let config = configured(Version::V3, 6, &["fe80::6"]);
    let mut packet = emitted(&config, 105, "fe80::1", "ff02::12");
    set_priority(&mut packet, &config, 0);
    set_ident(&mut packet, Family::V6, 9);
    assert_eq!(packet, emitted(&config, 0, "fe80::1", "ff02::12"));
}

#[test]
fn identifications_skip_zero() {
    assert_eq!((next_ident(1), next_ident(u16::MAX)), (2, 1));
}

#[test]
fn excluded_addresses_are_not_advertised_and_the_configured_ttl_is_used() {
    let mut config = configured(Version::V3, 7, &["10.1.0.107"]);
    config.excluded = vec![address("10.1.0.108").into()].into();
    config.delivery = Delivery::Unicast { peers: Vec::new(), ttl: Some(3), check_source: false };
    let packet = emitted(&config, 1, "10.1.0.1", "10.1.0.2");
    assert_eq!((packet.len(), packet[8]), (32, 3));
    assert_eq!(len(&config), 12);
    assert_eq!(hops(&config), Some(3));
}

#[test]
fn too_short_a_packet_is_left_alone() {
    let mut packet = [0x45; 12];
    set_priority(&mut packet, &configured(Version::V2, 1, &["10.1.0.101"]), 9);
    set_ident(&mut packet, Family::V4, 9);
    assert_eq!(packet, [0x45; 12]);
}
