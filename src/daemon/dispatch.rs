//! Brings facts to the core they are for: packets, the kernel's news, answers, signals.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::endpoints::{endpoint_of, SocketId};
use super::links::Fact;
use super::report;
use super::report::HeldBack;
use super::retries::Lacking;
use super::runtime::{Message, Mode, Runtime};
use crate::base::addr::Prefix;
use crate::base::ids::InstanceId;
use crate::base::ratelimit::Rate;
use crate::base::time::{Duration, Instant};
use crate::holdings::{self, Key};
use crate::notify;
use crate::sys::netlink;
use crate::sys::raw::Batch;
use crate::sys::reason;
use crate::sys::signals::Signal;
use crate::track;
use crate::vrrp::receive::Received;
use crate::vrrp::Input;

/// How often an unknown virtual router is told of, by sender.
const UNKNOWN_VRID: Rate = Rate::new(10, Duration::from_secs(1));
/// Batches read from one socket in one turn; what is left waits for the next.
const RECEIVE_BUDGET: usize = 8;

impl Runtime {
    pub(super) fn deliver(&mut self, message: Message) {
        match message {
            Message::Held(id) => {
                self.vrrp.handle(Input::Held { id }, self.now, &mut self.vrrp_actions);
            }
            Message::Tracked(object, state) => {
                self.tell_servers(&object, &state);
                let input = Input::Tracked { object: &object, state };
                self.vrrp.handle(input, self.now, &mut self.vrrp_actions);
            }
            Message::TrackExited(script, outcome) => {
                let input = track::Input::Exited { script, outcome };
                self.track.handle(input, self.now, &mut self.track_actions);
            }
            Message::ReadFile(name) => self.read_tracked_file(&name),
            Message::Tell(telling) => self.tell(telling),
            Message::Role(id, is_master) => self.on_role(id, is_master),
            Message::Local(addr, present) => self.on_local_address(addr, present),
            Message::NotifyEnded(run) => {
                let input = notify::Input::ScriptEnded(run);
                self.notify.handle(input, self.now, &mut self.notify_actions);
            }
            Message::Want(id) => {
                let Some(config) = self.instance_config(id) else { return };
                let addresses: Vec<_> = config.all_addresses().collect();
                let input = holdings::Input::Want { owner: id, addresses: &addresses };
                let before = self.holdings_actions.len();
                self.holdings.handle(input, self.now, &mut self.holdings_actions);
                // A reload may only take some away.
                let mut more = self.holdings_actions[before..].iter();
                if more.any(|a| !matches!(a, holdings::Action::Remove(_))) {
                    report::detail(&config.name, "setting VIPs.", &mut self.chatter, self.now);
                }
                self.prepare_rescue_of(id);
            }
            Message::Release(id) => {
                let input = holdings::Input::Release { owner: id };
                self.holdings.handle(input, self.now, &mut self.holdings_actions);
            }
            Message::Clear(id) => {
                let Some(config) = self.instance_config(id) else { return };
                for address in config.all_addresses() {
                    let input = holdings::Input::Clear { address };
                    self.holdings.handle(input, self.now, &mut self.holdings_actions);
                }
            }
        }
    }

    /// Reads one socket within its budget, in a turn that began then; true if it is empty now.
    pub(super) fn receive_adverts(&mut self, socket: SocketId, began: Instant) -> bool {
        let mut batch = self.batch.take().unwrap_or_default();
        let mut empty = false;
        for _ in 0..RECEIVE_BUDGET {
            let Some(source) = self.endpoints.socket(socket) else {
                empty = true;
                break;
            };
            let count = match source.receive(&mut batch) {
                Ok(count) => count,
                Err(e) => {
                    log::debug!("cannot receive: {e}");
                    0
                }
            };
            self.take_batch(socket, &batch);
            self.serve_owed(began);
            if count < Batch::CAPACITY {
                empty = true;
                break;
            }
        }
        self.batch = Some(batch);
        self.heard_before = std::mem::replace(&mut self.heard, self.now);
        empty
    }

    fn take_batch(&mut self, socket: SocketId, batch: &Batch) {
        let moment = self.clock.moment();
        self.now = moment.now;
        let mut last = moment.now;
        for datagram in batch.packets() {
            let arrived = datagram.stamp.map_or(moment.now, |stamp| moment.arrival(stamp));
            last = arrived;
            // The filter has looked at the router id already, so there is one.
            let Some(&vrid) = datagram.payload.get(1) else { continue };
            let Some(id) = self.endpoints.addressee(socket, vrid, datagram.source) else {
                self.on_unknown_vrid(vrid, datagram.source);
                continue;
            };
            let packet = Received {
                source: datagram.source,
                destination: datagram.destination,
                ttl: datagram.ttl,
                arrived,
                pdu: datagram.payload,
            };
            self.vrrp.handle(Input::Packet { id, packet }, self.now, &mut self.vrrp_actions);
        }
        self.endpoints.note_read(socket, last);
    }

    fn on_unknown_vrid(&mut self, vrid: u8, from: IpAddr) {
        if !self.config.global.log_unknown_vrids {
            return;
        }
        if let Some(held_back) = self.unknown_vrids.admit((), Some(from), UNKNOWN_VRID, self.now) {
            log::info!("VRID {vrid} from {from} is none of ours{}", HeldBack(held_back));
        }
    }

    /// Reads one datagram of kernel news; false if there was none.
    pub(super) fn receive_kernel(&mut self) -> bool {
        let mut events = Vec::new();
        match self.monitor.receive(&mut events) {
            Ok(more) => {
                self.take_events(events);
                more
            }
            Err(e) => {
                log::warn!("kernel news were lost ({e}): reading everything again");
                self.resynchronise();
                true
            }
        }
    }

    /// A gap is never trusted: what the kernel has now is the truth.
    fn resynchronise(&mut self) {
        match netlink::dump() {
            Ok(events) => self.replace_links(events),
            Err(e) => log::error!("cannot read interfaces and addresses from the kernel: {e}"),
        }
    }

    fn replace_links(&mut self, events: Vec<netlink::Event>) {
        let mut facts = Vec::new();
        let known: Vec<_> = self.links.indices().collect();
        let before: BTreeSet<_> = self.links.all_addresses().map(|(_, p)| p.addr).collect();
        let there = |index: &u32| {
            events.iter().any(|e| matches!(e, netlink::Event::Link(l) if l.index == *index))
        };
        let gone = known.into_iter().filter(|index| !there(index));
        let gone: Vec<_> = gone.map(|index| netlink::Event::LinkGone { index }).collect();
        for event in gone {
            self.links.take(event, &mut facts);
        }
        self.links.forget_addresses();
        for event in events {
            self.links.take(event, &mut facts);
        }
        // The addresses as a whole go to the holdings; single facts would miss what is gone.
        facts.retain(|f| !matches!(f, Fact::Added { .. } | Fact::Removed { .. }));
        self.take_facts(facts);
        for addr in before {
            self.on_local_address(addr, self.links.holds(&addr));
        }
        let after: BTreeSet<_> = self.links.all_addresses().map(|(_, p)| p.addr).collect();
        for addr in after {
            self.on_local_address(addr, true);
        }
        let keys = self.links.all_addresses();
        let keys = keys.map(|(link, prefix)| Key { link: link.to_owned(), prefix }).collect();
        let input = holdings::Input::Dumped { keys };
        self.holdings.handle(input, self.now, &mut self.holdings_actions);
        self.refresh_sources(None);
        self.drain();
    }

    pub(super) fn take_events(&mut self, events: Vec<netlink::Event>) {
        let mut facts = Vec::new();
        for event in events {
            self.links.take(event, &mut facts);
        }
        self.take_facts(facts);
    }

    fn take_facts(&mut self, facts: Vec<Fact>) {
        for fact in facts {
            match fact {
                Fact::Appeared(link) => {
                    self.tell_link(&link);
                    self.refilter_monitor();
                    let input = holdings::Input::LinkBack { link: &link };
                    self.holdings.handle(input, self.now, &mut self.holdings_actions);
                }
                Fact::Changed(link) => self.tell_link(&link),
                Fact::Vanished(link) => {
                    log::info!("Interface {link} deleted");
                    let input = holdings::Input::LinkGone { link: &link };
                    self.holdings.handle(input, self.now, &mut self.holdings_actions);
                    self.rescue.release_all(|key| key.link == link);
                    self.tell_link(&link);
                    self.refilter_monitor();
                }
                Fact::Added { link, prefix } => {
                    self.address_log("added to", &link, &prefix);
                    self.on_local_address(prefix.addr, true);
                    let input = holdings::Input::Seen { key: Key { link: link.clone(), prefix } };
                    self.holdings.handle(input, self.now, &mut self.holdings_actions);
                    self.on_source_candidate(&link, &prefix);
                }
                Fact::Removed { link, prefix } => {
                    self.address_log("removed from", &link, &prefix);
                    self.on_local_address(prefix.addr, self.links.holds(&prefix.addr));
                    let input = holdings::Input::Gone { key: Key { link: link.clone(), prefix } };
                    self.holdings.handle(input, self.now, &mut self.holdings_actions);
                    self.on_source_candidate(&link, &prefix);
                }
            }
            self.drain();
        }
    }

    /// A virtual address is nobody's source, however often it comes and goes.
    fn on_source_candidate(&mut self, link: &str, prefix: &Prefix) {
        if !self.virtual_addresses.contains(&prefix.addr) {
            self.refresh_sources(Some(link));
        }
    }

    /// `-a`: every address change is told.
    fn address_log(&self, what: &str, link: &str, prefix: &Prefix) {
        if self.options.address_log {
            log::info!("Netlink: address {} {what} {link}", prefix.addr);
        }
    }

    /// Tells the core the state of an interface, and brings its sockets in line.
    fn tell_link(&mut self, name: &str) {
        if !self.is_of_interest(name) {
            return;
        }
        let state = self.links.state(name);
        if self.told_links.insert(name.to_owned(), state) != Some(state) {
            log::info!(
                "Netlink reports {name} {}",
                if state == crate::vrrp::LinkState::Up { "up" } else { "down" }
            );
        }
        self.refresh_sources(Some(name));
        self.vrrp.handle(Input::Link { name, state }, self.now, &mut self.vrrp_actions);
        self.drain();
    }

    /// Works out again what instances send from and through: all of them, or those on one link and
    /// those without a link, whose address may be on any.
    fn refresh_sources(&mut self, link: Option<&str>) {
        let concerned: Vec<_> = match link {
            None => self.ids.clone(),
            Some(link) => {
                let on = |name: &str| self.instances_on.get(name).into_iter().flatten().copied();
                on(link).chain(on("")).collect()
            }
        };
        for id in concerned {
            self.refresh_source(id);
        }
    }

    pub(super) fn refresh_source(&mut self, id: InstanceId) {
        let Some(config) = self.instance_config(id) else { return };
        let source = self.links.source(&config, &self.virtual_addresses);
        let index = config.interface.as_deref().and_then(|name| self.links.get(name));
        let index = index.map(|link| link.index);
        let error = match endpoint_of(&config, index, source) {
            Some(endpoint) => {
                let poll = &mut self.poll;
                self.endpoints.attach(id, config.vrid, &endpoint, poll).err().map(|e| reason(&e))
            }
            None => None,
        };
        match &error {
            None => {
                self.retries.ended(&Lacking::Socket(id));
            }
            Some(why) => {
                if self.retries.failed(Lacking::Socket(id), why, self.now) {
                    log::warn!("({}) {why}; it is tried again", config.name);
                }
            }
        }
        let known = self.vrrp.instance(id).map(crate::vrrp::Instance::source);
        if known != Some(source) {
            let input = Input::Source { id, source };
            self.vrrp.handle(input, self.now, &mut self.vrrp_actions);
        }
        let input = Input::Socket { id, error };
        self.vrrp.handle(input, self.now, &mut self.vrrp_actions);
    }

    pub(super) fn on_signals(&mut self) {
        loop {
            match self.signals.take() {
                Ok(Some(signal)) => self.on_signal(signal),
                Ok(None) => return,
                Err(e) => {
                    log::error!("cannot read signals: {e}");
                    return;
                }
            }
        }
    }

    fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Stop => self.mode = Mode::Stopping,
            Signal::Reload => self.reload(),
            Signal::Data => self.dump_data(),
            Signal::Stats => {
                self.dump_stats();
                #[cfg(debug_assertions)]
                self.maybe_fail(super::fault::Moment::Stats);
            }
            Signal::StatsClear => {
                self.dump_stats();
                self.vrrp.clear_counters();
            }
            Signal::Json => self.dump_json(),
            Signal::Child => {
                self.children.on_sigchld(&mut self.child_events);
                self.on_child_events();
            }
            Signal::CpuLimit => log::warn!("the limit of real-time CPU is near"),
        }
    }

    /// Interfaces that some instance names.
    pub(super) fn is_of_interest(&self, name: &str) -> bool {
        self.interesting.contains(name)
    }

    /// Lets the kernel hold back what concerns nobody: changes on other interfaces. While one that
    /// matters is missing, new interfaces have to be heard of.
    pub(super) fn refilter_monitor(&mut self) {
        let mut indices = Vec::new();
        // Checks that rest without an address have to hear of it, wherever it is.
        let depends = self.config.virtual_servers.iter().any(|vs| vs.ha_suspend);
        let mut complete = !self.options.address_log && !depends;
        for name in &self.interesting {
            match self.links.get(name) {
                Some(link) => indices.push(link.index),
                None => complete = false,
            }
        }
        let own = match self.requests.port() {
            Ok(own) => own,
            Err(e) => {
                log::debug!("cannot learn our netlink port: {e}");
                return;
            }
        };
        if let Err(e) = self.monitor.watch_only(complete.then_some(&indices), own) {
            log::warn!("cannot filter kernel news: {e}");
        }
    }
}
