//! Startup and shutdown: their order, checks of privileges, handling of failures.

pub(super) mod ask_reload;
mod assembly;
pub(super) mod beginning;
pub(super) mod capabilities;
pub(super) mod defect;
pub(super) mod entry;
#[cfg(debug_assertions)]
pub(super) mod fault;
mod left;
pub(super) mod life;
pub(super) mod privileges;
pub(super) mod respawn;
mod rights;
pub(super) mod scheduling;
pub(super) mod shutdown;
pub(super) mod startup;
mod strict;
pub(super) mod takeover;
