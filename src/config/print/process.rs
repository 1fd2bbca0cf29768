//! Settings of the process: its scheduling and its name.

use std::fmt;

use super::{line, quoted, Printer};
use crate::base::time::micros;
use crate::model::control::ControlSocket;
use crate::model::global::SubsystemScheduling;
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
        self.scheduling("vrrp", &global.vrrp)?;
        self.scheduling("checker", &global.checker)?;
        self.scheduling("bfd", &global.bfd)?;
        let most = Some(global.max_auto_priority).filter(|&most| most > 0);
        self.option("max_auto_priority", most)?;
        let delay = Some(global.min_auto_priority_delay);
        let delay = delay.filter(|delay| *delay != usual.min_auto_priority_delay);
        self.option("min_auto_priority_delay", delay.map(micros))
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
