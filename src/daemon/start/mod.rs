//! Starting and ending: the order of both, what is checked first, what a failure leaves.

pub(super) mod ask_reload;
pub(super) mod beginning;
pub(super) mod capabilities;
pub(super) mod defect;
#[cfg(debug_assertions)]
pub(super) mod fault;
pub(super) mod life;
pub(super) mod privileges;
pub(super) mod shutdown;
pub(super) mod startup;
