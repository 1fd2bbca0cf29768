//! Path characteristics of routes (RTA_METRICS).

use netlink_packet_core::{DefaultNla, Nla};
use netlink_packet_route::route::RouteMetric;

use crate::base::route::{metric, RouteMetrics};

const LOCK: u16 = 1;

pub(super) fn attributes(metrics: &RouteMetrics) -> Vec<RouteMetric> {
    let number =
        |kind, value: u32| RouteMetric::Other(DefaultNla::new(kind, value.to_ne_bytes().to_vec()));
    let mut list: Vec<_> =
        metrics.congestion.clone().map(RouteMetric::CcAlgo).into_iter().collect();
    list.extend(metrics.values.iter().map(|(&kind, &value)| number(kind, value)));
    if metrics.locked != 0 {
        list.push(number(LOCK, metrics.locked));
    }
    list
}

pub(super) fn of(list: &[RouteMetric]) -> RouteMetrics {
    let mut metrics = RouteMetrics::default();
    for attribute in list {
        if let RouteMetric::CcAlgo(name) = attribute {
            metrics.congestion = Some(name.clone());
            continue;
        }
        let mut value = vec![0; attribute.value_len()];
        attribute.emit_value(&mut value);
        let Ok(value) = <[u8; 4]>::try_from(value) else { continue };
        match (attribute.kind(), u32::from_ne_bytes(value)) {
            (LOCK, bits) => metrics.locked = bits,
            (metric::CC_ALGO, _) => {}
            (kind, value) => {
                metrics.values.insert(kind, value);
            }
        }
    }
    metrics
}
