//! Orders of operators, which are in force until they end or are taken back, also if the daemon dies
//! in between.

use super::{key_about, key_of_server, Continuity};
use crate::base::ids::InstanceId;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::daemon::lvs::Past;
use crate::daemon::runtime::Runtime;
use crate::lvs::ServerOrder;
use crate::model::lvs::{RealServer, VirtualServer};
use crate::model::vrrp::Instance;
use crate::vrrp::{Input, Order};
use crate::wire::statefile::{Key, OrderCode, Value};

fn key_of_maintenance() -> Key {
    Key::of(&["maintenance"])
}

fn key_of_priority(config: &Instance) -> Key {
    key_about("priority", config)
}

fn key_of_failover(config: &Instance) -> Key {
    key_about("failover", config)
}

const fn order(code: OrderCode, number: u32, until: Option<Duration>) -> Value {
    Value::Order { code, number, until }
}

fn value_of(given: ServerOrder) -> Value {
    match given {
        ServerOrder::Drain => order(OrderCode::Drain, 0, None),
        ServerOrder::Disable => order(OrderCode::Disable, 0, None),
        ServerOrder::Weight(weight) => order(OrderCode::Weight, weight, None),
    }
}

impl Continuity {
    /// The records of orders are to be these.
    fn note_orders(&mut self, wanted: &SortedMap<Key, Value>) {
        let is_order = |value: &Value| matches!(value, Value::Order { .. });
        let known = self.records.iter().filter(|(_, (_, value))| is_order(value));
        let gone: Vec<Key> =
            known.map(|(key, _)| *key).filter(|key| !wanted.contains_key(key)).collect();
        gone.into_iter().for_each(|key| self.clear(key));
        for (key, value) in wanted {
            if self.get(*key) != Some(*value) {
                self.put(*key, *value);
            }
        }
    }

    /// What is known of the real servers of a virtual server from the run before.
    pub(in crate::daemon) fn recall_service(&self, config: &VirtualServer) -> Past {
        let order = |(place, server): (usize, &RealServer)| match self.recalled(config, server)? {
            (OrderCode::Drain, _) => Some((place, ServerOrder::Drain)),
            (OrderCode::Disable, _) => Some((place, ServerOrder::Disable)),
            (OrderCode::Weight, weight) => Some((place, ServerOrder::Weight(weight))),
            _ => None,
        };
        let servers = config.servers.iter().filter(|_| self.has_past).enumerate();
        Past { recalled: self.recall_servers(config), orders: servers.filter_map(order).collect() }
    }

    fn recalled(&self, config: &VirtualServer, server: &RealServer) -> Option<(OrderCode, u32)> {
        match self.get(key_of_server("order", config, server))? {
            Value::Order { code, number, .. } => Some((code, number)),
            _ => None,
        }
    }
}

impl Runtime {
    /// Brings the records of orders up to date, if an order was given or has ended.
    pub(in crate::daemon) fn note_orders(&mut self) {
        // Until all virtual servers are there, those of the run before are known from its records alone.
        if self.lvs.is_adopting() || !std::mem::take(&mut self.continuity.orders_are_stale) {
            return;
        }
        let until = |at: Instant| self.clock.monotonic(at);
        let (vrrp, mut wanted) = (&self.cores.vrrp, SortedMap::new());
        if let Some(standing) = vrrp.maintenance() {
            let until = standing.until().map(until);
            wanted.insert(key_of_maintenance(), order(OrderCode::Maintenance, 0, until));
        }
        for (id, instance) in vrrp.instances() {
            if let Some(base) = vrrp.ordered_priority(id) {
                let value = order(OrderCode::Priority, base.into(), None);
                wanted.insert(key_of_priority(instance.config()), value);
            }
            if let Some(standing) = vrrp.failover_of(id) {
                let value = order(OrderCode::Failover, 0, standing.until().map(until));
                wanted.insert(key_of_failover(instance.config()), value);
            }
        }
        for service in self.lvs.services() {
            for (server, state) in service.servers() {
                if let Some(given) = state.order() {
                    wanted
                        .insert(key_of_server("order", service.config(), server), value_of(given));
                }
            }
        }
        self.continuity.note_orders(&wanted);
    }

    /// An instance is new: an order of the run before may be in force for its priority.
    pub(in crate::daemon) fn recall_priority(&mut self, id: InstanceId, config: &Instance) {
        if let Some(Value::Order { number, .. }) = self.continuity.get(key_of_priority(config)) {
            let base = u8::try_from(number).ok();
            self.cores.vrrp(Input::Priority { id, base }, self.now);
        }
    }

    /// The instances have begun: failovers and maintenance of the run before are still in force.
    pub(in crate::daemon) fn recall_lowering_orders(&mut self, no_answer: u64) {
        let mut orders = Vec::new();
        if let Some(Value::Order { until, .. }) = self.continuity.get(key_of_maintenance()) {
            let span = until.map(|until| self.time_left(until));
            orders.push(Order::Maintenance { number: no_answer, span });
        }
        for (id, instance) in self.cores.vrrp.instances() {
            let found = self.continuity.get(key_of_failover(instance.config()));
            if let Some(Value::Order { until: Some(until), .. }) = found {
                let span = self.time_left(until);
                orders.push(Order::Failover { number: no_answer, id, to: None, span });
            }
        }
        for order in orders {
            self.cores.vrrp(Input::Order(order), self.now);
        }
        self.continuity.orders_are_stale = true;
        self.drain();
    }

    fn time_left(&self, until: Duration) -> Duration {
        until.saturating_sub(self.clock.monotonic(self.now))
    }
}
