//! `FILE_CHECK`: what the value of a tracked file means for a server.

use crate::base::verdict::{Reason, Verdict, Weight};
use crate::model;

/// Products at or below this mean down.
const DOWN: i64 = i32::MIN as i64;

/// The verdict follows from the value alone; nothing is waited for.
pub fn verdict(file: &model::check::File, value: i64) -> Verdict {
    if file.weight == 0 {
        return if (value != 0) != file.reverse {
            Verdict::Down(Reason::Value(value))
        } else {
            Verdict::UP
        };
    }
    let sign = if file.reverse { -1 } else { 1 };
    let weight = value.saturating_mul(i64::from(file.weight)).saturating_mul(sign);
    if weight <= DOWN {
        return Verdict::Down(Reason::Value(value));
    }
    Verdict::Up(Weight::Plus(weight.min(i64::from(i32::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(weight: i32, reverse: bool, value: i64) -> Verdict {
        verdict(&model::check::File { name: "f".into(), weight, reverse }, value)
    }

    #[test]
    fn a_value_is_added_to_the_weight() {
        assert_eq!(with(1, false, 7), Verdict::Up(Weight::Plus(7)));
        assert_eq!(with(2, false, -5), Verdict::Up(Weight::Plus(-10)));
        assert_eq!(with(1, true, 7), Verdict::Up(Weight::Plus(-7)));
        assert_eq!(with(i32::MAX, false, i64::MAX), Verdict::Up(Weight::Plus(i64::from(i32::MAX))));
    }

    #[test]
    fn a_product_beyond_the_smallest_weight_means_down() {
        assert!(!with(1, false, DOWN).is_up());
        assert!(with(1, false, DOWN + 1).is_up());
        assert!(!with(-2, false, 1 << 40).is_up());
        assert!(!with(i32::MIN, true, i64::MIN).is_up());
    }

    #[test]
    fn without_weight_any_value_but_zero_means_down() {
        assert_eq!(with(0, false, 0), Verdict::UP);
        assert_eq!(with(0, false, 1), Verdict::Down(Reason::Value(1)));
        assert_eq!(with(0, true, 0), Verdict::Down(Reason::Value(0)));
        assert_eq!(with(0, true, -1), Verdict::UP);
    }
}
