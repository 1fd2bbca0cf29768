//! Model to canonical text, which lowers to the same model.
//!
//! Nothing is left to defaults that could change: every instance contains the settings it inherited
//! from `global_defs`. Settings that are off, empty or without alternative are not printed.

mod auth;
mod bfd;
mod changes;
mod check;
mod firewall;
mod link;
mod lvs;
mod notify;
mod process;
mod route;
mod track;
mod vlink;

pub use changes::changes;

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use self::vlink::Home;
use super::keywords::version_number;
use super::lower::seconds;
use crate::base::addr::Family;
use crate::model::vrrp::{
    Broadcast, ChecksumForm, Delivery, Garp, InitialState, Instance, Scope, SyncGroup, TrackedLink,
    VirtualAddress,
};
use crate::model::{Config, Global};

/// Whether to print passwords.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secrets {
    Shown,
    Hidden,
}

/// The whole model as text.
pub fn print(config: &Config, secrets: Secrets) -> String {
    let weights = track::weights(config);
    let mut out = Printer { text: String::new(), depth: 0, secrets, weights };
    // Writing to a string cannot fail.
    let _ = out.config(config);
    out.text
}

struct Printer {
    text: String,
    depth: usize,
    secrets: Secrets,
    weights: track::Weights,
}

/// One statement on its line.
macro_rules! line {
    ($out:expr, $($arg:tt)*) => {
        $out.line(format_args!($($arg)*))
    };
}
use line;

impl Printer {
    fn line(&mut self, args: fmt::Arguments<'_>) -> fmt::Result {
        write!(self.text, "{:1$}", "", self.depth * 4)?;
        self.text.write_fmt(args)?;
        self.text.write_char('\n')
    }

    fn flag(&mut self, on: bool, name: &str) -> fmt::Result {
        if on {
            line!(self, "{name}")
        } else {
            Ok(())
        }
    }

    fn option<T: fmt::Display>(&mut self, name: &str, value: Option<T>) -> fmt::Result {
        value.map_or(Ok(()), |value| line!(self, "{name} {value}"))
    }

    fn block(
        &mut self,
        head: fmt::Arguments<'_>,
        body: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        line!(self, "{head} {{")?;
        self.depth += 1;
        body(self)?;
        self.depth -= 1;
        line!(self, "}}")
    }

    fn config(&mut self, config: &Config) -> fmt::Result {
        let global = &config.global;
        self.option("net_namespace", global.net_namespace.as_deref().map(quoted))?;
        self.ipvs_namespace(&config.lvs.namespace)?;
        self.option("instance", global.instance_name.as_deref().map(quoted))?;
        self.flag(global.use_pid_dir && global.instance_name.is_none(), "use_pid_dir")?;
        self.block(format_args!("global_defs"), |out| {
            out.global(global)?;
            out.ipvs(&config.lvs)
        })?;
        self.objects(config)?;
        self.addresses("static_ipaddress", &config.static_addresses, vlink::plain)?;
        self.routes("static_routes", &config.static_routes)?;
        self.rules("static_rules", &config.static_rules)?;
        self.link_lists(config)?;
        for group in &config.groups {
            let name = quoted(&group.name);
            self.block(format_args!("vrrp_sync_group {name}"), |out| out.group(group))?;
        }
        for instance in &config.instances {
            let name = quoted(&instance.name);
            self.block(format_args!("vrrp_instance {name}"), |out| out.instance(instance, global))?;
        }
        self.tls(&config.lvs.tls)?;
        config.address_groups.iter().try_for_each(|group| self.address_group(group))?;
        config.virtual_servers.iter().try_for_each(|server| self.virtual_server(server))
    }

    fn global(&mut self, global: &Global) -> fmt::Result {
        let default = Global::default();
        let time = |d: Duration| (!d.is_zero()).then(|| seconds(d));
        self.option("router_id", global.router_id.as_deref().map(quoted))?;
        self.option("default_interface", global.default_interface.as_deref().map(quoted))?;
        self.flag(global.dynamic_interfaces, "dynamic_interfaces")?;
        self.option("vmac_prefix", global.vmac_prefix.as_deref().map(quoted))?;
        self.option("vmac_addr_prefix", global.vmac_addr_prefix.as_deref().map(quoted))?;
        self.flag(global.log_unknown_vrids, "log_unknown_vrids")?;
        let group4 = Some(global.mcast_group4).filter(|g| *g != default.mcast_group4);
        self.option("vrrp_mcast_group4", group4)?;
        let group6 = Some(global.mcast_group6).filter(|g| *g != default.mcast_group6);
        self.option("vrrp_mcast_group6", group6)?;
        self.option("vrrp_startup_delay", time(global.startup_delay))?;
        self.option("vrrp_garp_interval", time(global.garp_interval))?;
        self.option("vrrp_gna_interval", time(global.gna_interval))?;
        self.buffers(global)?;
        self.option("vrrp_delay_after_boot", time(global.delay_after_boot))?;
        self.of_process(global)?;
        self.flag(global.script_security, "enable_script_security")?;
        self.flag(global.use_symlink_paths, "use_symlink_paths")?;
        self.flag(global.disable_local_igmp, "disable_local_igmp")?;
        self.firewall(&global.firewall)?;
        self.outlets(global)?;
        if global.umask != default.umask {
            line!(self, "umask 0{:o}", global.umask)?;
        }
        Ok(())
    }

    fn buffers(&mut self, global: &Global) -> fmt::Result {
        let b = &global.buffers;
        let all = [
            ("vrrp_netlink_cmd_rcv_bufs", b.vrrp_cmd),
            ("vrrp_netlink_monitor_rcv_bufs", b.vrrp_monitor),
            ("lvs_netlink_cmd_rcv_bufs", b.lvs_cmd),
            ("lvs_netlink_monitor_rcv_bufs", b.lvs_monitor),
            ("process_monitor_rcv_bufs", b.processes),
        ];
        all.into_iter().try_for_each(|(name, buffer)| {
            self.option(name, buffer.bytes)?;
            self.flag(buffer.force, &format!("{name}_force"))
        })
    }

    fn group(&mut self, group: &SyncGroup) -> fmt::Result {
        self.block(format_args!("group"), |out| {
            group.members.iter().try_for_each(|name| line!(out, "{}", quoted(name)))
        })?;
        self.flag(group.tracking_weight, "sync_group_tracking_weight")?;
        self.links(&group.tracked_links)?;
        self.tracked(&group.tracked)?;
        self.notify(&group.notify)
    }

    fn links(&mut self, links: &[TrackedLink]) -> fmt::Result {
        if links.is_empty() {
            return Ok(());
        }
        self.block(format_args!("track_interface"), |out| {
            links.iter().try_for_each(|link| {
                let name = quoted(&link.interface);
                match (link.weight, link.reverse) {
                    (0, false) => line!(out, "{name}"),
                    (weight, false) => line!(out, "{name} weight {weight}"),
                    (weight, true) => line!(out, "{name} weight {weight} reverse"),
                }
            })
        })
    }

    fn instance(&mut self, i: &Instance, global: &Global) -> fmt::Result {
        // Before any address: those of IPv6 bring version 3 with them.
        line!(self, "version {}", version_number(i.version))?;
        self.flag(i.family == Family::V6, "native_ipv6")?;
        self.flag(i.strict, "strict_mode")?;
        let master = i.initial_state == InitialState::Master;
        line!(self, "state {}", if master { "MASTER" } else { "BACKUP" })?;
        self.option("interface", i.interface.as_deref().map(quoted))?;
        self.virtual_link(i)?;
        self.option("vrf", i.vrf.as_deref().map(quoted))?;
        line!(self, "virtual_router_id {}", i.vrid)?;
        line!(self, "priority {}", i.priority)?;
        line!(self, "advert_int {}", seconds(i.advert_interval))?;
        line!(self, "down_timer_adverts {}", i.down_timer_adverts)?;
        self.authentication(&i.authentication)?;
        self.delivery(i, global)?;
        self.checksum(i)?;
        self.behaviour(i)?;
        self.garp(&i.garp)?;
        self.flag(i.dont_track_primary, "dont_track_primary")?;
        self.links(&i.tracked_links)?;
        self.tracked(&i.tracked)?;
        self.notify(&i.notify)?;
        self.addresses("virtual_ipaddress", &i.addresses, |a| vlink::home(i, a))?;
        self.addresses("virtual_ipaddress_excluded", &i.excluded, |a| vlink::home(i, a))?;
        self.routes("virtual_routes", &i.routes)?;
        self.rules("virtual_rules", &i.rules)?;
        self.flag(i.addresses.is_empty() && !i.strict, "no_virtual_ipaddress")
    }

    fn delivery(&mut self, i: &Instance, global: &Global) -> fmt::Result {
        let ipvlan = i.ipvlan_address.as_ref().map(|address| address.prefix.addr);
        let source = i.source.filter(|source| Some(*source) != ipvlan);
        match &i.delivery {
            Delivery::Multicast { group } => {
                let usual: IpAddr = match i.family {
                    Family::V4 => global.mcast_group4.into(),
                    Family::V6 => global.mcast_group6.into(),
                };
                self.option("mcast_src_ip", source)?;
                self.option("mcast_dst_ip", Some(group).filter(|group| **group != usual))?;
            }
            Delivery::Unicast { peers, ttl, check_source } => {
                self.option("unicast_src_ip", source)?;
                self.option("unicast_ttl", *ttl)?;
                self.flag(*check_source, "check_unicast_src")?;
                self.flag(peers.is_empty(), "unicast_fault_no_peer")?;
                self.block(format_args!("unicast_peer"), |out| {
                    peers.iter().try_for_each(|peer| match (peer.min_ttl, peer.max_ttl) {
                        (0, 255) => line!(out, "{}", peer.addr),
                        (min, max) => line!(out, "{} min_ttl {min} max_ttl {max}", peer.addr),
                    })
                })?;
            }
        }
        self.flag(i.track_source, "track_src_ip")
    }

    fn checksum(&mut self, i: &Instance) -> fmt::Result {
        self.flag(i.checksum == ChecksumForm::AsV2, "v3_checksum_as_v2")?;
        self.flag(i.checksum == ChecksumForm::OldUnicast, "old_unicast_checksum")?;
        self.flag(!i.checksum_follows_peer, "old_unicast_checksum never")
    }

    fn behaviour(&mut self, i: &Instance) -> fmt::Result {
        let delay = Some(i.preempt_delay).filter(|d| !d.is_zero());
        self.flag(i.nopreempt, "nopreempt")?;
        self.option("preempt_delay", delay.map(seconds))?;
        self.option("timer_expired_backup", i.timer_expired_backup)?;
        self.flag(i.lower_prio_no_advert, "lower_prio_no_advert")?;
        self.flag(i.higher_prio_send_advert, "higher_prio_send_advert")?;
        self.flag(i.skip_check_adv_addr, "skip_check_adv_addr")?;
        self.flag(i.owner_ignore_adverts, "owner_ignore_adverts")?;
        self.flag(!i.accept, "no_accept")?;
        self.flag(i.accept && i.strict && !i.is_owner(), "accept")?;
        self.option("kernel_rx_buf_size", i.rx_buffer)?;
        self.flag(i.promote_secondaries, "promote_secondaries")?;
        self.option("debug", Some(i.debug).filter(|&level| level != 0))
    }

    fn garp(&mut self, garp: &Garp) -> fmt::Result {
        line!(self, "garp_master_delay {}", garp.delay.as_secs())?;
        line!(self, "garp_master_repeat {}", garp.repeat)?;
        line!(self, "garp_master_refresh {}", garp.refresh.as_secs())?;
        line!(self, "garp_master_refresh_repeat {}", garp.refresh_repeat)?;
        line!(self, "garp_lower_prio_delay {}", garp.lower_prio_delay.as_secs())?;
        line!(self, "garp_lower_prio_repeat {}", garp.lower_prio_repeat)?;
        let extra = Some(garp.extra.as_secs()).filter(|&every| every > 0);
        let keyword = if garp.extra_on_all { "garp_extra_if all" } else { "garp_extra_if" };
        self.option(keyword, extra)
    }

    fn addresses<'m>(
        &mut self,
        name: &str,
        addresses: &'m [Rc<VirtualAddress>],
        home: impl Fn(&'m VirtualAddress) -> Home<'m>,
    ) -> fmt::Result {
        if addresses.is_empty() {
            return Ok(());
        }
        self.block(format_args!("{name}"), |out| {
            addresses.iter().try_for_each(|a| line!(out, "{}", Entry(a, home(a))))
        })
    }
}

/// One line of `virtual_ipaddress`.
struct Entry<'m>(&'m VirtualAddress, Home<'m>);

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let a = self.0;
        let v6 = a.prefix.addr.is_ipv6();
        match a.peer {
            None => write!(f, "{}", a.prefix)?,
            Some(peer) => write!(f, "{} peer {peer}", a.prefix.addr)?,
        }
        self.1.fmt(f)?;
        if let Broadcast::Address(broadcast) = a.broadcast {
            write!(f, " brd {broadcast}")?;
        }
        if a.scope != Scope::GLOBAL {
            write!(f, " scope {}", scope(a.scope))?;
        }
        if let Some(label) = &a.label {
            write!(f, " label {}", quoted(label))?;
        }
        let flags = [
            (v6 && !a.nodad, " -nodad"),
            (a.home, " home"),
            (a.mngtmpaddr, " mngtmpaddr"),
            (a.noprefixroute, " noprefixroute"),
            (a.autojoin, " autojoin"),
            (a.no_track, " no_track"),
        ];
        for (_, name) in flags.iter().filter(|(on, _)| *on) {
            f.write_str(name)?;
        }
        let usual = if v6 && a.prefix.len == 128 { Some(0) } else { None };
        match a.preferred_lft {
            same if same == usual => Ok(()),
            Some(seconds) => write!(f, " preferred_lft {seconds}"),
            None => f.write_str(" preferred_lft forever"),
        }
    }
}

fn scope(scope: Scope) -> Cow<'static, str> {
    match scope {
        Scope::GLOBAL => "global".into(),
        Scope::SITE => "site".into(),
        Scope::LINK => "link".into(),
        Scope::HOST => "host".into(),
        Scope::NOWHERE => "nowhere".into(),
        Scope(n) => n.to_string().into(),
    }
}

/// A word as the reader takes it back. No word holds a double quote: the language has no escape.
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = !word.is_empty()
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/+,=*%&;()[]<>?^|".contains(&b));
    if plain {
        word.into()
    } else {
        format!("\"{word}\"").into()
    }
}

#[cfg(test)]
mod tests;
