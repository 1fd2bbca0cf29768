//! `real_server` as it is written.

use super::check::{
    CheckKind, RawCheck, BFD_CHECK, DNS_CHECK, FILE_CHECK, HTTP_GET, MISC_CHECK, PING_CHECK,
    SMTP_CHECK, SSL_GET, TCP_CHECK, UDP_CHECK,
};
use super::forwarding::{self, LVS_METHOD};
use super::service::Inherited;
use crate::config::document::Node;
use crate::config::keyword::{int, seconds, strict, Repeat};
use crate::config::table::{
    block, borrowed, number, options, script, switch, table, text, time, Given, Setting, Table,
};
use crate::model::lvs::Forwarding;

#[derive(Default)]
pub(in crate::config) struct RawServer<'d> {
    pub weight: Option<u32>,
    pub forwarding: Option<Forwarding>,
    pub upper_threshold: u32,
    pub lower_threshold: Option<Given<u32>>,
    pub inhibit: Option<bool>,
    pub notify_up: Option<Node<'d>>,
    pub notify_down: Option<Node<'d>>,
    pub inherited: Inherited,
    pub mail: Option<bool>,
    pub virtualhost: Option<&'d str>,
    pub checks: Vec<RawCheck<'d>>,
}

borrowed!(RawServer);

pub(in crate::config) static REAL_SERVER: Table<RawServer<'static>> = table!(RawServer<'static>, "real_server", [
    number("weight", &[int(0, 2_147_483_647)]).default("that of the virtual server")
        => |raw, s| raw.weight = Some(s.number()),
    options("lvs_method", &LVS_METHOD.entry)
        .default("that of the virtual server above the real_server, else below it")
        => |raw, mut s| raw.forwarding = forwarding::read(&mut s).or(raw.forwarding),
    number("uthreshold", &[int(0, 4_294_967_295)]).default("0 (none)")
        => |raw, s| raw.upper_threshold = s.number(),
    number("lthreshold", &[int(0, 4_294_967_295)]).default("0 (none)")
        => |raw, s| raw.lower_threshold = Some(s.here(s.number())),
    switch("inhibit_on_failure").default("that of the virtual server")
        => |raw, s| raw.inhibit = Some(s.value),
    script("notify_up") => |raw, s| raw.notify_up = Some(s.node()),
    script("notify_down") => |raw, s| raw.notify_down = Some(s.node()),
    switch("alpha").default("that of the virtual server")
        => |raw, s| raw.inherited.alpha = Some(s.value),
    number("retry", &[strict(1, 4_294_967_295)]).default("that of the virtual server")
        => |raw, s| raw.inherited.retry = Some(s.number()),
    time("delay_before_retry", &[seconds(0, u64::MAX)]).default("that of the virtual server")
        => |raw, s| raw.inherited.delay_before_retry = Some(s.value),
    time("warmup", &[seconds(0, u64::MAX)]).default("that of the virtual server")
        => |raw, s| raw.inherited.warmup = Some(s.value),
    time("connect_timeout", &[seconds(1, 4_294_967_295)]).default("that of the virtual server")
        => |raw, s| raw.inherited.connect_timeout = Some(s.value),
    time("delay_loop", &[seconds(1, u64::MAX)]).default("that of the virtual server")
        => |raw, s| raw.inherited.delay_loop = Some(s.value),
    switch("smtp_alert").default("smtp_alert_checker, else smtp_alert in global_defs, else on")
        => |raw, s| raw.mail = Some(s.value),
    text("virtualhost").default("that of the virtual server").repeat(Repeat::LastCounts)
        => |raw, s| raw.virtualhost = Some(s.value),
    text("snmp_name").default("none").later(),
    block("MISC_CHECK", &MISC_CHECK.block) => |raw, s| raw.check(s, &MISC_CHECK, CheckKind::Misc),
    block("SMTP_CHECK", &SMTP_CHECK.block) => |raw, s| raw.check(s, &SMTP_CHECK, CheckKind::Smtp),
    block("TCP_CHECK", &TCP_CHECK.block) => |raw, s| raw.check(s, &TCP_CHECK, CheckKind::Tcp),
    block("PING_CHECK", &PING_CHECK.block) => |raw, s| raw.check(s, &PING_CHECK, CheckKind::Ping),
    block("UDP_CHECK", &UDP_CHECK.block) => |raw, s| raw.check(s, &UDP_CHECK, CheckKind::Udp),
    block("HTTP_GET", &HTTP_GET.block) => |raw, s| raw.check(s, &HTTP_GET, CheckKind::Http),
    block("SSL_GET", &SSL_GET.block) => |raw, s| raw.check(s, &SSL_GET, CheckKind::Ssl),
    block("DNS_CHECK", &DNS_CHECK.block) => |raw, s| raw.check(s, &DNS_CHECK, CheckKind::Dns),
    block("FILE_CHECK", &FILE_CHECK.block) => |raw, s| raw.check(s, &FILE_CHECK, CheckKind::File),
    block("BFD_CHECK", &BFD_CHECK.block) => |raw, s| raw.check(s, &BFD_CHECK, CheckKind::Bfd),
]);

impl<'d> RawServer<'d> {
    fn check(
        &mut self,
        mut s: Setting<'_, '_, 'd, ()>,
        table: &'static Table<RawCheck<'static>>,
        kind: CheckKind,
    ) {
        let word = s.node().keyword();
        self.checks.push(RawCheck { kind, word, ..s.block(table) });
    }
}
