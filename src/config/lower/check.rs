//! The checks of a real server, and what they have in common. Web pages are in [`page`].

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use super::inherit::{is_on, Inherited};
use super::instance::Given;
use super::script::named_user;
use super::{page, Scene};
use crate::base::addr::{is_link_local, Family};
use crate::config::document::{Node, Word};
use crate::config::keyword::{Body, Keyword};
use crate::config::statement::{Checker, Statement};
use crate::config::value::Value;
use crate::model::check::{
    Check, Connect, Dns, File, Kind, MaskedByte, Misc, Record, Schedule, Smtp, Udp, UdpReply,
    HELO_NAME_DEFAULT, UDP_PAYLOAD_DEFAULT,
};
use crate::model::script::Script;
use crate::model::track::TrackFile;

/// What a check sees of its servers and of the rest of the configuration.
pub(super) struct Around<'a> {
    pub addr: IpAddr,
    /// As it was written for the real server, or that of the virtual server.
    pub port: u16,
    /// Of the real server, then of the virtual server.
    pub inherited: Inherited,
    /// `delay_loop` of the virtual server.
    pub delay_loop: Duration,
    /// `virtualhost` of the real server, then of the virtual server.
    pub virtualhost: Option<&'a str>,
    /// `virtualhost` of the virtual server.
    pub service_virtualhost: Option<&'a str>,
    pub known: &'a Known<'a>,
}

/// What checks can name.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub files: HashMap<&'a str, &'a TrackFile>,
    pub bfd: HashSet<&'a str>,
}

/// A check as it is written, without what only its kind has.
#[derive(Default)]
pub(super) struct Raw<'d> {
    inherited: Inherited,
    log_all_failures: Option<bool>,
    connect: RawConnect<'d>,
}

#[derive(Clone, Copy, Default)]
struct RawConnect<'d> {
    addr: Option<IpAddr>,
    port: Option<Given<u16>>,
    bind_addr: Option<Given<IpAddr>>,
    bind_port: Option<Given<u16>>,
    bind_if: Option<&'d str>,
    fwmark: u32,
}

/// Reads one check; with `host` blocks it can be several, and with a complaint none.
pub(super) fn read(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'_>,
    around: &Around<'_>,
) -> Vec<Check> {
    let check = match keyword.name {
        "TCP_CHECK" => {
            let raw = block(scene, keyword, node, &mut |_, s| unread(s));
            connected(scene, node, &raw, around, Kind::Tcp)
        }
        "PING_CHECK" => {
            let raw = block(scene, keyword, node, &mut |_, s| unread(s));
            let ports = [("connect_port", raw.connect.port), ("bind_port", raw.connect.bind_port)];
            for (name, port) in ports {
                let Some(given) = port else { continue };
                let text = format!("{name} has no effect: an echo request has no port");
                scene.checker.out.warn(name, given.span, text);
            }
            connected(scene, node, &raw, around, Kind::Ping)
        }
        "SMTP_CHECK" => return smtp(scene, keyword, node, around),
        "DNS_CHECK" => dns(scene, keyword, node, around),
        "UDP_CHECK" => udp(scene, keyword, node, around),
        "MISC_CHECK" => misc(scene, keyword, node, around),
        "FILE_CHECK" => file(scene, keyword, node, around),
        "BFD_CHECK" => bfd(scene, keyword, node, around),
        _ => page::read(scene, keyword, node, around),
    };
    check.into_iter().collect()
}

/// Reads the block of a check; `own` takes what only this kind has.
pub(super) fn block<'d>(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'d>,
    own: &mut dyn FnMut(&mut Checker<'_>, Statement<'d>),
) -> Raw<'d> {
    let mut raw = Raw::default();
    if let Body::Keywords(table) = keyword.body {
        scene.checker.block(node.children(), table, &mut |checker, s| {
            if !raw.take(checker, s) {
                own(checker, s);
            }
        });
    }
    raw
}

fn unread(s: Statement<'_>) {
    debug_assert!(false, "'{}' is in effect and nobody reads it", s.keyword.name);
}

impl<'d> Raw<'d> {
    fn take(&mut self, checker: &mut Checker<'_>, s: Statement<'d>) -> bool {
        let connect = &mut self.connect;
        let span = s.node.keyword().span;
        let port = |n| u16::try_from(n).ok().map(|value| Given { value, span });
        match (s.keyword.name, s.value) {
            ("connect_ip", Value::Addr(addr)) => {
                if are_one_family(checker, s.node, addr, connect.bind_addr.map(|bind| bind.value)) {
                    connect.addr = Some(addr);
                }
            }
            ("bindto", Value::Addr(addr)) => {
                if are_one_family(checker, s.node, addr, connect.addr) {
                    connect.bind_addr = Some(Given { value: addr, span });
                }
            }
            ("connect_port", Value::Int(n)) => connect.port = port(n),
            ("bind_port", Value::Int(n)) => connect.bind_port = port(n),
            ("bind_if", Value::Text(name)) => connect.bind_if = Some(name),
            ("fwmark", Value::Int(n)) => connect.fwmark = u32::try_from(n).unwrap_or(0),
            ("log_all_failures", value) => self.log_all_failures = Some(is_on(value)),
            (name, value) => return self.inherited.take(name, value),
        }
        true
    }

    /// The check, with every default.
    pub(super) fn finish(&self, scene: &Scene<'_, '_>, around: &Around<'_>, kind: Kind) -> Check {
        let given = self.inherited.or(around.inherited);
        let delay_loop = given.delay_loop();
        let (retry, delay) = match &kind {
            Kind::Http(..) => (1, Duration::from_secs(3)),
            Kind::Dns(..) => (3, delay_loop),
            Kind::Misc(_) => (0, Duration::from_secs(1)),
            _ => (1, Duration::from_secs(1)),
        };
        let alpha = given.alpha.unwrap_or(false) && !matches!(kind, Kind::File(_));
        if matches!(kind, Kind::File(_) | Kind::Bfd(_)) {
            return Check { kind, schedule: Schedule::default(), alpha, log_all_failures: false };
        }
        let schedule = Schedule {
            delay_loop,
            retry: given.retry.unwrap_or(retry),
            delay_before_retry: given.delay_before_retry.unwrap_or(delay),
            warmup: given.warmup.unwrap_or(delay_loop),
        };
        let everywhere = scene.defaults.checks.log_all_failures;
        let log_all_failures = self.log_all_failures.unwrap_or(everywhere);
        Check { kind, schedule, alpha, log_all_failures }
    }

    /// Where the check connects to; `None`, with a complaint, if that cannot work.
    pub(super) fn connect(
        &self,
        scene: &mut Scene<'_, '_>,
        node: Node<'_>,
        around: &Around<'_>,
    ) -> Option<Connect> {
        let raw = &self.connect;
        let word = node.keyword();
        let addr = raw.addr.unwrap_or(around.addr);
        if is_link_local(&addr) && raw.bind_if.is_none() {
            let text = format!("'{addr}' is link-local and needs bind_if: the check is left out");
            scene.error(word.text, word.span, text);
            return None;
        }
        let mut bind_addr = raw.bind_addr;
        let differs = |bind: &Given<IpAddr>| Family::of(&bind.value) != Family::of(&addr);
        if let Some(Given { value, span }) = bind_addr.filter(differs) {
            let text =
                format!("bindto '{value}' is of another family than '{addr}': it is ignored");
            scene.error("bindto", span, text);
            bind_addr = None;
        }
        let given = self.inherited.or(around.inherited);
        let mut connect = Connect::to(addr, raw.port.map_or(around.port, |port| port.value));
        connect.bind_addr = bind_addr.map(|bind| bind.value);
        connect.bind_port = raw.bind_port.map(|port| port.value);
        connect.bind_if = raw.bind_if.map(str::to_owned);
        connect.timeout = given.connect_timeout.unwrap_or(connect.timeout);
        connect.fwmark = raw.fwmark;
        if connect.port == 0 && word.text != "PING_CHECK" {
            let text = "there is no port to connect to: connect_port says which";
            scene.checker.out.warn(word.text, word.span, text);
        }
        Some(connect)
    }
}

/// Complains of an address that does not get on with the one given before.
fn are_one_family(
    checker: &mut Checker<'_>,
    node: Node<'_>,
    addr: IpAddr,
    before: Option<IpAddr>,
) -> bool {
    match before {
        Some(before) if Family::of(&before) != Family::of(&addr) => {
            let word = node.keyword();
            let text = format!(
                "{} '{addr}' is of another family than '{before}': it is ignored",
                word.text
            );
            checker.out.error(word.text, word.span, text);
            false
        }
        _ => true,
    }
}

fn connected(
    scene: &mut Scene<'_, '_>,
    node: Node<'_>,
    raw: &Raw<'_>,
    around: &Around<'_>,
    kind: impl FnOnce(Connect) -> Kind,
) -> Option<Check> {
    let connect = raw.connect(scene, node, around)?;
    Some(raw.finish(scene, around, kind(connect)))
}

/// Each `host` block is one more destination.
fn smtp(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'_>,
    around: &Around<'_>,
) -> Vec<Check> {
    let mut helo = HELO_NAME_DEFAULT;
    let mut hosts = Vec::new();
    let raw = block(scene, keyword, node, &mut |_, s| match (s.keyword.name, s.value) {
        ("helo_name", Value::Text(name)) => helo = name,
        ("host", _) => hosts.push(s),
        _ => unread(s),
    });
    let smtp = Smtp { helo_name: helo.to_owned() };
    let mut checks = Vec::new();
    checks.extend(connected(scene, node, &raw, around, |c| Kind::Smtp(c, smtp.clone())));
    for host in hosts {
        let mut more = block(scene, host.keyword, host.node, &mut |_, s| unread(s));
        more.inherited = more.inherited.or(raw.inherited);
        more.log_all_failures = more.log_all_failures.or(raw.log_all_failures);
        checks.extend(connected(scene, host.node, &more, around, |c| Kind::Smtp(c, smtp.clone())));
    }
    checks
}

fn dns(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'_>,
    around: &Around<'_>,
) -> Option<Check> {
    let mut dns = Dns { record: Record::default(), name: String::new() };
    let raw = block(scene, keyword, node, &mut |checker, s| match (s.keyword.name, s.value) {
        ("type", Value::Text(name)) => dns.record = record(name),
        ("name", Value::Text(name)) => {
            let bare = name.strip_suffix('.').unwrap_or(name);
            let fits = |label: &str| (1..=63).contains(&label.len());
            // RFC 1035 §2.3.4: 255 octets with the length octets of the labels.
            if bare.is_empty() || (bare.split('.').all(fits) && bare.len() <= 253) {
                dns.name = bare.to_owned();
            } else {
                let text = format!("name '{name}' is not a domain name: it is ignored");
                checker.out.error("name", s.node.keyword().span, text);
            }
        }
        _ => unread(s),
    });
    connected(scene, node, &raw, around, |c| Kind::Dns(c, dns))
}

fn record(name: &str) -> Record {
    match name {
        "A" => Record::A,
        "NS" => Record::Ns,
        "CNAME" => Record::Cname,
        "MX" => Record::Mx,
        "TXT" => Record::Txt,
        "AAAA" => Record::Aaaa,
        "RRSIG" => Record::Rrsig,
        "DNSKEY" => Record::Dnskey,
        _ => Record::Soa,
    }
}

fn udp(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'_>,
    around: &Around<'_>,
) -> Option<Check> {
    let mut payload = None;
    let mut pattern = None;
    let (mut min_len, mut max_len) = (0, 255);
    let mut limited = None;
    let raw = block(scene, keyword, node, &mut |_, s| match (s.keyword.name, s.value) {
        ("payload", _) => payload = hex(s.node).filter(|bytes| !bytes.is_empty()),
        // Of digits that are none was told: then any answer will do.
        ("require_reply", _) => pattern = Some(hex(s.node).unwrap_or_default()),
        ("min_reply_length", Value::Int(n)) => {
            min_len = u16::try_from(n).unwrap_or(0);
            limited = Some(s.node.keyword());
        }
        ("max_reply_length", Value::Int(n)) => {
            max_len = u16::try_from(n).unwrap_or(255);
            limited = Some(s.node.keyword());
        }
        _ => unread(s),
    });
    if let Some(word) = limited {
        if min_len > max_len {
            let text = format!("no answer has between {min_len} and {max_len} bytes");
            scene.error("min_reply_length", word.span, text);
        } else if pattern.is_none() {
            let text = format!("{} has no effect without require_reply", word.text);
            scene.checker.out.warn(word.text, word.span, text);
        }
    }
    let payload = payload.map_or_else(
        || UDP_PAYLOAD_DEFAULT.to_vec(),
        |bytes| bytes.iter().map(|byte| byte.value).collect(),
    );
    let reply = pattern.map(|pattern| UdpReply { pattern, min_len, max_len });
    connected(scene, node, &raw, around, |c| Kind::Udp(c, Udp { payload, reply }))
}

/// The bytes of all words: two digits each, or one that stands alone; `x` is any digit.
fn hex(node: Node<'_>) -> Option<Vec<MaskedByte>> {
    let mut bytes = Vec::new();
    for run in node.args().flat_map(|word| word.text.split_ascii_whitespace()) {
        for pair in run.as_bytes().chunks(2) {
            let mut byte = MaskedByte { value: 0, mask: if pair.len() == 1 { 0xf } else { 0 } };
            for &digit in pair {
                let (value, mask) = match digit {
                    b'x' | b'X' => (0, 0),
                    _ => (u8::try_from(char::from(digit).to_digit(16)?).ok()?, 0xf),
                };
                byte = MaskedByte { value: byte.value << 4 | value, mask: byte.mask << 4 | mask };
            }
            bytes.push(byte);
        }
    }
    Some(bytes)
}

fn misc(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'_>,
    around: &Around<'_>,
) -> Option<Check> {
    let mut path = None;
    let mut user = None;
    let mut timeout = Duration::ZERO;
    let mut dynamic = false;
    let raw = block(scene, keyword, node, &mut |_, s| match (s.keyword.name, s.value) {
        ("misc_path", _) => path = Some(s.node),
        ("misc_timeout", Value::Int(n)) => {
            timeout = Duration::from_secs(u64::try_from(n).unwrap_or(0));
        }
        ("misc_dynamic", _) => dynamic = true,
        ("user", _) => user = Some(s.node),
        _ => unread(s),
    });
    let Some(path) = path else {
        let text = "misc_path is missing: the check is left out";
        scene.error("MISC_CHECK", node.keyword().span, text);
        return None;
    };
    let script = misc_script(scene, path, user)?;
    let timeout = if timeout.is_zero() { around.delay_loop } else { timeout };
    let kind = Kind::Misc(Misc { script, timeout, dynamic });
    Some(raw.finish(scene, around, kind))
}

/// `misc_path`, run by the one that `user` names. A bad one takes the check with it.
fn misc_script(
    scene: &mut Scene<'_, '_>,
    path: Node<'_>,
    user: Option<Node<'_>>,
) -> Option<Script> {
    let mut own = None;
    if let Some(node) = user {
        match named_user(scene.host, node.arg(0), node.arg(1)) {
            Ok(user) => own = Some(user),
            Err(why) => {
                let text = format!("{why}: the check is left out");
                scene.error("user", node.keyword().span, text);
                return None;
            }
        }
    }
    let argv = scene.plain_command(path)?;
    scene.check_script(argv, own, path.keyword().span)
}

fn file(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'_>,
    around: &Around<'_>,
) -> Option<Check> {
    let mut name: Option<Word<'_>> = None;
    let mut weight = None;
    let mut reverse = None;
    let raw = block(scene, keyword, node, &mut |_, s| match (s.keyword.name, s.value) {
        ("track_file", _) => name = s.node.arg(0),
        ("weight", Value::Int(n)) => match s.node.arg(1).map(|word| word.text) {
            None => weight = i32::try_from(n).ok(),
            Some(way @ ("reverse" | "noreverse")) => {
                weight = i32::try_from(n).ok();
                reverse = Some(way == "reverse");
            }
            // Of the word was told: the weight goes with it.
            Some(_) => {}
        },
        _ => unread(s),
    });
    let name = named(scene, node, name, "track_file")?;
    let Some(file) = around.known.files.get(name.text) else {
        unknown(scene, name, "track_file");
        return None;
    };
    let kind = Kind::File(File {
        name: file.name.clone(),
        weight: weight.unwrap_or_else(|| file.weight.into()),
        reverse: reverse.unwrap_or(file.reverse),
    });
    Some(raw.finish(scene, around, kind))
}

fn bfd(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'_>,
    around: &Around<'_>,
) -> Option<Check> {
    let mut name: Option<Word<'_>> = None;
    let raw = block(scene, keyword, node, &mut |_, s| match s.keyword.name {
        "name" => name = s.node.arg(0),
        _ => unread(s),
    });
    let name = named(scene, node, name, "name")?;
    if !around.known.bfd.contains(name.text) {
        unknown(scene, name, "bfd_instance");
        return None;
    }
    Some(raw.finish(scene, around, Kind::Bfd(name.text.to_owned())))
}

fn named<'d>(
    scene: &mut Scene<'_, '_>,
    node: Node<'_>,
    name: Option<Word<'d>>,
    what: &str,
) -> Option<Word<'d>> {
    if name.is_none() {
        let word = node.keyword();
        scene.error(word.text, word.span, format!("{what} is missing: the check is left out"));
    }
    name
}

fn unknown(scene: &mut Scene<'_, '_>, name: Word<'_>, what: &str) {
    let text = format!("{what} '{}' does not exist: the check is left out", name.text);
    scene.error(what, name.span, text);
}
