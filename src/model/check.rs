//! The checks of a real server.
//!
//! Defaults are already resolved: from the check, the real server, the virtual server and the
//! global default, in that order. So equal values are the same check, and survive a reload.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::script::Script;
use crate::base::pattern::Pattern;

/// One check: its target and its schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    pub kind: Kind,
    pub schedule: Schedule,
    /// `alpha`: down until the first success. Always false for FILE_CHECK.
    pub alpha: bool,
    /// `log_all_failures` of the check, or `checker_log_all_failures`.
    pub log_all_failures: bool,
}

/// Timing of the probes. Ignored for FILE_CHECK and BFD_CHECK, which do not probe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// `delay_loop`: interval from the end of a probe to the next one (MISC_CHECK: from start to
    /// start); default 60 s.
    pub delay_loop: Duration,
    /// `retry`: failures that are retried before the server goes down; default 1, DNS_CHECK 3,
    /// MISC_CHECK 0.
    pub retry: u32,
    /// `delay_before_retry`; default 1 s, HTTP_GET and SSL_GET 3 s, DNS_CHECK `delay_loop`.
    pub delay_before_retry: Duration,
    /// `warmup`: the first probe starts at a random time within it; default `delay_loop`.
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

/// Destination and source of a check's connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connect {
    /// `connect_ip`; default: the real server.
    pub addr: IpAddr,
    /// `connect_port`; default: that of the real server. Ignored for PING_CHECK.
    pub port: u16,
    /// `bindto`; `None`: the kernel chooses.
    pub bind_addr: Option<IpAddr>,
    /// `bind_port`; `None`: the kernel chooses.
    pub bind_port: Option<u16>,
    /// `bind_if`: the interface the connection is bound to.
    pub bind_if: Option<String>,
    /// `connect_timeout`, for the connection and for each later wait; default 5 s.
    pub timeout: Duration,
    /// `fwmark` of the packets sent; 0: none.
    pub fwmark: u32,
}

impl Connect {
    /// A connection to this server with all defaults.
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

/// Type of a check, with its parameters.
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

/// `HTTP_GET` or, with TLS, `SSL_GET`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Http {
    /// `SSL_GET`. The key material comes from the `SSL` block, for all checks.
    pub tls: bool,
    /// `http_protocol`, default 1.0.
    pub protocol: Protocol,
    /// At least one, requested in this order.
    pub urls: Vec<Url>,
    /// `fast_recovery`: no `delay_loop` between the URLs while the check is down.
    pub fast_recovery: bool,
}

/// `http_protocol`: version in the request line, and whether `Connection: close` is sent.
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

/// One `url`: a page, and the conditions it has to meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// `path`, as sent in the request.
    pub path: String,
    /// `status_code`; default [`STATUS_DEFAULT`]. Never empty.
    pub status_codes: Vec<RangeInclusive<u16>>,
    /// `digest`: MD5 of the body.
    pub digest: Option<[u8; 16]>,
    /// `regex` and its options.
    pub regex: Option<PageRegex>,
    /// The `Host` of the request: `virtualhost` of the url, the check, the real server or the
    /// virtual server. `None`: address and port of the server.
    pub virtualhost: Option<String>,
    /// The TLS server name (SNI). Only with `enable_sni`: `virtualhost` of the url, the check or
    /// the virtual server, but not of the real server. `None`: no name is sent.
    pub sni_name: Option<String>,
    /// `tls_compliant` of the url or the check: a page must end with a TLS `close_notify`.
    pub tls_compliant: bool,
}

/// Status codes accepted by default.
pub const STATUS_DEFAULT: RangeInclusive<u16> = 200..=299;

/// `regex`: pattern that the body has to match, or must not match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageRegex {
    /// `regex` with `regex_options`, compiled.
    pub pattern: Pattern,
    /// `regex_no_match`: a match is a failure.
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
    /// `name`, without the final dot; empty: the root, which is the default.
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

/// Default of `payload`.
pub const UDP_PAYLOAD_DEFAULT: &[u8; 32] = b"keepalived check - keepalived ch";

/// The reply expected with `require_reply`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UdpReply {
    /// Expected start of the reply, each byte with a mask of the bits to compare. Empty: any reply.
    /// A shorter reply is compared as far as it goes.
    pub pattern: Vec<MaskedByte>,
    /// `min_reply_length`, default 0.
    pub min_len: u16,
    /// `max_reply_length`, default 255.
    pub max_len: u16,
}

/// A byte of a pattern; each hexadecimal digit can be `x` for any value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaskedByte {
    pub value: u8,
    /// 0xff or, with `x`, 0xf0, 0x0f or 0.
    pub mask: u8,
}

/// `MISC_CHECK`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misc {
    /// `misc_path`, with `user`.
    pub script: Script,
    /// `misc_timeout`; default and 0: `delay_loop` of the virtual server.
    pub timeout: Duration,
    /// `misc_dynamic`: exit status 2..=255 is the weight plus two.
    pub dynamic: bool,
}

/// `FILE_CHECK`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Name of the `track_file`.
    pub name: String,
    /// `weight`, default that of the `track_file`; 0: any value but 0 means down.
    pub weight: i32,
    /// `reverse`: inverts the sign; with weight 0: the value 0 means down.
    pub reverse: bool,
}

/// The `SSL` block: PEM files for every `SSL_GET`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tls {
    /// `ca`: trusted issuers of server certificates. Kept for display only: as in keepalived,
    /// server certificates are not verified.
    pub ca: Option<String>,
    /// `certificate` of the client.
    pub certificate: Option<String>,
    /// `key` of the certificate.
    pub key: Option<String>,
    /// `password` of the key, if encrypted.
    pub password: Option<String>,
}
