//! `notify...` and `smtp_alert` of an instance or a sync group.

use crate::config::document::Node;

#[derive(Clone, Copy, Default)]
pub(in crate::config) struct RawNotify<'d> {
    pub master: Option<Node<'d>>,
    pub backup: Option<Node<'d>>,
    pub fault: Option<Node<'d>>,
    pub stop: Option<Node<'d>>,
    pub deleted: Option<Node<'d>>,
    pub any: Option<Node<'d>>,
    pub master_rx_lower_pri: Option<Node<'d>>,
    pub smtp_alert: Option<bool>,
    pub priority_changes: Option<bool>,
}
