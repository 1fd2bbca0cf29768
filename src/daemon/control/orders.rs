//! Failovers and maintenance: the client waits until it is clear what became of them.

use std::net::IpAddr;

use super::answer::Answer;
use crate::base::ids::InstanceId;
use crate::base::time::Duration;
use crate::control::{Code, Failure, Reply};
use crate::daemon::runtime::Runtime;
use crate::daemon::status::order;
use crate::vrrp::{Input, Order};

/// How long a failover lasts unless the command says so. kactl(8) names it.
const USUAL: Duration = Duration::from_secs(600);
/// The longest time, for the sum of times has to have a meaning.
const LONGEST: u64 = 10 * 365 * 86_400;

/// How a failover is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Failover {
    pub(super) to: Option<IpAddr>,
    pub(super) seconds: Option<u64>,
    pub(super) force: bool,
    pub(super) dry_run: bool,
}

impl Runtime {
    pub(super) fn order_failover(
        &mut self,
        name: &str,
        how: Failover,
        uid: u32,
    ) -> Result<Answer, Failure> {
        let Failover { to, seconds, force, dry_run } = how;
        let id = self.instance_or_group(name)?;
        let span = span(seconds)?.unwrap_or(USUAL);
        if let Err(objection) = self.cores.vrrp.may_fail_over(id, to, force) {
            return Err(Failure { code: Code::Refused, text: objection.to_string() });
        }
        if dry_run {
            return Ok(Answer::Lines(self.list_heirs(id)));
        }
        let to_whom = to.map(|to| format!(" --to {to}")).unwrap_or_default();
        let force = if force { " --force" } else { "" };
        let what = format!("failover {name}{to_whom} --for {}s{force}", span.as_secs());
        let number = self.next_order();
        self.give_order(&what, Order::Failover { number, id, to, span }, uid);
        Ok(Answer::result(number))
    }

    pub(super) fn end_failover(&mut self, name: &str, uid: u32) -> Result<Answer, Failure> {
        let id = self.instance_or_group(name)?;
        let is_failover = self.cores.vrrp.has_failover(id);
        if !is_failover {
            let text = format!("no failover of {name} is in force");
            return Err(Failure { code: Code::Refused, text });
        }
        self.give_order(&format!("failover {name} end"), Order::EndFailover { id }, uid);
        Ok(Answer::Lines(vec![Reply::Done]))
    }

    pub(super) fn order_maintenance(
        &mut self,
        on: bool,
        seconds: Option<u64>,
        uid: u32,
    ) -> Result<Answer, Failure> {
        if !on {
            self.give_order("maintenance off", Order::EndMaintenance, uid);
            return Ok(Answer::Lines(vec![Reply::Done]));
        }
        let span = span(seconds)?;
        let number = self.next_order();
        let limit = span.map(|span| format!(" --for {}s", span.as_secs())).unwrap_or_default();
        let order = Order::Maintenance { number, span };
        self.give_order(&format!("maintenance on{limit}"), order, uid);
        Ok(Answer::result(number))
    }

    fn next_order(&mut self) -> u64 {
        self.control.orders += 1;
        self.control.orders
    }

    fn give_order(&mut self, what: &str, order: Order, uid: u32) {
        self.note_command(what, uid);
        self.cores.vrrp(Input::Order(order), self.now);
        self.drain();
        self.flush_adverts();
    }

    /// The instance, or one of the sync group.
    fn instance_or_group(&self, name: &str) -> Result<InstanceId, Failure> {
        let vrrp = &self.cores.vrrp;
        let instance = vrrp.instances().find(|(_, i)| i.config().name == *name).map(|(id, _)| id);
        let mut groups = vrrp.groups().filter(|(_, g)| *g.name() == *name);
        let member = || groups.next().and_then(|(_, g)| g.members().first().copied());
        instance.or_else(member).ok_or_else(|| {
            let text = format!("there is no instance or sync group called '{name}'");
            Failure { code: Code::Unknown, text }
        })
    }

    /// The routers that could take over, as an answer.
    fn list_heirs(&self, id: InstanceId) -> Vec<Reply> {
        let (view, vrrp) = (self.view(), &self.cores.vrrp);
        let group = vrrp.instance(id).and_then(|i| vrrp.group(i.group()?));
        let members = group.map_or_else(|| vec![id], |group| group.members().to_vec());
        let heirs = members.into_iter().flat_map(|id| order::heirs(&view, id));
        let mut lines: Vec<_> = heirs.map(Reply::Heir).collect();
        lines.push(Reply::Done);
        lines.reverse();
        lines
    }

    /// What became of an order, the last line first; `None`: that is not clear yet.
    pub(super) fn result_of_order(&self, number: u64) -> Option<Vec<Reply>> {
        let result = self.cores.vrrp.order_result(number)?;
        let handovers = order::handovers(&self.view(), result);
        let mut lines: Vec<_> = handovers.into_iter().map(Reply::Handover).collect();
        lines.push(match &result.end {
            None => Reply::Done,
            Some(end) => Reply::error(Code::Refused, format!("it was taken back: {end}")),
        });
        lines.reverse();
        Some(lines)
    }
}

fn span(seconds: Option<u64>) -> Result<Option<Duration>, Failure> {
    match seconds {
        Some(seconds) if !(1..=LONGEST).contains(&seconds) => {
            let text = "a time is from one second to ten years".to_owned();
            Err(Failure { code: Code::Request, text })
        }
        seconds => Ok(seconds.map(Duration::from_secs)),
    }
}
