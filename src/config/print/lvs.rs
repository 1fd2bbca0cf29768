//! Virtual servers, real servers and groups of addresses as text. Their checks are in
//! [`check`](super::check).

use std::net::IpAddr;

use super::fits::{fits, lines, Fits};
use super::form::{NUMBER, TEXT};
use super::text::{put, Printer};
use super::unless;
use crate::base::addr::Family;
use crate::model::check::Tls;
use crate::model::lvs::{
    FlushOnStop, Forwarding, Granularity, GroupEntry, Lvs, Protocol, RealServer, Scheduler,
    Service, SyncDaemon, Timeouts, Tunnel, TunnelChecksum, VirtualServer,
};

impl Printer {
    /// Statements of `global_defs`.
    pub(super) fn ipvs(&mut self, lvs: &Lvs) {
        put!(self, GLOBAL_DEFS {
            "lvs_timeouts": lvs.timeouts;
            "lvs_flush" if lvs.flush;
            "lvs_flush_on_stop": (lvs.flush_on_stop == FlushOnStop::Services).then_some("VS");
            "lvs_flush_on_stop" if lvs.flush_on_stop == FlushOnStop::All;
            "lvs_sync_daemon": &lvs.sync_daemon;
            "rs_init_notifies" if lvs.init_notifies;
            "no_checker_emails" if lvs.no_checker_mail;
        });
    }

    pub(super) fn tls(&mut self, tls: &Tls) {
        let password = tls.password.as_deref().map(|password| self.secret(password));
        if *tls != Tls::default() {
            put!(self, TOP_LEVEL { "SSL" => SSL {
                "password": password;
                "ca": &tls.ca;
                "certificate": &tls.certificate;
                "key": &tls.key;
            } });
        }
    }

    pub(super) fn service(&mut self, vs: &VirtualServer) {
        let has_address = matches!(vs.service, Service::Address { .. });
        put!(self, VIRTUAL_SERVER {
            "ip_family": (!has_address).then(|| family_name(vs.family));
            "protocol": vs.protocol;
            "lvs_sched": vs.scheduler;
            "flag-1" if vs.scheduler_flags.first;
            "flag-2" if vs.scheduler_flags.second;
            "flag-3" if vs.scheduler_flags.third;
            "lvs_method": vs.forwarding;
            "persistence_engine": &vs.persistence_engine;
            "persistence_timeout": vs.persistence.map(|persistence| persistence.timeout);
            "persistence_granularity": vs.persistence.map(|persistence| persistence.granularity);
            "ops" if vs.one_packet;
            "delay_loop": vs.delay_loop;
            "alpha" if vs.alpha;
            "omega" if vs.omega;
            "ha_suspend" if vs.ha_suspend;
            "quorum": vs.quorum;
            "hysteresis": unless(vs.hysteresis, 0);
            "quorum_up": &vs.quorum_up;
            "quorum_down": &vs.quorum_down;
            "smtp_alert": vs.mail;
            "virtualhost": &vs.virtualhost;
            "snmp_name": &vs.snmp_name;
            for sorry in vs.sorry_server.iter() => {
                "sorry_server": sorry.addr, unless(sorry.port, 0);
                "sorry_server_inhibit" if sorry.inhibit;
                "sorry_server_lvs_method": unless(sorry.forwarding, vs.forwarding);
            };
            for rs in &vs.servers => {
                "real_server": rs.addr, unless(rs.port, 0) => REAL_SERVER { .server(vs, rs) };
            };
        });
    }

    fn server(&mut self, vs: &VirtualServer, server: &RealServer) {
        put!(self, REAL_SERVER {
            "weight": server.weight;
            "lvs_method": unless(server.forwarding, vs.forwarding);
            "uthreshold": unless(server.upper_threshold, 0);
            "lthreshold": unless(server.lower_threshold, 0);
            "inhibit_on_failure" if server.inhibit_on_failure;
            "notify_up": &server.notify_up;
            "notify_down": &server.notify_down;
            "alpha": unless(server.alpha, vs.alpha);
            "smtp_alert": server.mail;
            "virtualhost": unless(&server.virtualhost, &vs.virtualhost);
            "snmp_name": &server.snmp_name;
            for check in &server.checks => { .check(vs, server, check) };
        });
    }
}

const fn family_name(family: Family) -> &'static str {
    match family {
        Family::V4 => "inet",
        Family::V6 => "inet6",
    }
}

fits! {
    CHOICE => Protocol: |protocol, out| out.word(protocol.name().to_ascii_uppercase());
    CHOICE => Scheduler: |scheduler, out| out.word(scheduler.name());
    TEXT => Granularity: |granularity, out| match granularity {
        Granularity::Mask(mask) => out.word(mask),
        Granularity::Prefix(len) => out.word(len),
    };
    RANGE => (IpAddr, IpAddr): |range, out| match range {
        (first, last) if first == last => out.word(first),
        (first, last) => out.word(format_args!("{first}-{last}")),
    };
    SERVICE => Service: |service, out| match service {
        Service::Address { addr, port } => {
            out.word(addr);
            Fits::<NUMBER>::write(&unless(*port, 0), out);
        }
        Service::Fwmark(mark) => out.word(format_args!("fwmark {mark}")),
        Service::Group { name, .. } => {
            out.word("group");
            Fits::<TEXT>::write(name, out);
        }
    };
}

lines! {
    LVS_METHOD => Forwarding: |forwarding| {
        match *forwarding => {
            Forwarding::Nat => { _: "NAT" }
            Forwarding::Direct => { _: "DR" }
            Forwarding::Tunnel(Tunnel::Ipip) => { _: "TUN" }
            Forwarding::Tunnel(Tunnel::Gre { checksum }) => {
                _: "TUN";
                "type": "gre";
                "csum" if checksum;
            }
            Forwarding::Tunnel(Tunnel::Gue { port, checksum }) => {
                _: "TUN";
                "type": "gue";
                "port": port;
                "csum" if checksum == TunnelChecksum::Plain;
                "remcsum" if checksum == TunnelChecksum::Remote;
            }
        }
    }
    LVS_TIMEOUTS => Timeouts: |limits| {
        "tcp": limits.tcp;
        "tcpfin": limits.tcp_fin;
        "udp": limits.udp;
    }
    LVS_SYNC_DAEMON => SyncDaemon: |daemon| {
        _: &daemon.interface;
        "inst": &daemon.instance;
        "id": daemon.id;
        "maxlen": daemon.max_len;
        "port": daemon.port;
        "ttl": daemon.ttl;
        "group": daemon.group;
    }
    SERVER_GROUP => GroupEntry: |entry| {
        match *entry => {
            GroupEntry::Range { first, last, port } => { _: (first, last), unless(port, 0) }
            GroupEntry::Fwmark { mark, family } => { "fwmark": mark, family.map(family_name) }
        }
    }
}
