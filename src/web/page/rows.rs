//! One row for each object.

use super::Page;
use crate::status::explain::span;
use crate::status::{sender, Group, Instance, Server, Service, Session, State, Track};
use crate::web::html::Html;

pub(super) const fn is_well(state: State) -> bool {
    matches!(state, State::Master | State::Backup)
}

pub(super) fn is_up(session: &Session) -> bool {
    session.state.eq_ignore_ascii_case("up")
}

/// The colour of a state, which its word says as well.
const fn colour(state: State) -> &'static str {
    match state {
        State::Master => "good",
        State::Backup => "calm",
        State::Fault => "bad",
        State::Init | State::Stop | State::Deleted => "faint",
    }
}

const fn good(is_good: bool) -> &'static str {
    if is_good {
        "good"
    } else {
        "bad"
    }
}

fn name(name: &str, html: &mut Html<'_>) {
    html.markup("<th scope=\"row\">").text(name).markup("</th>");
}

fn state(word: &str, colour: &'static str, html: &mut Html<'_>) {
    html.begin_cell("State").markup("<span class=\"state ").markup(colour).markup("\">");
    html.text(word).markup("</span></td>");
}

fn because(why: Option<&str>, html: &mut Html<'_>) {
    html.cell("Because", why.unwrap_or_default());
}

/// A cell with a line for each item.
fn list<'a>(head: &'static str, items: impl Iterator<Item = String> + 'a, html: &mut Html<'_>) {
    html.begin_cell(head);
    let mut items = items.peekable();
    if items.peek().is_some() {
        html.markup("<ul>");
        for item in items {
            html.markup("<li>").text(item).markup("</li>");
        }
        html.markup("</ul>");
    }
    html.markup("</td>");
}

impl Page {
    pub(super) fn instance(&self, i: &Instance, html: &mut Html<'_>) {
        name(&i.name, html);
        state(i.state.word(), colour(i.state), html);
        self.age(Some(i.since), html);
        html.begin_cell("Because").markup("<ul>");
        let mut reason = |text: String| {
            html.markup("<li>").text(text).markup("</li>");
        };
        match i.faults.as_slice() {
            [] => reason(i.why.clone().unwrap_or_default()),
            faults => faults.iter().cloned().for_each(&mut reason),
        }
        if i.wanted != i.state {
            let group = i.group.as_deref().unwrap_or_default();
            reason(format!("would be {}, but for its sync group {group}", i.wanted.word()));
        }
        for object in &i.pending {
            reason(format!("waits for the first result of {object}"));
        }
        for r in &i.refused {
            let (from, ago) = (sender(r.from), span(r.last.until(self.now)));
            let rival = if r.rival { ", which acts as a master" } else { "" };
            reason(format!("refused {} from {from}{rival}: {}, {ago} ago", r.count, r.reason));
        }
        html.markup("</ul></td>");
        list("Priority", priority(i), html);
        let heard = i.master.iter().map(|heard| {
            let ago = span(heard.at.until(self.now));
            format!("{}, priority {}, heard {ago} ago", sender(heard.address), heard.priority)
        });
        list("Other master", heard, html);
        let address = |a: &crate::status::Address| {
            let missing = if i.state == State::Master && !a.present { " (missing)" } else { "" };
            format!("{}{missing}", a.address)
        };
        list("Addresses", i.addresses.iter().map(address), html);
    }

    pub(super) fn group(&self, g: &Group, html: &mut Html<'_>) {
        name(&g.name, html);
        state(g.state.word(), colour(g.state), html);
        self.age(g.since, html);
        because(g.why.as_deref(), html);
        html.cell("Members", g.members.join(", "));
    }

    pub(super) fn track(&self, t: &Track, html: &mut Html<'_>) {
        name(&t.name, html);
        html.cell("Kind", t.kind);
        state(&t.state, good(t.is_up()), html);
        self.age(t.since, html);
        let mut by: Vec<_> = t.tracked_by.iter().map(weighed).collect();
        let more = t.instances.saturating_sub(t.tracked_by.len());
        if more > 0 {
            by.push(format!("and {more} more"));
        }
        list("Tracked by", by.into_iter(), html);
    }

    pub(super) fn session(&self, s: &Session, html: &mut Html<'_>) {
        name(&s.name, html);
        state(&s.state, good(is_up(s)), html);
        self.age(Some(s.since), html);
        because(s.why.as_deref(), html);
        html.cell("Neighbour", sender(s.neighbor));
    }

    pub(super) fn service(&self, s: &Service, html: &mut Html<'_>) {
        name(&s.name, html);
        state(if s.up { "quorum" } else { "no quorum" }, good(s.up), html);
        self.age(Some(s.since), html);
        let suspended = "the checks wait for the address";
        because(s.why.as_deref().or_else(|| s.suspended.then_some(suspended)), html);
        let t = &s.tally;
        let numbers =
            format_args!("{} of {}, weight {} of {}", t.up, t.servers, t.weight, t.quorum);
        html.cell("Real servers up", numbers);
        let in_use = if s.sorry_in_use { ", in use" } else { "" };
        let sorry = s.sorry_server.iter().map(|name| format!("{name}{in_use}"));
        list("Sorry server", sorry, html);
    }

    pub(super) fn server(&self, s: &Server, html: &mut Html<'_>) {
        name(&s.name, html);
        state(if s.up { "up" } else { "down" }, good(s.up), html);
        self.age(Some(s.since), html);
        because(s.why.as_deref(), html);
        match s.held_weight {
            Some(weight) => html.cell("Weight", weight),
            None => html.cell("Weight", format_args!("{}, not in IPVS", s.effective_weight)),
        };
        html.cell("Virtual server", &s.service);
    }
}

/// The priority, and each part of it.
fn priority(i: &Instance) -> impl Iterator<Item = String> + '_ {
    let p = &i.priority;
    let by = if p.commanded {
        format!(" by command, configured {}", p.configured)
    } else {
        String::new()
    };
    let base = (!p.parts.is_empty() || p.commanded).then(|| format!("base {}{by}", p.base));
    let part = |part: &crate::status::Part| format!("{:+} for {}", part.weight, part.reason);
    [p.effective.to_string()].into_iter().chain(base).chain(p.parts.iter().map(part))
}

fn weighed(by: &crate::status::Weighed) -> String {
    let reverse = if by.reverse { " reverse" } else { "" };
    match by.weight {
        0 => format!("{}, as a fault{reverse}", by.instance),
        weight => format!("{}, weight {weight}{reverse}", by.instance),
    }
}
