//! `kactl status`: a table that fits 80 columns.

use std::fmt::Write as _;

use super::changes;
use super::picture::Picture;
use crate::base::sorted::SortedMap;
use crate::status::explain::span;
use crate::status::{sender, Daemon, Instance, Server, Service, State, Time};

const WIDTH: usize = 80;

pub(super) fn render(picture: &Picture) -> String {
    let mut out = String::new();
    let now = picture.daemon.as_ref().map_or_else(Time::default, |daemon| daemon.now);
    if let Some(daemon) = &picture.daemon {
        head(daemon, &mut out);
    }
    if !picture.instances.is_empty() {
        let row = ["INSTANCE", "STATE", "PRIO", "FOR", "MASTER OR FAULT"];
        let widths = [22, 7, 5, 12, 0];
        line(&row, &widths, &mut out);
        for i in &picture.instances {
            let (priority, since) = (i.priority.effective.to_string(), span(i.since.until(now)));
            let detail = detail(i, now);
            line(&[&i.name, i.state.word(), &priority, &since, &detail], &widths, &mut out);
        }
    }
    if !picture.groups.is_empty() {
        out.push('\n');
        let widths = [22, 7, 0];
        line(&["GROUP", "STATE", "MEMBERS"], &widths, &mut out);
        for g in &picture.groups {
            line(&[&g.name, g.state.word(), &g.members.join(" ")], &widths, &mut out);
        }
    }
    let (shown, hidden): (Vec<_>, Vec<_>) = picture.tracks.iter().partition(|t| !t.is_up());
    if !picture.tracks.is_empty() {
        out.push('\n');
        let widths = [22, 12, 0];
        line(&["TRACKED", "KIND", "STATE"], &widths, &mut out);
        for t in shown {
            line(&[&t.name, t.kind.word(), &t.state], &widths, &mut out);
        }
        if !hidden.is_empty() {
            let _ = writeln!(out, "up, or with a value: {}", hidden.len());
        }
    }
    services(picture, now, &mut out);
    out
}

fn head(d: &Daemon, out: &mut String) {
    let up = span(d.started.until(d.now));
    let name = d.instance_name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let _ = writeln!(out, "{}{name}, pid {}, up {up}", d.version, d.pid);
    let _ = writeln!(out, "{}", cut(&d.configuration.file, WIDTH));
    let _ = writeln!(out, "{}", cut(&changes::state(&d.configuration, d.now), WIDTH));
    if let Some(filter) = &d.log_filter {
        let _ = writeln!(out, "log filter by command: {filter}");
    }
    if let Some(order) = &d.maintenance {
        let _ = writeln!(out, "by command: {}", order.words(d.now));
    }
    let queues = [
        ("mails that wait", d.queues.mails),
        ("notifications that wait", d.queues.notifications),
        ("FIFO lines that wait", d.queues.fifo_lines),
    ];
    for (name, count) in queues.into_iter().filter(|(_, count)| *count > 0) {
        let _ = writeln!(out, "{name}: {count}");
    }
    out.push('\n');
}

fn detail(i: &Instance, now: Time) -> String {
    if !i.faults.is_empty() {
        return i.faults.join(", ");
    }
    if let Some(rival) = i.refused.iter().find(|r| r.rival && i.state == State::Master) {
        let from = sender(rival.from);
        return format!("refused: {from} ({})", rival.reason);
    }
    if let Some(order) = &i.order {
        return order.words(now);
    }
    if i.priority.commanded {
        return format!("by command, configured: {}", i.priority.configured);
    }
    match (&i.master, i.state) {
        (_, State::Master) if !i.holds_addresses => "addresses are being added".to_owned(),
        (_, State::Master) => "this router".to_owned(),
        (Some(heard), State::Backup) => {
            let from = sender(heard.address);
            format!("{from}, priority {}", heard.priority)
        }
        _ if !i.pending.is_empty() => format!("waits for {}", i.pending.join(", ")),
        _ => "-".to_owned(),
    }
}

fn services(picture: &Picture, now: Time, out: &mut String) {
    if picture.services.is_empty() {
        return;
    }
    out.push('\n');
    let widths = [31, 6, 10, 12, 0];
    line(&["VIRTUAL SERVER", "STATE", "SERVERS", "FOR", "SORRY SERVER"], &widths, out);
    let mut down = SortedMap::<&str, Vec<&Server>>::new();
    for server in picture.servers.iter().filter(|server| !server.up || server.order.is_some()) {
        down.entry(&server.service).or_default().push(server);
    }
    for s in &picture.services {
        let Service { tally, .. } = s;
        let state = if s.up { "up" } else { "down" };
        let servers = format!("{}/{}", tally.up, tally.servers);
        let sorry = if s.sorry_in_use { "in use" } else { "-" };
        line(&[&s.name, state, &servers, &span(s.since.until(now)), sorry], &widths, out);
        for server in down.get(&*s.name).into_iter().flatten() {
            server_line(server, now, out);
        }
    }
}

fn server_line(s: &Server, now: Time, out: &mut String) {
    let state = if s.up { "up" } else { "down" };
    let why = match (&s.order, s.connections) {
        // There is little room.
        (Some(order), Some(c)) => format!("{order}, connections {}+{}", c.active, c.inactive),
        (Some(order), None) => format!("by command: {order}"),
        (None, _) => s.why.clone().unwrap_or_else(|| "-".to_owned()),
    };
    line(&[&format!("  {}", s.name), state, &span(s.since.until(now)), &why], &[31, 6, 12, 0], out);
}

/// Cells in columns; the last one takes what is left.
fn line(cells: &[&str], widths: &[usize], out: &mut String) {
    let mut row = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let left = WIDTH.saturating_sub(row.chars().count());
        match width {
            0 => row.push_str(&cut(cell, left)),
            &width => {
                let cell = cut(cell, width - 1);
                let _ = write!(row, "{cell:width$}");
            }
        }
    }
    let _ = writeln!(out, "{}", row.trim_end());
}

/// A text of at most this many characters, on one line.
fn cut(text: &str, width: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if text.chars().count() <= width {
        return text.chars().map(clean).collect();
    }
    let mut short: String = text.chars().map(clean).take(width.saturating_sub(1)).collect();
    short.push('~');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::WallTime;
    use crate::status::{Configuration, Heard, Priority, Tally};

    fn at(seconds: u64) -> Time {
        Time(WallTime(seconds * 1_000_000))
    }

    #[test]
    fn the_table_fits_80_columns() {
        let instance = |name: &str, state| Instance {
            name: name.to_owned(),
            state,
            since: at(1000),
            priority: Priority { effective: 100, base: 100, ..Priority::default() },
            holds_addresses: true,
            ..Instance::default()
        };
        let heard = Heard {
            address: "fe80::1234:5678:9abc:def0".parse().ok(),
            priority: 200,
            ..Heard::default()
        };
        let long = "a_name_that_is_much_longer_than_its_column";
        let picture = Picture {
            daemon: Some(Daemon {
                version: "Keepalived v1".to_owned(),
                pid: 7,
                started: at(0),
                now: at(4600),
                configuration: Configuration {
                    file: "/etc/k.conf".to_owned(),
                    ..Configuration::default()
                },
                ..Daemon::default()
            }),
            instances: vec![
                instance("VI_1", State::Master),
                Instance { master: Some(heard), ..instance(long, State::Backup) },
                Instance {
                    faults: vec!["interface eth1 down".to_owned(), "x".repeat(100)],
                    ..instance("VI_3", State::Fault)
                },
            ],
            services: vec![Service {
                name: "[192.0.2.1]:tcp:80".to_owned(),
                up: true,
                since: at(4000),
                tally: Tally { servers: 2, up: 1, ..Tally::default() },
                ..Service::default()
            }],
            servers: vec![Server {
                service: "[192.0.2.1]:tcp:80".to_owned(),
                name: "[10.0.0.1]:tcp:80".to_owned(),
                since: at(4540),
                why: Some("HTTP_GET 10.0.0.1:80 /: connection refused".to_owned()),
                ..Server::default()
            }],
            ..Picture::default()
        };
        let text = render(&picture);
        let expected = "\
Keepalived v1, pid 7, up 1 h 16 min
/etc/k.conf
loaded 1 h 16 min ago; no reload since

INSTANCE              STATE  PRIO FOR         MASTER OR FAULT
VI_1                  MASTER 100  1 h         this router
a_name_that_is_much_~ BACKUP 100  1 h         fe80::1234:5678:9abc:def0, priori~
VI_3                  FAULT  100  1 h         interface eth1 down, xxxxxxxxxxxx~

VIRTUAL SERVER                 STATE SERVERS   FOR         SORRY SERVER
[192.0.2.1]:tcp:80             up    1/2       10 min      -
  [10.0.0.1]:tcp:80            down  1 min       HTTP_GET 10.0.0.1:80 /: connec~
";
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text, expected);
    }
}
