//! What is particular to a kind of check.

use super::super::text::{stamp_after_year, yes};
use super::super::track::{executed, quoted};
use super::super::View;
use super::Text;
use crate::base::time::{Instant, WallTime};
use crate::base::verdict::{Reason, Verdict, Weight};
use crate::lvs::Service;
use crate::model::check::{
    Dns, Http, Kind, Misc, PageRegex, Protocol, Record, Udp, Url, UDP_PAYLOAD_DEFAULT,
};
use crate::model::probed::keyword;

/// What a check found last.
#[derive(Clone, Copy)]
pub(super) struct Last<'a> {
    pub(super) verdict: &'a Verdict,
    /// Which `url`.
    pub(super) page: usize,
    pub(super) at: Instant,
}

pub(super) fn render(
    view: &View<'_>,
    kind: &Kind,
    service: &Service,
    last: Option<Last<'_>>,
    out: &mut Text,
) {
    let name = keyword(kind);
    if let Kind::Http(_, http) = kind {
        let version = match http.protocol {
            Protocol::V1_0 => "1.0",
            Protocol::V1_0Close => "1.0C",
            Protocol::V1_1 => "1.1",
        };
        out.pair("Keepalive method", format_args!("{name}, http protocol {version}"));
    } else {
        out.pair("Keepalive method", name);
    }
    match kind {
        Kind::Tcp(_) | Kind::Ping(_) => {}
        Kind::Http(_, http) => self::http(http, service, last, out),
        Kind::Smtp(_, smtp) => out.pair("helo", &smtp.helo_name),
        Kind::Dns(_, dns) => self::dns(dns, out),
        Kind::Udp(_, udp) => self::udp(udp, out),
        Kind::Misc(misc) => self::misc(view, misc, service, last, out),
        Kind::File(file) => {
            out.pair_of_item("Tracked file", &file.name);
            out.pair_of_item("Reloaded", "No");
        }
        Kind::Bfd(name) => {
            out.pair("Name", name);
            out.line("Alpha is OFF");
        }
    }
}

fn dns(dns: &Dns, out: &mut Text) {
    let record = match dns.record {
        Record::A => "A",
        Record::Ns => "NS",
        Record::Cname => "CNAME",
        Record::Soa => "SOA",
        Record::Mx => "MX",
        Record::Txt => "TXT",
        Record::Aaaa => "AAAA",
        Record::Rrsig => "RRSIG",
        Record::Dnskey => "DNSKEY",
    };
    out.pair("Type", record);
    out.pair("Name", if dns.name.is_empty() { "." } else { &dns.name });
}

fn udp(udp: &Udp, out: &mut Text) {
    match udp.payload == UDP_PAYLOAD_DEFAULT {
        true => out.pair("Payload specified", "no"),
        false => out.pair("Payload len", udp.payload.len()),
    }
    out.pair("Require reply", yes(udp.reply.is_some()));
    let Some(reply) = &udp.reply else { return };
    out.pair_of_item("Min reply length", reply.min_len);
    out.pair_of_item("Max reply length", reply.max_len);
    out.pair_of_item("Reply data len", reply.pattern.len());
    if !reply.pattern.is_empty() {
        let is_masked = reply.pattern.iter().any(|byte| byte.mask != u8::MAX);
        out.pair_of_item("Reply data mask", yes(is_masked));
    }
}

fn misc(view: &View<'_>, misc: &Misc, service: &Service, last: Option<Last<'_>>, out: &mut Text) {
    if let Some(path) = executed(&misc.script) {
        out.pair("path", path);
    }
    out.pair("script", quoted(&misc.script));
    // 0 stands for that of the virtual server.
    let own = Some(misc.timeout).filter(|&timeout| timeout != service.config().delay_loop);
    out.pair("timeout", own.map_or(0, |timeout| timeout.as_secs()));
    out.pair("dynamic", if misc.dynamic { "YES" } else { "NO" });
    let user = misc.script.user;
    out.pair("uid:gid", format_args!("{}:{}", user.uid, user.gid));
    let at = last.map_or(WallTime(0), |last| view.wall_at(last.at));
    out.pair("Last ran", stamp_after_year(view, at));
    out.pair("Last status", last.map_or(0, |last| status(last.verdict)));
}

/// The exit status that is the reason for a verdict; 0 for none.
fn status(verdict: &Verdict) -> i64 {
    match verdict {
        // 0 and 1 do not stand for a weight.
        Verdict::Up(Weight::Instead(weight)) => weight.saturating_add(2),
        Verdict::Down(Reason::Exit(status)) => (*status).into(),
        _ => 0,
    }
}

fn http(http: &Http, service: &Service, last: Option<Last<'_>>, out: &mut Text) {
    let set = |on| if on { "set" } else { "unset" };
    // The same name for all pages is that of the check, or of a server.
    let mut names = http.urls.iter().map(|url| url.virtualhost.as_ref());
    let first = names.next().flatten();
    let of_check = first.filter(|_| http.urls.len() > 1 && names.all(|name| name == first));
    let outer = service.config().virtualhost.as_ref();
    if let Some(name) = of_check.filter(|name| outer != Some(*name)) {
        out.pair("Virtualhost", name);
    }
    let sni = http.urls.iter().any(|url| url.sni_name.is_some());
    out.line(format_args!("Enable SNI {}", set(sni)));
    out.line(format_args!("Fast recovery {}", set(http.fast_recovery)));
    if http.tls {
        let compliant = http.urls.iter().all(|url| url.tls_compliant);
        out.line(format_args!("tls_compliant {}", set(compliant)));
    }
    for url in &http.urls {
        let inherited = url.virtualhost.as_ref() == of_check.or(outer);
        self::url(url, http.tls, inherited, out);
    }
    let failed = last.filter(|last| !last.verdict.is_up());
    if let Some(url) = failed.and_then(|last| http.urls.get(last.page)) {
        out.pair("Failed URL", &url.path);
    }
}

fn url(url: &Url, tls: bool, inherited: bool, out: &mut Text) {
    out.pair("Checked url", &url.path);
    if let Some(digest) = url.digest {
        out.pair_of_item("digest", crate::base::verdict::Digest(digest));
    }
    if tls {
        let set = if url.tls_compliant { "set" } else { "unset" };
        out.item(format_args!("tls_compliant {set}"));
    }
    out.item("HTTP Status Code(s)");
    for range in &url.status_codes {
        let (first, last) = (range.start(), range.end());
        match first == last {
            true => out.item(format_args!("  {first}")),
            false => out.item(format_args!("  {first}-{last}")),
        }
    }
    if let Some(name) = url.virtualhost.as_ref().filter(|_| !inherited) {
        out.pair_of_item("Virtual host", name);
    }
    if let Some(regex) = &url.regex {
        self::regex(regex, out);
    }
}

fn regex(regex: &PageRegex, out: &mut Text) {
    out.pair_of_item("Regex", format_args!("\"{}\"", regex.pattern.source()));
    if regex.no_match {
        out.item("Regex no match");
    }
    let low = regex.min_offset;
    match regex.max_offset {
        Some(high) => {
            out.pair_of_item("Regex min offset", format_args!("{low}, max_offset = {high}"));
        }
        None if low > 0 => out.pair_of_item("Regex min offset", low),
        None => {}
    }
    let options: String = regex.pattern.options().iter().map(|o| format!(" {o}")).collect();
    out.item(format_args!("Regex options:{options}"));
}
