//! Settings of the process: its scheduling and its name.

use std::fmt;

use super::{line, quoted, Printer};
use crate::base::time::micros;
use crate::model::control::ControlSocket;
use crate::model::dumps::{Dumps, JsonVersion};
use crate::model::global::SubsystemScheduling;
use crate::model::reload::{Marker, Reload};
use crate::model::Global;

impl Printer {
    pub(super) fn of_process(&mut self, global: &Global) -> fmt::Result {
        let usual = Global::default();
        self.option("process_name", global.process_name.as_deref().map(quoted))?;
        self.option("random_seed", global.random_seed)?;
        match &global.control_socket {
            None => {}
            Some(ControlSocket::Off) => line!(self, "control_socket off")?,
            Some(ControlSocket::At(path)) => line!(self, "control_socket {}", quoted(path))?,
        }
        let group = global.control_read_group.as_ref();
        self.option("control_read_group", group.map(|group| quoted(&group.name)))?;
        let metrics = global.metrics_listen.as_ref();
        self.option("metrics_listen", metrics.map(|at| quoted(&at.to_string()).into_owned()))?;
        self.option("sandbox", (global.sandbox != usual.sandbox).then_some(global.sandbox))?;
        self.dumps(&global.dumps)?;
        self.reload(&global.reload)?;
        self.scheduling("vrrp", &global.vrrp)?;
        self.scheduling("checker", &global.checker)?;
        self.scheduling("bfd", &global.bfd)?;
        let most = Some(global.max_auto_priority).filter(|&most| most > 0);
        self.option("max_auto_priority", most)?;
        let delay = Some(global.min_auto_priority_delay);
        let delay = delay.filter(|delay| *delay != usual.min_auto_priority_delay);
        self.option("min_auto_priority_delay", delay.map(micros))
    }

    fn dumps(&mut self, dumps: &Dumps) -> fmt::Result {
        let Dumps { state, stats, json, use_instance, json_version } = dumps;
        for (name, path) in
            [("state_dump_file", state), ("stats_dump_file", stats), ("json_dump_file", json)]
        {
            self.option(name, path.as_deref().map(quoted))?;
        }
        self.flag(*use_instance, "data_use_instance")?;
        self.option("json_version", (*json_version == JsonVersion::Object).then_some(2))
    }

    fn reload(&mut self, reload: &Reload) -> fmt::Result {
        self.option("reload_check_config", reload.check.as_deref().map(quoted))?;
        match &reload.marker {
            None => {}
            Some(Marker::BesidePidFile) => line!(self, "reload_file")?,
            Some(Marker::At(path)) => line!(self, "reload_file {}", quoted(path))?,
        }
        self.option("reload_time_file", reload.time_file.as_deref().map(quoted))?;
        self.flag(reload.repeat, "reload_repeat")?;
        self.option("config_save_dir", reload.save_dir.as_deref().map(quoted))
    }

    fn scheduling(&mut self, name: &str, wanted: &SubsystemScheduling) -> fmt::Result {
        self.option(&format!("{name}_priority"), wanted.nice)?;
        self.option(&format!("{name}_rt_priority"), wanted.rt_priority)?;
        self.option(&format!("{name}_rlimit_rttime"), wanted.rt_limit)?;
        self.flag(wanted.no_swap, &format!("{name}_no_swap"))?;
        if wanted.cpus.is_empty() {
            return Ok(());
        }
        let cpus: Vec<String> = wanted.cpus.iter().map(u16::to_string).collect();
        line!(self, "{name}_cpu_affinity {}", cpus.join(" "))
    }
}
