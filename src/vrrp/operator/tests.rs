use std::rc::Rc;

use super::*;
use crate::model::vrrp::tests::instance;
use crate::model::vrrp::Instance as Config;
use crate::vrrp::{Input, LinkState};

const ID: InstanceId = InstanceId(0);

struct Bench(Domain);

impl Bench {
    fn new(config: Config) -> Self {
        let mut bench = Self(Domain::default());
        assert_eq!(bench.0.vacant_id(), ID);
        bench.tell(Input::Link { name: "eth0", state: LinkState::Up });
        bench.tell(Input::Add { id: ID, config: Rc::new(config) });
        bench.tell(Input::Source { id: ID, source: Some("192.0.2.1".parse().expect("one")) });
        bench.tell(Input::Groups(&[]));
        bench.tell(Input::Start);
        bench
    }

    /// The changes of the priority, with their causes.
    fn tell(&mut self, input: Input<'_>) -> Vec<String> {
        let mut out = Vec::new();
        self.0.handle(input, Instant::from_millis(1), &mut out);
        let change = |action| match action {
            Action::PriorityChanged { from, to, cause, .. } => {
                Some(format!("{from} -> {to}: {cause}"))
            }
            _ => None,
        };
        out.into_iter().filter_map(change).collect()
    }

    fn order(&mut self, base: Option<u8>) -> Vec<String> {
        self.tell(Input::Priority { id: ID, base })
    }
}

#[test]
fn an_order_holds_until_it_is_taken_back_and_is_named_as_the_cause() {
    let mut bench = Bench::new(instance("VI_1", 51));
    assert_eq!(bench.order(Some(50)), ["100 -> 50: command of an operator"]);
    assert_eq!(bench.0.ordered_priority(ID), Some(50));
    assert!(bench.order(Some(50)).is_empty());
    // A reload with another priority waits for the end of the order.
    let config = Rc::new(Config { priority: 120, ..instance("VI_1", 51) });
    assert!(bench.tell(Input::Adjust { id: ID, config }).is_empty());
    assert_eq!(bench.order(None), ["50 -> 120: command of an operator"]);
    assert_eq!(bench.0.ordered_priority(ID), None);
}

#[test]
fn an_owner_keeps_its_priority() {
    let mut bench = Bench::new(Config { priority: 255, ..instance("VI_1", 51) });
    assert!(bench.order(Some(50)).is_empty());
    assert_eq!(bench.0.ordered_priority(ID), None);
    let mut bench = Bench::new(instance("VI_1", 51));
    assert!(bench.order(Some(255)).is_empty() && bench.order(Some(0)).is_empty());
    bench.order(Some(50));
    let config = Rc::new(Config { priority: 255, ..instance("VI_1", 51) });
    bench.tell(Input::Adjust { id: ID, config });
    assert_eq!(bench.0.instance(ID).map(Instance::priority), Some(255));
}
