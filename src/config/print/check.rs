//! Checks as text. Every setting they can inherit is written, but not what only names their server.

use std::ops::RangeInclusive;

use super::fits::{fits, Fits};
use super::form::CHOICE;
use super::text::{put, Printer};
use super::unless;
use crate::base::pattern::Pattern;
use crate::config::keywords::RECORDS;
use crate::model::check::{
    Check, Connect, Http, Kind, MaskedByte, Protocol, Record, Schedule, Url, STATUS_DEFAULT,
};
use crate::model::lvs::{RealServer, VirtualServer};

impl Printer {
    pub(super) fn check(&mut self, vs: &VirtualServer, server: &RealServer, check: &Check) {
        put!(self, REAL_SERVER { match &check.kind => {
            Kind::Tcp(connect) => { "TCP_CHECK" => TCP_CHECK {
                .connection(server, check, connect);
            } }
            Kind::Ping(connect) => { "PING_CHECK" => PING_CHECK {
                .connection(server, check, connect);
            } }
            Kind::Http(connect, http) if http.tls => { "SSL_GET" => SSL_GET {
                .connection(server, check, connect);
                .http(vs, server, http);
            } }
            Kind::Http(connect, http) => { "HTTP_GET" => HTTP_GET {
                .connection(server, check, connect);
                .http(vs, server, http);
            } }
            Kind::Smtp(connect, smtp) => { "SMTP_CHECK" => SMTP_CHECK {
                .connection(server, check, connect);
                "helo_name": &smtp.helo_name;
            } }
            Kind::Dns(connect, dns) => { "DNS_CHECK" => DNS_CHECK {
                .connection(server, check, connect);
                "type": dns.record;
                "name": unless(dns.name.as_str(), "");
            } }
            Kind::Udp(connect, udp) => { "UDP_CHECK" => UDP_CHECK {
                .connection(server, check, connect);
                "payload": &udp.payload[..];
                for reply in udp.reply.iter() => {
                    "require_reply" if reply.pattern.is_empty();
                    "require_reply": unless(&reply.pattern[..], &[]);
                    "min_reply_length": reply.min_len;
                    "max_reply_length": reply.max_len;
                };
            } }
            Kind::Misc(misc) => { "MISC_CHECK" => MISC_CHECK {
                .schedule(server, check);
                "misc_path": &misc.script;
                "user": misc.script.user;
                // The default need not be whole seconds.
                "misc_timeout": unless(misc.timeout, vs.delay_loop).map(|time| time.as_secs());
                "misc_dynamic" if misc.dynamic;
            } }
            Kind::File(file) => { "FILE_CHECK" => FILE_CHECK {
                "track_file": &file.name;
                "weight": file.weight, if file.reverse { "reverse" } else { "noreverse" };
            } }
            Kind::Bfd(name) => { "BFD_CHECK" => BFD_CHECK {
                "alpha": unless(check.alpha, server.alpha);
                "name": name;
            } }
        } });
    }

    fn connection(&mut self, server: &RealServer, check: &Check, connect: &Connect) {
        put!(self, TCP_CHECK | PING_CHECK | SMTP_CHECK | DNS_CHECK | UDP_CHECK | HTTP_GET | SSL_GET {
            "connect_ip": unless(connect.addr, server.addr);
            "connect_port": unless(connect.port, server.port);
            "bindto": connect.bind_addr;
            "bind_port": connect.bind_port;
            "bind_if": &connect.bind_if;
            "fwmark": unless(connect.fwmark, 0);
            "connect_timeout": connect.timeout;
            .schedule(server, check);
        });
    }

    fn schedule(&mut self, server: &RealServer, check: &Check) {
        let Schedule { delay_loop, retry, delay_before_retry, warmup } = check.schedule;
        put!(self, TCP_CHECK | PING_CHECK | SMTP_CHECK | DNS_CHECK | UDP_CHECK | HTTP_GET | SSL_GET
            | MISC_CHECK
        {
            "delay_loop": delay_loop;
            "retry": retry;
            "delay_before_retry": delay_before_retry;
            "warmup": warmup;
            "log_all_failures": check.log_all_failures;
            "alpha": unless(check.alpha, server.alpha);
        });
    }

    fn http(&mut self, vs: &VirtualServer, server: &RealServer, http: &Http) {
        put!(self, HTTP_GET | SSL_GET {
            match http.protocol => {
                Protocol::V1_0 => {}
                Protocol::V1_0Close => { "http_protocol": "1.0c" }
                Protocol::V1_1 => { "http_protocol": "1.1" }
            };
            "enable_sni" if http.urls.iter().any(|url| url.sni_name.is_some());
            "fast_recovery" if http.fast_recovery;
            for url in &http.urls => { "url" => URL { .url(vs, server, url) } };
        });
    }

    fn url(&mut self, vs: &VirtualServer, server: &RealServer, url: &Url) {
        // A name of its own is both for HTTP and for TLS; others are inherited, and may differ.
        let inherited = url.virtualhost == server.virtualhost
            && (url.sni_name.is_none() || url.sni_name == vs.virtualhost);
        put!(self, URL | SSL_URL {
            "path": &url.path;
            "virtualhost": url.virtualhost.as_ref().filter(|_| !inherited);
        });
        put!(self, SSL_URL { "tls_compliant" if url.tls_compliant });
        put!(self, URL | SSL_URL {
            "status_code": unless(&url.status_codes[..], &[STATUS_DEFAULT]);
            "digest": url.digest.as_ref().map(|digest| &digest[..]);
            for regex in url.regex.iter() => {
                "regex": &regex.pattern;
                "regex_options": regex.pattern.options();
                "regex_no_match" if regex.no_match;
                "regex_min_offset": unless(regex.min_offset, 0);
                "regex_max_offset": regex.max_offset;
            };
        });
    }
}

fits! {
    CHOICE => Record: |record, out| {
        let name = RECORDS.iter().find(|(_, known)| known == record).map(|(name, _)| *name);
        Fits::<CHOICE>::write(&name, out);
    };
    STATUS => RangeInclusive<u16>: |codes, out| match (codes.start(), codes.end()) {
        (low, high) if low == high => out.word(low),
        (low, high) => out.word(format_args!("{low}-{high}")),
    };
    HEX => [MaskedByte]: |bytes, out| {
        let digit = |value: u8, mask: u8| match mask & 0xf {
            0 => 'x',
            _ => char::from_digit((value & 0xf).into(), 16).unwrap_or('x'),
        };
        let both = |b: &MaskedByte| [digit(b.value >> 4, b.mask >> 4), digit(b.value, b.mask)];
        out.word(bytes.iter().flat_map(both).collect::<String>());
    };
    // Characters special to any stage of the reader are written as numbers.
    PATTERN => Pattern: |pattern, out| {
        let escaped = |c: char| match c {
            '\\' => "\\\\".to_owned(),
            '"' | '\'' | '{' | '}' | '#' | '!' | '$' | '\0'..='\x1f' => {
                format!("\\x{:02x}", u32::from(c))
            }
            _ => c.into(),
        };
        out.word(format!("\"{}\"", pattern.source().chars().map(escaped).collect::<String>()));
    };
}
