//! State of interfaces as virtual routers see it: reported by the kernel, confirmed by a look at
//! the link (`linkbeat`), without short changes (`debounce`).

use crate::base::link::LinkState;
use crate::base::time::Duration;
use crate::daemon::network::debounce::Passed;
use crate::daemon::network::Network;
use crate::daemon::runtime::Runtime;
use crate::sys::linkpoll::LinkPoller;
use crate::sys::reason;
use crate::vrrp::Phase;

impl Runtime {
    /// The state that counts now.
    pub(in crate::daemon) fn link_state(&mut self, name: &str) -> LinkState {
        let reported = self.cores.holdings.links().state(name);
        let state = self.network.linkbeat.judge(name, reported);
        let limit = self.longest_outage(name);
        let passed = self.network.debounce.pass(name, state, limit, self.now);
        match passed {
            Passed::At(_) => {}
            Passed::HeldBack(_, delay) => {
                let word = if state == LinkState::Up { "up" } else { "down" };
                let seconds = delay.as_secs_f64();
                log::info!("Interface {name} is {word}: this counts in {seconds:.3} s");
            }
            Passed::Undone(_) => log::info!("Delay timer for {name} cancelled"),
        }
        passed.state()
    }

    /// How long the interface may be down before a router takes over from one of ours. As backup,
    /// an instance goes by the interval of its master.
    fn longest_outage(&self, name: &str) -> Duration {
        let own = self.running.instances_on.get(name).into_iter().flatten();
        let instances = own.filter_map(|id| self.cores.vrrp.instance(*id));
        let limits = instances.map(|i| {
            let config = i.config();
            let interval = match i.phase() {
                Phase::Backup => i.master_interval().min(config.advert_interval),
                _ => config.advert_interval,
            };
            config.longest_outage(interval)
        });
        limits.min().unwrap_or(Duration::MAX)
    }

    /// Applies the lists of the configuration. Looks at the links that are new, so that instances
    /// start with their state.
    pub(in crate::daemon) fn set_up_links(&mut self) {
        let config = &self.running.config;
        let polled = match self.network.can_poll(!config.polled_links.is_empty()) {
            true => config.polled_links.as_slice(),
            false => &[],
        };
        self.network.linkbeat.configure(polled, self.now);
        // What is read once a second has no short changes.
        let delays = config.link_delays.iter();
        let delays = delays.filter(|delays| !self.network.linkbeat.polls(&delays.interface));
        self.network.debounce.configure(delays);
        while let Some(name) = self.network.linkbeat.due(self.now).map(str::to_owned) {
            self.look_at_link(&name);
        }
    }

    /// Passes on changes whose delay is over, and looks at the next link.
    pub(in crate::daemon) fn serve_links(&mut self) {
        for name in self.network.debounce.due(self.now) {
            self.tell_link(&name);
        }
        // One in a turn: a transceiver may be slow to answer.
        if let Some(name) = self.network.linkbeat.due(self.now).map(str::to_owned) {
            if self.look_at_link(&name) {
                self.tell_link(&name);
            }
        }
        self.flush_adverts();
    }

    /// Returns true if the link changed.
    fn look_at_link(&mut self, name: &str) -> bool {
        let Some(poller) = &self.network.link_poller else { return false };
        let looked = self.network.linkbeat.look(name, self.now, |query| poller.ask(name, query));
        if let Some((wanted, used)) = looked.instead {
            log::warn!(
                "({name}): Configured linkbeat type {} not supported, using {}",
                wanted.word(),
                used.word()
            );
        }
        looked.changed
    }
}

impl Network {
    /// Opens the socket for it when it is first needed. Without it, links are as the kernel reports
    /// them.
    fn can_poll(&mut self, needed: bool) -> bool {
        if needed && self.link_poller.is_none() {
            match LinkPoller::open() {
                Ok(poller) => self.link_poller = Some(poller),
                Err(e) => log::error!("cannot poll links: {}", reason(&e)),
            }
        }
        needed && self.link_poller.is_some()
    }
}
