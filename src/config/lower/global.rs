//! `global_defs`: what belongs to the daemon, and the defaults of instances.

use std::time::Duration;

use super::fifo::RawFifos;
use super::mail::RawMail;
use super::script::{RawRules, Rules};
use super::{ipvs, Settled};
use crate::base::addr::Family;
use crate::base::diag::Severity;
use crate::config::document::{Document, Node};
use crate::config::host::Host;
use crate::config::keywords;
use crate::config::statement::{Checker, Statement};
use crate::config::value::{umask, Value};
use crate::model::vrrp::Version;
use crate::model::Global;

/// What an instance takes where it says nothing itself.
pub(super) struct Defaults {
    pub version: Version,
    pub strict: bool,
    pub dynamic_interfaces: bool,
    pub mcast_group4: std::net::Ipv4Addr,
    pub mcast_group6: std::net::Ipv6Addr,
    pub garp_delay: u32,
    pub garp_repeat: u32,
    pub garp_refresh: u32,
    pub garp_refresh_repeat: u32,
    pub garp_lower_prio_delay: u32,
    pub garp_lower_prio_repeat: u32,
    pub down_timer_adverts: u32,
    pub lower_prio_no_advert: bool,
    pub higher_prio_send_advert: bool,
    pub check_unicast_src: bool,
    pub skip_check_adv_addr: bool,
    pub owner_ignore_adverts: bool,
    pub v3_checksum_as_v2: bool,
    pub rx_buffer: RxBuffer,
    pub scripts: Rules,
    /// `smtp_alert_vrrp`, or else `smtp_alert`.
    pub smtp_alert: bool,
    pub priority_changes: bool,
    pub checks: ipvs::ChecksDefaults,
}

/// All that `global_defs` has.
pub(super) struct Globals<'d> {
    pub global: Global,
    pub defaults: Defaults,
    pub ipvs: ipvs::Draft,
    /// Still without their users and commands.
    pub fifos: RawFifos<'d>,
}

/// `vrrp_rx_bufs_policy` and `vrrp_rx_bufs_multiplier`.
pub(super) struct RxBuffer {
    policy: RxPolicy,
    multiplier: usize,
}

#[derive(Clone, Copy)]
enum RxPolicy {
    Daemon,
    Mtu,
    Advert,
    Bytes(usize),
}

impl RxBuffer {
    /// The size, once it is known what will be received.
    pub(super) fn bytes(&self, host: &dyn Host, instances: &[Settled]) -> Option<usize> {
        let instances = instances.iter().map(|s| &s.instance);
        let unit = match self.policy {
            RxPolicy::Daemon => return None,
            RxPolicy::Bytes(bytes) => return Some(bytes),
            RxPolicy::Mtu => instances
                .filter_map(|i| host.link(i.interface.as_deref()?))
                .map(|link| link.mtu as usize)
                .max()?,
            RxPolicy::Advert => instances
                .map(|i| {
                    let (head, size) = match i.family {
                        Family::V4 => (20 + 8 + 8, 4),
                        Family::V6 => (40 + 8, 16),
                    };
                    head + size * i.addresses.len()
                })
                .max()?,
        };
        Some(unit.saturating_mul(self.multiplier))
    }
}

/// What was given so far.
struct Draft<'d> {
    global: Global,
    strict: bool,
    version: Version,
    garp_delay: Option<u32>,
    garp_repeat: Option<u32>,
    garp_refresh: Option<u32>,
    garp_refresh_repeat: Option<u32>,
    garp_lower_prio_delay: Option<u32>,
    garp_lower_prio_repeat: Option<u32>,
    min_garp: bool,
    down_timer_adverts: u32,
    lower_prio_no_advert: bool,
    higher_prio_send_advert: bool,
    check_unicast_src: bool,
    skip_check_adv_addr: bool,
    owner_ignore_adverts: bool,
    v3_checksum_as_v2: bool,
    rx_policy: RxPolicy,
    rx_multiplier: usize,
    scripts: RawRules<'d>,
    mail: RawMail,
    fifos: RawFifos<'d>,
    smtp_alert: Option<bool>,
    smtp_alert_vrrp: Option<bool>,
    priority_changes: bool,
    ipvs: ipvs::Draft,
}

/// Reads every `global_defs`, wherever it stands.
pub(super) fn lower<'d>(
    doc: &'d Document,
    host: &dyn Host,
    checker: &mut Checker<'_>,
) -> Globals<'d> {
    let mut draft = Draft::default();
    for node in doc.roots().filter(|n| n.keyword().text == "global_defs") {
        checker.block(node.children(), &keywords::GLOBAL_DEFS, &mut |checker, s| {
            if !draft.mail.take(checker, &s) && !draft.fifos.take(&s) {
                draft.take(checker, s);
            }
        });
    }
    if draft.global.router_id.is_none() {
        draft.global.router_id = host.hostname();
    }
    let scripts = Rules::new(&draft.scripts, host, checker);
    draft.global.mail = std::mem::take(&mut draft.mail).settle(host, checker);
    draft.finish(scripts)
}

impl Default for Draft<'_> {
    fn default() -> Self {
        Self {
            global: Global::default(),
            strict: false,
            version: Version::V2,
            garp_delay: None,
            garp_repeat: None,
            garp_refresh: None,
            garp_refresh_repeat: None,
            garp_lower_prio_delay: None,
            garp_lower_prio_repeat: None,
            min_garp: false,
            down_timer_adverts: 3,
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            check_unicast_src: false,
            skip_check_adv_addr: false,
            owner_ignore_adverts: false,
            v3_checksum_as_v2: false,
            rx_policy: RxPolicy::Daemon,
            rx_multiplier: 3,
            scripts: RawRules::default(),
            mail: RawMail::default(),
            fifos: RawFifos::default(),
            smtp_alert: None,
            smtp_alert_vrrp: None,
            priority_changes: false,
            ipvs: ipvs::Draft::default(),
        }
    }
}

impl<'d> Draft<'d> {
    fn take(&mut self, checker: &mut Checker<'_>, s: Statement<'d>) {
        if self.ipvs.take(checker, s) {
            return;
        }
        match s.value {
            Value::Int(n) => self.number(s.keyword.name, n),
            Value::Micros(n) => self.time(s.keyword.name, Duration::from_micros(n)),
            Value::Text(text) => self.text(checker, s, text),
            Value::Addr(addr) => self.group(checker, s, addr),
            Value::Bool(on) => self.switch(s.keyword.name, on),
            // Bare is on.
            Value::Nothing => self.switch(s.keyword.name, true),
            Value::Prefix(..) => {}
        }
    }

    fn switch(&mut self, name: &str, on: bool) {
        match name {
            "dynamic_interfaces" => self.global.dynamic_interfaces = on,
            "log_unknown_vrids" => self.global.log_unknown_vrids = on,
            "enable_script_security" => self.scripts.security = on,
            "smtp_alert" => self.smtp_alert = Some(on),
            "smtp_alert_vrrp" => self.smtp_alert_vrrp = Some(on),
            "use_symlink_paths" => self.scripts.symlinks = on,
            "v3_checksum_as_v2" => self.v3_checksum_as_v2 = on,
            "vrrp_notify_priority_changes" => self.priority_changes = on,
            "vrrp_check_unicast_src" => self.check_unicast_src = on,
            "vrrp_higher_prio_send_advert" => self.higher_prio_send_advert = on,
            "vrrp_lower_prio_no_advert" => self.lower_prio_no_advert = on,
            "vrrp_min_garp" => self.min_garp = on,
            "vrrp_no_swap" => self.global.no_swap = on,
            "vrrp_owner_ignore_adverts" => self.owner_ignore_adverts = on,
            "vrrp_skip_check_adv_addr" => self.skip_check_adv_addr = on,
            "vrrp_strict" => self.strict = on,
            // The reader of the text obeys it.
            "include_check" => {}
            _ => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    /// Limits were checked by the table.
    fn number(&mut self, name: &str, n: i64) {
        let count = u32::try_from(n).unwrap_or(0);
        match name {
            "vrrp_down_timer_adverts" => self.down_timer_adverts = count,
            "vrrp_garp_master_delay" => self.garp_delay = Some(count),
            "vrrp_garp_master_repeat" => self.garp_repeat = Some(count),
            "vrrp_garp_master_refresh" => self.garp_refresh = Some(count),
            "vrrp_garp_master_refresh_repeat" => self.garp_refresh_repeat = Some(count),
            "vrrp_garp_lower_prio_delay" => self.garp_lower_prio_delay = Some(count),
            "vrrp_garp_lower_prio_repeat" => self.garp_lower_prio_repeat = Some(count),
            "vrrp_priority" => self.global.nice = i8::try_from(n).ok(),
            "vrrp_rt_priority" => self.global.rt_priority = u8::try_from(n).ok(),
            "vrrp_rx_bufs_multiplier" => self.rx_multiplier = count as usize,
            "vrrp_version" => self.version = version(n),
            _ => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn time(&mut self, name: &str, time: Duration) {
        match name {
            "vrrp_garp_interval" => self.global.garp_interval = time,
            "vrrp_gna_interval" => self.global.gna_interval = time,
            "vrrp_startup_delay" => self.global.startup_delay = time,
            _ => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn text(&mut self, checker: &mut Checker<'_>, s: Statement<'d>, text: &str) {
        match s.keyword.name {
            "default_interface" => self.global.default_interface = Some(text.to_owned()),
            "dynamic_interfaces" => self.global.dynamic_interfaces = true,
            "script_user" => self.scripts.user = Some(s.node),
            "router_id" => self.global.router_id = Some(text.to_owned()),
            "umask" => self.umask(checker, s.node),
            "vrrp_rx_bufs_policy" => self.rx_policy(checker, s.node),
            "include_check" => {}
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn group(&mut self, checker: &mut Checker<'_>, s: Statement<'_>, addr: std::net::IpAddr) {
        match addr {
            std::net::IpAddr::V4(addr) => self.global.mcast_group4 = addr,
            std::net::IpAddr::V6(addr) => {
                if addr.segments()[0] & 0xf != 2 {
                    let text = format!("{} '{addr}' is not link-local", s.keyword.name);
                    checker.out.error(s.keyword.name, s.node.keyword().span, text);
                }
                self.global.mcast_group6 = addr;
            }
        }
    }

    /// A number in any base, or names of bits joined by `|`, with blanks or without.
    fn umask(&mut self, checker: &mut Checker<'_>, node: Node<'_>) {
        let text: String = node.args().map(|word| word.text).collect();
        match umask(&text).and_then(|mode| u32::try_from(mode).ok()) {
            Some(mode) => self.global.umask = mode,
            None => {
                let text = format!("umask '{text}' is not a file mode such as 0177: it is ignored");
                checker.out.error("umask", node.keyword().span, text);
            }
        }
    }

    /// A number wins over a word, `MTU` over `ADVERT`.
    fn rx_policy(&mut self, checker: &mut Checker<'_>, node: Node<'_>) {
        const NAME: &str = "vrrp_rx_bufs_policy";
        let mut policy = None;
        for word in node.args() {
            let given = if word.text.eq_ignore_ascii_case("MTU") {
                RxPolicy::Mtu
            } else if word.text.eq_ignore_ascii_case("ADVERT") {
                RxPolicy::Advert
            } else if let Ok(bytes) = word.text.parse() {
                RxPolicy::Bytes(bytes)
            } else {
                let text = format!("{NAME} '{}' is not MTU, ADVERT or a number", word.text);
                checker.out.error(NAME, word.span, text);
                continue;
            };
            policy = Some(match (policy, given) {
                (None, given) => given,
                (Some(before), given) => {
                    let text = format!(
                        "{NAME} takes one word: a number counts before MTU, and MTU before ADVERT"
                    );
                    checker.out.tell(Severity::Error, NAME, Some(word.span), text);
                    match (before, given) {
                        (RxPolicy::Bytes(n), _) | (_, RxPolicy::Bytes(n)) => RxPolicy::Bytes(n),
                        (RxPolicy::Mtu, _) | (_, RxPolicy::Mtu) => RxPolicy::Mtu,
                        _ => given,
                    }
                }
            });
        }
        if let Some(policy) = policy {
            self.rx_policy = policy;
        }
    }

    /// Fills in what follows from other settings.
    fn finish(self, scripts: Rules) -> Globals<'d> {
        // `vrrp_min_garp`: what was not asked for shrinks to a single message.
        let (delay, repeat) = if self.min_garp { (0, 1) } else { (5, 5) };
        let garp_delay = self.garp_delay.unwrap_or(delay);
        let garp_repeat = self.garp_repeat.unwrap_or(repeat);
        let defaults = Defaults {
            version: self.version,
            strict: self.strict,
            dynamic_interfaces: self.global.dynamic_interfaces,
            mcast_group4: self.global.mcast_group4,
            mcast_group6: self.global.mcast_group6,
            garp_delay,
            garp_repeat,
            garp_refresh: self.garp_refresh.unwrap_or(0),
            garp_refresh_repeat: self.garp_refresh_repeat.unwrap_or(1),
            garp_lower_prio_delay: self.garp_lower_prio_delay.unwrap_or(garp_delay),
            garp_lower_prio_repeat: self.garp_lower_prio_repeat.unwrap_or(garp_repeat),
            down_timer_adverts: self.down_timer_adverts,
            lower_prio_no_advert: self.lower_prio_no_advert,
            higher_prio_send_advert: self.higher_prio_send_advert,
            check_unicast_src: self.check_unicast_src,
            skip_check_adv_addr: self.skip_check_adv_addr,
            owner_ignore_adverts: self.owner_ignore_adverts,
            v3_checksum_as_v2: self.v3_checksum_as_v2,
            rx_buffer: RxBuffer { policy: self.rx_policy, multiplier: self.rx_multiplier },
            scripts,
            smtp_alert: self.smtp_alert_vrrp.or(self.smtp_alert).unwrap_or(false),
            priority_changes: self.priority_changes,
            checks: ipvs::ChecksDefaults {
                mail: self.ipvs.checks.mail.or(self.smtp_alert),
                ..self.ipvs.checks
            },
        };
        let mut global = self.global;
        global.script_security = self.scripts.security;
        global.use_symlink_paths = self.scripts.symlinks;
        Globals { global, defaults, ipvs: self.ipvs, fifos: self.fifos }
    }
}

/// 2 or 3: the table allows nothing else.
pub(super) fn version(n: i64) -> Version {
    if n == 3 {
        Version::V3
    } else {
        Version::V2
    }
}
