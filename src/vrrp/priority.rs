//! Base priority plus everything that tracks it; and which tracked object is a fault.

use super::input::LinkState;
use crate::model::vrrp::TrackedLink;

/// What a tracked interface adds to the priority (0 when its weight is 0).
pub(super) const fn contribution(tracked: &TrackedLink, state: LinkState) -> i32 {
    let up = matches!(state, LinkState::Up);
    let counts = if tracked.weight > 0 { up } else { !up };
    let weight = tracked.weight as i32;
    match (counts, tracked.reverse) {
        (false, _) => 0,
        (true, false) => weight,
        (true, true) => -weight,
    }
}

/// Weight 0 means: an interface in the wrong state is a fault of the instance.
pub(super) const fn is_fault(tracked: &TrackedLink, state: LinkState) -> bool {
    tracked.weight == 0 && matches!(state, LinkState::Up) == tracked.reverse
}

/// The priority that is advertised: the sum, kept within 1..=254. The owner's stays 255.
pub(super) fn effective(base: u8, contributions: i32) -> u8 {
    if base == 255 {
        return 255;
    }
    let sum = i32::from(base).saturating_add(contributions).clamp(1, 254);
    u8::try_from(sum).expect("clamped to 1..=254")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracked(weight: i16, reverse: bool) -> TrackedLink {
        TrackedLink { interface: "eth1".into(), weight, reverse }
    }

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
            assert_eq!(
                contribution(&tracked(weight, reverse), state),
                expected,
                "{weight} {state:?}"
            );
        }
    }

    #[test]
    fn weight_zero_is_a_fault_in_the_wrong_state_only() {
        assert!(is_fault(&tracked(0, false), LinkState::Down));
        assert!(!is_fault(&tracked(0, false), LinkState::Up));
        assert!(is_fault(&tracked(0, true), LinkState::Up));
        assert!(!is_fault(&tracked(5, false), LinkState::Down));
    }

    #[test]
    fn the_sum_is_clamped_and_the_owner_is_untouched() {
        assert_eq!(effective(100, -253), 1);
        assert_eq!(effective(200, 253), 254);
        assert_eq!(effective(255, -253), 255);
        assert_eq!(effective(100, -5), 95);
    }
}
