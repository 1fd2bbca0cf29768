//! `vrrp_instance` and `vrrp_sync_group`.

use std::net::IpAddr;
use std::time::Duration;

use super::address::homed;
use super::fits::lines;
use super::text::{put, Printer};
use super::unless;
use crate::base::addr::Family;
use crate::config::keywords::version_number;
use crate::model::vrrp::{ChecksumForm, Delivery, Garp, InitialState, Instance, Peer, SyncGroup};
use crate::model::Global;

impl Printer {
    pub(super) fn group(&mut self, group: &SyncGroup) {
        put!(self, VRRP_SYNC_GROUP {
            "group" => each &group.members;
            "sync_group_tracking_weight" if group.tracking_weight;
            .tracked(&group.tracked_links, &group.tracked);
            .notify(&group.notify);
        });
    }

    pub(super) fn instance(&mut self, i: &Instance, global: &Global) {
        let master = i.initial_state == InitialState::Master;
        put!(self, VRRP_INSTANCE {
            // Before any address: those of IPv6 bring version 3 with them.
            "version": version_number(i.version);
            "native_ipv6" if i.family == Family::V6;
            "strict_mode" if i.strict;
            "state": if master { "MASTER" } else { "BACKUP" };
            "interface": &i.interface;
            .virtual_link(i);
            "vrf": &i.vrf;
            "virtual_router_id": i.vrid;
            "priority": i.priority;
            "advert_int": i.advert_interval;
            "down_timer_adverts": i.down_timer_adverts;
            .authentication(&i.authentication);
            .delivery(i, global);
            .behaviour(i);
            .garp(&i.garp);
            "dont_track_primary" if i.dont_track_primary;
            .tracked(&i.tracked_links, &i.tracked);
            .notify(&i.notify);
            "virtual_ipaddress" => each i.addresses.iter().map(|a| homed(i, a));
            "virtual_ipaddress_excluded" => each i.excluded.iter().map(|a| homed(i, a));
            "virtual_routes" => each i.routes.iter();
            "virtual_rules" => each i.rules.iter();
            "no_virtual_ipaddress" if i.addresses.is_empty() && !i.strict;
        });
    }

    fn delivery(&mut self, i: &Instance, global: &Global) {
        let ipvlan = i.ipvlan_address.as_ref().map(|address| address.prefix.addr);
        let source = i.source.filter(|source| Some(*source) != ipvlan);
        let usual: IpAddr = match i.family {
            Family::V4 => global.mcast_group4.into(),
            Family::V6 => global.mcast_group6.into(),
        };
        put!(self, VRRP_INSTANCE {
            match &i.delivery => {
                Delivery::Multicast { group } => {
                    "mcast_src_ip": source;
                    "mcast_dst_ip": unless(*group, usual);
                }
                Delivery::Unicast { peers, ttl, check_source } => {
                    "unicast_src_ip": source;
                    "unicast_ttl": *ttl;
                    "check_unicast_src" if *check_source;
                    "unicast_fault_no_peer" if peers.is_empty();
                    "unicast_peer" => |out| out.lines(peers);
                }
            };
            "track_src_ip" if i.track_source;
        });
    }

    fn behaviour(&mut self, i: &Instance) {
        put!(self, VRRP_INSTANCE {
            "v3_checksum_as_v2" if i.checksum == ChecksumForm::AsV2;
            "old_unicast_checksum" if i.checksum == ChecksumForm::OldUnicast;
            "old_unicast_checksum": (!i.checksum_follows_peer).then_some("never");
            "nopreempt" if i.nopreempt;
            "preempt_delay": unless(i.preempt_delay, Duration::ZERO);
            "timer_expired_backup": i.timer_expired_backup;
            "lower_prio_no_advert" if i.lower_prio_no_advert;
            "higher_prio_send_advert" if i.higher_prio_send_advert;
            "skip_check_adv_addr" if i.skip_check_adv_addr;
            "owner_ignore_adverts" if i.owner_ignore_adverts;
            "no_accept" if !i.accept;
            "accept" if i.accept && i.strict && !i.is_owner();
            "kernel_rx_buf_size": i.rx_buffer;
            "promote_secondaries" if i.promote_secondaries;
            "debug": unless(i.debug, 0);
        });
    }

    fn garp(&mut self, garp: &Garp) {
        put!(self, VRRP_INSTANCE {
            "garp_master_delay": garp.delay.as_secs();
            "garp_master_repeat": garp.repeat;
            "garp_master_refresh": garp.refresh.as_secs();
            "garp_master_refresh_repeat": garp.refresh_repeat;
            "garp_lower_prio_delay": garp.lower_prio_delay.as_secs();
            "garp_lower_prio_repeat": garp.lower_prio_repeat;
            "garp_extra_if": (garp.extra.as_secs() > 0).then_some(garp);
        });
    }
}

lines! {
    UNICAST_PEER => Peer: |peer| {
        _: peer.addr;
        for (min, max) in unless((peer.min_ttl, peer.max_ttl), (0, 255)).into_iter() => {
            "min_ttl": min;
            "max_ttl": max;
        };
    }
    GARP_EXTRA_IF => Garp: |garp| {
        "all" if garp.extra_on_all;
        _: garp.extra.as_secs();
    }
}
