//! The inbox: results of actions enter a core only after the action list is done.

use crate::base::hold::Hold;
use crate::base::ids::InstanceId;
use crate::daemon::cores::{Cores, Message};
use crate::daemon::outlets::report;
use crate::daemon::runtime::Runtime;
use crate::holdings;
use crate::notify;
use crate::track;
use crate::vrrp::Input;

/// Most messages in one turn: far more than a reload of everything causes.
pub(super) const MOST_ROUNDS: usize = 1_000_000;
/// Entries that a list keeps room for after a burst, which a thousand instances may cause at once.
const KEPT: usize = 64;

/// More messages than that were delivered. The rest waits for the next turn, so that the loop
/// continues.
pub(super) fn complain() {
    log::error!("internal error in keepalived: its components do not settle");
    debug_assert!(false, "the cores do not settle");
}

impl Runtime {
    /// Carries out all actions and delivers their results until none are left.
    pub(super) fn drain(&mut self) {
        if self.is_drained() {
            return;
        }
        for _ in 0..MOST_ROUNDS {
            self.carry_out();
            match self.cores.inbox.pop_front() {
                Some(message) => self.deliver(message),
                None if !self.network.stale_sources.is_empty() => self.refresh_stale_sources(),
                None if self.cores.are_settled() => return self.cores.inbox.shrink_to(KEPT),
                None => {}
            }
        }
        complain();
    }

    fn is_drained(&self) -> bool {
        let cores = &self.cores;
        cores.inbox.is_empty() && cores.are_settled() && self.network.stale_sources.is_empty()
    }

    fn carry_out(&mut self) {
        self.each(|cores| &mut cores.vrrp_actions, |daemon, action| daemon.execute_vrrp(&action));
        self.each(|cores| &mut cores.bfd_actions, |daemon, action| daemon.execute_bfd(&action));
        self.each(|cores| &mut cores.holdings_actions, Self::execute_holdings);
        self.each(|cores| &mut cores.track_actions, Self::execute_track);
        self.each(|cores| &mut cores.notify_actions, Self::execute_notify);
    }

    /// Carries out the actions of one core. None is added meanwhile: that takes a message.
    fn each<A>(
        &mut self,
        list: impl Fn(&mut Cores) -> &mut Vec<A>,
        execute: impl Fn(&mut Self, A),
    ) {
        let mut actions = std::mem::take(list(&mut self.cores));
        for action in actions.drain(..) {
            execute(self, action);
        }
        actions.shrink_to(KEPT);
        *list(&mut self.cores) = actions;
    }

    fn deliver(&mut self, message: Message) {
        self.pace.stirred = true;
        match message {
            Message::Held(id) => {
                self.cores.vrrp(Input::Held { id }, self.now);
            }
            Message::Tracked(object, state) => {
                let before = self.cores.vrrp.tracked(&object);
                self.journal.tracked(&object, before, &state, self.now);
                self.continuity.note_tracked(&object, &state);
                self.tell_servers(&object, &state);
                let input = Input::Tracked { object: &object, state };
                self.cores.vrrp(input, self.now);
            }
            Message::TrackExited(script, end) => {
                let input = track::Input::Exited { script, end };
                self.cores.track(input, self.now);
            }
            Message::ReadFile(name) => self.read_tracked_file(&name),
            Message::Tell(telling) => self.tell(telling),
            Message::Role(id, is_master) => self.on_role(id, is_master),
            Message::NotifyEnded(run) => {
                let input = notify::Input::ScriptEnded(run);
                self.cores.notify(input, self.now);
            }
            Message::Hold(id, hold) => self.tell_holdings(id, hold),
            Message::Released(id) => self.forget_neighbours(id),
            Message::Refused(id, refusal) => {
                let input = Input::Addresses { id, refusal };
                self.cores.vrrp(input, self.now);
            }
            Message::HostChange(fact) => self.on_host_change(fact),
            Message::Answer(request, answer) => {
                self.cores.holdings(holdings::Input::Answer { request, answer }, self.now);
            }
        }
    }

    fn tell_holdings(&mut self, id: InstanceId, hold: Hold) {
        let config = self.instance_config(id);
        let input = holdings::Input::Claim { id, hold, config: config.as_deref() };
        let before = self.cores.holdings_actions.len();
        self.cores.holdings(input, self.now);
        if let (Hold::Expect, true, Some(config)) =
            (hold, self.cores.holdings.keeps(id.into()), &config)
        {
            self.shield_left(id, config);
        }
        // A reload may only remove addresses.
        let adds = self.cores.holdings_actions[before..].iter().any(holdings::Action::adds);
        if let (Hold::Want, true, Some(config)) = (hold, adds, config) {
            let chatter = &mut self.outlets.chatter;
            if config.is_shielded() {
                report::detail(&config.name, "setting firewall drop rule", chatter, self.now);
            }
            report::objects("setting", &config, chatter, self.now);
        }
    }
}
