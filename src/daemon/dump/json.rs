//! The JSON dump: keepalived's keys in keepalived's order, on one line.

use std::fmt::{self, Write as _};
use std::rc::Rc;

use serde::Serialize;

use super::text::{address, Epoch, Seconds};
use super::track::{found, quoted};
use super::{fib, View};
use crate::base::sorted::SortedMap;
use crate::daemon::journal::Journal;
use crate::daemon::status::instance as status;
use crate::daemon::status::service::service as service_status;
use crate::daemon::status::track::object as object_status;
use crate::lvs;
use crate::model::notify::Notify;
use crate::model::track::{self, ParamMatch};
use crate::model::vrrp::{Authentication, Version, VirtualAddress};
use crate::status::{Counters, State};
use crate::vrrp::Instance;

pub(super) fn render(view: &View<'_>) -> String {
    let scripts = view.config.scripts.iter();
    let scripts = scripts.map(|s| (s.name.as_str(), quoted(&s.script))).collect();
    let mut out = String::new();
    list(view, &scripts, &mut out);
    out.push('\n');
    out
}

/// `json_version 2`: the instances, and beside them all else. Processes are shown as keepalived does;
/// the rest is as in the status of the control socket.
pub(super) fn render_all<'a>(
    view: &View<'_>,
    journal: &Journal,
    services: impl Iterator<Item = &'a lvs::Service>,
) -> String {
    let config = view.config;
    let scripts = config.scripts.iter().map(|s| (s.name.as_str(), quoted(&s.script))).collect();
    let mut out = String::from("{\"vrrp\":");
    list(view, &scripts, &mut out);
    if !config.processes.is_empty() {
        out.push_str(",\"track_process\":[");
        for (n, process) in config.processes.iter().enumerate() {
            out.push_str(if n > 0 { "," } else { "" });
            self::process(view, process, &mut out);
        }
        out.push(']');
    }
    let script = |s: &track::TrackScript| track::Object::Script(s.name.clone());
    let scripts = config.scripts.iter().map(script);
    part("vrrp_script", scripts.map(|object| object_status(view, journal, &object)), &mut out);
    let groups = view.vrrp.groups().map(|(_, group)| status::group(view, journal, group));
    part("vrrp_sync_group", groups, &mut out);
    part("virtual_server", services.map(|s| service_status(view, journal, s)), &mut out);
    out.push_str("}\n");
    out
}

/// A list of an object, unless it is empty.
fn part<T: Serialize>(name: &str, list: impl Iterator<Item = T>, out: &mut String) {
    let list: Vec<T> = list.collect();
    if !list.is_empty() {
        // Plain data with text as keys has a form in JSON.
        let list = serde_json::to_string(&list).unwrap_or_default();
        let _ = write!(out, ",\"{name}\":{list}");
    }
}

fn list(view: &View<'_>, scripts: &Scripts<'_>, out: &mut String) {
    out.push('[');
    for (n, (_, i)) in view.instances().enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str("{\"data\":");
        data(view, i, scripts, out);
        out.push_str(",\"stats\":");
        stats(&status::counters(i), out);
        out.push('}');
    }
    out.push(']');
}

fn process(view: &View<'_>, p: &track::TrackProcess, out: &mut String) {
    let state = view.vrrp.tracked(&track::Object::Process(p.name.clone()));
    let mut o = ObjectWriter::open(out);
    o.text("process", &p.process);
    if !p.params.is_empty() {
        o.text("parameters", &p.params.join(" "));
    }
    o.text(
        "param_match",
        match p.param_match {
            ParamMatch::Any => "none",
            ParamMatch::Exact => "exact",
            ParamMatch::Partial => "partial",
            ParamMatch::Initial => "initial",
        },
    );
    o.plain("min_processes", p.quorum);
    if let Some(max) = p.quorum_max {
        o.plain("max_processes", max);
    }
    o.plain("current_processes", found(state));
    o.plain("have_quorum", state.is_up());
    o.plain("weight", if p.reverse { -p.weight } else { p.weight });
    o.plain("terminate_delay", Seconds(p.terminate_delay));
    o.plain("fork_delay", Seconds(p.fork_delay));
    o.plain("full_command", p.full_command || !p.params.is_empty());
    o.close();
}

/// The command of each tracked script.
type Scripts<'a> = SortedMap<&'a str, String>;

fn data(view: &View<'_>, i: &Instance, scripts: &Scripts<'_>, out: &mut String) {
    let config = i.config();
    let mut o = ObjectWriter::open(out);
    o.text("iname", &config.name);
    o.flag("dont_track_primary", config.dont_track_primary);
    o.flag("skip_check_adv_addr", config.skip_check_adv_addr);
    o.flag("strict_mode", config.strict);
    let made = config.vlink.as_ref().map(|link| link.name.as_str());
    o.text("vmac_ifname", made.unwrap_or_default());
    if let Some(interface) = made.or(config.interface.as_deref()) {
        o.text("ifp_ifname", interface);
    }
    // Priority of the last other master, even while this instance is master.
    o.plain("master_priority", status::heard(view, i).map_or(0, |heard| heard.priority));
    o.plain("last_transition", Epoch(status::since(view, i).0));
    o.plain("garp_delay", Seconds(config.garp.delay));
    o.plain("garp_refresh", Seconds(config.garp.refresh));
    o.plain("garp_rep", config.garp.repeat);
    o.plain("garp_refresh_rep", config.garp.refresh_repeat);
    o.plain("garp_lower_prio_delay", Seconds(config.garp.lower_prio_delay));
    o.plain("garp_lower_prio_rep", config.garp.lower_prio_repeat);
    o.flag("lower_prio_no_advert", config.lower_prio_no_advert);
    o.flag("higher_prio_send_advert", config.higher_prio_send_advert);
    o.plain("vrid", config.vrid);
    o.plain("base_priority", config.priority);
    o.plain("effective_priority", i.priority());
    o.plain("vipset", i.holds_addresses());
    o.plain("promote_secondaries", config.promote_secondaries);
    o.plain("adver_int", Seconds(config.advert_interval));
    o.plain("master_adver_int", Seconds(i.master_interval()));
    o.flag("accept", config.accept);
    o.plain("nopreempt", config.nopreempt);
    o.plain("preempt_delay", Seconds(config.preempt_delay));
    o.plain("state", number(status::state(i.phase())));
    o.plain("wantstate", number(status::state(i.wanted_phase())));
    o.plain("version", status::version(i));
    o.plain("smtp_alert", config.notify.mail);
    o.plain("notify_deleted", config.notify.says_deleted);
    notify(&config.notify, &mut o);
    let texts = |list: &[Rc<VirtualAddress>]| -> Vec<String> {
        status::addresses(view, i, list).map(address).collect()
    };
    o.list("vips", &texts(&config.addresses));
    o.list("evips", &texts(&config.excluded));
    if !config.routes.is_empty() {
        o.list("vroutes", &config.routes.iter().map(|r| fib::route(r)).collect::<Vec<_>>());
    }
    if !config.rules.is_empty() {
        o.list("vrules", &config.rules.iter().map(|r| fib::rule(r)).collect::<Vec<_>>());
    }
    let tracked: Vec<_> = config.tracked_links.iter().map(|t| t.interface.to_string()).collect();
    o.list("track_ifp", &tracked);
    let commands = config.tracked.iter().filter_map(|t| match &t.object {
        track::Object::Script(name) => scripts.get(name.as_str()).cloned(),
        _ => None,
    });
    o.list("track_script", &commands.collect::<Vec<_>>());
    let processes = config.tracked.iter().filter_map(|t| match &t.object {
        track::Object::Process(name) => Some(name.clone()),
        _ => None,
    });
    o.list("track_process", &processes.collect::<Vec<_>>());
    // Version 3 has no authentication (RFC 5798 §5.2.5).
    let kind = match config.authentication {
        Authentication::Pass(_) if config.version == Version::V2 => 1,
        Authentication::Header(_) => 2,
        _ => 0,
    };
    o.plain("auth_type", kind);
    if kind != 0 {
        o.text("auth_data", "********");
    }
    o.close();
}

/// Commands with every word quoted; omitted if there are none.
fn notify(n: &Notify, o: &mut ObjectWriter<'_>) {
    for (key, script) in [
        ("script_backup", &n.backup),
        ("script_master", &n.master),
        ("script_fault", &n.fault),
        ("script_stop", &n.stop),
        ("script_deleted", &n.deleted),
        ("script", &n.any),
        ("script_master_rx_lower_pri", &n.master_rx_lower_pri),
    ] {
        if let Some(script) = script {
            o.text(key, &quoted(script));
        }
    }
}

fn stats(c: &Counters, out: &mut String) {
    let mut o = ObjectWriter::open(out);
    let all = [
        ("advert_rcvd", c.advert_rcvd),
        ("advert_sent", c.advert_sent),
        ("become_master", c.become_master),
        ("release_master", c.release_master),
        ("packet_len_err", c.packet_len_err),
        ("advert_interval_err", c.advert_interval_err),
        ("ip_ttl_err", c.ip_ttl_err),
        ("invalid_type_rcvd", c.invalid_type_rcvd),
        ("addr_list_err", c.addr_list_err),
        ("invalid_authtype", c.invalid_authtype),
        ("authtype_mismatch", c.authtype_mismatch),
        ("auth_failure", c.auth_failure),
        ("auth_ext_missing", c.auth_ext_missing),
        ("auth_ext_malformed", c.auth_ext_malformed),
        ("auth_ext_unknown_key", c.auth_ext_unknown_key),
        ("auth_ext_invalid_hmac", c.auth_ext_invalid_hmac),
        ("auth_ext_stale", c.auth_ext_stale),
        ("auth_ext_replay", c.auth_ext_replay),
        ("pri_zero_rcvd", c.pri_zero_rcvd),
        ("pri_zero_sent", c.pri_zero_sent),
    ];
    for (key, count) in all {
        o.plain(key, count);
    }
    o.close();
}

/// keepalived's numbers of the states.
const fn number(state: State) -> u8 {
    match state {
        State::Init => 0,
        State::Backup => 1,
        State::Master => 2,
        State::Fault => 3,
        State::Deleted => 97,
        State::Stop => 98,
    }
}

/// A JSON object (RFC 8259 §4) being written. Keys are constants that need no escapes.
struct ObjectWriter<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl<'a> ObjectWriter<'a> {
    fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, is_empty: true }
    }

    fn close(self) {
        self.out.push('}');
    }

    /// A number, or `true` or `false`.
    fn plain(&mut self, key: &str, value: impl fmt::Display) {
        self.key(key);
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{value}");
    }

    /// A flag that keepalived writes as 0 or 1.
    fn flag(&mut self, key: &str, value: bool) {
        self.plain(key, u8::from(value));
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        quote(value, self.out);
    }

    /// A list of strings; omitted if empty.
    fn list(&mut self, key: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.key(key);
        for (n, value) in values.iter().enumerate() {
            self.out.push(if n == 0 { '[' } else { ',' });
            quote(value, self.out);
        }
        self.out.push(']');
    }

    fn key(&mut self, key: &str) {
        if !self.is_empty {
            self.out.push(',');
        }
        self.is_empty = false;
        let _ = write!(self.out, "\"{key}\":");
    }
}

/// RFC 8259 §7: quotes, backslashes and control characters are escaped.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_for_json() {
        let mut out = String::new();
        quote("a\"b\\c\nd/é", &mut out);
        assert_eq!(out, "\"a\\\"b\\\\c\\u000ad/é\"");
    }
}
