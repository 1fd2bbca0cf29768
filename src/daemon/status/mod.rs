//! Fills in the status from the cores, one object at a time: the dumps and the control socket take
//! their facts from here.

pub(super) mod address;
pub(super) mod daemon;
pub(super) mod event;
pub(super) mod instance;
pub(super) mod order;
pub(super) mod service;
#[cfg(test)]
mod tests;
pub(super) mod track;
