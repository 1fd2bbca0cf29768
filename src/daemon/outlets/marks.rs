//! Log lines for the tables that mark packets to virtual server groups.

use super::filter::{refusal, word};
use crate::base::time::Duration;
use crate::firewall::marks::Action;
use crate::vrrp::cause::Seconds;

pub(in crate::daemon) fn marks(action: &Action) {
    match action {
        Action::Replaces { family, table } => {
            log::info!("Deleting old {} {table} table", word(*family));
        }
        Action::Refused { family, what, errno, again } => log::error!(
            "Virtual server groups get no connections over {family}: {}",
            refusal(*family, *what, *errno, *again)
        ),
        Action::Recovered { family } => {
            log::info!("nf_tables: {family} packets to virtual server groups are marked again");
        }
        Action::Missing { family, after: Duration::ZERO } => log::warn!(
            "nf_tables: the {family} table for virtual server groups was removed externally: \
             restoring it"
        ),
        Action::Missing { family, after } => log::warn!(
            "nf_tables: the {family} table for virtual server groups was removed externally: this \
             happens too often; restoring it in {}",
            Seconds(*after)
        ),
        Action::Send { .. } => {}
    }
}
