//! Scheduling of the process: what its parts ask for, merged, and the rise of its priority when it is
//! late.

use std::io;

use super::privileges::{is_done, lock_memory};
use crate::base::time::Duration;
use crate::model::Config;
use crate::sys::sched::{self, Inherited, Limit, Resource};

/// Current and original scheduling.
#[derive(Debug)]
pub(in crate::daemon) struct Scheduling {
    inherited: Inherited,
    wanted: Wanted,
    /// SCHED_RR priority in force.
    realtime: Option<u8>,
    rise: Rise,
}

/// Scheduling of the one process, which does the work of all subsystems.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Wanted {
    nice: Option<i8>,
    rt_priority: Option<u8>,
    no_swap: bool,
    cpus: Vec<u16>,
    rt_limit: Option<u32>,
    name: Option<String>,
}

impl Wanted {
    /// No subsystem gets less than it would as a process of its own: the highest priority counts, and
    /// the longest limit. The processors are those of VRRP, or else of BFD, or else of the checks.
    fn of(config: &Config) -> Self {
        let global = &config.global;
        let all = [&global.vrrp, &global.bfd, &global.checker];
        // Subsystems that are in use and ask for nothing have the priority of the daemon's start.
        let usual = [
            !config.instances.is_empty() && global.vrrp.nice.is_none(),
            !config.virtual_servers.is_empty() && global.checker.nice.is_none(),
        ];
        let given = all.iter().filter_map(|subsystem| subsystem.nice).min();
        let nice = given.filter(|nice| *nice < 0 || !usual.contains(&true));
        Self {
            nice,
            rt_priority: all.iter().filter_map(|subsystem| subsystem.rt_priority).max(),
            no_swap: all.iter().any(|subsystem| subsystem.no_swap),
            cpus: all
                .iter()
                .map(|s| &s.cpus)
                .find(|cpus| !cpus.is_empty())
                .cloned()
                .unwrap_or_default(),
            rt_limit: all.iter().filter_map(|subsystem| subsystem.rt_limit).max(),
            name: global.process_name.clone(),
        }
    }
}

/// `max_auto_priority`: the real-time priority rises each time that the daemon is late.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Rise {
    /// 0: never.
    most: u8,
    delay: Duration,
    raised: Option<u8>,
}

impl Rise {
    /// The priority for a daemon that was `late`, if it is to be changed.
    fn on_late(&mut self, late: Duration, current: Option<u8>) -> Option<u8> {
        let next = current.unwrap_or(0).saturating_add(1);
        if late <= self.delay || next > self.most {
            return None;
        }
        self.raised = Some(next);
        self.raised
    }
}

impl Scheduling {
    /// Records the initial scheduling; changes nothing.
    ///
    /// # Errors
    /// The kernel cannot be queried, which is not expected.
    pub(in crate::daemon) fn new() -> io::Result<Self> {
        Ok(Self {
            inherited: Inherited::read()?,
            wanted: Wanted::default(),
            realtime: None,
            rise: Rise::default(),
        })
    }

    /// Scheduling at the start of the daemon, restored for commands.
    pub(in crate::daemon) const fn inherited(&self) -> Inherited {
        self.inherited
    }

    /// Applies the configured scheduling at the start and after each reload.
    pub(in crate::daemon) fn apply(&mut self, config: &Config) {
        let wanted = Wanted::of(config);
        if wanted.nice != self.wanted.nice {
            let nice = wanted.nice.unwrap_or_else(|| self.inherited.nice());
            is_done(sched::set_nice(nice), || format!("Cannot set nice value {nice}"));
        }
        if wanted.no_swap != self.wanted.no_swap {
            if wanted.no_swap {
                is_done(lock_memory(), || "Cannot lock memory".to_owned());
            } else {
                is_done(sched::unlock_memory(), || "Cannot unlock memory".to_owned());
            }
        }
        if wanted.cpus != self.wanted.cpus {
            let result = match wanted.cpus.is_empty() {
                true => sched::put_cpus(self.inherited.cpus()),
                false => sched::set_cpus(&wanted.cpus),
            };
            is_done(result, || "Cannot set the CPU affinity".to_owned());
        }
        if wanted.rt_limit != self.wanted.rt_limit {
            let result = self.limit_realtime(wanted.rt_limit);
            is_done(result, || "Cannot limit real-time scheduling".to_owned());
        }
        if wanted.name != self.wanted.name {
            let name = wanted.name.as_deref().unwrap_or("keepalived");
            is_done(sched::set_process_name(name), || "Cannot set the process name".to_owned());
        }
        let global = &config.global;
        let (most, delay) = (global.max_auto_priority, global.min_auto_priority_delay);
        let same = (self.rise.most, self.rise.delay) == (most, delay);
        let kept =
            self.rise.raised.filter(|_| same && wanted.rt_priority == self.wanted.rt_priority);
        self.rise = Rise { most, delay, raised: kept };
        self.wanted = wanted;
        self.resume_realtime();
    }

    /// The same where everything is as it was inherited.
    pub(in crate::daemon) fn apply_anew(&mut self, config: &Config) {
        (self.wanted, self.realtime) = (Wanted::default(), None);
        self.apply(config);
    }

    /// The hard limit stays, as the kernel kills at it. At the soft one the daemon goes on with
    /// ordinary scheduling until its turn is over.
    fn limit_realtime(&self, micros: Option<u32>) -> io::Result<()> {
        let before = self.inherited.real_time();
        let Some(micros) = micros else { return sched::set_limit(Resource::RealTime, before) };
        sched::yield_at_limit()?;
        let soft = u64::from(micros).min(before.hard);
        sched::set_limit(Resource::RealTime, Limit { soft, hard: before.hard })
    }

    /// A turn has begun, so late.
    pub(in crate::daemon) fn on_turn(&mut self, late: Duration) {
        if sched::overran() {
            log::warn!("The real-time CPU limit was reached; real-time scheduling resumes");
            self.realtime = None;
            self.resume_realtime();
        }
        if let Some(priority) = self.rise.on_late(late, self.realtime) {
            log::info!("Set realtime priority {priority}");
            self.resume_realtime();
        }
    }

    /// Uses ordinary scheduling temporarily: reading a configuration needs no real-time priority.
    pub(in crate::daemon) fn suspend_realtime(&mut self) {
        self.set_realtime(None);
    }

    /// Ends [`Scheduling::suspend_realtime`].
    pub(in crate::daemon) fn resume_realtime(&mut self) {
        self.set_realtime(self.rise.raised.max(self.wanted.rt_priority));
    }

    fn set_realtime(&mut self, priority: Option<u8>) {
        if priority == self.realtime {
            return;
        }
        let what = || match priority {
            Some(priority) => format!("Cannot set real-time priority {priority}"),
            None => "Cannot leave real-time scheduling".to_owned(),
        };
        if is_done(sched::set_realtime(priority), what) {
            self.realtime = priority;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::model::global::SubsystemScheduling;
    use crate::model::vrrp::tests::instance;

    const SECOND: Duration = Duration::from_secs(1);

    fn config(vrrp: SubsystemScheduling, checker: SubsystemScheduling) -> Config {
        let mut config = Config { instances: vec![Rc::new(instance("A", 1))], ..Config::default() };
        (config.global.vrrp, config.global.checker) = (vrrp, checker);
        config
    }

    fn nice(nice: Option<i8>) -> SubsystemScheduling {
        SubsystemScheduling { nice, ..SubsystemScheduling::default() }
    }

    #[test]
    fn the_highest_priority_of_a_subsystem_is_that_of_the_process() {
        let merged = |vrrp, checker| Wanted::of(&config(nice(vrrp), nice(checker))).nice;
        assert_eq!(merged(Some(-5), Some(3)), Some(-5));
        assert_eq!(merged(Some(7), Some(3)), Some(3));
        // VRRP would run with the priority of the start.
        assert_eq!(merged(None, Some(3)), None);
        assert_eq!(merged(None, Some(-3)), Some(-3));
        let mut checks_only = config(nice(None), nice(Some(3)));
        checks_only.instances.clear();
        assert_eq!(Wanted::of(&checks_only).nice, Some(3));
    }

    #[test]
    fn what_one_subsystem_asks_for_is_asked_of_the_process() {
        let of = |cpus: &[u16], rt_priority, rt_limit, no_swap| SubsystemScheduling {
            nice: None,
            rt_priority,
            no_swap,
            cpus: cpus.to_vec(),
            rt_limit,
        };
        let wanted = Wanted::of(&config(
            of(&[2, 3], Some(10), Some(500), false),
            of(&[1], Some(20), Some(400), true),
        ));
        let merged = (wanted.cpus, wanted.rt_priority, wanted.rt_limit, wanted.no_swap);
        assert_eq!(merged, (vec![2, 3], Some(20), Some(500), true));
        let wanted = Wanted::of(&config(of(&[], None, None, false), of(&[1], None, None, false)));
        assert_eq!(wanted.cpus, [1]);
    }

    #[test]
    fn the_priority_rises_with_each_stall_up_to_its_limit() {
        let mut rise = Rise { most: 3, delay: SECOND, raised: None };
        assert_eq!(rise.on_late(SECOND, None), None);
        let mut current = None;
        let mut seen = Vec::new();
        for late in [2 * SECOND, SECOND / 2, 60 * SECOND, 2 * SECOND, 2 * SECOND] {
            let raised = rise.on_late(late, current);
            current = raised.or(current);
            seen.push(raised);
        }
        assert_eq!(seen, [Some(1), None, Some(2), Some(3), None]);
        // Above its limit from the start.
        assert_eq!(rise.on_late(2 * SECOND, Some(40)), None);
        let mut off = Rise { most: 0, delay: SECOND, raised: None };
        assert_eq!(off.on_late(9 * SECOND, None), None);
    }
}
