//! The configuration: reading it against the host, and going from one to the next.

pub(super) mod host;
pub(super) mod outcome;
pub(super) mod reading;
pub(super) mod reload;
