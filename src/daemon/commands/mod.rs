//! Commands, and the files and processes that are tracked.

pub(super) mod children;
pub(super) mod processes;
pub(super) mod tracking;
