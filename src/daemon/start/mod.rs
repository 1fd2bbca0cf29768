//! Startup and shutdown: their order, checks of privileges, handling of failures.

pub(super) mod ask_reload;
pub(super) mod beginning;
pub(super) mod capabilities;
pub(super) mod defect;
#[cfg(debug_assertions)]
pub(super) mod fault;
pub(super) mod life;
pub(super) mod privileges;
pub(super) mod scheduling;
pub(super) mod shutdown;
pub(super) mod startup;
