//! Text form of the actions of the VRRP core, for scenarios, traces and dry runs. The log lines for
//! operators are in `daemon/outlets/report.rs`.

use std::fmt;

use crate::base::ids::InstanceId;
use crate::vrrp::cause::Seconds;
use crate::vrrp::{Action, Domain, Note};

/// One action on one line. Names come from the domain: format it before an instance is removed.
pub struct Words<'a>(pub &'a Action, pub &'a Domain);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |id: InstanceId| self.1.instance(id).map_or("?", |i| i.config().name.as_str());
        match self.0 {
            Action::SendAdvert { id, priority } => {
                write!(f, "{} sends priority {priority}", name(*id))
            }
            Action::Want(id) => write!(f, "{} wants its addresses", name(*id)),
            Action::Release(id) => write!(f, "{} lets go of its addresses", name(*id)),
            Action::Announce { id, repeat } => write!(f, "{} announces x{repeat}", name(*id)),
            Action::AnnounceElsewhere { id } => {
                write!(f, "{} announces on further interfaces", name(*id))
            }
            Action::AnnounceSource { id } => write!(f, "{} announces its source", name(*id)),
            Action::Changed { id, from, to, cause } => {
                write!(f, "{} {} -> {} ({cause})", name(*id), from.word(), to.word())
            }
            Action::GroupChanged { group, to, cause } => {
                let group = self.1.group(*group).map_or("?", |g| g.name());
                write!(f, "group {group} {} ({cause})", to.word())
            }
            Action::PriorityChanged { id, from, to, cause } => {
                write!(f, "{} priority {from} -> {to} ({cause})", name(*id))
            }
            Action::Ordered { kind, news } => {
                let of = news.id().map(|id| format!("{} ", name(id))).unwrap_or_default();
                write!(f, "{of}{kind}: {news}")
            }
            Action::LowerPriority { id } => write!(f, "{} tells of a lower priority", name(*id)),
            Action::Noted { id, note, held_back } => {
                write!(f, "{}: ", name(*id))?;
                noted(note, f)?;
                more(*held_back, f)
            }
        }
    }
}

fn noted(note: &Note, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match note {
        Note::LowerPriority { from, theirs, ours, answered } => {
            let answer = if *answered { "answered" } else { "not answered" };
            write!(f, "lower priority {theirs} from {from}, ours {ours}, {answer}")
        }
        Note::Contested { from, theirs } => {
            write!(f, "was contested by {from} with priority {theirs}")
        }
        Note::Discarded { from, theirs } => {
            write!(f, "lower priority {theirs} from {from}, discarded")
        }
        Note::MasterIs { addr, before: None } => write!(f, "master is {addr}"),
        Note::MasterIs { addr, before: Some(before) } => {
            write!(f, "master is {addr}, was {before}")
        }
        Note::Goodbye { from } => write!(f, "{from} says goodbye"),
        Note::PreemptDelayStarted(delay) => write!(f, "preempt delay starts, {}", Seconds(*delay)),
        Note::PreemptDelayStopped => f.write_str("preempt delay stops"),
        Note::TooLate { silent, patience } => {
            write!(
                f,
                "too late to resume: silent for {} of {}",
                Seconds(*silent),
                Seconds(*patience)
            )
        }
        Note::Silence => f.write_str("silence"),
        Note::Stalled { late, until } => {
            write!(f, "stalled, {} late: waits until {until}", Seconds(*late))
        }
        Note::GroupNotReady => f.write_str("waits for its group"),
        Note::OwnerConflict { from } => write!(f, "{from} owns the addresses, too"),
        Note::SameAddress { from } => write!(f, "{from} has our priority and our address"),
        Note::ChecksumFollowed { from, form } => write!(f, "{from} is sent {form:?} checksums"),
        Note::Rejected { from, reason, is_rival: true } => {
            write!(f, "rejected: {reason}; {from} is MASTER, too")
        }
        Note::Rejected { reason, .. } => write!(f, "rejected: {reason}"),
        Note::Remarked { remark, .. } => write!(f, "remark: {remark}"),
    }
}

fn more(held_back: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match held_back {
        0 => Ok(()),
        n => write!(f, " ({n} more)"),
    }
}
