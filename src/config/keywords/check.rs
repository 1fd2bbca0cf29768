//! The checks of a real server, as they are written.

use std::net::IpAddr;
use std::time::Duration;

use super::page::{RawUrl, SSL_URL, URL};
use super::service::Inherited;
use crate::base::addr::Family;
use crate::config::document::{Node, Word};
use crate::config::keyword::{int, seconds, strict, OldName, Repeat, ValueKind};
use crate::config::table::{
    address, any, block, borrowed, command, flag, joined, link, many, number, row, rows, switch,
    table, text, time, word, Given, Row, Setting, Table,
};
use crate::model::check::{MaskedByte, Protocol, Record};

/// The word that reverses a weight, or does not.
const EITHER_WAY: ValueKind = ValueKind::OneOf(&["reverse", "noreverse"]);

const RECORD: ValueKind = ValueKind::OneOfAnyCase(&names(&RECORDS));

/// Types of DNS records for queries.
pub(in crate::config) const RECORDS: [(&str, Record); 9] = [
    ("A", Record::A),
    ("NS", Record::Ns),
    ("CNAME", Record::Cname),
    ("SOA", Record::Soa),
    ("MX", Record::Mx),
    ("TXT", Record::Txt),
    ("AAAA", Record::Aaaa),
    ("RRSIG", Record::Rrsig),
    ("DNSKEY", Record::Dnskey),
];

const fn names<T, const N: usize>(list: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = list[i].0;
        i += 1;
    }
    names
}

const PORT: &[ValueKind; 1] = &[int(1, 65_535)];
const COUNT: &[ValueKind; 1] = &[int(0, 4_294_967_295)];
const TIMEOUT: &[ValueKind; 1] = &[seconds(1, 4_294_967_295)];
const PAUSE: &[ValueKind; 1] = &[seconds(0, u64::MAX)];
const PERIOD: &[ValueKind; 1] = &[seconds(1, u64::MAX)];

#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::config) enum CheckKind {
    #[default]
    Tcp,
    Ping,
    Smtp,
    Dns,
    Udp,
    Misc,
    File,
    Bfd,
    Http,
    Ssl,
}

/// A check: common settings, and those of its kind.
#[derive(Default)]
pub(in crate::config) struct RawCheck<'d> {
    pub kind: CheckKind,
    /// The keyword of the check.
    pub word: Word<'d>,
    pub inherited: Inherited,
    pub log_all_failures: Option<bool>,
    pub connect: RawConnect<'d>,
    pub helo_name: Option<&'d str>,
    /// The `host` blocks of `SMTP_CHECK`.
    pub hosts: Vec<Self>,
    pub record: Record,
    /// The name that `DNS_CHECK` queries.
    pub domain: Option<&'d str>,
    pub udp: RawUdp<'d>,
    pub misc: RawMisc<'d>,
    pub track_file: Option<Word<'d>>,
    /// The `bfd_instance` of a `BFD_CHECK`.
    pub session: Option<Word<'d>>,
    pub weight: Option<i32>,
    pub reverse: Option<bool>,
    pub web: RawWeb<'d>,
}

#[derive(Clone, Copy, Default)]
pub(in crate::config) struct RawConnect<'d> {
    pub addr: Option<IpAddr>,
    pub port: Option<Given<u16>>,
    pub bind_addr: Option<Given<IpAddr>>,
    pub bind_port: Option<Given<u16>>,
    pub bind_if: Option<&'d str>,
    pub fwmark: u32,
}

#[derive(Default)]
pub(in crate::config) struct RawUdp<'d> {
    pub payload: Option<Vec<MaskedByte>>,
    pub reply: Option<Vec<MaskedByte>>,
    pub min_len: Option<u16>,
    pub max_len: Option<u16>,
    /// The last keyword that limits the length.
    pub limited: Option<Word<'d>>,
}

#[derive(Default)]
pub(in crate::config) struct RawMisc<'d> {
    pub path: Option<Node<'d>>,
    pub user: Option<Node<'d>>,
    pub timeout: Duration,
    pub dynamic: bool,
}

/// `HTTP_GET` and `SSL_GET`.
#[derive(Default)]
pub(in crate::config) struct RawWeb<'d> {
    pub virtualhost: Option<&'d str>,
    pub protocol: Protocol,
    pub enable_sni: Option<Given<bool>>,
    pub fast_recovery: bool,
    pub tls_compliant: bool,
    pub urls: Vec<RawUrl<'d>>,
}

borrowed!(RawCheck);

/// When a check runs, and what a failure means.
const fn schedule(retry: &'static str, delay: &'static str) -> [Row<RawCheck<'static>>; 6] {
    rows![RawCheck<'static>:
        number("retry", COUNT).default(retry)
            => |raw, s| raw.inherited.retry = Some(s.number()),
        time("delay_before_retry", PAUSE).default(delay)
            => |raw, s| raw.inherited.delay_before_retry = Some(s.value),
        time("warmup", PAUSE).default("that of the real server, else delay_loop")
            => |raw, s| raw.inherited.warmup = Some(s.value),
        time("delay_loop", PERIOD).default("that of the real server (60)")
            => |raw, s| raw.inherited.delay_loop = Some(s.value),
        switch("alpha").default("that of the real server")
            => |raw, s| raw.inherited.alpha = Some(s.value),
        switch("log_all_failures").default("checker_log_all_failures (off)") => |raw, s| raw.log_all_failures = Some(s.value),
    ]
}

/// Settings of all checks that open a connection.
const fn connection(retry: &'static str, delay: &'static str) -> [Row<RawCheck<'static>>; 13] {
    let target = rows![RawCheck<'static>:
        address("connect_ip", &[ValueKind::Address]).default("the address of the real server")
            => |raw, s| raw.connect_ip(s),
        number("connect_port", PORT).default("the port of the real server")
            => |raw, s| raw.connect.port = Some(s.here(s.number())),
        address("bindto", &[ValueKind::Address]).default("chosen by the kernel")
            => |raw, s| raw.bindto(s),
        number("bind_port", PORT).default("chosen by the kernel")
            => |raw, s| raw.connect.bind_port = Some(s.here(s.number())),
        link("bind_if").default("none") => |raw, s| raw.connect.bind_if = Some(s.value),
        time("connect_timeout", TIMEOUT).default("that of the real server (5)")
            => |raw, s| raw.inherited.connect_timeout = Some(s.value),
        number("fwmark", COUNT).default("0") => |raw, s| raw.connect.fwmark = s.number(),
    ];
    joined(target, schedule(retry, delay))
}

/// A connection that is retried once, after a second.
const PLAIN: [Row<RawCheck<'static>>; 13] =
    connection("that of the real server, else 1", "that of the real server, else 1");

pub(in crate::config) static TCP_CHECK: Table<RawCheck<'static>> =
    table!(RawCheck<'static>, "TCP_CHECK"; PLAIN);

pub(in crate::config) static PING_CHECK: Table<RawCheck<'static>> =
    table!(RawCheck<'static>, "PING_CHECK"; PLAIN);

static HOST: Table<RawCheck<'static>> = table!(RawCheck<'static>, "host"; PLAIN);

/// What `HTTP_GET` and `SSL_GET` have in common.
const WEB: [Row<RawCheck<'static>>; 18] = joined(
    connection("that of the real server, else 1", "that of the real server, else 3"),
    rows![RawCheck<'static>:
        number("nb_get_retry", COUNT).outdated("retry"),
        text("virtualhost")
            .default("that of the real or virtual server, else its address and port")
            .repeat(Repeat::LastCounts)
            => |raw, s| raw.web.virtualhost = Some(s.value),
        word("http_protocol", &[ValueKind::OneOf(&["1.0", "1.1", "1.0C", "1.0c"])]).default("1.0")
            => |raw, s| raw.web.protocol = match s.value {
                "1.1" => Protocol::V1_1,
                "1.0" => Protocol::V1_0,
                _ => Protocol::V1_0Close,
            },
        switch("enable_sni") => |raw, s| raw.web.enable_sni = Some(s.here(s.value)),
        switch("fast_recovery") => |raw, s| raw.web.fast_recovery = s.value,
    ],
);

pub(in crate::config) static HTTP_GET: Table<RawCheck<'static>> = table!(RawCheck<'static>, "HTTP_GET";
    joined::<_, 18, 1, 19>(WEB, rows![RawCheck<'static>:
        block("url", &URL.block).default("none, required")
            => |raw, mut s| raw.web.urls.push(RawUrl { url: Some(s.span()), ..s.block(&URL) }),
    ])
);

pub(in crate::config) static SSL_GET: Table<RawCheck<'static>> = table!(RawCheck<'static>, "SSL_GET";
    joined::<_, 18, 2, 20>(WEB, rows![RawCheck<'static>:
        block("url", &SSL_URL.block).default("none, required")
            => |raw, mut s| raw.web.urls.push(RawUrl { url: Some(s.span()), ..s.block(&SSL_URL) }),
        switch("tls_compliant") => |raw, s| raw.web.tls_compliant = s.value,
    ])
);

pub(in crate::config) static SMTP_CHECK: Table<RawCheck<'static>> = table!(RawCheck<'static>, "SMTP_CHECK";
    joined::<_, 13, 2, 15>(PLAIN, rows![RawCheck<'static>:
        text("helo_name").default("smtpchecker.keepalived.org").repeat(Repeat::LastCounts)
            => |raw, s| raw.helo_name = Some(s.value),
        block("host", &HOST.block).replaced("several SMTP_CHECK blocks", OldName::Noted)
            => |raw, mut s| {
                let word = s.node().keyword();
                raw.hosts.push(RawCheck { word, ..s.block(&HOST) });
            },
    ])
);

pub(in crate::config) static MISC_CHECK: Table<RawCheck<'static>> = table!(RawCheck<'static>, "MISC_CHECK";
    joined::<_, 6, 4, 10>(
        schedule("that of the real server, else 0", "that of the real server, else 1"),
        rows![RawCheck<'static>:
            command("misc_path", true, false).default("none, required")
                => |raw, s| raw.misc.path = Some(s.node()),
            number("misc_timeout", &[int(0, 4294)]).default("delay_loop of the virtual server, as with 0")
                => |raw, s| raw.misc.timeout = Duration::from_secs(s.number()),
            flag("misc_dynamic") => |raw, _| raw.misc.dynamic = true,
            row("user", 1, &[ValueKind::Text, ValueKind::Text]).default("script_user")
                => |raw, s| raw.misc.user = Some(s.node()),
        ],
    )
);

pub(in crate::config) static UDP_CHECK: Table<RawCheck<'static>> = table!(RawCheck<'static>, "UDP_CHECK";
    joined::<_, 13, 4, 17>(PLAIN, rows![RawCheck<'static>:
        many("payload", ValueKind::Hex { wild: false }).default("the text 'keepalived check - keepalived ch'")
            => |raw, s| raw.udp.payload = hex(s.node()).filter(|bytes| !bytes.is_empty()),
        // Invalid digits were reported; then any answer is accepted.
        any("require_reply", ValueKind::Hex { wild: true }).default("off")
            => |raw, s| raw.udp.reply = Some(hex(s.node()).unwrap_or_default()),
        number("min_reply_length", &[strict(0, 65_535)]).default("0") => |raw, s| {
            raw.udp.min_len = Some(s.number());
            raw.udp.limited = Some(s.node().keyword());
        },
        number("max_reply_length", &[strict(0, 65_535)]).default("255") => |raw, s| {
            raw.udp.max_len = Some(s.number());
            raw.udp.limited = Some(s.node().keyword());
        },
    ])
);

pub(in crate::config) static DNS_CHECK: Table<RawCheck<'static>> = table!(RawCheck<'static>, "DNS_CHECK";
    joined::<_, 13, 2, 15>(
        connection("that of the real server, else 3", "that of the real server, else delay_loop"),
        rows![RawCheck<'static>:
            word("type", &[RECORD]).default("SOA") => |raw, s| raw.record = record(s.value),
            text("name").default("the root").repeat(Repeat::FirstCounts)
                => |raw, s| raw.domain(s),
        ],
    )
);

pub(in crate::config) static FILE_CHECK: Table<RawCheck<'static>> = table!(RawCheck<'static>, "FILE_CHECK", [
    text("track_file").default("none, required") => |raw, s| raw.track_file = Some(s.word()),
    number("weight", &[int(-2_147_483_647, 2_147_483_647), EITHER_WAY])
        .default("that of the track_file")
        => |raw, s| raw.weight(&s),
]);

pub(in crate::config) static BFD_CHECK: Table<RawCheck<'static>> = table!(RawCheck<'static>, "BFD_CHECK", [
    text("name").default("none, required") => |raw, s| raw.session = Some(s.word()),
    switch("alpha").default("that of the real server")
        => |raw, s| raw.inherited.alpha = Some(s.value),
]);

impl<'d> RawCheck<'d> {
    fn connect_ip(&mut self, mut s: Setting<'_, '_, 'd, IpAddr>) {
        if is_of_family(&mut s, self.connect.bind_addr.map(|bind| bind.value)) {
            self.connect.addr = Some(s.value);
        }
    }

    fn bindto(&mut self, mut s: Setting<'_, '_, 'd, IpAddr>) {
        if is_of_family(&mut s, self.connect.addr) {
            self.connect.bind_addr = Some(s.here(s.value));
        }
    }

    fn domain(&mut self, mut s: Setting<'_, '_, 'd, &'d str>) {
        let bare = s.value.strip_suffix('.').unwrap_or(s.value);
        let fits = |label: &str| (1..=63).contains(&label.len());
        // RFC 1035 §2.3.4: 255 octets with the length octets of the labels.
        if bare.is_empty() || (bare.split('.').all(fits) && bare.len() <= 253) {
            self.domain = Some(bare);
        } else {
            s.error(format!("name '{}' is not a domain name: it is ignored", s.value));
        }
    }

    fn weight(&mut self, s: &Setting<'_, '_, 'd, i64>) {
        match s.node().arg(1).map(|word| word.text) {
            None => self.weight = Some(s.number()),
            Some(way @ ("reverse" | "noreverse")) => {
                self.weight = Some(s.number());
                self.reverse = Some(way == "reverse");
            }
            // The word was reported: the weight goes with it.
            Some(_) => {}
        }
    }
}

/// Reports an address that does not match the one given before.
fn is_of_family(s: &mut Setting<'_, '_, '_, IpAddr>, before: Option<IpAddr>) -> bool {
    let differs = |before: &IpAddr| Family::of(before) != Family::of(&s.value);
    let Some(before) = before.filter(differs) else { return true };
    let (name, addr) = (s.node().keyword().text, s.value);
    s.error(format!("{name} '{addr}' is of another family than '{before}': it is ignored"));
    false
}

fn record(name: &str) -> Record {
    RECORDS.iter().find(|(known, _)| *known == name).map(|(_, record)| *record).unwrap_or_default()
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
