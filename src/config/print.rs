//! Model to canonical text, which lowers to the same model.
//!
//! Nothing is left to defaults that could change: every instance contains the settings it inherited
//! from `global_defs`. Settings that are off, empty or without alternative are not printed.
//!
//! Keywords, options and the forms of their words come from the tables of the reader ([`text`]):
//! what these do not have does not compile.

mod address;
mod auth;
mod bfd;
mod changes;
mod check;
mod firewall;
mod fits;
mod form;
mod instance;
mod link;
mod lvs;
mod notify;
mod process;
mod route;
mod text;
mod track;
mod vlink;

pub use changes::changes;

use std::rc::Rc;
use std::time::Duration;

use self::text::{put, Printer};
use crate::model::lvs::Namespace;
use crate::model::{Config, Global};

/// Whether to print passwords.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secrets {
    Shown,
    Hidden,
}

/// The whole model as text.
pub fn print(config: &Config, secrets: Secrets) -> String {
    let mut out = Printer::new(secrets, Rc::new(track::weights(config)));
    out.config(config);
    out.finish()
}

/// A value, unless it is the usual one.
fn unless<T: PartialEq>(value: T, usual: T) -> Option<T> {
    (value != usual).then_some(value)
}

impl Printer {
    fn config(&mut self, config: &Config) {
        let global = &config.global;
        put!(self, TOP_LEVEL {
            "net_namespace": &global.net_namespace;
            match &config.lvs.namespace => {
                Namespace::Own => {}
                Namespace::Initial => { "net_namespace_ipvs" if true }
                Namespace::Named(name) => { "net_namespace_ipvs": name }
            };
            "instance": &global.instance_name;
            "use_pid_dir" if global.use_pid_dir && global.instance_name.is_none();
            "global_defs" => GLOBAL_DEFS {
                .global(global);
                .ipvs(&config.lvs);
            };
            for s in &config.scripts => { "vrrp_script": &s.name => VRRP_SCRIPT { .script(s) } };
            for f in &config.files => { "track_file": &f.name => TRACK_FILE { .file(f) } };
            for p in &config.processes => {
                "vrrp_track_process": &p.name => VRRP_TRACK_PROCESS { .process(p) };
            };
            for s in &config.bfd => { "bfd_instance": &s.name => BFD_INSTANCE { .session(s) } };
            "static_ipaddress" => each config.static_addresses.iter().map(address::plain);
            "static_routes" => each &config.static_routes;
            "static_rules" => each &config.static_rules;
            .garp_groups(config);
            "interface_up_down_delays" => each &config.link_delays;
            "linkbeat_interfaces" => each &config.polled_links;
            for g in &config.groups => { "vrrp_sync_group": &g.name => VRRP_SYNC_GROUP { .group(g) } };
            for i in &config.instances => {
                "vrrp_instance": &i.name => VRRP_INSTANCE { .instance(i, global) };
            };
            .tls(&config.lvs.tls);
            for group in &config.address_groups => {
                "virtual_server_group": &group.name => |out| out.lines(&group.entries);
            };
            for vs in &config.virtual_servers => {
                "virtual_server": &vs.service => VIRTUAL_SERVER { .service(vs) };
            };
        });
    }

    fn global(&mut self, global: &Global) {
        let usual = Global::default();
        let buffers = &global.buffers;
        put!(self, GLOBAL_DEFS {
            "router_id": &global.router_id;
            "default_interface": &global.default_interface;
            "dynamic_interfaces" if global.dynamic_interfaces;
            "vmac_prefix": &global.vmac_prefix;
            "vmac_addr_prefix": &global.vmac_addr_prefix;
            "log_unknown_vrids" if global.log_unknown_vrids;
            "vrrp_mcast_group4": unless(global.mcast_group4, usual.mcast_group4);
            "vrrp_mcast_group6": unless(global.mcast_group6, usual.mcast_group6);
            "vrrp_startup_delay": unless(global.startup_delay, Duration::ZERO);
            "vrrp_garp_interval": unless(global.garp_interval, Duration::ZERO);
            "vrrp_gna_interval": unless(global.gna_interval, Duration::ZERO);
            "vrrp_netlink_cmd_rcv_bufs": buffers.vrrp_cmd.bytes;
            "vrrp_netlink_cmd_rcv_bufs_force" if buffers.vrrp_cmd.force;
            "vrrp_netlink_monitor_rcv_bufs": buffers.vrrp_monitor.bytes;
            "vrrp_netlink_monitor_rcv_bufs_force" if buffers.vrrp_monitor.force;
            "lvs_netlink_cmd_rcv_bufs": buffers.lvs_cmd.bytes;
            "lvs_netlink_cmd_rcv_bufs_force" if buffers.lvs_cmd.force;
            "lvs_netlink_monitor_rcv_bufs": buffers.lvs_monitor.bytes;
            "lvs_netlink_monitor_rcv_bufs_force" if buffers.lvs_monitor.force;
            "process_monitor_rcv_bufs": buffers.processes.bytes;
            "process_monitor_rcv_bufs_force" if buffers.processes.force;
            "vrrp_delay_after_boot": unless(global.delay_after_boot, Duration::ZERO);
            .of_process(global);
            "enable_script_security" if global.script_security;
            "use_symlink_paths" if global.use_symlink_paths;
            "disable_local_igmp" if global.disable_local_igmp;
            .firewall(&global.firewall);
            .outlets(global);
            "umask": unless(global.umask, usual.umask).map(|mode| format!("0{mode:o}"));
        });
    }
}

#[cfg(test)]
mod tests;
