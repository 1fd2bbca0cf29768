//! How lines and mails name what a check probes.

use std::fmt;

use super::check::{Check, Connect, Kind};

/// What was probed, as in `HTTP_GET 10.1.38.13:80 /`.
#[derive(Clone, Copy, Debug)]
pub struct Probed<'a> {
    pub config: &'a Check,
    /// Which `url`.
    pub page: usize,
}

impl fmt::Display for Probed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |f: &mut fmt::Formatter<'_>, connect: &Connect| write!(f, " {}", connect.target());
        let kind = &self.config.kind;
        f.write_str(keyword(kind))?;
        match kind {
            Kind::Tcp(connect) | Kind::Smtp(connect, _) | Kind::Udp(connect, _) => at(f, connect),
            Kind::Http(connect, http) => {
                at(f, connect)?;
                let path = http.urls.get(self.page).map_or("", |url| url.path.as_str());
                write!(f, " {path}")
            }
            Kind::Dns(connect, dns) => {
                at(f, connect)?;
                write!(f, " {}", if dns.name.is_empty() { "." } else { &dns.name })
            }
            Kind::Ping(connect) => write!(f, " {}", connect.addr),
            Kind::Misc(misc) => write!(f, " {}", misc.script.shown()),
            Kind::File(file) => write!(f, " {}", file.name),
            Kind::Bfd(name) => write!(f, " {name}"),
        }
    }
}

/// The keyword of a check.
pub const fn keyword(kind: &Kind) -> &'static str {
    match kind {
        Kind::Tcp(_) => "TCP_CHECK",
        Kind::Http(_, http) if http.tls => "SSL_GET",
        Kind::Http(..) => "HTTP_GET",
        Kind::Smtp(..) => "SMTP_CHECK",
        Kind::Dns(..) => "DNS_CHECK",
        Kind::Udp(..) => "UDP_CHECK",
        Kind::Ping(_) => "PING_CHECK",
        Kind::Misc(_) => "MISC_CHECK",
        Kind::File(_) => "FILE_CHECK",
        Kind::Bfd(_) => "BFD_CHECK",
    }
}
