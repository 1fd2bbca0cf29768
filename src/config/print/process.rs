//! Settings of the process: its scheduling and its name.

use super::fits::fits;
use super::text::{put, Printer};
use super::unless;
use crate::base::time::micros;
use crate::model::control::ControlSocket;
use crate::model::dumps::JsonVersion;
use crate::model::reload::Marker;
use crate::model::sandbox::Sandbox;
use crate::model::Global;

impl Printer {
    pub(super) fn of_process(&mut self, global: &Global) {
        macro_rules! scheduling {
            ($name:literal $wanted:expr) => {
                put!(self, GLOBAL_DEFS {
                    $name "_priority": $wanted.nice;
                    $name "_rt_priority": $wanted.rt_priority;
                    $name "_rlimit_rttime": $wanted.rt_limit;
                    $name "_no_swap" if $wanted.no_swap;
                    $name "_cpu_affinity": &$wanted.cpus[..];
                })
            };
        }
        let usual = Global::default();
        let (dumps, reload) = (&global.dumps, &global.reload);
        put!(self, GLOBAL_DEFS {
            "process_name": &global.process_name;
            "random_seed": global.random_seed;
            match &global.control_socket => {
                None => {}
                Some(ControlSocket::Off) => { "control_socket": "off" }
                Some(ControlSocket::At(path)) => { "control_socket": path }
            };
            "control_read_group": global.control_read_group.as_ref().map(|group| &group.name);
            "metrics_listen": global.metrics_listen.as_ref().map(|address| address.to_string());
            "sandbox": unless(global.sandbox, usual.sandbox);
            "state_dump_file": &dumps.state;
            "stats_dump_file": &dumps.stats;
            "json_dump_file": &dumps.json;
            "data_use_instance" if dumps.use_instance;
            "json_version": unless(dumps.json_version, JsonVersion::List).map(JsonVersion::number);
            "reload_check_config": &reload.check;
            match &reload.marker => {
                None => {}
                Some(Marker::BesidePidFile) => { "reload_file" if true }
                Some(Marker::At(path)) => { "reload_file": path }
            };
            "reload_time_file": &reload.time_file;
            "reload_repeat" if reload.repeat;
            "config_save_dir": &reload.save_dir;
        });
        scheduling!("vrrp" global.vrrp);
        scheduling!("checker" global.checker);
        scheduling!("bfd" global.bfd);
        let delay = unless(global.min_auto_priority_delay, usual.min_auto_priority_delay);
        put!(self, GLOBAL_DEFS {
            "max_auto_priority": unless(global.max_auto_priority, 0);
            "min_auto_priority_delay": delay.map(micros);
        });
    }
}

fits! {
    CHOICE => Sandbox: |sandbox, out| out.word(sandbox);
}
