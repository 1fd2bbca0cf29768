//! Virtual servers, real servers and groups of addresses as text. Their checks are in
//! [`check`](super::check).

use std::fmt;

use super::{line, quoted, seconds, Printer, Secrets};
use crate::base::addr::Family;
use crate::model::check::Tls;
use crate::model::lvs::{
    AddressGroup, FlushOnStop, Forwarding, Granularity, GroupEntry, Lvs, Namespace, RealServer,
    Service, SorryServer, SyncDaemon, Timeouts, Tunnel, TunnelChecksum, VirtualServer,
};
use crate::model::script::Script;

impl Printer {
    pub(super) fn ipvs_namespace(&mut self, namespace: &Namespace) -> fmt::Result {
        match namespace {
            Namespace::Own => Ok(()),
            Namespace::Initial => line!(self, "net_namespace_ipvs"),
            Namespace::Named(name) => line!(self, "net_namespace_ipvs {}", quoted(name)),
        }
    }

    /// Statements of `global_defs`.
    pub(super) fn ipvs(&mut self, lvs: &Lvs) -> fmt::Result {
        if lvs.timeouts != Timeouts::default() {
            line!(self, "lvs_timeouts{}", Limits(&lvs.timeouts))?;
        }
        self.flag(lvs.flush, "lvs_flush")?;
        match lvs.flush_on_stop {
            FlushOnStop::Off => {}
            FlushOnStop::Services => line!(self, "lvs_flush_on_stop VS")?,
            FlushOnStop::All => line!(self, "lvs_flush_on_stop")?,
        }
        if let Some(daemon) = &lvs.sync_daemon {
            line!(self, "lvs_sync_daemon {}", Sync(daemon))?;
        }
        self.flag(lvs.init_notifies, "rs_init_notifies")?;
        self.flag(lvs.no_checker_mail, "no_checker_emails")
    }

    pub(super) fn tls(&mut self, tls: &Tls) -> fmt::Result {
        if *tls == Tls::default() {
            return Ok(());
        }
        let hidden = self.secrets == Secrets::Hidden;
        let password = tls.password.as_deref().map(|p| if hidden { "********" } else { p });
        self.block(format_args!("SSL"), |out| {
            out.option("password", password.map(quoted))?;
            out.option("ca", tls.ca.as_deref().map(quoted))?;
            out.option("certificate", tls.certificate.as_deref().map(quoted))?;
            out.option("key", tls.key.as_deref().map(quoted))
        })
    }

    pub(super) fn address_group(&mut self, group: &AddressGroup) -> fmt::Result {
        self.block(format_args!("virtual_server_group {}", quoted(&group.name)), |out| {
            out.address_group_entries(group)
        })
    }

    pub(super) fn address_group_entries(&mut self, group: &AddressGroup) -> fmt::Result {
        group.entries.iter().try_for_each(|entry| line!(self, "{}", Line(entry)))
    }

    pub(super) fn virtual_server(&mut self, vs: &VirtualServer) -> fmt::Result {
        self.block(format_args!("virtual_server {}", Head(&vs.service)), |out| {
            out.virtual_server_lines(vs)
        })
    }

    pub(super) fn virtual_server_lines(&mut self, vs: &VirtualServer) -> fmt::Result {
        let mark_or_group = !matches!(vs.service, Service::Address { .. });
        let family = Some(vs.family).filter(|_| mark_or_group);
        self.option("ip_family", family.map(family_name))?;
        self.option("protocol", vs.protocol.map(|p| p.name().to_ascii_uppercase()))?;
        self.option("lvs_sched", Some(vs.scheduler.name()))?;
        self.flag(vs.scheduler_flags.first, "flag-1")?;
        self.flag(vs.scheduler_flags.second, "flag-2")?;
        self.flag(vs.scheduler_flags.third, "flag-3")?;
        self.option("lvs_method", Some(Method(vs.forwarding)))?;
        self.persistence(vs)?;
        self.flag(vs.one_packet, "ops")?;
        self.option("delay_loop", Some(seconds(vs.delay_loop)))?;
        self.flag(vs.alpha, "alpha")?;
        self.flag(vs.omega, "omega")?;
        self.flag(vs.ha_suspend, "ha_suspend")?;
        self.option("quorum", Some(vs.quorum))?;
        self.option("hysteresis", Some(vs.hysteresis).filter(|&h| h != 0))?;
        self.commands("quorum_up", vs.quorum_up.as_ref())?;
        self.commands("quorum_down", vs.quorum_down.as_ref())?;
        self.option("smtp_alert", Some(on_off(vs.mail)))?;
        self.option("virtualhost", vs.virtualhost.as_deref().map(quoted))?;
        self.option("snmp_name", vs.snmp_name.as_deref().map(quoted))?;
        if let Some(sorry) = &vs.sorry_server {
            self.sorry_server(vs, sorry)?;
        }
        vs.servers.iter().try_for_each(|server| self.real_server(vs, server))
    }

    fn commands(&mut self, name: &str, script: Option<&Script>) -> fmt::Result {
        script.map_or(Ok(()), |script| self.command(name, script))
    }

    fn persistence(&mut self, vs: &VirtualServer) -> fmt::Result {
        self.option("persistence_engine", vs.persistence_engine.as_deref().map(quoted))?;
        let Some(persistence) = vs.persistence else { return Ok(()) };
        line!(self, "persistence_timeout {}", persistence.timeout)?;
        match persistence.granularity {
            None => Ok(()),
            Some(Granularity::Mask(mask)) => line!(self, "persistence_granularity {mask}"),
            Some(Granularity::Prefix(len)) => line!(self, "persistence_granularity {len}"),
        }
    }

    fn sorry_server(&mut self, vs: &VirtualServer, sorry: &SorryServer) -> fmt::Result {
        match sorry.port {
            0 => line!(self, "sorry_server {}", sorry.addr)?,
            port => line!(self, "sorry_server {} {port}", sorry.addr)?,
        }
        self.flag(sorry.inhibit, "sorry_server_inhibit")?;
        let own = Some(sorry.forwarding).filter(|method| *method != vs.forwarding);
        self.option("sorry_server_lvs_method", own.map(Method))
    }

    fn real_server(&mut self, vs: &VirtualServer, server: &RealServer) -> fmt::Result {
        let body = |out: &mut Self| -> fmt::Result {
            line!(out, "weight {}", server.weight)?;
            let own = Some(server.forwarding).filter(|method| *method != vs.forwarding);
            out.option("lvs_method", own.map(Method))?;
            out.option("uthreshold", Some(server.upper_threshold).filter(|&n| n != 0))?;
            out.option("lthreshold", Some(server.lower_threshold).filter(|&n| n != 0))?;
            out.flag(server.inhibit_on_failure, "inhibit_on_failure")?;
            out.commands("notify_up", server.notify_up.as_deref())?;
            out.commands("notify_down", server.notify_down.as_deref())?;
            let alpha = Some(server.alpha).filter(|&alpha| alpha != vs.alpha);
            out.option("alpha", alpha.map(on_off))?;
            out.option("smtp_alert", Some(on_off(server.mail)))?;
            let own = Some(&server.virtualhost).filter(|name| **name != vs.virtualhost);
            out.option("virtualhost", own.and_then(|name| name.as_deref()).map(quoted))?;
            out.option("snmp_name", server.snmp_name.as_deref().map(quoted))?;
            server.checks.iter().try_for_each(|check| out.check(vs, server, check))
        };
        match server.port {
            0 => self.block(format_args!("real_server {}", server.addr), body),
            port => self.block(format_args!("real_server {} {port}", server.addr), body),
        }
    }
}

pub(super) const fn on_off(on: bool) -> &'static str {
    if on {
        "on"
    } else {
        "off"
    }
}

const fn family_name(family: Family) -> &'static str {
    match family {
        Family::V4 => "inet",
        Family::V6 => "inet6",
    }
}

/// Arguments of `virtual_server`.
pub(super) struct Head<'m>(pub(super) &'m Service);

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Service::Address { addr, port: 0 } => write!(f, "{addr}"),
            Service::Address { addr, port } => write!(f, "{addr} {port}"),
            Service::Fwmark(mark) => write!(f, "fwmark {mark}"),
            Service::Group { name, .. } => write!(f, "group {}", quoted(name)),
        }
    }
}

/// One line of a group.
struct Line<'m>(&'m GroupEntry);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            GroupEntry::Range { first, last, port } => {
                write!(f, "{first}")?;
                if last != first {
                    write!(f, "-{last}")?;
                }
                if port != 0 {
                    write!(f, " {port}")?;
                }
                Ok(())
            }
            GroupEntry::Fwmark { mark, family } => {
                write!(f, "fwmark {mark}")?;
                family.map_or(Ok(()), |family| write!(f, " {}", family_name(family)))
            }
        }
    }
}

/// `lvs_method` with its options.
struct Method(Forwarding);

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tunnel = match self.0 {
            Forwarding::Nat => return f.write_str("NAT"),
            Forwarding::Direct => return f.write_str("DR"),
            Forwarding::Tunnel(tunnel) => tunnel,
        };
        match tunnel {
            Tunnel::Ipip => f.write_str("TUN"),
            Tunnel::Gre { checksum: false } => f.write_str("TUN type gre"),
            Tunnel::Gre { checksum: true } => f.write_str("TUN type gre csum"),
            Tunnel::Gue { port, checksum } => {
                write!(f, "TUN type gue port {port}")?;
                f.write_str(match checksum {
                    TunnelChecksum::None => "",
                    TunnelChecksum::Plain => " csum",
                    TunnelChecksum::Remote => " remcsum",
                })
            }
        }
    }
}

/// The words of `lvs_timeouts`.
struct Limits<'m>(&'m Timeouts);

impl fmt::Display for Limits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [("tcp", self.0.tcp), ("tcpfin", self.0.tcp_fin), ("udp", self.0.udp)];
        for (name, value) in words {
            value.map_or(Ok(()), |value| write!(f, " {name} {value}"))?;
        }
        Ok(())
    }
}

/// The words of `lvs_sync_daemon`.
struct Sync<'m>(&'m SyncDaemon);

impl fmt::Display for Sync<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SyncDaemon { interface, instance, id, max_len, port, ttl, group } = self.0;
        f.write_str(&quoted(interface))?;
        instance.as_ref().map_or(Ok(()), |name| write!(f, " inst {}", quoted(name)))?;
        write!(f, " id {id}")?;
        max_len.map_or(Ok(()), |n| write!(f, " maxlen {n}"))?;
        port.map_or(Ok(()), |n| write!(f, " port {n}"))?;
        ttl.map_or(Ok(()), |n| write!(f, " ttl {n}"))?;
        group.map_or(Ok(()), |addr| write!(f, " group {addr}"))
    }
}
