//! Orders in force, and routers that could take over.

use crate::base::ids::InstanceId;
use crate::daemon::view::View;
use crate::status::{Handover, Heir, Order, Time};
use crate::vrrp::{OrderResult, StandingOrder};

fn order(view: &View<'_>, order: &StandingOrder) -> Order {
    Order {
        kind: order.kind().to_string(),
        until: order.until().map(|at| Time(view.wall_at(at))),
        under_way: order.is_under_way(),
    }
}

/// The order that lowers an instance.
pub(in crate::daemon) fn of(view: &View<'_>, id: InstanceId) -> Option<Order> {
    let is_lowered = view.vrrp.lowered_by(id).is_some();
    view.vrrp.order_on(id).filter(|_| is_lowered).map(|found| order(view, found))
}

pub(in crate::daemon) fn maintenance(view: &View<'_>) -> Option<Order> {
    view.vrrp.maintenance().map(|found| order(view, found))
}

/// The last one heard comes first.
pub(in crate::daemon) fn heirs(view: &View<'_>, id: InstanceId) -> Vec<Heir> {
    let name = || view.vrrp.instance(id).map_or_else(String::new, |i| i.config().name.to_string());
    let mut known = view.vrrp.heirs(id).to_vec();
    known.sort_by_key(|heir| std::cmp::Reverse(heir.at));
    let shown = |heir: crate::vrrp::Heir| Heir {
        instance: name(),
        address: Some(heir.addr),
        priority: heir.priority,
        at: Time(view.wall_at(heir.at)),
    };
    known.into_iter().map(shown).collect()
}

/// What became of each instance.
pub(in crate::daemon) fn handovers(view: &View<'_>, result: &OrderResult) -> Vec<Handover> {
    let name =
        |id| view.vrrp.instance(id).map_or_else(String::new, |i| i.config().name.to_string());
    let taken = result.taken.iter().map(|taken| Handover {
        instance: name(taken.id),
        by: Some(taken.by),
        priority: taken.priority,
        after: taken.after.as_secs_f64(),
    });
    let kept = result.kept.iter().map(|id| Handover { instance: name(*id), ..Handover::default() });
    taken.chain(kept).collect()
}
