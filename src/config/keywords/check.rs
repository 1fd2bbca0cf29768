//! The checks of a real server, and the key material they share.

use crate::config::keyword::{
    address, any, block, boolean, flag, int, joined, keyword, link, many, one, row, seconds,
    sorted, strict, text, Args, Block, Body, Keyword, Kind, Repeat, Told,
};

/// The word that turns a weight round, or not.
const EITHER_WAY: Kind = Kind::OneOf(&["reverse", "noreverse"]);

/// The types of DNS records that can be asked for.
const RECORD: Kind =
    Kind::OneOfAnyCase(&["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"]);

/// Options of PCRE2, by their names there.
const REGEX_OPTION: Kind = Kind::Known(&[
    "allow_empty_class",
    "alt_bsux",
    "auto_callout",
    "caseless",
    "dollar_endonly",
    "dotall",
    "dupnames",
    "extended",
    "firstline",
    "match_unset_backref",
    "multiline",
    "never_ucp",
    "never_utf",
    "no_auto_capture",
    "no_auto_possess",
    "no_dotstar_anchor",
    "no_start_optimize",
    "ucp",
    "ungreedy",
    "utf",
    "never_backslash_c",
    "alt_circumflex",
    "alt_verbnames",
    "use_offset_limit",
]);

const PORT: &[Kind; 1] = &[int(1, 65_535)];
const COUNT: &[Kind; 1] = &[int(0, 4_294_967_295)];
const TIMEOUT: &[Kind; 1] = &[seconds(1, 4_294_967_295)];
const PAUSE: &[Kind; 1] = &[seconds(0, u64::MAX)];
const PERIOD: &[Kind; 1] = &[seconds(1, u64::MAX)];

/// What every check that opens a connection has.
const fn connection(retry: &'static str, delay: &'static str) -> [Keyword; 13] {
    [
        address("connect_ip").default("real server address"),
        one("connect_port", PORT).default("real server port"),
        address("bindto").default("chosen by the kernel"),
        one("bind_port", PORT).default("chosen by the kernel"),
        link("bind_if"),
        one("connect_timeout", TIMEOUT).default("real server value (5)"),
        one("fwmark", COUNT),
        one("retry", COUNT).default(retry),
        one("delay_before_retry", PAUSE).default(delay),
        one("warmup", PAUSE).default("real server value, else delay_loop"),
        one("delay_loop", PERIOD).default("real server value (60)"),
        boolean("alpha").default("real server value"),
        boolean("log_all_failures"),
    ]
}

pub(in crate::config) static SSL: Block = Block {
    name: "SSL",
    keywords: &sorted([
        one("password", &[Kind::Hidden]).repeat(Repeat::LastCounts),
        text("ca").repeat(Repeat::LastCounts),
        text("certificate").repeat(Repeat::LastCounts),
        text("key").repeat(Repeat::LastCounts),
    ]),
};

/// What `HTTP_GET` and `SSL_GET` have in common.
const fn web(url: &'static Block) -> [Keyword; 19] {
    joined(
        connection("real server value, else 1", "real server value, else 3 s"),
        [
            one("nb_get_retry", COUNT).outdated("retry"),
            text("virtualhost")
                .default("real/virtual server virtualhost, else the address")
                .repeat(Repeat::LastCounts),
            one("http_protocol", &[Kind::OneOf(&["1.0", "1.1", "1.0C", "1.0c"])]).default("1.0"),
            boolean("enable_sni"),
            boolean("fast_recovery"),
            block("url", url).default("none (one required)"),
        ],
    )
}

pub(super) static HTTP_GET: Block = Block { name: "HTTP_GET", keywords: &sorted(web(&URL)) };

pub(super) static SSL_GET: Block = Block {
    name: "SSL_GET",
    keywords: &sorted::<20>(joined(web(&SSL_URL), [boolean("tls_compliant")])),
};

pub(super) static TCP_CHECK: Block = Block {
    name: "TCP_CHECK",
    keywords: &sorted(connection("real server value, else 1", "real server value, else 1 s")),
};

pub(super) static PING_CHECK: Block = Block {
    name: "PING_CHECK",
    keywords: &sorted(connection("real server value, else 1", "real server value, else 1 s")),
};

static HOST: Block = Block {
    name: "host",
    keywords: &sorted(connection("real server value, else 1", "real server value, else 1 s")),
};

pub(super) static SMTP_CHECK: Block = Block {
    name: "SMTP_CHECK",
    keywords: &sorted::<15>(joined(
        connection("real server value, else 1", "real server value, else 1 s"),
        [
            text("helo_name").default("smtpchecker.keepalived.org").repeat(Repeat::LastCounts),
            block("host", &HOST).replaced("several SMTP_CHECK blocks", Told::Note),
        ],
    )),
};

pub(super) static MISC_CHECK: Block = Block {
    name: "MISC_CHECK",
    keywords: &sorted([
        one("retry", COUNT).default("real server value, else 0"),
        one("delay_before_retry", PAUSE).default("real server value, else 1 s"),
        one("warmup", PAUSE).default("real server value, else delay_loop"),
        one("delay_loop", PERIOD).default("real server value (60)"),
        boolean("alpha").default("real server value"),
        boolean("log_all_failures"),
        keyword("misc_path", Args::Script { required: true, user: false }, Body::None)
            .default("none, required"),
        one("misc_timeout", &[int(0, 4294)]).default("delay_loop of the virtual server (0 same)"),
        flag("misc_dynamic"),
        row("user", 1, &[Kind::Text, Kind::Text]).default("default script user"),
    ]),
};

pub(super) static UDP_CHECK: Block = Block {
    name: "UDP_CHECK",
    keywords: &sorted::<17>(joined(
        connection("real server value, else 1", "real server value, else 1 s"),
        [
            many("payload", Kind::Hex { wild: false }),
            any("require_reply", Kind::Hex { wild: true }).default("off"),
            one("min_reply_length", &[strict(0, 65_535)]).default("0"),
            one("max_reply_length", &[strict(0, 65_535)]).default("255"),
        ],
    )),
};

pub(super) static DNS_CHECK: Block = Block {
    name: "DNS_CHECK",
    keywords: &sorted::<15>(joined(
        connection("real server value, else 3", "real server value, else delay_loop"),
        [
            one("type", &[RECORD]).default("SOA"),
            text("name").default("root (.)").repeat(Repeat::FirstCounts),
        ],
    )),
};

pub(super) static FILE_CHECK: Block = Block {
    name: "FILE_CHECK",
    keywords: &sorted([
        text("track_file").default("none, required"),
        row("weight", 1, &[int(-2_147_483_647, 2_147_483_647), EITHER_WAY])
            .default("weight of the track_file"),
    ]),
};

pub(super) static BFD_CHECK: Block = Block {
    name: "BFD_CHECK",
    keywords: &sorted([
        text("name").default("none, required"),
        boolean("alpha").default("real server value"),
    ]),
};

/// What the `url` of `HTTP_GET` and that of `SSL_GET` have in common.
const PAGE: [Keyword; 10] = [
    text("path").default("none, required").repeat(Repeat::LastCounts),
    one("digest", &[Kind::Digest]).repeat(Repeat::FirstCounts),
    any("status_code", Kind::Status).default("200-299"),
    text("virtualhost").default("checker value").repeat(Repeat::LastCounts),
    keyword("regex", Args::Pattern, Body::None).repeat(Repeat::LastCounts),
    flag("regex_no_match"),
    any("regex_options", REGEX_OPTION),
    one("regex_min_offset", &[int(0, 2_147_483_647)]).default("0"),
    one("regex_max_offset", &[int(0, 2_147_483_647)]).default("no limit"),
    row("regex_stack", 2, &[int(0, 4_294_967_295), int(0, 4_294_967_295)]).later(),
];

static URL: Block = Block { name: "url", keywords: &sorted(PAGE) };

static SSL_URL: Block = Block {
    name: "url",
    keywords: &sorted::<11>(joined(PAGE, [boolean("tls_compliant").default("checker value")])),
};
