//! An object and its history as sentences. Pure: the reader's calendar is an argument.

use std::fmt::Write as _;

use super::{
    sender, Change, Connections, Event, Group, Instance, ObjectKind, Server, Service, State, Time,
    Track,
};
use crate::base::time::Duration;

/// Changes in a story.
const MOST_CHANGES: usize = 10;

/// Everything known of the objects of one name.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Story {
    pub instances: Vec<Instance>,
    pub groups: Vec<Group>,
    pub tracks: Vec<Track>,
    pub services: Vec<Service>,
    pub servers: Vec<Server>,
    /// The oldest first.
    pub events: Vec<Event>,
}

/// `stamp`: a time in the reader's time zone.
pub fn explain(story: &Story, now: Time, stamp: impl Fn(Time) -> String) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    for i in &story.instances {
        instance(i, now, &mut out);
    }
    for g in &story.groups {
        let since = g.since.map(|at| format!(" {}", ago(at, now))).unwrap_or_default();
        let _ = writeln!(out, "Sync group {} is {}{since}.", g.name, g.state.word());
        reason(g.why.as_deref(), &mut out);
        let _ = writeln!(out, "  Its members: {}.", g.members.join(", "));
    }
    for t in &story.tracks {
        track(t, now, &mut out);
    }
    for s in &story.services {
        service(s, now, &mut out);
    }
    for s in &story.servers {
        server(s, now, &mut out);
    }
    history(&story.events, &stamp, &mut out);
    for i in &story.instances {
        refused(i, now, &mut out);
    }
    out
}

fn instance(i: &Instance, now: Time, out: &mut String) {
    let _ = writeln!(out, "{} is {} {}.", i.name, i.state.word(), ago(i.since, now));
    if i.faults.is_empty() {
        reason(i.why.as_deref(), out);
    }
    if i.wanted != i.state {
        let group = i.group.as_deref().unwrap_or("?");
        let _ = writeln!(
            out,
            "  It would be {}, but its sync group {group} is not ready.",
            i.wanted.word()
        );
    }
    for fault in &i.faults {
        let _ = writeln!(out, "  Fault: {fault}.");
    }
    for object in &i.pending {
        let _ = writeln!(out, "  It waits for the first result of {object}.");
    }
    if let Some(order) = &i.order {
        let _ = writeln!(out, "  By command: {}.", order.words(now));
    }
    priority(i, out);
    // A backup that waits for its group follows no master.
    let waits = i.state == State::Backup && i.wanted == State::Master;
    match (&i.master, if waits { State::Master } else { i.state }) {
        (_, State::Fault | State::Init) => {}
        (Some(heard), State::Master) => {
            let from = sender(heard.address);
            let _ = writeln!(
                out,
                "  The last other master was {from} with priority {}, heard {}.",
                heard.priority,
                before(heard.at, now)
            );
        }
        (Some(heard), _) => {
            let from = sender(heard.address);
            let _ = writeln!(
                out,
                "  The master is {from} with priority {}, last heard {}. Without another word, \
                 this router takes over {:.3} s after that.",
                heard.priority,
                before(heard.at, now),
                i.master_down_interval
            );
        }
        (None, State::Master) => {
            let _ = writeln!(out, "  No other master was heard.");
        }
        (None, _) => {
            let _ = writeln!(out, "  No master has been heard.");
        }
    }
    if i.state == State::Master {
        for address in i.addresses.iter().filter(|a| !a.present) {
            let _ = writeln!(out, "  Missing in the kernel: {}.", address.address);
        }
    }
}

/// `Priority 80 = base 100, -20 for script chk failed (exit 1).`
fn priority(i: &Instance, out: &mut String) {
    let p = &i.priority;
    let _ = write!(out, "  Priority {}", p.effective);
    if p.base == 255 {
        let _ = writeln!(out, ": it owns the addresses.");
        return;
    }
    let _ = write!(out, " = base {}", p.base);
    if p.commanded {
        let _ = write!(out, " by command (configured: {})", p.configured);
    }
    for part in &p.parts {
        let _ = write!(out, ", {:+} for {}", part.weight, part.reason);
    }
    let sum = i32::from(p.base) + p.parts.iter().map(|part| part.weight).sum::<i32>();
    if sum != i32::from(p.effective) {
        let _ = write!(out, " (the sum {sum} is kept within 1 and 254)");
    }
    let _ = writeln!(out, ".");
}

fn track(t: &Track, now: Time, out: &mut String) {
    let since = t.since.map(|at| format!(", {}", ago(at, now))).unwrap_or_default();
    let _ = writeln!(out, "{} {} is {}{since}.", capital(t.kind.word()), t.name, t.state);
    for by in &t.tracked_by {
        let reverse = if by.reverse { " reverse" } else { "" };
        let what = match by.weight {
            0 => format!("as a fault{reverse}"),
            weight => format!("with weight {weight}{reverse}"),
        };
        let _ = writeln!(out, "  Tracked by {} {what}.", by.instance);
    }
    let more = t.instances.saturating_sub(t.tracked_by.len());
    if more > 0 {
        let _ = writeln!(out, "  Tracked by {more} more instances.");
    }
}

fn service(s: &Service, now: Time, out: &mut String) {
    let state = if s.up { "has its quorum" } else { "is without its quorum" };
    let _ = writeln!(out, "Virtual server {} {state} {}.", s.name, ago(s.since, now));
    reason(s.why.as_deref(), out);
    let t = &s.tally;
    let _ = writeln!(
        out,
        "  Real servers up: {} of {}, of weight {}; quorum {}, hysteresis {}.",
        t.up, t.servers, t.weight, t.quorum, t.hysteresis
    );
    if s.suspended {
        let _ = writeln!(out, "  Its checks wait for the virtual address on this host.");
    }
    match (&s.sorry_server, s.sorry_in_use) {
        (Some(sorry), true) => {
            let _ = writeln!(out, "  The sorry server {sorry} stands in.");
        }
        (Some(sorry), false) => {
            let _ = writeln!(out, "  The sorry server {sorry} is not in use.");
        }
        (None, _) => {}
    }
}

fn server(s: &Server, now: Time, out: &mut String) {
    let state = if s.up { "up" } else { "down" };
    let _ =
        writeln!(out, "Real server {} of {} is {state} {}.", s.name, s.service, ago(s.since, now));
    reason(s.why.as_deref(), out);
    if let Some(order) = &s.order {
        let _ = writeln!(out, "  By command: {order}.");
    }
    if let Some(Connections { active, inactive }) = s.connections {
        let _ = writeln!(out, "  It has {active} active and {inactive} inactive connections.");
    }
    let held = match s.held_weight {
        Some(weight) => format!("in IPVS with weight {weight}"),
        None => "not in IPVS".to_owned(),
    };
    let _ = writeln!(out, "  It is {held}; its weight is {}.", s.effective_weight);
    for check in s.checks.iter().filter(|check| check.up != Some(true)) {
        let state = match check.up {
            Some(_) => check.last_result.as_deref().unwrap_or("failed"),
            None => "no result yet",
        };
        let _ = writeln!(out, "  Check {}: {state}.", check.name);
    }
}

fn history(events: &[Event], stamp: &impl Fn(Time) -> String, out: &mut String) {
    if events.is_empty() {
        out.push_str("Nothing has changed since the daemon started.\n");
        return;
    }
    out.push_str("The last changes, the newest first:\n");
    for event in events.iter().rev().take(MOST_CHANGES) {
        let _ = writeln!(out, "  {} {}", stamp(event.at), sentence(event));
    }
    match events.len().saturating_sub(MOST_CHANGES) {
        0 => {}
        1 => out.push_str("  and 1 earlier one (kactl events)\n"),
        more => _ = writeln!(out, "  and {more} earlier ones (kactl events)"),
    }
}

/// One change as a sentence.
pub fn sentence(event: &Event) -> String {
    let who = match (event.kind, &event.of) {
        (ObjectKind::Instance, _) => event.name.clone(),
        (ObjectKind::Server, Some(of)) => format!("{} of {of}", event.name),
        (kind, _) => format!("{kind} {}", event.name),
    };
    let what = match &event.change {
        Change::State { from: Some(from), to } => format!("went from {from} to {to}"),
        Change::State { from: None, to } => format!("went to {to}"),
        Change::Priority { from, to } => format!("changed its priority from {from} to {to}"),
        Change::Weight { from, to } => format!("changed its weight from {from} to {to}"),
        Change::Sorry { on: true } => "put its sorry server in".to_owned(),
        Change::Sorry { on: false } => "relieved its sorry server".to_owned(),
        Change::Reload { accepted: true, lines } => format!("reloaded; changes: {}", lines.len()),
        Change::Reload { accepted: false, .. } => "refused a reload".to_owned(),
        Change::Command { text, uid } => format!("was asked by user {uid} to {text}"),
        Change::Contested { by, priority } => {
            format!(
                "was MASTER beside {by} (priority {priority}), and announced its addresses again"
            )
        }
        Change::Order { order, text } => return format!("{who}, {order}: {text}."),
        Change::Started { version } => format!("started ({version})"),
        Change::Unknown => "changed".to_owned(),
    };
    match &event.why {
        Some(why) => format!("{who} {what}: {why}."),
        None => format!("{who} {what}."),
    }
}

fn refused(i: &Instance, now: Time, out: &mut String) {
    if i.refused.is_empty() {
        return;
    }
    let _ = writeln!(out, "Refused advertisements for {}, the latest first:", i.name);
    for r in &i.refused {
        let from = sender(r.from);
        let rival = if r.rival { "; it acts as a master" } else { "" };
        let _ = writeln!(
            out,
            "  {} from {from}: {}; the last one {}{rival}.",
            r.count,
            r.reason,
            before(r.last, now)
        );
    }
}

fn reason(why: Option<&str>, out: &mut String) {
    if let Some(why) = why {
        let _ = writeln!(out, "  Because: {why}.");
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `for 3 h 12 min`
fn ago(at: Time, now: Time) -> String {
    format!("for {}", span(at.until(now)))
}

/// `3 s ago`
pub fn before(at: Time, now: Time) -> String {
    format!("{} ago", span(at.until(now)))
}

/// Two units at most: `45 s`, `3 min 20 s`, `2 d 5 h`; below ten seconds with a fraction.
pub fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    let two = |n: u64, unit: &str, rest: u64, smaller: &str| match rest {
        0 => format!("{n} {unit}"),
        rest => format!("{n} {unit} {rest} {smaller}"),
    };
    match seconds {
        0..10 => format!("{:.1} s", length.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_two_units_at_most() {
        let cases = [
            (0, "0.0 s"),
            (9, "9.0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (200, "3 min 20 s"),
            (3_600, "1 h"),
            (11_520, "3 h 12 min"),
            (190_800, "2 d 5 h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
