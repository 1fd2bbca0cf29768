//! Log lines for the actions of the packet filter.

use crate::base::addr::Family;
use crate::base::errno::Errno;
use crate::base::time::Duration;
use crate::firewall::Action;
use crate::sys::nft::ABSENT;
use crate::vrrp::cause::Seconds;
use crate::wire::netlink::nft::Message;

pub(in crate::daemon) fn filter<O>(action: &Action<O>) {
    match action {
        Action::Replaces { family, table } => {
            log::info!("Deleting old {} {table} table", word(*family));
        }
        Action::Refused { family, what, errno, again } => {
            log::error!("{}", refused(*family, *what, *errno, *again));
        }
        Action::Recovered { family } => {
            log::info!("nf_tables: the {family} packet filter is complete again");
        }
        Action::NoVmacRules { family, errno } => log::warn!(
            "nf_tables: the kernel has no rules for {family} packets of VMACs: {}",
            Errno(*errno)
        ),
        Action::Missing { family, after: Duration::ZERO } => {
            log::warn!("nf_tables: the {family} table was removed externally: restoring it");
        }
        Action::Missing { family, after } => log::warn!(
            "nf_tables: the {family} table was removed externally: this happens too often; \
             restoring it in {}",
            Seconds(*after)
        ),
        Action::Failed { run, reason, again } => log::error!(
            "Addresses that are not accepted may be unprotected: {}: {reason}; trying again in {}",
            run.program(),
            Seconds(*again)
        ),
        Action::Restored => log::info!("iptables: the packet filter is complete again"),
        Action::NoSets { reason } => {
            log::warn!("Not using ipsets, but a rule for each address: {reason}");
        }
        Action::Send { .. } | Action::Run(_) | Action::Outcome { .. } => {}
    }
}

/// The kernel's word for the family of a table.
pub(super) const fn word(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    }
}

fn refused(family: Family, what: Message, errno: i32, again: Duration) -> String {
    let refusal = refusal(family, what, errno, again);
    format!("Addresses that are not accepted may be unprotected: {refusal}")
}

/// What nf_tables refused, and why.
pub(super) fn refusal(family: Family, what: Message, errno: i32, again: Duration) -> String {
    let lack = [libc::EOPNOTSUPP, libc::EPROTONOSUPPORT].contains(&errno);
    let is_absent = lack && matches!(what, Message::Batch | Message::Table);
    let reason = if is_absent { ABSENT.to_owned() } else { Errno(errno).to_string() };
    let what = match what {
        Message::Batch => "transaction",
        Message::Table => "table",
        Message::Chain => "chain",
        Message::Set => "set",
        Message::Element => "element of a set",
        Message::Rule => "rule",
    };
    format!("nf_tables refuses a {what} for {family}: {reason}; trying again in {}", Seconds(again))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lack_of_nf_tables_is_told_from_a_refusal() {
        let again = Duration::from_secs(1);
        let line = refused(Family::V4, Message::Batch, libc::EOPNOTSUPP, again);
        assert!(line.contains("modprobe nf_tables"), "{line}");
        let line = refused(Family::V4, Message::Rule, libc::EOPNOTSUPP, again);
        assert!(line.contains("a rule for IPv4: Operation not supported"), "{line}");
    }
}
