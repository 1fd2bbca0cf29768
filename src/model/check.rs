//! The checks of a real server.
//!
//! Every default is already filled in: of the check, of the real server, of the virtual server and
//! the general one, in that order. So two equal values are the same check, and survive a reload.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::script::Script;
use crate::base::pattern::Pattern;

/// One check: what is probed, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    pub kind: Kind,
    pub schedule: Schedule,
    /// `alpha`: down until the first success. Always false for FILE_CHECK.
    pub alpha: bool,
    /// `log_all_failures` of the check, or `checker_log_all_failures`.
    pub log_all_failures: bool,
}

/// When a check probes. Without meaning for FILE_CHECK and BFD_CHECK, which are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// `delay_loop`: from the end of a probe to the next one (MISC_CHECK: from start to start);
    /// default 60 s.
    pub delay_loop: Duration,
    /// `retry`: failures that are tried again before the server goes down; default 1, DNS_CHECK 3,
    /// MISC_CHECK 0.
    pub retry: u32,
    /// `delay_before_retry`; default 1 s, HTTP_GET and SSL_GET 3 s, DNS_CHECK `delay_loop`.
    pub delay_before_retry: Duration,
    /// `warmup`: the first probe starts at random within it; default `delay_loop`.
    pub warmup: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            delay_loop: Duration::from_secs(60),
            retry: 1,
            delay_before_retry: Duration::from_secs(1),
            warmup: Duration::from_secs(60),
        }
    }
}

/// Where a check connects to, and from where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connect {
    /// `connect_ip`; default: the real server.
    pub addr: IpAddr,
    /// `connect_port`; default: that of the real server. Without meaning for PING_CHECK.
    pub port: u16,
    /// `bindto`; `None`: the kernel chooses.
    pub bind_addr: Option<IpAddr>,
    /// `bind_port`; `None`: the kernel chooses.
    pub bind_port: Option<u16>,
    /// `bind_if`: the interface the connection is tied to.
    pub bind_if: Option<String>,
    /// `connect_timeout`, for the connection and for every wait after it; default 5 s.
    pub timeout: Duration,
    /// `fwmark` of the packets; 0: none.
    pub fwmark: u32,
}

impl Connect {
    /// All defaults, to this server.
    pub const fn to(addr: IpAddr, port: u16) -> Self {
        Self {
            addr,
            port,
            bind_addr: None,
            bind_port: None,
            bind_if: None,
            timeout: Duration::from_secs(5),
            fwmark: 0,
        }
    }

    pub const fn target(&self) -> SocketAddr {
        SocketAddr::new(self.addr, self.port)
    }
}

/// What is probed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Tcp(Connect),
    /// `HTTP_GET` and `SSL_GET`.
    Http(Connect, Http),
    Smtp(Connect, Smtp),
    Dns(Connect, Dns),
    Udp(Connect, Udp),
    Ping(Connect),
    Misc(Misc),
    File(File),
    /// `name` of the `bfd_instance` to follow.
    Bfd(String),
}

impl Kind {
    /// The connection, for the kinds that make one.
    pub const fn connect(&self) -> Option<&Connect> {
        match self {
            Self::Tcp(connect)
            | Self::Http(connect, _)
            | Self::Smtp(connect, _)
            | Self::Dns(connect, _)
            | Self::Udp(connect, _)
            | Self::Ping(connect) => Some(connect),
            Self::Misc(_) | Self::File(_) | Self::Bfd(_) => None,
        }
    }
}

/// `HTTP_GET`, or with TLS `SSL_GET`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Http {
    /// `SSL_GET`. The key material is that of the `SSL` block, for all checks.
    pub tls: bool,
    /// `http_protocol`, default 1.0.
    pub protocol: Protocol,
    /// At least one, asked for in this order.
    pub urls: Vec<Url>,
    /// `fast_recovery`: no `delay_loop` between the URLs while the check is down.
    pub fast_recovery: bool,
}

/// `http_protocol`: what the request line says, and whether it asks for the connection to be
/// closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protocol {
    /// `1.0`.
    #[default]
    V1_0,
    /// `1.0c`: with `Connection: close`.
    V1_0Close,
    /// `1.1`: with `Connection: close`.
    V1_1,
}

/// One `url`: a page, and what it has to be like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// `path`, as it goes into the request.
    pub path: String,
    /// `status_code`; default [`STATUS_DEFAULT`]. Never empty.
    pub status_codes: Vec<RangeInclusive<u16>>,
    /// `digest`: MD5 of the body.
    pub digest: Option<[u8; 16]>,
    /// `regex` and what belongs to it.
    pub regex: Option<PageRegex>,
    /// The `Host` of the request: `virtualhost` of the url, the check, the real server or the
    /// virtual server. `None`: address and port of the server.
    pub virtualhost: Option<String>,
    /// The name TLS asks for. Only with `enable_sni`: `virtualhost` of the url, the check or the
    /// virtual server, but not of the real server. `None`: no name is sent.
    pub sni_name: Option<String>,
    /// `tls_compliant` of the url or the check: a page must end with TLS's own end.
    pub tls_compliant: bool,
}

/// Statuses that are good when the file says none.
pub const STATUS_DEFAULT: RangeInclusive<u16> = 200..=299;

/// `regex`: what the body has to match, or must not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageRegex {
    /// `regex` with `regex_options`, compiled.
    pub pattern: Pattern,
    /// `regex_no_match`: a match is the failure.
    pub no_match: bool,
    /// `regex_min_offset`: the match begins there or later; default 0.
    pub min_offset: usize,
    /// `regex_max_offset`: the match begins there or earlier.
    pub max_offset: Option<usize>,
}

/// `SMTP_CHECK`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Smtp {
    /// `helo_name`, default [`HELO_NAME_DEFAULT`].
    pub helo_name: String,
}

pub const HELO_NAME_DEFAULT: &str = "smtpchecker.keepalived.org";

/// `DNS_CHECK`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dns {
    /// `type`, default SOA.
    pub record: Record,
    /// `name`, without a dot at the end; empty: the root, which is the default.
    pub name: String,
}

/// `type` of a `DNS_CHECK`, by its number in a query (RFC 1035 §3.2.2, RFC 3596, RFC 4034).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Record {
    A = 1,
    Ns = 2,
    Cname = 5,
    #[default]
    Soa = 6,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Rrsig = 46,
    Dnskey = 48,
}

/// `UDP_CHECK`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Udp {
    /// `payload`; default [`UDP_PAYLOAD_DEFAULT`].
    pub payload: Vec<u8>,
    /// `require_reply`. `None`: silence is a success.
    pub reply: Option<UdpReply>,
}

/// What is sent when the file gives no `payload`.
pub const UDP_PAYLOAD_DEFAULT: &[u8; 32] = b"keepalived check - keepalived ch";

/// The answer that `require_reply` demands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UdpReply {
    /// What the answer begins with, each byte with the mask of the bits that count. Empty: any.
    /// Of a shorter answer only what is there is compared.
    pub pattern: Vec<MaskedByte>,
    /// `min_reply_length`, default 0.
    pub min_len: u16,
    /// `max_reply_length`, default 255.
    pub max_len: u16,
}

/// A byte of a pattern in which a hexadecimal digit can be `x`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaskedByte {
    pub value: u8,
    /// 0xff, or with `x` 0xf0, 0x0f or 0.
    pub mask: u8,
}

/// `MISC_CHECK`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misc {
    /// `misc_path`, with `user`.
    pub script: Script,
    /// `misc_timeout`; default and 0: `delay_loop` of the virtual server.
    pub timeout: Duration,
    /// `misc_dynamic`: exit status 2..=255 is the weight, plus two.
    pub dynamic: bool,
}

/// `FILE_CHECK`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Name of the `track_file`.
    pub name: String,
    /// `weight`, default that of the `track_file`; 0: any value but 0 means down.
    pub weight: i32,
    /// `reverse`: the other sign; with weight 0: the value 0 means down.
    pub reverse: bool,
}

/// The `SSL` block: files (PEM) for every `SSL_GET`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tls {
    /// `ca`: who may have signed the certificates of servers. Kept to be shown: as with
    /// keepalived, no server is refused for its certificate.
    pub ca: Option<String>,
    /// `certificate` we show.
    pub certificate: Option<String>,
    /// `key` of the certificate.
    pub key: Option<String>,
    /// `password` of the key, should it need one.
    pub password: Option<String>,
}
