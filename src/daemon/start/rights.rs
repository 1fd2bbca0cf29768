//! Capabilities after the start: which ones stay, and why. The others are given up.
//!
//! A reload may ask for anything, and the kernel gives nothing back. So what stays does not depend on
//! the features of the configuration, except for those that a reload cannot change.

use crate::base::capability::{Capability, Set};
use crate::daemon::runtime::Runtime;
use crate::daemon::start::strict;
use crate::model::lvs::Namespace;
use crate::model::sandbox::Sandbox;
use crate::model::Config;
use crate::sys::capability::{self, Facts};
use crate::sys::{confine, reason};

/// When a capability is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Need {
    /// By what a reload may add.
    Always,
    /// By commands of other users and tracked processes, which a strict sandbox has none of.
    Commands,
    /// With `net_namespace` or `net_namespace_ipvs`, which a reload cannot change.
    Namespace,
}

/// Every capability that the daemon uses after its start, with what for.
const USES: [(Capability, Need, &str); 14] = [
    (Capability::Chown, Need::Always, "owner of a FIFO, group of the control socket"),
    (
        Capability::DacOverride,
        Need::Always,
        "files of other users: configuration, tracked files, FIFOs, dumps",
    ),
    (Capability::Fowner, Need::Always, "removal of such files from a directory like /tmp"),
    (Capability::Kill, Need::Commands, "timeouts of commands of other users"),
    (Capability::SetGid, Need::Commands, "group of a command"),
    (Capability::SetUid, Need::Commands, "user of a command"),
    (Capability::NetBindService, Need::Always, "ports below 1024 of checks and metrics"),
    (
        Capability::NetAdmin,
        Need::Always,
        "addresses, routes, rules, virtual interfaces, nf_tables, IPVS, settings of networks",
    ),
    (Capability::NetRaw, Need::Always, "advertisements, gratuitous ARP, sockets of one interface"),
    (Capability::IpcLock, Need::Always, "locked memory"),
    (Capability::SysPtrace, Need::Commands, "file that a tracked process of another user runs"),
    (Capability::SysAdmin, Need::Namespace, "way into a network namespace and back"),
    (Capability::SysNice, Need::Always, "priorities, real-time scheduling, processors"),
    (Capability::SysResource, Need::Always, "limits of descriptors and of real-time scheduling"),
];

/// What happens to the capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Plan {
    Nothing,
    /// The others are not permitted any more. Commands of root get theirs when they are executed, from
    /// the bounding set.
    Keep(Set),
    /// The others are not in effect any more, but stay permitted: a command of root would not get them
    /// back.
    ActWith(Set),
    /// The others are gone, and whatever is executed gets none of them back.
    KeepOnly(Set),
}

fn plan(sandbox: Sandbox, is_in_namespace: bool, facts: Facts) -> Plan {
    let needed = USES.into_iter().filter(|(_, need, _)| match need {
        Need::Always => true,
        Need::Commands => sandbox != Sandbox::Strict,
        Need::Namespace => is_in_namespace,
    });
    let stays = needed.map(|(capability, ..)| capability).collect::<Set>().and(facts.effective);
    match sandbox {
        Sandbox::Strict => Plan::KeepOnly(stays),
        Sandbox::Off => Plan::Nothing,
        Sandbox::On if stays == facts.effective => Plan::Nothing,
        // A command of another user has no capability that the daemon could pass on.
        Sandbox::On if facts.is_root && facts.is_confined => Plan::ActWith(stays),
        Sandbox::On => Plan::Keep(stays),
    }
}

/// True if the daemon has to enter network namespaces.
fn is_in_namespace(config: &Config, has_moved: bool) -> bool {
    has_moved || config.lvs.namespace != Namespace::Own
}

impl Runtime {
    /// Gives up the rights that are not needed from now on.
    pub(in crate::daemon) fn give_up_rights(&mut self) {
        let config = &self.running.config;
        let Ok(facts) = capability::facts() else { return };
        let inside = is_in_namespace(config, self.process.namespace.is_some());
        let plan = plan(config.global.sandbox, inside, facts);
        if matches!(plan, Plan::KeepOnly(_)) {
            self.confine_files();
        }
        let (given_up, stays) = match plan {
            Plan::Nothing => return,
            Plan::Keep(stays) => (capability::keep(stays), stays),
            Plan::ActWith(stays) => (capability::act_with(stays), stays),
            Plan::KeepOnly(stays) => (confine::keep_only(stays), stays),
        };
        match given_up {
            Ok(()) => {
                let names = USES.iter().filter(|(capability, ..)| stays.has(*capability));
                let names: Vec<_> = names.map(|(capability, ..)| capability.to_string()).collect();
                let count = facts.effective.len() - stays.len();
                log::info!("Capabilities given up: {count}; those that stay: {}", names.join(" "));
            }
            Err(e) => log::warn!("Capabilities that are not needed stay: {}", reason(&e)),
        }
        if matches!(plan, Plan::KeepOnly(_)) {
            strict::confine_calls();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Facts = Facts { effective: Set(u64::MAX >> 23), is_root: true, is_confined: false };

    fn kept(plan: Plan) -> Set {
        match plan {
            Plan::Keep(set) | Plan::ActWith(set) | Plan::KeepOnly(set) => set,
            Plan::Nothing => panic!("nothing is given up"),
        }
    }

    #[test]
    fn each_use_is_listed_once_and_in_the_manual() {
        let numbers = USES.map(|(capability, ..)| capability as u8);
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        let text = include_str!("../../../docs/security.md");
        for (capability, _, why) in USES {
            let line = format!("| {capability} | {why}");
            assert!(text.contains(&line), "not in docs/security.md: {line}");
        }
    }

    #[test]
    fn namespaces_alone_need_the_largest_capability() {
        let admin = |inside| kept(plan(Sandbox::On, inside, ROOT)).has(Capability::SysAdmin);
        assert!(admin(true) && !admin(false));
        assert_eq!(kept(plan(Sandbox::On, false, ROOT)).len(), 13);
    }

    #[test]
    fn commands_that_could_not_get_them_back_decide_how() {
        assert!(matches!(plan(Sandbox::On, false, ROOT), Plan::Keep(_)));
        let confined = Facts { is_confined: true, ..ROOT };
        assert!(matches!(plan(Sandbox::On, false, confined), Plan::ActWith(_)));
        // Commands of this user have none either way.
        let other = Facts { is_root: false, ..confined };
        assert!(matches!(plan(Sandbox::On, false, other), Plan::Keep(_)));
    }

    #[test]
    fn without_commands_nothing_is_kept_for_them() {
        let set = kept(plan(Sandbox::Strict, false, ROOT));
        for capability in [Capability::SetUid, Capability::Kill, Capability::SysPtrace] {
            assert!(!set.has(capability), "{capability}");
        }
        assert_eq!(set.len(), 9);
        // Whatever there is, programs that are executed get none of it.
        let few = Facts { effective: Set::EMPTY, is_root: false, is_confined: true };
        assert_eq!(plan(Sandbox::Strict, false, few), Plan::KeepOnly(Set::EMPTY));
    }

    #[test]
    fn nothing_is_added_and_nothing_is_done_in_vain() {
        let few = [Capability::NetAdmin, Capability::NetRaw].into_iter().collect();
        let facts = Facts { effective: few, ..ROOT };
        assert_eq!(plan(Sandbox::On, false, facts), Plan::Nothing);
        assert_eq!(plan(Sandbox::Off, false, ROOT), Plan::Nothing);
        let one_more = Facts { effective: few.with(Capability::SysAdmin), ..ROOT };
        assert_eq!(plan(Sandbox::On, false, one_more), Plan::Keep(few));
    }
}
