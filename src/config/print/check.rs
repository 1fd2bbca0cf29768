//! Checks as text. Every setting they can inherit is written, but not what only names their server.

use std::fmt::{self, Write};

use super::lvs::on_off;
use super::track::Command;
use super::{line, quoted, seconds, Printer};
use crate::model::check::{
    Check, Connect, Dns, File, Http, Kind, MaskedByte, Misc, PageRegex, Protocol, Record, Schedule,
    Udp, Url, STATUS_DEFAULT,
};
use crate::model::lvs::{RealServer, VirtualServer};
use crate::model::probed;

impl Printer {
    pub(super) fn check(
        &mut self,
        vs: &VirtualServer,
        server: &RealServer,
        check: &Check,
    ) -> fmt::Result {
        self.block(format_args!("{}", probed::keyword(&check.kind)), |out| {
            if let Some(connect) = check.kind.connect() {
                out.connect(server, connect)?;
            }
            if !matches!(check.kind, Kind::File(_) | Kind::Bfd(_)) {
                out.schedule(&check.schedule)?;
                out.option("log_all_failures", Some(on_off(check.log_all_failures)))?;
            }
            if !matches!(check.kind, Kind::File(_)) && check.alpha != server.alpha {
                out.option("alpha", Some(on_off(check.alpha)))?;
            }
            match &check.kind {
                Kind::Tcp(_) | Kind::Ping(_) => Ok(()),
                Kind::Http(_, http) => out.http(vs, server, http),
                Kind::Smtp(_, smtp) => line!(out, "helo_name {}", quoted(&smtp.helo_name)),
                Kind::Dns(_, dns) => out.dns(dns),
                Kind::Udp(_, udp) => out.udp(udp),
                Kind::Misc(misc) => out.misc(vs, misc),
                Kind::File(file) => out.followed(file),
                Kind::Bfd(name) => line!(out, "name {}", quoted(name)),
            }
        })
    }

    fn connect(&mut self, server: &RealServer, connect: &Connect) -> fmt::Result {
        self.option("connect_ip", Some(connect.addr).filter(|addr| *addr != server.addr))?;
        self.option("connect_port", Some(connect.port).filter(|port| *port != server.port))?;
        self.option("bindto", connect.bind_addr)?;
        self.option("bind_port", connect.bind_port)?;
        self.option("bind_if", connect.bind_if.as_deref().map(quoted))?;
        self.option("fwmark", Some(connect.fwmark).filter(|&mark| mark != 0))?;
        line!(self, "connect_timeout {}", seconds(connect.timeout))
    }

    fn schedule(&mut self, schedule: &Schedule) -> fmt::Result {
        line!(self, "delay_loop {}", seconds(schedule.delay_loop))?;
        line!(self, "retry {}", schedule.retry)?;
        line!(self, "delay_before_retry {}", seconds(schedule.delay_before_retry))?;
        line!(self, "warmup {}", seconds(schedule.warmup))
    }

    fn http(&mut self, vs: &VirtualServer, server: &RealServer, http: &Http) -> fmt::Result {
        match http.protocol {
            Protocol::V1_0 => {}
            Protocol::V1_0Close => line!(self, "http_protocol 1.0c")?,
            Protocol::V1_1 => line!(self, "http_protocol 1.1")?,
        }
        self.flag(http.urls.iter().any(|url| url.sni_name.is_some()), "enable_sni")?;
        self.flag(http.fast_recovery, "fast_recovery")?;
        http.urls
            .iter()
            .try_for_each(|url| self.block(format_args!("url"), |out| out.url(vs, server, url)))
    }

    fn url(&mut self, vs: &VirtualServer, server: &RealServer, url: &Url) -> fmt::Result {
        line!(self, "path {}", quoted(&url.path))?;
        // A name of its own is both for HTTP and for TLS; others are inherited, and may differ.
        let inherited = url.virtualhost == server.virtualhost
            && (url.sni_name.is_none() || url.sni_name == vs.virtualhost);
        let own = url.virtualhost.as_deref().filter(|_| !inherited);
        self.option("virtualhost", own.map(quoted))?;
        self.flag(url.tls_compliant, "tls_compliant")?;
        if url.status_codes != [STATUS_DEFAULT] {
            let codes = url.status_codes.iter().map(|codes| match (codes.start(), codes.end()) {
                (low, high) if low == high => low.to_string(),
                (low, high) => format!("{low}-{high}"),
            });
            line!(self, "status_code {}", codes.collect::<Vec<_>>().join(" "))?;
        }
        if let Some(digest) = url.digest {
            line!(self, "digest {}", hex(&digest))?;
        }
        url.regex.as_ref().map_or(Ok(()), |regex| self.regex(regex))
    }

    fn regex(&mut self, regex: &PageRegex) -> fmt::Result {
        line!(self, "regex {}", escaped(regex.pattern.source()))?;
        let options = regex.pattern.options();
        if !options.is_empty() {
            line!(self, "regex_options {}", options.join(" "))?;
        }
        self.flag(regex.no_match, "regex_no_match")?;
        self.option("regex_min_offset", Some(regex.min_offset).filter(|&n| n != 0))?;
        self.option("regex_max_offset", regex.max_offset)
    }

    fn dns(&mut self, dns: &Dns) -> fmt::Result {
        line!(self, "type {}", record(dns.record))?;
        self.option("name", Some(&dns.name).filter(|name| !name.is_empty()).map(|n| quoted(n)))
    }

    fn udp(&mut self, udp: &Udp) -> fmt::Result {
        line!(self, "payload {}", hex(&udp.payload))?;
        let Some(reply) = &udp.reply else { return Ok(()) };
        if reply.pattern.is_empty() {
            line!(self, "require_reply")?;
        } else {
            line!(self, "require_reply {}", masked(&reply.pattern))?;
        }
        line!(self, "min_reply_length {}", reply.min_len)?;
        line!(self, "max_reply_length {}", reply.max_len)
    }

    fn misc(&mut self, vs: &VirtualServer, misc: &Misc) -> fmt::Result {
        line!(self, "misc_path {}", Command(&misc.script))?;
        let user = misc.script.user;
        line!(self, "user {} {}", user.uid, user.gid)?;
        // The default need not be whole seconds.
        let own = Some(misc.timeout).filter(|timeout| *timeout != vs.delay_loop);
        self.option("misc_timeout", own.map(seconds))?;
        self.flag(misc.dynamic, "misc_dynamic")
    }

    fn followed(&mut self, file: &File) -> fmt::Result {
        line!(self, "track_file {}", quoted(&file.name))?;
        let way = if file.reverse { "reverse" } else { "noreverse" };
        line!(self, "weight {} {way}", file.weight)
    }
}

const fn record(record: Record) -> &'static str {
    match record {
        Record::A => "A",
        Record::Ns => "NS",
        Record::Cname => "CNAME",
        Record::Soa => "SOA",
        Record::Mx => "MX",
        Record::Txt => "TXT",
        Record::Aaaa => "AAAA",
        Record::Rrsig => "RRSIG",
        Record::Dnskey => "DNSKEY",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn masked(bytes: &[MaskedByte]) -> String {
    let digit = |value: u8, mask: u8| match mask & 0xf {
        0 => 'x',
        _ => char::from_digit((value & 0xf).into(), 16).unwrap_or('x'),
    };
    let both =
        |byte: &MaskedByte| [digit(byte.value >> 4, byte.mask >> 4), digit(byte.value, byte.mask)];
    bytes.iter().flat_map(both).collect()
}

/// A regular expression as `regex` takes it back: characters special to any stage of the reader are
/// written as numbers.
fn escaped(source: &str) -> String {
    let mut text = String::from("\"");
    for c in source.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' | '\'' | '{' | '}' | '#' | '!' | '$' | '\0'..='\x1f' => {
                let _ = write!(text, "\\x{:02x}", u32::from(c));
            }
            _ => text.push(c),
        }
    }
    text.push('"');
    text
}
