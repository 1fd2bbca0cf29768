//! What became of orders, as text.

use std::fmt::Write as _;
use std::io::Write;

use super::exit::Exit;
use super::talk::{Client, Patience, Trouble};
use crate::control::{Command, Reply};
use crate::status::explain::{before, span};
use crate::status::{sender, Connections, Handover, Heir, Server, Time};
use crate::sys::clock;

/// How long the answer may take. A router may have to wait for the others.
pub(super) const fn patience(command: &Command) -> Patience {
    match command {
        Command::Failover { dry_run: false, .. } | Command::Maintenance { on: true, .. } => {
            Patience::Endless
        }
        _ => Patience::Short,
    }
}

/// Gives an order and shows the answer as it comes.
pub(super) fn give(
    client: &mut Client,
    command: &Command,
    out: &mut dyn Write,
) -> Result<Exit, Trouble> {
    client.send(command.clone())?;
    let now = Time(clock::wall());
    while let Some(reply) = client.next()? {
        super::print(out, &line(&reply, now))?;
    }
    if let Command::Failover { name, seconds, dry_run: false, .. } = command {
        let back = seconds.map(|n| format!("in {} or ", span(std::time::Duration::from_secs(n))));
        let back = back.unwrap_or_else(|| "in 10 min or ".to_owned());
        let text =
            format!("This router may be master again {back}with: kactl failover {name} end\n");
        super::print(out, &text)?;
    }
    Ok(Exit::Ok)
}

fn line(reply: &Reply, now: Time) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = match reply {
        Reply::Handover(Handover { instance, by: None, .. }) => {
            writeln!(text, "{instance}: no other router took over, so this one stays MASTER")
        }
        Reply::Handover(Handover { instance, by, priority, after }) => {
            let by = sender(*by);
            writeln!(text, "{instance}: {by} took over with priority {priority} after {after:.3} s")
        }
        Reply::Heir(Heir { instance, address, priority, at }) => {
            let (from, ago) = (sender(*address), before(*at, now));
            writeln!(
                text,
                "{instance}: {from} could take over, heard with priority {priority} {ago}"
            )
        }
        Reply::Server(s) => writeln!(text, "{}", server(s)),
        _ => Ok(()),
    };
    text
}

/// A real server after an order.
fn server(s: &Server) -> String {
    let order = s.order.as_ref().map(|order| format!(", {order} by command")).unwrap_or_default();
    let state = if s.up { "up" } else { "down" };
    let held = match s.held_weight {
        Some(weight) => format!("weight {weight} in IPVS"),
        None => "not in IPVS".to_owned(),
    };
    let connections = s.connections.map(|Connections { active, inactive }| {
        format!(", {active} active and {inactive} inactive connections")
    });
    let connections = connections.unwrap_or_default();
    format!("{} of {} is {state}{order}; {held}{connections}", s.name, s.service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::WallTime;

    #[test]
    fn each_instance_has_a_line() {
        let (instance, now) = ("VI_1".to_owned(), Time(WallTime(80_000_000)));
        let by = "10.0.0.2".parse().ok();
        let taken = Handover { instance: instance.clone(), by, priority: 90, after: 3.25 };
        let heir = Heir { instance, address: by, priority: 90, at: Time(WallTime(20_000_000)) };
        let drained = Server {
            service: "[10.0.0.9]:tcp:80".to_owned(),
            name: "[10.0.0.1]:tcp:80".to_owned(),
            up: true,
            held_weight: Some(0),
            order: Some("drain".to_owned()),
            connections: Some(Connections { active: 3, inactive: 10 }),
            ..Server::default()
        };
        for (reply, text) in [
            (
                Reply::Server(Box::new(drained)),
                "[10.0.0.1]:tcp:80 of [10.0.0.9]:tcp:80 is up, drain by command; weight 0 in IPVS, \
                 3 active and 10 inactive connections\n",
            ),
            (
                Reply::Handover(Handover { by: None, ..taken.clone() }),
                "VI_1: no other router took over, so this one stays MASTER\n",
            ),
            (Reply::Handover(taken), "VI_1: 10.0.0.2 took over with priority 90 after 3.250 s\n"),
            (
                Reply::Heir(heir),
                "VI_1: 10.0.0.2 could take over, heard with priority 90 1 min ago\n",
            ),
        ] {
            assert_eq!(line(&reply, now), text);
        }
    }
}
