//! Vectors captured from the reference implementation, and routers that meet.

use std::cell::RefCell;
use std::net::IpAddr;

use proptest::prelude::*;

use super::Guard;
use crate::base::addr::Family;
use crate::base::time::{Duration, Instant, WallTime};
use crate::model::secret::Secret;
use crate::model::signing::{AntiReplay, Signing, SigningKey, SigningMode};
use crate::model::vrrp::{Authentication, Delivery, Instance, Version};
use crate::vrrp::advert::tests::{configured, unicast};
use crate::vrrp::advert::{emit, set_priority};
use crate::vrrp::receive::{
    examine, AddressSet, Advert, Context, Counters, Received, Reject, Remark, Remarks,
};
use crate::wire::ah::AuthHeader;
use crate::wire::ip::Ipv4Packet;

const WINDOW: Duration = Duration::from_secs(5);
const TIME: AntiReplay = AntiReplay::Time { window: WINDOW };
const GROUP: &str = "224.0.0.18";
/// Two routers of one segment.
const A: &str = "10.1.0.1";
const B: &str = "10.1.0.2";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn signing(key: &[u8], id: u8, anti_replay: AntiReplay) -> Signing {
    let keys = vec![SigningKey { id, secret: Secret::new(key) }];
    Signing { keys, active: id, mode: SigningMode::Enforce, anti_replay }
}

fn signed(version: Version, vrid: u8, vip: &str, signing: Signing) -> Instance {
    let authentication = Authentication::Signed(Box::new(signing));
    Instance { authentication, ..configured(version, vrid, &[vip]) }
}

/// The time at which a sequence number begins.
fn wall(seconds: u64, fraction: u64) -> WallTime {
    WallTime(seconds * 1_000_000 + (fraction * 1_000_000).div_ceil(0x1_0000))
}

/// What an instance sends first, at that time.
fn sealed(config: &Instance, priority: u8, ends: (&str, &str), at: WallTime) -> Vec<u8> {
    let (source, to) = (ip(ends.0), ip(ends.1));
    let mut packet = Vec::new();
    emit(config, priority, source, to, &mut packet);
    let mut guard = Guard::of(config).unwrap();
    assert!(guard.seal(config, source, at, [packet.as_mut_slice()].into_iter()));
    packet
}

fn low_keys(count: u8) -> Vec<u8> {
    (0..count).collect()
}

#[test]
fn the_captured_authentication_header() {
    let config = Instance {
        authentication: Authentication::Header(Secret::new(b"s3cr3t\0\0")),
        ..configured(Version::V2, 3, &["10.1.0.104"])
    };
    let packet = sealed(&config, 102, (A, GROUP), WallTime(1_000_000));
    let captured = hex("45c0004000010000ff33d0b50a010001e0000012
        700400000a01000100000001a6a59b7ce7803a49bb80d325
        2103660102016c91 0a010068 0000000000000000");
    assert_eq!(packet, captured);
}

#[test]
fn vector_1_version_3_multicast_and_vector_6_its_farewell() {
    let config = signed(Version::V3, 51, "10.1.0.151", signing(&low_keys(32), 1, TIME));
    let packet = sealed(&config, 200, (A, GROUP), wall(0x6b03_3e79, 0xe17c));
    let captured = hex("45c0003c00010000ff70d07c0a010001e0000012 3133c8010064113e0a010097
        01010000 6b033e79 e17c 0000 df612343332ded022356a0a9c4c8c0ba");
    assert_eq!(packet, captured);
    let mut last = packet;
    set_priority(&mut last, &config, 0);
    let mut guard = Guard::of(&config).unwrap();
    let at = wall(0x6b03_3e84, 0x9a16);
    assert!(guard.seal(&config, ip(A), at, [last.as_mut_slice()].into_iter()));
    let captured = hex("3133000100 64d93e0a010097
        01010000 6b033e84 9a16 0000 2a3df874c72f7c97fd007118597cf37c");
    assert_eq!(last[20..], captured);
}

#[test]
fn vector_2_version_2_with_a_text_as_the_key() {
    let key = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
    let config = signed(Version::V2, 52, "10.1.0.152", signing(key, 7, AntiReplay::Monotonic));
    let packet = sealed(&config, 150, (A, GROUP), wall(0x6b03_3e7a, 0x134c));
    let captured = hex("45c0004400010000ff70d0740a010001e0000012
        2134960100013e300a0100980000000000000000
        01070000 6b033e7a 134c 0000 b38b2473ee38ebef7d8b63bc5264a059");
    assert_eq!(packet, captured);
}

/// The kernel computes the checksum over the trailer as well.
fn without_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    packet[6..8].fill(0);
    packet
}

#[test]
fn vector_3_ipv6_multicast() {
    let config = signed(Version::V3, 53, "fe80::53", signing(&low_keys(64), 255, TIME));
    let ends = ("fe80::ff:fe00:1", "ff02::12");
    let packet = sealed(&config, 151, ends, wall(0x6b03_3e7a, 0x1247));
    let captured = hex("3135970100646c77fe800000000000000000000000000053
        01ff0000 6b033e7a 1247 0000 e4fca3ef948d4083e9fada4e3391bb42");
    assert_eq!(without_checksum(packet), without_checksum(captured));
}

/// The key of vectors 4 and 5.
fn high_key() -> Vec<u8> {
    (0xf0..=0xff).chain(0xf0..=0xff).collect()
}

#[test]
fn vector_4_ipv6_unicast() {
    let mut config = signed(Version::V3, 54, "fd01::154", signing(&high_key(), 9, TIME));
    config.delivery = unicast(&["fd01::2"]);
    let packet = sealed(&config, 152, ("fd01::1", "fd01::2"), wall(0x6b03_3e7a, 0x1196));
    let captured = hex("313698010064cc2ffd010000000000000000000000000154
        01090000 6b033e7a 1196 0000 cfd3e56180513ea8736b8d4f128d2d9f");
    assert_eq!(without_checksum(packet), without_checksum(captured));
}

#[test]
fn vector_5_ipv4_unicast() {
    let mut config = signed(Version::V3, 55, "10.1.0.155", signing(&high_key(), 9, TIME));
    config.delivery = unicast(&[B]);
    let packet = sealed(&config, 153, (A, B), wall(0x6b03_3e7a, 0x1077));
    let captured = hex("45c0003c00010000ff70a68c0a0100010a010002 31379901006416460a01009b
        01090000 6b033e7a 1077 0000 97e8776a39ff778ae0334a39b54e9337");
    assert_eq!(packet, captured);
}

/// A router with a clock of its own.
struct Node {
    config: Instance,
    source: IpAddr,
    guard: Option<Box<Guard>>,
    counters: Counters,
}

impl Node {
    fn new(config: &Instance, source: &str) -> Self {
        let guard = Guard::of(config);
        let (config, counters) = (config.clone(), Counters::default());
        Self { config, source: ip(source), guard, counters }
    }

    fn send(&mut self, at: WallTime) -> Vec<u8> {
        let to = match &self.config.delivery {
            Delivery::Multicast { group } => *group,
            Delivery::Unicast { peers, .. } => peers[0].addr,
        };
        let mut packet = Vec::new();
        emit(&self.config, 150, self.source, to, &mut packet);
        if let Some(guard) = &mut self.guard {
            let copies = [packet.as_mut_slice()].into_iter();
            assert!(guard.seal(&self.config, self.source, at, copies));
        }
        packet
    }

    /// Hears a packet over IPv4, at that time by the clock and by the wall clock.
    fn hear(
        &mut self,
        packet: &[u8],
        arrived: Instant,
        at: WallTime,
    ) -> Result<(Advert, Remarks), Reject> {
        let ip = Ipv4Packet::parse(packet).unwrap();
        let (header, pdu) = AuthHeader::split(&ip).unwrap();
        let received = Received {
            source: ip.source().into(),
            destination: Some(ip.destination().into()),
            ttl: Some(ip.ttl()),
            arrived,
            wall: at,
            header,
            pdu,
        };
        let context = Context {
            config: &self.config,
            source: Some(self.source),
            effective_priority: 100,
            addresses: &AddressSet::of(&self.config),
            compare_addresses: true,
        };
        examine(&received, &context, self.guard.as_deref_mut(), &mut self.counters)
    }

    /// With both clocks at so many seconds.
    fn hear_at(&mut self, packet: &[u8], seconds: u64) -> Result<(), String> {
        let at = (Instant::from_millis(seconds * 1000), WallTime(seconds * 1_000_000));
        self.hear(packet, at.0, at.1).map(|_| ()).map_err(|reject| reject.to_string())
    }

    fn reload(&mut self, change: impl FnOnce(&mut Instance)) {
        change(&mut self.config);
        self.guard = Guard::adjusted(self.guard.take(), &self.config);
    }
}

const fn at(seconds: u64) -> WallTime {
    WallTime(seconds * 1_000_000)
}

fn key(n: u8) -> [u8; 32] {
    [n; 32]
}

fn with_hmac(anti_replay: AntiReplay) -> Instance {
    signed(Version::V3, 51, "10.1.0.151", signing(&key(1), 1, anti_replay))
}

fn with_header() -> Instance {
    let authentication = Authentication::Header(Secret::new(b"s3cr3t\0\0"));
    Instance { authentication, ..configured(Version::V2, 51, &["10.1.0.151"]) }
}

#[test]
fn every_refusal_has_its_counter() {
    let config = with_hmac(TIME);
    let (mut a, mut b) = (Node::new(&config, A), Node::new(&config, B));
    let packet = a.send(at(100));
    assert_eq!(b.hear_at(&packet, 100), Ok(()));
    let mut wrong = |change: &dyn Fn(&mut Vec<u8>), seconds| {
        let mut packet = packet.clone();
        change(&mut packet);
        b.hear_at(&packet, seconds).unwrap_err()
    };
    assert_eq!(wrong(&|_| {}, 103), "replayed authentication trailer from 10.1.0.1");
    assert_eq!(
        wrong(&|_| {}, 107),
        "stale authentication trailer from 10.1.0.1, clock skew 7 sec exceeds window 5 sec"
    );
    let flip = |p: &mut Vec<u8>| *p.last_mut().unwrap() ^= 1;
    assert_eq!(wrong(&flip, 100), "invalid authentication HMAC from 10.1.0.1");
    assert_eq!(wrong(&|p| p[33] = 7, 100), "unknown authentication key id 7 from 10.1.0.1");
    assert_eq!(wrong(&|p| p[34] = 7, 100), "malformed authentication trailer from 10.1.0.1");
    let cut = |p: &mut Vec<u8>| {
        p.truncate(32);
        p[3] = 32;
    };
    assert_eq!(wrong(&cut, 100), "missing authentication trailer from 10.1.0.1");
    let errors = b.counters.errors();
    let counted = [
        errors.auth_ext_missing,
        errors.auth_ext_malformed,
        errors.auth_ext_unknown_key,
        errors.auth_ext_invalid_hmac,
        errors.auth_ext_stale,
        errors.auth_ext_replay,
    ];
    assert_eq!((counted, b.counters.advert_rcvd), ([1; 6], 1));
}

#[test]
fn the_modes_differ_in_what_has_no_signature() {
    for (theirs, ours, is_accepted) in [
        (SigningMode::ReceiveOnly, SigningMode::ReceiveOnly, true),
        (SigningMode::ReceiveOnly, SigningMode::Permissive, true),
        (SigningMode::ReceiveOnly, SigningMode::Enforce, false),
        (SigningMode::Permissive, SigningMode::ReceiveOnly, true),
        (SigningMode::Permissive, SigningMode::Enforce, true),
        (SigningMode::Enforce, SigningMode::ReceiveOnly, true),
    ] {
        let with = |mode| {
            let mut signing = signing(&key(1), 1, TIME);
            signing.mode = mode;
            signed(Version::V2, 51, "10.1.0.151", signing)
        };
        let packet = Node::new(&with(theirs), A).send(at(100));
        let heard = Node::new(&with(ours), B).hear_at(&packet, 100);
        assert_eq!(heard.is_ok(), is_accepted, "{theirs:?} {ours:?} {heard:?}");
        // One that is there has to be right in every mode.
        let mut other = with(theirs);
        other.authentication = Authentication::Signed(Box::new(signing(&key(2), 1, TIME)));
        let packet = Node::new(&other, A).send(at(100));
        assert!(Node::new(&with(ours), B).hear_at(&packet, 100).is_err());
    }
}

#[test]
fn without_auth_hmac_a_signed_advertisement_has_a_wrong_length() {
    let packet = Node::new(&with_hmac(TIME), A).send(at(100));
    let mut plain = Node::new(&configured(Version::V3, 51, &["10.1.0.151"]), B);
    let told = plain.hear_at(&packet, 100).unwrap_err();
    assert!(told.starts_with("invalid packet length"), "{told}");
}

#[test]
fn only_peers_are_heard_whatever_check_unicast_src_says() {
    let mut config = with_hmac(TIME);
    config.delivery = unicast(&[B]);
    let mut stranger = Node::new(&config, "10.1.0.9");
    let mut b = Node::new(&Instance { delivery: unicast(&[A]), ..config.clone() }, B);
    let told = b.hear_at(&stranger.send(at(100)), 100).unwrap_err();
    assert_eq!(told, "unicast source address 10.1.0.9 is not a configured peer");
    assert_eq!(b.hear_at(&Node::new(&config, A).send(at(100)), 100), Ok(()));
}

#[test]
fn a_skew_of_more_than_half_the_window_is_remarked() {
    let config = with_hmac(TIME);
    let remark = |skew: u64| {
        let packet = Node::new(&config, A).send(at(100 + skew));
        let heard = Node::new(&config, B).hear(&packet, Instant::ZERO, at(100));
        heard.unwrap().1.clock
    };
    assert_eq!(remark(2), None);
    assert_eq!(remark(3), Some(Remark::ClockSkew { source: ip(A), skew: 3, window: 5 }));
}

#[test]
fn a_reload_keeps_the_numbers_and_a_key_is_replaced_without_a_gap() {
    for anti_replay in [TIME, AntiReplay::Monotonic] {
        let config = with_hmac(anti_replay);
        let (mut a, mut b) = (Node::new(&config, A), Node::new(&config, B));
        let old = a.send(at(100));
        assert_eq!(b.hear_at(&old, 100), Ok(()));
        let edit = |change: fn(&mut Signing)| {
            move |i: &mut Instance| match &mut i.authentication {
                Authentication::Signed(signing) => change(signing),
                other => panic!("{other:?}"),
            }
        };
        let add = |s: &mut Signing| {
            s.keys.push(SigningKey { id: 2, secret: Secret::new(&key(2)) });
        };
        let drop_old = |s: &mut Signing| s.keys.retain(|key| key.id == 2);
        let steps: [fn(&mut Signing); 3] = [add, |s| s.active = 2, drop_old];
        for (n, step) in (101..).zip(steps) {
            a.reload(edit(step));
            // The clock of A stands still, and its number does not.
            assert_eq!(b.hear_at(&a.send(at(100)), n), Ok(()));
            b.reload(edit(step));
            assert_eq!(b.hear_at(&a.send(at(100)), n), Ok(()));
            assert!(b.hear_at(&old, n).is_err(), "a reload forgets nothing");
        }
    }
}

#[test]
fn with_time_no_sender_is_shut_out_for_longer_than_three_windows() {
    let config = with_hmac(TIME);
    let (mut a, mut b) = (Node::new(&config, A), Node::new(&config, B));
    let before = a.send(at(104));
    assert_eq!(b.hear_at(&before, 100), Ok(()));
    // A restarts with its clock 8 s behind that of before.
    let mut again = Node::new(&config, A);
    assert!(b.hear_at(&again.send(at(97)), 101).is_err());
    assert_eq!(b.hear_at(&again.send(at(105)), 109), Ok(()), "its clock is past the old number");
    // All clocks are set back by an hour: the old numbers cannot come again.
    let (now, past) = (Instant::from_millis(110_000), at(3600));
    let mut b = Node::new(&config, B);
    assert!(b.hear(&a.send(at(7200)), now, at(7200)).is_ok());
    assert!(b.hear(&Node::new(&config, A).send(past), now, past).is_ok());
}

#[test]
fn with_time_a_clock_set_back_by_a_window_opens_nothing() {
    let config = with_hmac(TIME);
    for ahead in 0..=5 {
        for (after, set_back) in (0..60).flat_map(|t| (0..=5).map(move |s| (t, s))) {
            let (mut a, mut b) = (Node::new(&config, A), Node::new(&config, B));
            let packet = a.send(at(100 + ahead));
            assert!(b.hear_at(&packet, 100).is_ok());
            let heard = b.hear(
                &packet,
                Instant::from_millis((100 + after) * 1000),
                at(100 + after - set_back.min(after)),
            );
            assert!(heard.is_err(), "{ahead} s ahead, after {after} s, set back by {set_back}");
        }
    }
}

#[test]
fn with_monotonic_a_sender_that_was_set_back_learns_from_what_it_hears() {
    let config = with_hmac(AntiReplay::Monotonic);
    let (mut a, mut b) = (Node::new(&config, A), Node::new(&config, B));
    let before = a.send(at(9000));
    assert_eq!(b.hear_at(&before, 100), Ok(()));
    let mut again = Node::new(&config, A);
    assert!(b.hear_at(&again.send(at(100)), 1_000_000).is_err(), "however long ago");
    // So B takes over, and A hears it.
    assert_eq!(again.hear_at(&b.send(at(100)), 100), Ok(()));
    assert_eq!(b.hear_at(&again.send(at(100)), 100), Ok(()));
    assert!(b.hear_at(&before, 100).is_err());
}

#[test]
fn a_sender_goes_back_to_the_clock_only_if_the_others_would_refuse_it() {
    let config = with_hmac(TIME);
    let mut a = Node::new(&config, A);
    let sequence = |packet: &[u8]| u64::from_be_bytes(packet[36..44].try_into().unwrap());
    let first = sequence(&a.send(at(100)));
    assert_eq!(first, 100 << 32);
    assert_eq!(sequence(&a.send(at(95))), first + 1);
    assert_eq!(sequence(&a.send(at(94))), 94 << 32);
}

#[test]
fn three_routers_with_authentication_headers_do_not_shut_each_other_out() {
    let config = with_header();
    let [mut a, mut b, mut c] = [A, B, "10.1.0.3"].map(|source| Node::new(&config, source));
    // Two masters at the same time, after a split: A has sent more than B.
    let mut last = Vec::new();
    for n in 0..9 {
        last = a.send(at(1000 + n));
        assert_eq!(c.hear_at(&last, n), Ok(()));
    }
    let ours = b.send(at(100));
    assert!(c.hear_at(&ours, 10).is_err(), "a stranger must not be far behind");
    assert_eq!(b.hear_at(&last, 10), Ok(()));
    let ours = b.send(at(100));
    assert_eq!(c.hear_at(&ours, 10), Ok(()), "B has heard A");
    // From now on, each has its own numbers: those of A are below those of B.
    b.guard = None;
    b.reload(|_| {});
    let far = b.send(at(5000));
    assert_eq!((a.hear_at(&far, 11), c.hear_at(&far, 11)), (Ok(()), Ok(())));
    let mut deaf = Node::new(&config, A);
    std::mem::swap(&mut deaf.guard, &mut a.guard);
    assert!(c.hear_at(&last, 12).is_err(), "a recording");
    let near = {
        let mut again = Node::new(&config, A);
        again.send(at(1300))
    };
    assert_eq!(c.hear_at(&near, 12), Ok(()), "A has not heard B");
    for packet in [&far, &near, &last, &ours] {
        assert!(c.hear_at(packet, 13).is_err());
    }
    assert_eq!(c.counters.errors().auth_failure, 6);
}

#[test]
fn a_restart_does_not_repeat_authentication_headers() {
    let config = with_header();
    let (mut a, mut b) = (Node::new(&config, A), Node::new(&config, B));
    assert_eq!(b.hear_at(&a.send(at(1000)), 1), Ok(()));
    let mut again = Node::new(&config, A);
    assert_eq!(b.hear_at(&again.send(at(1001)), 2), Ok(()));
}

#[test]
fn what_was_heard_before_a_restart_by_command_is_refused_after_it() {
    for config in [with_header(), with_hmac(AntiReplay::Monotonic), with_hmac(TIME)] {
        let (mut a, mut b) = (Node::new(&config, A), Node::new(&config, B));
        let recorded = a.send(at(1000));
        assert_eq!(b.hear_at(&recorded, 1000), Ok(()));
        let marks = b.guard.as_ref().expect("it authenticates").marks();
        let mut again = Node::new(&config, B);
        let guard = again.guard.as_mut().expect("it authenticates");
        marks.iter().for_each(|mark| guard.recall(mark));
        assert!(again.hear_at(&recorded, 1001).is_err());
        assert_eq!(again.hear_at(&a.send(at(1001)), 1001), Ok(()));
    }
}

#[test]
fn authentication_headers_go_with_the_configuration() {
    let (plain, header) = (configured(Version::V2, 51, &["10.1.0.151"]), with_header());
    let told = Node::new(&header, B).hear_at(&Node::new(&plain, A).send(at(1)), 1);
    assert_eq!(told, Err("received a 0 auth, expecting 2! from 10.1.0.1".to_owned()));
    let told = Node::new(&plain, B).hear_at(&Node::new(&header, A).send(at(1)), 1);
    assert_eq!(told, Err("received a 2 auth, expecting 0! from 10.1.0.1".to_owned()));
}

#[test]
fn an_authentication_header_needs_the_password_and_the_address_of_its_sender() {
    let config = with_header();
    let mut other = with_header();
    other.authentication = Authentication::Header(Secret::new(b"s3cr3T\0\0"));
    let told = Node::new(&config, B).hear_at(&Node::new(&other, A).send(at(1)), 1).unwrap_err();
    assert!(told.starts_with("invalid authentication header from 10.1.0.1"), "{told}");
    let mut packet = Node::new(&config, A).send(at(1));
    packet[27] = 9;
    let told = Node::new(&config, B).hear_at(&packet, 1).unwrap_err();
    assert_eq!(told, "received an authentication header of 10.1.0.9 from 10.1.0.1");
}

#[test]
fn without_a_usable_key_nothing_is_believed() {
    let plain = configured(Version::V3, 51, &["10.1.0.151"]);
    let unusable = Instance { authentication: Authentication::Unusable, ..plain.clone() };
    for sender in [plain, with_hmac(TIME)] {
        let packet = Node::new(&sender, A).send(at(100));
        assert!(Node::new(&unusable, B).hear_at(&packet, 100).is_err());
    }
}

/// What is free to change: IP fields that routers change, and what the receiver never sees.
fn is_mutable(config: &Instance, bit: usize) -> bool {
    let is_unicast = matches!(config.delivery, Delivery::Unicast { .. });
    match (&config.authentication, bit / 8) {
        // TOS, flags and fragment offset, header checksum; the TTL is checked if it is multicast.
        (Authentication::Header(_), 1 | 6 | 7 | 10 | 11) => true,
        (Authentication::Header(_), 8) => is_unicast,
        // The signature covers no IP header but its source address, which is part of it.
        (_, at) if at < 20 => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No bit of an authenticated advertisement can be changed, but those that routers change.
    #[test]
    fn a_changed_bit_is_noticed(
        kind in 0_usize..5,
        priority in 0_u8..=255,
        password in proptest::array::uniform32(1_u8..),
        seconds in 100_u64..0xffff_0000,
    ) {
        let secret = signing(&password, 1, TIME);
        let config = match kind {
            0 => signed(Version::V3, 51, "10.1.0.151", secret),
            1 => signed(Version::V2, 51, "10.1.0.151", secret),
            2 => Instance {
                delivery: unicast(&[B]),
                ..signed(Version::V3, 51, "10.1.0.151", secret)
            },
            n => {
                let key = Secret::new(&password[..8]);
                let mut config = with_header();
                config.authentication = Authentication::Header(key);
                if n == 4 {
                    config.delivery = unicast(&[B]);
                }
                config
            }
        };
        let mut receiver = config.clone();
        if let Delivery::Unicast { .. } = receiver.delivery {
            receiver.delivery = unicast(&[A]);
        }
        let to = if kind == 2 || kind == 4 { B } else { GROUP };
        let packet = sealed(&config, priority, (A, to), at(seconds));
        let b = RefCell::new(Node::new(&receiver, B));
        for bit in 0..packet.len() * 8 {
            let mut changed = packet.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(ip) = Ipv4Packet::parse(&changed) else { continue };
            if AuthHeader::split(&ip).is_err() || is_mutable(&config, bit) {
                continue;
            }
            // Such a packet does not come to the socket.
            if ip.protocol() != 51 && ip.protocol() != 112 {
                continue;
            }
            let heard = b.borrow_mut().hear(&changed, Instant::ZERO, at(seconds));
            prop_assert!(heard.is_err(), "bit {} of {:?}", bit, config.authentication);
        }
        prop_assert!(b.borrow_mut().hear(&packet, Instant::ZERO, at(seconds)).is_ok());
    }

    /// Whatever comes after the IP header, it is no authenticated advertisement.
    #[test]
    fn noise_is_refused(
        header in any::<bool>(),
        noise in proptest::collection::vec(any::<u8>(), 8..96),
    ) {
        let config = if header { with_header() } else { with_hmac(TIME) };
        let mut packet = Node::new(&config, A).send(at(100));
        packet.truncate(20);
        packet.extend_from_slice(&noise);
        packet[3] = u8::try_from(packet.len()).unwrap();
        if Ipv4Packet::parse(&packet).is_ok_and(|ip| AuthHeader::split(&ip).is_ok()) {
            prop_assert!(Node::new(&config, B).hear_at(&packet, 100).is_err());
        }
    }
}

#[test]
fn over_ipv6_the_checksum_is_free_for_the_kernel() {
    let config = signed(Version::V3, 53, "fe80::53", signing(&key(1), 1, TIME));
    assert_eq!(config.family, Family::V6);
    let ends = ("fe80::1", "ff02::12");
    let packet = sealed(&config, 151, ends, at(100));
    let hear = |pdu: &[u8]| {
        let received = Received {
            source: ip(ends.0),
            destination: Some(ip(ends.1)),
            ttl: Some(255),
            arrived: Instant::ZERO,
            wall: at(100),
            header: None,
            pdu,
        };
        let context = Context {
            config: &config,
            source: Some(ip("fe80::2")),
            effective_priority: 100,
            addresses: &AddressSet::of(&config),
            compare_addresses: true,
        };
        let mut guard = Guard::of(&config);
        examine(&received, &context, guard.as_deref_mut(), &mut Counters::default())
    };
    for bit in 0..packet.len() * 8 {
        let mut changed = packet.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(hear(&changed).is_ok(), matches!(bit / 8, 6 | 7), "{bit}");
    }
}
