//! Base priority plus everything that tracks it; and which tracked object is a fault.

use super::cause::Factor;
use super::input::LinkState;
use crate::base::tracked::TrackState;

/// What a tracked object is worth, in the state it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Worth {
    /// So much is added to the priority.
    Weight(i32),
    /// It is a fault, and so much is added to the priority.
    Fault(i32),
    /// A fault or not: that depends on the first result.
    Unknown,
}

/// What a tracked interface is worth. Weight 0 means: in the wrong state it is a fault.
pub(super) const fn link_worth(weight: i16, reverse: bool, state: LinkState) -> Worth {
    switch_worth(weight, reverse, matches!(state, LinkState::Up))
}

/// What any other tracked object is worth.
pub(super) fn object_worth(weight: i16, reverse: bool, state: &TrackState) -> Worth {
    match state {
        TrackState::Pending if weight == 0 => Worth::Unknown,
        TrackState::Pending => Worth::Weight(0),
        TrackState::Up(_) => switch_worth(weight, reverse, true),
        TrackState::Down(_) => switch_worth(weight, reverse, false),
        TrackState::Value(value) => value_worth(weight, reverse, *value),
    }
}

/// Positive weights count while it is up, negative ones while it is down.
const fn switch_worth(weight: i16, reverse: bool, is_up: bool) -> Worth {
    if weight == 0 {
        return if is_up == reverse { Worth::Fault(0) } else { Worth::Weight(0) };
    }
    let counts = is_up == (weight > 0);
    let weight = weight as i32;
    Worth::Weight(match (counts, reverse) {
        (false, _) => 0,
        (true, false) => weight,
        (true, true) => -weight,
    })
}

/// The number in a file times the weight. -254 and less is a fault; so is, with weight 0, any
/// number but 0.
fn value_worth(weight: i16, reverse: bool, value: i64) -> Worth {
    if weight == 0 {
        return if (value != 0) != reverse { Worth::Fault(0) } else { Worth::Weight(0) };
    }
    let factor = if reverse { -i64::from(weight) } else { i64::from(weight) };
    let product = value.saturating_mul(factor).clamp(-254, 253);
    let product = i32::try_from(product).expect("clamped to -254..=253");
    if product == -254 {
        Worth::Fault(product)
    } else {
        Worth::Weight(product)
    }
}

/// The priority that is advertised: the sum, kept within 1..=254. The owner's stays 255.
pub(super) fn effective(base: u8, contributions: i32) -> u8 {
    if base == 255 {
        return 255;
    }
    let sum = i32::from(base).saturating_add(contributions).clamp(1, 254);
    u8::try_from(sum).expect("clamped to 1..=254")
}

/// Something with a weight, in the state it is in, and what that adds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Share {
    pub(super) reason: Factor,
    pub(super) weight: i32,
}

/// Why the sum of `new` is another one than that of `old`. `base`: why the base is another one.
/// `ending`: why an order that lowered it is over.
pub(super) fn reasons(
    old: &[Share],
    new: &[Share],
    base: Option<Factor>,
    mut ending: Option<Factor>,
) -> Vec<Factor> {
    let mut list = Vec::new();
    let mut configured = base == Some(Factor::Configured);
    list.extend(base.filter(|reason| *reason != Factor::Configured));
    for share in new {
        match old.iter().find(|o| is_same_thing(&o.reason, &share.reason)) {
            None if share.weight == 0 => {}
            Some(before) if before.weight == share.weight => {}
            // Nothing happened to it: its weight is another one.
            Some(before) if before.reason == share.reason => configured = true,
            _ => list.push(share.reason.clone()),
        }
    }
    for gone in old.iter().filter(|o| !new.iter().any(|n| is_same_thing(&o.reason, &n.reason))) {
        match ending.take_if(|_| matches!(gone.reason, Factor::Ordered(_))) {
            Some(reason) => list.push(reason),
            None => configured |= gone.weight != 0,
        }
    }
    if configured {
        list.push(Factor::Configured);
    }
    list
}

fn is_same_thing(a: &Factor, b: &Factor) -> bool {
    match (a, b) {
        (Factor::Link { name: a, .. }, Factor::Link { name: b, .. }) => a == b,
        (Factor::Tracked { object: a, .. }, Factor::Tracked { object: b, .. }) => a == b,
        (Factor::Ordered(a), Factor::Ordered(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::track::Object;

    #[test]
    fn positive_weights_count_while_up_negative_ones_while_down() {
        let cases = [
            (20, false, LinkState::Up, 20),
            (20, false, LinkState::Down, 0),
            (-20, false, LinkState::Up, 0),
            (-20, false, LinkState::Missing, -20),
            (20, true, LinkState::Up, -20),
            (-20, true, LinkState::Down, 20),
        ];
        for (weight, reverse, state, expected) in cases {
            let found = link_worth(weight, reverse, state);
            assert_eq!(found, Worth::Weight(expected), "{weight} {state:?}");
        }
    }

    #[test]
    fn weight_zero_is_a_fault_in_the_wrong_state_only() {
        let (fault, fine) = (Worth::Fault(0), Worth::Weight(0));
        assert_eq!(link_worth(0, false, LinkState::Down), fault);
        assert_eq!(link_worth(0, false, LinkState::Up), fine);
        assert_eq!(link_worth(0, true, LinkState::Up), fault);
        assert_eq!(object_worth(0, false, &TrackState::exit(1)), fault);
        assert_eq!(object_worth(0, true, &TrackState::exit(1)), fine);
        assert_eq!(object_worth(0, true, &TrackState::Pending), Worth::Unknown);
        assert_eq!(object_worth(-5, false, &TrackState::Pending), fine);
    }

    #[test]
    fn a_file_counts_as_often_as_its_number_says_and_254_less_is_a_fault() {
        let cases = [
            (1, false, 7, Worth::Weight(7)),
            (-2, false, 7, Worth::Weight(-14)),
            (2, true, 7, Worth::Weight(-14)),
            (1, false, -253, Worth::Weight(-253)),
            (1, false, -254, Worth::Fault(-254)),
            (254, true, i64::MAX, Worth::Fault(-254)),
            (254, false, i64::MAX, Worth::Weight(253)),
            (0, false, 0, Worth::Weight(0)),
            (0, false, 1, Worth::Fault(0)),
            (0, true, 0, Worth::Fault(0)),
            (0, true, -1, Worth::Weight(0)),
        ];
        for (weight, reverse, value, expected) in cases {
            let found = object_worth(weight, reverse, &TrackState::Value(value));
            assert_eq!(found, expected, "{value} * {weight} {reverse}");
        }
    }

    #[test]
    fn the_sum_is_clamped_and_the_owner_is_untouched() {
        assert_eq!(effective(100, -253), 1);
        assert_eq!(effective(200, 253), 254);
        assert_eq!(effective(255, -253), 255);
        assert_eq!(effective(100, -5), 95);
    }

    #[test]
    fn the_reasons_are_what_changed_and_nothing_else() {
        let link =
            |state, weight| Share { reason: Factor::Link { name: "eth1".into(), state }, weight };
        let object = Object::Script("s".into());
        let script = |state, weight| Share {
            reason: Factor::Tracked { object: object.clone(), state },
            weight,
        };
        let (up, down) = (TrackState::exit(0), TrackState::exit(1));
        let before = [link(LinkState::Up, 20), script(up, 0)];
        let failed = script(down.clone(), -5);
        let after = [link(LinkState::Up, 20), failed.clone()];
        assert_eq!(reasons(&before, &after, None, None), std::slice::from_ref(&failed.reason));
        assert_eq!(
            reasons(&[], &after, None, None),
            [link(LinkState::Up, 0).reason, failed.reason]
        );
        let heavier = [link(LinkState::Up, 20), script(down, -9)];
        assert_eq!(reasons(&after, &heavier, None, None), [Factor::Configured]);
        assert_eq!(reasons(&after, &[], None, None), [Factor::Configured]);
        assert_eq!(reasons(&after, &after, Some(Factor::Configured), None), [Factor::Configured]);
    }
}
