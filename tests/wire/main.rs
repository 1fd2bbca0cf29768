//! Captured packets. Every `NAME.hex` in this directory is parsed, compared with its description in
//! `NAME.txt`, and must be emitted again as the same bytes.
//!
//! `UPDATE=1 cargo test --test wire` rewrites the descriptions; review the difference.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use keepalived::base::addr::Family;
use keepalived::wire::ah::{self, AuthHeader};
use keepalived::wire::ip::{Ipv4Header, Ipv4Packet, V4_HEADER_LEN};
use keepalived::wire::vrrp::{Advertisement, Auth, Form, Packet, TRAFFIC_CLASS};

/// A sample packet: IPv4 with its header, IPv6 with its addresses in a comment.
struct Sample {
    name: String,
    bytes: Vec<u8>,
    /// `# from A to B`: the addresses of IPv6 packets, which have no header here.
    ends: Option<(IpAddr, IpAddr)>,
    text: PathBuf,
}

/// The parsed parts of a sample.
struct Parts<'a> {
    header: Option<Ipv4Packet<'a>>,
    auth: Option<AuthHeader<'a>>,
    ends: (IpAddr, IpAddr),
    family: Family,
    payload: &'a [u8],
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let mut samples: Vec<Sample> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "hex"))
        .map(|path| sample(&path))
        .collect();
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(samples.len() >= 9, "the packets are gone");
    samples
}

fn sample(path: &Path) -> Sample {
    let source = std::fs::read_to_string(path).unwrap();
    let digits: Vec<u8> = source
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.chars().filter_map(|c| c.to_digit(16)))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    let words: Vec<&str> = source.split(|c: char| c.is_whitespace() || c == ',').collect();
    let ends = match words[..] {
        ["#", "from", source, "to", destination, ..] => {
            Some((source.parse().unwrap(), destination.parse().unwrap()))
        }
        _ => None,
    };
    Sample {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        bytes: digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect(),
        ends,
        text: path.with_extension("txt"),
    }
}

fn take_apart(sample: &Sample) -> Parts<'_> {
    match sample.ends {
        Some(ends) => {
            let (family, payload) = (Family::V6, sample.bytes.as_slice());
            Parts { header: None, auth: None, ends, family, payload }
        }
        None => {
            let header = Ipv4Packet::parse(&sample.bytes).unwrap();
            let ends = (header.source().into(), header.destination().into());
            let (auth, payload) = AuthHeader::split(&header).unwrap();
            Parts { header: Some(header), auth, ends, family: Family::V4, payload }
        }
    }
}

/// The pseudo-header used for the checksum.
fn checksum_form(packet: &Packet<'_>, parts: &Parts<'_>) -> &'static str {
    if packet.is_checksum_valid(parts.family, Some(parts.ends)) {
        "right with pseudo-header"
    } else if packet.is_checksum_valid(parts.family, None) {
        "right without pseudo-header"
    } else {
        "wrong"
    }
}

fn describe(parts: &Parts<'_>) -> String {
    let mut out = String::new();
    let (source, destination) = parts.ends;
    writeln!(out, "{} from {source} to {destination}", parts.family).unwrap();
    if let Some(header) = &parts.header {
        writeln!(out, "ttl {} protocol {}", header.ttl(), header.protocol()).unwrap();
    }
    if let Some(auth) = &parts.auth {
        let spi = IpAddr::from(auth.spi());
        writeln!(out, "authentication header of {spi} number {}", auth.sequence()).unwrap();
    }
    let packet = Packet::parse(parts.payload).unwrap();
    let (version, kind) = (packet.version(), packet.kind());
    writeln!(out, "version {version} type {kind} vrid {}", packet.vrid()).unwrap();
    writeln!(out, "priority {} interval {:?}", packet.priority(), packet.interval()).unwrap();
    for address in packet.addresses(parts.family) {
        writeln!(out, "address {address}").unwrap();
    }
    if let Some(data) = packet.auth_data(parts.family) {
        let shown = data.escape_ascii();
        writeln!(out, "authentication type {} data {shown}", packet.auth_type()).unwrap();
    }
    writeln!(out, "checksum {}", checksum_form(&packet, parts)).unwrap();
    let trailer = parts.payload.len() - packet.expected_len(parts.family);
    if trailer > 0 {
        writeln!(out, "{trailer} bytes follow").unwrap();
    }
    out
}

/// The bytes emitted from the parsed values.
fn emit(parts: &Parts<'_>) -> Vec<u8> {
    let packet = Packet::parse(parts.payload).unwrap();
    let form = match (packet.version(), packet.auth_type(), packet.auth_data(parts.family)) {
        (2, 1, Some(data)) => Form::V2(Auth::Pass(data)),
        (2, 2, _) => Form::V2(Auth::Header),
        (2, ..) => Form::V2(Auth::None),
        _ => Form::V3,
    };
    let mut out = Vec::new();
    if let (Some(header), (IpAddr::V4(source), IpAddr::V4(destination))) =
        (&parts.header, parts.ends)
    {
        let again = Ipv4Header {
            source,
            destination,
            protocol: header.protocol(),
            ttl: header.ttl(),
            tos: TRAFFIC_CLASS,
            ident: 1,
            payload_len: header.payload().len(),
        };
        out.extend_from_slice(&again.emit());
        if let Some(auth) = &parts.auth {
            let mut again = ah::emit(auth.spi(), auth.sequence());
            ah::set_digest(&mut again, auth.digest().try_into().unwrap());
            out.extend_from_slice(&again);
        }
    }
    let has_pseudo = packet.is_checksum_valid(parts.family, Some(parts.ends));
    let pseudo = has_pseudo.then_some(parts.ends);
    let (vrid, priority, interval) = (packet.vrid(), packet.priority(), packet.interval());
    let addresses = packet.addresses(parts.family);
    Advertisement { form, vrid, priority, interval }.emit(
        parts.family,
        addresses,
        pseudo,
        &mut out,
    );
    out.extend_from_slice(&parts.payload[packet.expected_len(parts.family)..]);
    out
}

#[test]
fn every_packet_parses_as_described() {
    let update = std::env::var_os("UPDATE").is_some();
    for sample in samples() {
        let text = describe(&take_apart(&sample));
        if update {
            std::fs::write(&sample.text, text).unwrap();
            continue;
        }
        let wanted = std::fs::read_to_string(&sample.text).unwrap_or_default();
        assert_eq!(text, wanted, "{}", sample.name);
    }
}

#[test]
fn every_packet_is_emitted_unchanged() {
    for sample in samples() {
        let parts = take_apart(&sample);
        assert_eq!(emit(&parts), sample.bytes, "{}", sample.name);
    }
}

#[test]
fn every_truncation_is_detected() {
    for sample in samples() {
        let parts = take_apart(&sample);
        if parts.header.is_some() {
            for len in 0..sample.bytes.len() {
                assert!(Ipv4Packet::parse(&sample.bytes[..len]).is_err(), "{} {len}", sample.name);
            }
        }
        let whole = Packet::parse(parts.payload).unwrap().expected_len(parts.family);
        for len in 0..whole {
            let Ok(packet) = Packet::parse(&parts.payload[..len]) else { continue };
            assert!(packet.expected_len(parts.family) > len, "{} {len}", sample.name);
            for pseudo in [None, Some(parts.ends)] {
                assert!(!packet.is_checksum_valid(parts.family, pseudo), "{} {len}", sample.name);
            }
        }
    }
}

#[test]
fn every_flipped_bit_of_an_advertisement_shows_in_the_checksum() {
    for sample in samples() {
        let parts = take_apart(&sample);
        let header = if parts.header.is_some() { V4_HEADER_LEN } else { 0 };
        let start = header + if parts.auth.is_some() { ah::LEN } else { 0 };
        let whole = Packet::parse(parts.payload).unwrap();
        let len = whole.expected_len(parts.family);
        let pseudo = whole.is_checksum_valid(parts.family, Some(parts.ends)).then_some(parts.ends);
        for bit in 0..len * 8 {
            let mut bytes = sample.bytes[start..start + len].to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let packet = Packet::parse(&bytes).unwrap();
            assert!(!packet.is_checksum_valid(parts.family, pseudo), "{} {bit}", sample.name);
        }
    }
}
