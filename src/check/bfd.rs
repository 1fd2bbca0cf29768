//! `BFD_CHECK`: what the state of a session means.

use crate::base::verdict::{Reason, Verdict};

pub const fn verdict(up: bool) -> Verdict {
    if up {
        Verdict::UP
    } else {
        Verdict::Down(Reason::SessionDown)
    }
}
