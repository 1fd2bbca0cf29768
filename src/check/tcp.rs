//! `TCP_CHECK`: a connection is enough.

use crate::base::verdict::Verdict;

/// Up as soon as it is connected.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tcp {
    connected: bool,
}

impl Tcp {
    pub fn start(&mut self) {
        self.connected = true;
    }

    pub fn outcome(&self) -> Option<&Verdict> {
        self.connected.then_some(&Verdict::UP)
    }
}
