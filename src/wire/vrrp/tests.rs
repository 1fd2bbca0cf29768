use super::*;
use proptest::prelude::*;

/// Captured: version 3 over IPv6, VRID 6, priority 105, from fe80::ff:fe00:1 to ff02::12.
const V6: [u8; 40] = [
    0x31, 0x06, 0x69, 0x02, 0x00, 0x64, 0x6b, 0xd5, // header
    0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x06, // fe80::6
    0xfd, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x06, // fd01::106
];

fn v6_pseudo() -> Option<(IpAddr, IpAddr)> {
    Some(("fe80::ff:fe00:1".parse().unwrap(), GROUP_V6.into()))
}

#[test]
fn the_fields_of_a_captured_advertisement() {
    let packet = Packet::parse(&V6).unwrap();
    assert_eq!((packet.version(), packet.kind(), packet.vrid()), (3, ADVERTISEMENT, 6));
    assert_eq!((packet.priority(), packet.address_count()), (105, 2));
    assert_eq!(packet.interval(), Duration::from_secs(1));
    assert_eq!(packet.expected_len(Family::V6), V6.len());
    let addresses: Vec<String> = packet.addresses(Family::V6).map(|a| a.to_string()).collect();
    assert_eq!(addresses, ["fe80::6", "fd01::106"]);
    assert!(packet.is_checksum_valid(Family::V6, v6_pseudo()));
    assert!(!packet.is_checksum_valid(Family::V6, None));
}

#[test]
fn the_value_emits_the_captured_bytes() {
    let value =
        Advertisement { form: Form::V3, vrid: 6, priority: 105, interval: Duration::from_secs(1) };
    let addresses = Packet::parse(&V6).unwrap().addresses(Family::V6);
    let mut out = Vec::new();
    value.emit(Family::V6, addresses, v6_pseudo(), &mut out);
    assert_eq!(out, V6);
    assert_eq!(Advertisement::len(Form::V3, Family::V6, 2), out.len());
}

#[test]
fn version_2_over_ipv6_has_no_authentication_data() {
    assert_eq!(Advertisement::len(Form::V2(Auth::None), Family::V6, 1), 24);
    assert_eq!(Advertisement::len(Form::V2(Auth::None), Family::V4, 1), 20);
    let pdu = [0x21, 1, 100, 0, 0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let packet = Packet::parse(&pdu).unwrap();
    assert_eq!(packet.auth_data(Family::V6), None);
    assert_eq!(packet.auth_data(Family::V4), Some([1, 2, 3, 4, 5, 6, 7, 8]));
}

#[test]
fn the_interval_of_version_3_has_twelve_bits() {
    let mut pdu = [0x31, 1, 100, 0, 0xff, 0xff, 0, 0];
    assert_eq!(Packet::parse(&pdu).unwrap().interval(), Duration::from_millis(40_950));
    pdu[4] = 0xf0;
    pdu[5] = 0x01;
    assert_eq!(Packet::parse(&pdu).unwrap().interval_cs(), 1);
    assert_eq!(interval_cs(Duration::from_secs(99)), 0x0fff);
    assert_eq!(interval_s(Duration::from_secs(999)), 255);
}

#[test]
fn addresses_of_the_other_family_and_beyond_255_are_not_emitted() {
    let value =
        Advertisement { form: Form::V3, vrid: 1, priority: 1, interval: Duration::from_secs(1) };
    let v4 = std::iter::repeat_n(IpAddr::V4(GROUP_V4), 300);
    let mut out = Vec::new();
    value.emit(Family::V4, std::iter::once(GROUP_V6.into()).chain(v4), None, &mut out);
    let packet = Packet::parse(&out).unwrap();
    assert_eq!(packet.address_count(), 255);
    assert_eq!(out.len(), packet.expected_len(Family::V4));
    assert!(packet.is_checksum_valid(Family::V4, None));
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::V4), Just(Family::V6)]
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::V3),
        Just(Form::V2(Auth::None)),
        any::<[u8; 8]>().prop_map(|p| Form::V2(Auth::Pass(p))),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_an_accessor_fail(
        pdu in proptest::collection::vec(any::<u8>(), 0..64), family in family(),
    ) {
        let Ok(packet) = Packet::parse(&pdu) else {
            prop_assert!(pdu.len() < HEADER_LEN);
            return Ok(());
        };
        let count = packet.addresses(family).count();
        prop_assert!(count <= usize::from(packet.address_count()));
        let _ = (packet.auth_data(family), packet.interval(), packet.auth_type());
        if packet.is_checksum_valid(family, None) {
            prop_assert!(pdu.len() >= packet.expected_len(family));
        }
    }

    #[test]
    fn what_is_emitted_reads_back(
        form in form(), family in family(), vrid in any::<u8>(), priority in any::<u8>(),
        seconds in 1..=40u64, hosts in proptest::collection::vec(any::<u32>(), 0..20),
    ) {
        let interval = Duration::from_secs(seconds);
        let addresses: Vec<IpAddr> = hosts
            .iter()
            .map(|&host| match family {
                Family::V4 => IpAddr::V4(Ipv4Addr::from(host)),
                Family::V6 => IpAddr::V6(Ipv6Addr::from(u128::from(host))),
            })
            .collect();
        let mut out = Vec::new();
        let value = Advertisement { form, vrid, priority, interval };
        value.emit(family, addresses.iter().copied(), None, &mut out);
        let packet = Packet::parse(&out).unwrap();
        prop_assert_eq!(out.len(), Advertisement::len(form, family, addresses.len()));
        prop_assert_eq!(packet.expected_len(family), out.len());
        prop_assert_eq!((packet.vrid(), packet.priority()), (vrid, priority));
        prop_assert_eq!(packet.interval(), interval);
        prop_assert!(packet.addresses(family).eq(addresses.iter().copied()));
        prop_assert!(packet.is_checksum_valid(family, None));
    }

    #[test]
    fn a_patched_priority_is_as_good_as_an_emitted_one(
        form in form(), before in any::<u8>(), after in any::<u8>(), vrid in 1..=255u8,
    ) {
        let value = |priority| {
            let interval = Duration::from_secs(1);
            let mut out = Vec::new();
            let address = std::iter::once(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
            Advertisement { form, vrid, priority, interval }
                .emit(Family::V4, address, None, &mut out);
            out
        };
        let mut patched = value(before);
        set_priority(patched.first_chunk_mut().unwrap(), after);
        prop_assert_eq!(patched, value(after));
    }
}
