use super::*;
use crate::model::vrrp::Peer;
use crate::vrrp::advert::tests::{configured, unicast};
use crate::vrrp::advert::{emit, emit_as};
use proptest::prelude::*;

const PEER: &str = "10.1.0.2";
const OURS: &str = "10.1.0.1";
const GROUP: &str = "224.0.0.18";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// One instance and an advertisement to it, for a test to spoil.
struct Case {
    config: Instance,
    source: IpAddr,
    destination: Option<IpAddr>,
    ttl: Option<u8>,
    effective_priority: u8,
    compare_addresses: bool,
    pdu: Vec<u8>,
    counters: Counters,
}

impl Case {
    /// The peer is configured as we are and has priority 150.
    fn new(config: Instance) -> Self {
        let (source, destination) = match (&config.delivery, config.family) {
            (Delivery::Multicast { group }, Family::V4) => (ip(PEER), *group),
            (Delivery::Multicast { group }, Family::V6) => (ip("fe80::2"), *group),
            (Delivery::Unicast { .. }, _) => (ip(PEER), ip(OURS)),
        };
        let mut case = Self {
            config,
            source,
            destination: Some(destination),
            ttl: Some(255),
            effective_priority: 100,
            compare_addresses: true,
            pdu: Vec::new(),
            counters: Counters::default(),
        };
        case.hear(&case.config.clone());
        case
    }

    /// What a peer with that configuration sends.
    fn hear(&mut self, config: &Instance) {
        let mut packet = Vec::new();
        emit(config, 150, self.source, self.destination.unwrap(), &mut packet);
        self.take(&packet);
    }

    fn take(&mut self, packet: &[u8]) {
        let header = if self.config.family == Family::V4 { V4_HEADER_LEN } else { 0 };
        self.pdu = packet[header..].to_vec();
    }

    /// Changes an octet and makes the checksum fit again (version 2).
    fn spoil(&mut self, offset: usize, value: u8) {
        self.pdu[offset] = value;
        self.pdu[6..8].copy_from_slice(&[0, 0]);
        let sum = crate::wire::checksum::Sum::new().bytes(&self.pdu).checksum();
        self.pdu[6..8].copy_from_slice(&sum.to_be_bytes());
    }

    fn received(&self) -> Received<'_> {
        Received {
            source: self.source,
            destination: self.destination,
            ttl: self.ttl,
            arrived: Instant::from_millis(5),
            wall: WallTime(0),
            header: None,
            pdu: &self.pdu,
        }
    }

    fn examine(&mut self) -> Result<(Advert, Remarks), Reject> {
        let context = Context {
            addresses: &AddressSet::of(&self.config),
            config: &self.config,
            source: Some(if self.config.family == Family::V4 { ip(OURS) } else { ip("fe80::1") }),
            effective_priority: self.effective_priority,
            compare_addresses: self.compare_addresses,
        };
        let mut counters = self.counters.clone();
        let result = examine(&self.received(), &context, None, &mut counters);
        self.counters = counters;
        result
    }

    /// The text of the rejection; and this counter, and no other, went up.
    fn rejected(&mut self, counter: impl Fn(&mut Counters) -> &mut u64) -> String {
        let text = self.examine().unwrap_err().to_string();
        let mut expected = Counters::default();
        *counter(&mut expected) = 1;
        assert_eq!(self.counters, expected);
        text
    }

    /// The texts of the remarks.
    fn remarked(&mut self) -> Vec<String> {
        let (_, remarks) = self.examine().unwrap();
        assert_eq!(self.counters.advert_rcvd, 1);
        let complete = |r: Remark| r.completed(&self.received(), &self.config);
        remarks.into_iter().map(|r| complete(r).to_string()).collect()
    }
}

fn v2() -> Instance {
    configured(Version::V2, 51, &["10.1.0.101", "10.1.0.102"])
}

fn v3() -> Instance {
    configured(Version::V3, 51, &["10.1.0.101"])
}

#[test]
fn an_advertisement_of_an_equal_is_accepted() {
    let v6 = configured(Version::V3, 51, &["fe80::51"]);
    let v2_v6 = configured(Version::V2, 51, &["fe80::51"]);
    for config in [v2(), v3(), v6, v2_v6] {
        let mut case = Case::new(config);
        let (advert, remarks) = case.examine().unwrap();
        let interval = Duration::from_secs(1);
        let arrived = Instant::from_millis(5);
        let over_v4_in_3 = case.config.version == Version::V3 && case.source.is_ipv4();
        let form = over_v4_in_3.then_some(ChecksumForm::PseudoHeader);
        let source = case.source;
        assert_eq!(advert, Advert { source, priority: 150, interval, arrived, form });
        assert_eq!(remarks, Remarks::default());
        assert_eq!(case.counters, Counters { advert_rcvd: 1, ..Counters::default() });
    }
}

#[test]
fn a_goodbye_is_counted() {
    let mut case = Case::new(v2());
    case.spoil(2, 0);
    assert_eq!(case.examine().unwrap().0.priority, 0);
    assert_eq!((case.counters.advert_rcvd, case.counters.pri_zero_rcvd), (1, 1));
}

#[test]
fn a_length_other_than_the_header_implies_is_rejected() {
    let mut case = Case::new(v2());
    case.pdu.push(0);
    let text = case.rejected(|c| &mut c.errors_mut().packet_len_err);
    assert_eq!(text, "invalid packet length from 10.1.0.2: 25 bytes, expected 24");
    case = Case::new(v2());
    case.pdu.truncate(7);
    assert_eq!(
        case.rejected(|c| &mut c.errors_mut().packet_len_err),
        "packet from 10.1.0.2 too short (7 bytes)"
    );
    // The trailer of an authentication extension that we do not have.
    case = Case::new(v2());
    case.pdu.extend_from_slice(&[0; 28]);
    case.rejected(|c| &mut c.errors_mut().packet_len_err);
}

#[test]
fn padding_up_to_the_shortest_ethernet_payload_is_no_error() {
    let mut case = Case::new(v3());
    case.pdu.resize(46 - V4_HEADER_LEN, 0);
    assert!(case.examine().is_ok());
    case.pdu.resize(46 - V4_HEADER_LEN + 4, 0);
    assert!(case.examine().is_err());
}

#[test]
fn another_virtual_router_is_none_of_ours() {
    let mut case = Case::new(v2());
    case.spoil(1, 52);
    assert_eq!(
        case.rejected(|c| &mut c.errors_mut().vrid_err),
        "received VRID 52 from 10.1.0.2, expecting 51"
    );
}

#[test]
fn multicast_must_not_have_passed_a_router() {
    let mut case = Case::new(v2());
    case.ttl = Some(254);
    assert_eq!(
        case.rejected(|c| &mut c.errors_mut().ip_ttl_err),
        "invalid TTL/HL. Received 254 and expect 255 from 10.1.0.2"
    );
    case.ttl = None;
    assert!(case.examine().is_ok(), "unknown is not wrong");
    case = Case::new(Instance { delivery: unicast(&[PEER]), ..v2() });
    case.ttl = Some(7);
    assert!(case.examine().is_ok(), "unicast may");
}

#[test]
fn the_versions_do_not_mix() {
    let mut case = Case::new(v2());
    case.hear(&v3());
    let text = case.rejected(|c| &mut c.errors_mut().version_err);
    assert_eq!(text, "invalid version. 3 and expect 2 from 10.1.0.2");
}

#[test]
fn authentication_must_be_of_the_same_type_and_secret() {
    let pass = |p: &[u8; 8]| Instance { authentication: Authentication::Pass(*p), ..v2() };
    let mut case = Case::new(pass(b"s3cr3tpa"));
    assert!(case.examine().is_ok());
    for i in 0..8 {
        let mut other = *b"s3cr3tpa";
        other[i] ^= 1;
        let mut case = Case::new(pass(b"s3cr3tpa"));
        case.hear(&pass(&other));
        let text = case.rejected(|c| &mut c.errors_mut().auth_failure);
        assert_eq!(text, "received an invalid passwd from 10.1.0.2!");
    }
    case = Case::new(pass(b"s3cr3tpa"));
    case.hear(&v2());
    let text = case.rejected(|c| &mut c.errors_mut().authtype_mismatch);
    assert_eq!(text, "received a 0 auth, expecting 1! from 10.1.0.2");
    case = Case::new(v2());
    case.spoil(4, 3);
    assert_eq!(
        case.rejected(|c| &mut c.errors_mut().invalid_authtype),
        "invalid auth type: 3 from 10.1.0.2"
    );
    // Without a password of ours, what is in its place does not matter.
    case = Case::new(v2());
    case.spoil(23, 9);
    assert!(case.examine().is_ok());
}

#[test]
fn version_2_demands_the_same_interval_and_version_3_remarks_it() {
    let mut case = Case::new(v2());
    case.hear(&Instance { advert_interval: Duration::from_secs(3), ..v2() });
    assert_eq!(
        case.rejected(|c| &mut c.errors_mut().advert_interval_err),
        "advertisement interval mismatch with 10.1.0.2 mine=1 sec rcv'd=3 sec"
    );
    case = Case::new(v3());
    case.hear(&Instance { advert_interval: Duration::from_millis(250), ..v3() });
    assert_eq!(
        case.remarked(),
        ["advertisement interval mismatch ours = 100 centi-sec rcv'd=25 centi-sec"]
    );
}

#[test]
fn there_is_one_type_only() {
    let mut case = Case::new(v2());
    case.spoil(0, 0x22);
    assert_eq!(
        case.rejected(|c| &mut c.errors_mut().invalid_type_rcvd),
        "invalid packet type 2 from 10.1.0.2, expecting 1"
    );
}

#[test]
fn a_wrong_checksum_is_rejected() {
    for config in [v2(), v3(), Instance { checksum: ChecksumForm::AsV2, ..v3() }] {
        let mut case = Case::new(config);
        case.pdu[2] ^= 1;
        let text = case.rejected(|c| &mut c.errors_mut().checksum_err);
        assert_eq!(text, "invalid VRRP checksum from 10.1.0.2");
    }
}

#[test]
fn version_3_is_accepted_with_the_pseudo_header_and_without_rfc_9568_5_2_8() {
    let forms = [ChecksumForm::PseudoHeader, ChecksumForm::AsV2];
    for (ours, theirs) in forms.iter().flat_map(|a| forms.map(|b| (*a, b))) {
        let mut case = Case::new(Instance { checksum: ours, ..v3() });
        case.hear(&Instance { checksum: theirs, ..v3() });
        let (_, remarks) = case.examine().unwrap();
        let remark = Remark::ChecksumForm { source: ip(PEER), form: theirs };
        assert_eq!(remarks.checksum, (ours != theirs).then_some(remark));
    }
}

#[test]
fn the_old_unicast_checksum_is_accepted_from_unicast_only() {
    let mut case = Case::new(Instance { delivery: unicast(&[PEER]), ..v3() });
    let mut packet = Vec::new();
    emit_as(&case.config, ChecksumForm::OldUnicast, 150, ip(PEER), ip(OURS), &mut packet);
    case.take(&packet);
    assert_eq!(
        case.remarked(),
        ["10.1.0.2 computes the VRRPv3 checksum in the old unicast form, unlike us"]
    );
    // For multicast there is no such form: configured or not, it is the ordinary one.
    let mut case = Case::new(Instance { checksum: ChecksumForm::OldUnicast, ..v3() });
    assert_eq!(case.remarked(), [""; 0]);
}

#[test]
fn a_destination_that_the_kernel_did_not_tell_is_the_only_possible_one() {
    for config in [v3(), Instance { delivery: unicast(&[PEER]), ..v3() }] {
        let mut case = Case::new(config);
        case.destination = None;
        assert!(case.examine().is_ok());
    }
}

#[test]
fn unicast_and_multicast_do_not_mix() {
    let mut case = Case::new(v2());
    case.destination = Some(ip(OURS));
    assert_eq!(
        case.rejected(|c| &mut c.errors_mut().addr_list_err),
        "received a unicast advert from 10.1.0.2, expecting multicast"
    );
    case = Case::new(Instance { delivery: unicast(&[PEER]), ..v2() });
    case.destination = Some(ip(GROUP));
    assert_eq!(
        case.rejected(|c| &mut c.errors_mut().addr_list_err),
        "received a multicast advert from 10.1.0.2, expecting unicast"
    );
}

#[test]
fn what_we_sent_ourselves_is_not_believed() {
    let mut case = Case::new(v2());
    case.source = ip(OURS);
    let text = case.rejected(|c| &mut c.errors_mut().own_address);
    assert_eq!(text, "received an advert from our own address 10.1.0.1");
}

#[test]
fn an_owner_may_ignore_everybody() {
    let mut case = Case::new(Instance { owner_ignore_adverts: true, priority: 255, ..v2() });
    assert!(case.examine().is_ok(), "while its effective priority is lower it listens");
    case.counters = Counters::default();
    case.effective_priority = 255;
    let text = case.rejected(|c| &mut c.errors_mut().owner_ignored);
    assert_eq!(text, "address owner ignores the advert from 10.1.0.2");
}

#[test]
fn other_addresses_are_remarked_and_counted_but_accepted() {
    let heard = |addresses: &[&str]| {
        let mut case = Case::new(v2());
        case.hear(&configured(Version::V2, 51, addresses));
        case
    };
    let mut case = heard(&["10.1.0.101"]);
    assert_eq!(
        case.remarked(),
        ["received an invalid ip number count 1, expected 2! from 10.1.0.2"]
    );
    assert_eq!(case.counters.errors().addr_list_err, 1);
    case = heard(&["10.1.0.101", "10.1.0.103"]);
    assert_eq!(
        case.remarked(),
        ["ip address associated with VRID 51 not present in MASTER advert : 10.1.0.102 \
          (from 10.1.0.2)"]
    );
    assert_eq!(case.counters.errors().addr_list_err, 1);
    case = heard(&["10.1.0.102", "10.1.0.101"]);
    assert_eq!(case.remarked(), [""; 0], "their order does not matter");
    case = heard(&["10.1.0.103"]);
    case.compare_addresses = false;
    assert_eq!(case.remarked(), [""; 0], "the known master is trusted if so configured");
}

#[test]
fn with_check_unicast_src_only_peers_are_listened_to() {
    let peers = vec![Peer { addr: ip("10.1.0.9"), min_ttl: 250, max_ttl: 254 }];
    let delivery = Delivery::Unicast { peers, ttl: None, check_source: true };
    let mut case = Case::new(Instance { delivery, ..v2() });
    let text = case.examine().unwrap_err().to_string();
    assert_eq!(text, "unicast source address 10.1.0.2 is not a configured peer");
    // As in the reference, the advertisement counts as received.
    assert_eq!((case.counters.errors().peer_err, case.counters.advert_rcvd), (1, 1));
    case.source = ip("10.1.0.9");
    let text = case.examine().unwrap_err().to_string();
    assert_eq!(text, "TTL/HL 255 from unicast peer 10.1.0.9 not in range 250-254");
    for ttl in [Some(250), Some(254), None] {
        case.ttl = ttl;
        assert!(case.examine().is_ok(), "{ttl:?}");
    }
}

#[test]
fn without_check_unicast_src_everybody_is_listened_to() {
    let mut case = Case::new(Instance { delivery: unicast(&["10.1.0.9"]), ..v2() });
    assert!(case.examine().is_ok());
}

#[test]
fn every_truncation_is_rejected() {
    for config in [v2(), v3(), configured(Version::V3, 51, &["fe80::51"])] {
        let whole = Case::new(config.clone()).pdu;
        for len in 0..whole.len() {
            let mut case = Case::new(config.clone());
            case.pdu.truncate(len);
            case.rejected(|c| &mut c.errors_mut().packet_len_err);
        }
    }
}

#[test]
fn no_two_reasons_share_a_number() {
    let source = ip(PEER);
    let (ours, theirs, ttl, min, max) = (0, 0, 0, 0, 0);
    let mut kinds = vec![
        Reject::TooShort { source, len: 0 }.kind(),
        Reject::Vrid { source, ours, theirs }.kind(),
        Reject::Length { source, len: 0, expected: 0 }.kind(),
        Reject::Ttl { source, ttl }.kind(),
        Reject::Version { source, ours, theirs }.kind(),
        Reject::AuthType { source, theirs }.kind(),
        Reject::AuthMismatch { source, ours, theirs }.kind(),
        Reject::Password { source }.kind(),
        Reject::Interval { source, ours, theirs }.kind(),
        Reject::Type { source, kind: 0 }.kind(),
        Reject::Checksum { source }.kind(),
        Reject::Destination { source, multicast: true }.kind(),
        Reject::OwnAddress { source }.kind(),
        Reject::OwnerIgnores { source }.kind(),
        Reject::UnknownPeer { source }.kind(),
        Reject::PeerTtl { source, ttl, min, max }.kind(),
        Remark::AddressCount { source, ours: 0, theirs: 0 }.kind(),
        Remark::AddressList { source, vrid: 0, missing: None }.kind(),
        Remark::IntervalDiffers { ours: Duration::ZERO, theirs: Duration::ZERO }.kind(),
        Remark::ChecksumForm { source, form: ChecksumForm::AsV2 }.kind(),
    ];
    let count = kinds.len();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), count);
}

proptest! {
    #[test]
    fn whatever_arrives_is_counted_once(
        pdu in proptest::collection::vec(any::<u8>(), 0..48), v6 in any::<bool>(),
        version_3 in any::<bool>(),
    ) {
        let version = if version_3 { Version::V3 } else { Version::V2 };
        let mut case = Case::new(configured(version, 51, &[if v6 { "fe80::51" } else { "10.9.9.9" }]));
        case.pdu = pdu;
        if let (Some(first), true) = (case.pdu.first_mut(), version_3) {
            *first = 0x31;
        }
        if let Some(vrid) = case.pdu.get_mut(1) {
            *vrid = 51;
        }
        let accepted = case.examine().is_ok();
        prop_assert_eq!(case.counters.advert_rcvd, u64::from(accepted));
        let errors = Counters { advert_rcvd: 0, ..case.counters };
        prop_assert!(accepted || errors != Counters::default());
    }
}

/// A virtual router with as many addresses as there can be.
fn crowded() -> Instance {
    let list: Vec<String> = (1..=255).map(|n| format!("10.9.0.{n}")).collect();
    configured(Version::V3, 51, &list.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn comparing_addresses_costs_one_look_at_each_whatever_their_order() {
    const PACKETS: u64 = 100;
    let ours = crowded();
    let reversed =
        Instance { addresses: ours.addresses.iter().rev().cloned().collect(), ..ours.clone() };
    let mut other = ours.clone();
    std::rc::Rc::make_mut(&mut other.addresses[254]).prefix.addr = ip("10.8.0.1");
    for (theirs, is_same) in [(&ours, true), (&reversed, true), (&other, false)] {
        let mut case = Case::new(ours.clone());
        case.hear(theirs);
        addresses::work::take();
        for _ in 0..PACKETS {
            let (_, remarks) = case.examine().unwrap();
            assert_eq!(remarks.addresses.is_none(), is_same);
        }
        // Those of the packet; and ours when the context is made, which tests do for each packet.
        let looks = addresses::work::take();
        assert_eq!(looks, PACKETS * 2 * 255);
        case.counters = Counters::default();
    }
}

#[test]
fn an_address_twice_is_not_two_addresses() {
    let mut case = Case::new(v2());
    let mut twice = v2();
    twice.addresses[1] = twice.addresses[0].clone();
    case.hear(&twice);
    assert_eq!(case.remarked().len(), 1);
}
