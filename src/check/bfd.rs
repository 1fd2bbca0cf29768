//! `BFD_CHECK`: what the state of a session means.

use crate::base::tracked::{Finding, TrackState};
use crate::base::verdict::{Reason, Verdict};

pub fn verdict(state: &TrackState) -> Verdict {
    match state {
        TrackState::Up(_) => Verdict::UP,
        TrackState::Down(why) => Verdict::Down(Reason::SessionDown(why.clone())),
        // Sessions have no other state.
        TrackState::Pending | TrackState::Value(_) => {
            Verdict::Down(Reason::SessionDown(Finding::NoSession))
        }
    }
}
