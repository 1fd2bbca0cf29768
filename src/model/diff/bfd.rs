//! Differences between the BFD sessions of two models.

use std::net::IpAddr;

use super::Change;
use crate::base::sorted::SortedMap;
use crate::model::bfd::BfdInstance;
use crate::model::Config;

/// Identity of a session: its two ends. Its name is an attribute, as that of a virtual router is.
fn ends(session: &BfdInstance) -> (IpAddr, Option<&str>, Option<IpAddr>, bool) {
    (session.neighbor, session.interface.as_deref(), session.source, session.multihop)
}

/// The changes from `old` to `new`: removals, then kept and adjusted sessions, then additions.
pub fn bfd_sessions(old: &Config, new: &Config) -> Vec<Change> {
    let mut known: SortedMap<_, Vec<usize>> = SortedMap::new();
    for (n, session) in old.bfd.iter().enumerate().rev() {
        known.entry(ends(session)).or_default().push(n);
    }
    let mut changes = Vec::new();
    for (new_n, session) in new.bfd.iter().enumerate() {
        changes.push(match known.get_mut(&ends(session)).and_then(Vec::pop) {
            None => Change::Add { new: new_n },
            Some(old_n) if old.bfd[old_n] == *session => Change::Keep { old: old_n, new: new_n },
            Some(old_n) => Change::Adjust { old: old_n, new: new_n },
        });
    }
    changes.extend(known.into_values().flatten().map(|old| Change::Remove { old }));
    changes.sort();
    changes
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::model::bfd::BfdInstance;

    fn session(name: &str, n: u8) -> BfdInstance {
        BfdInstance::new(name, [10, 0, 0, n].into())
    }

    fn config(list: &[BfdInstance]) -> Config {
        Config { bfd: list.iter().cloned().map(Rc::new).collect(), ..Config::default() }
    }

    #[test]
    fn a_session_is_identified_by_its_ends() {
        let (a, b) = (session("A", 1), session("B", 2));
        let old = config(&[a.clone(), b.clone()]);
        let swapped = config(&[b.clone(), a.clone()]);
        let kept = [Change::Keep { old: 0, new: 1 }, Change::Keep { old: 1, new: 0 }];
        assert_eq!(bfd_sessions(&old, &swapped), kept);
        let adjusted = [Change::Keep { old: 0, new: 0 }, Change::Adjust { old: 1, new: 1 }];
        for changed in [
            BfdInstance { name: "C".into(), ..b.clone() },
            BfdInstance { multiplier: 9, ..b.clone() },
        ] {
            assert_eq!(bfd_sessions(&old, &config(&[a.clone(), changed])), adjusted);
        }
        let replaced =
            [Change::Remove { old: 1 }, Change::Keep { old: 0, new: 0 }, Change::Add { new: 1 }];
        for other in [
            session("B", 3),
            BfdInstance { multihop: true, ..b.clone() },
            BfdInstance { interface: Some("eth0".into()), ..b.clone() },
            BfdInstance { source: Some([10, 0, 0, 9].into()), ..b },
        ] {
            assert_eq!(bfd_sessions(&old, &config(&[a.clone(), other])), replaced);
        }
    }
}
