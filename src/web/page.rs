//! The status page: one document with its style, without scripts, which loads itself again.
//!
//! A browser shows what arrives first while the rest is still being made.

mod rows;
#[cfg(test)]
mod tests;

use super::html::Html;
use super::Wanted;
use crate::control::{Reply, Topic};
use crate::status::explain::{sentence, span};
use crate::status::{Daemon, Event, Time};

/// Nothing is loaded, sent or embedded. The digest is that of the style; a test keeps it right.
pub(super) const POLICY: &str = "default-src 'none'; img-src data:; \
    style-src 'sha256-k8YAQpqwUjjEimNxJUa7N1kn26U+IvaxngXghFkzGcg='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("page.css");

/// Events shown.
const EVENTS: usize = 30;
/// Rows of a table. Further objects are shown only if something is wrong with them.
const MOST_ROWS: usize = 500;

/// What the page needs, in its order.
const WANTED: [Wanted; 7] = [
    Wanted::All(Topic::Daemon),
    Wanted::All(Topic::Instance),
    Wanted::All(Topic::Group),
    Wanted::All(Topic::Track),
    Wanted::All(Topic::Service),
    Wanted::All(Topic::Server),
    Wanted::Events(EVENTS),
];

/// The page in the making.
#[derive(Debug)]
pub struct Page {
    place: usize,
    section: Option<Section>,
    rows: usize,
    hidden: usize,
    now: Time,
    /// A time in the time zone of the host.
    stamp: fn(Time) -> String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Section {
    Instances,
    Groups,
    Tracks,
    Sessions,
    Services,
    Servers,
    Events,
}

impl Section {
    /// The heading, and the heads of the columns.
    const fn heads(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Instances => (
                "Virtual routers",
                &["Name", "State", "For", "Because", "Priority", "Other master", "Addresses"],
            ),
            Self::Groups => ("Sync groups", &["Name", "State", "For", "Because", "Members"]),
            Self::Tracks => ("Tracked objects", &["Name", "Kind", "State", "For", "Tracked by"]),
            Self::Sessions => ("BFD sessions", &["Name", "State", "For", "Because", "Neighbour"]),
            Self::Services => (
                "Virtual servers",
                &["Name", "State", "For", "Because", "Real servers up", "Sorry server"],
            ),
            Self::Servers => {
                ("Real servers", &["Name", "State", "For", "Because", "Weight", "Virtual server"])
            }
            Self::Events => ("Last events", &[]),
        }
    }
}

impl Page {
    /// `stamp`: a time in the time zone of the host.
    pub fn new(stamp: fn(Time) -> String) -> Self {
        let now = Time::default();
        Self { place: 0, section: None, rows: 0, hidden: 0, now, stamp }
    }

    pub(super) fn wants(&self) -> Option<Wanted> {
        WANTED.get(self.place).copied()
    }

    pub(super) fn go_on(&mut self, out: &mut String) {
        self.place += 1;
        if self.place == WANTED.len() {
            self.close(out);
            out.push_str(TAIL);
        }
    }

    pub(super) fn add(&mut self, reply: &Reply, out: &mut String) {
        match reply {
            Reply::Daemon(daemon) => {
                self.now = daemon.now;
                self.head(daemon, &mut Html(out));
            }
            Reply::Instance(i) => {
                self.row(Section::Instances, rows::is_well(i.state), out, |p, h| {
                    p.instance(i, h);
                })
            }
            Reply::Group(g) => {
                self.row(Section::Groups, rows::is_well(g.state), out, |p, h| p.group(g, h));
            }
            Reply::Track(t) => self.row(Section::Tracks, t.is_up(), out, |p, h| p.track(t, h)),
            Reply::Session(s) => {
                self.row(Section::Sessions, rows::is_up(s), out, |p, h| p.session(s, h));
            }
            Reply::Service(s) => self.row(Section::Services, s.up, out, |p, h| p.service(s, h)),
            Reply::Server(s) => self.row(Section::Servers, s.up, out, |p, h| p.server(s, h)),
            Reply::Event(event) => {
                self.enter(Section::Events, out);
                self.event(event, &mut Html(out));
            }
            _ => {}
        }
    }

    fn head(&self, d: &Daemon, html: &mut Html<'_>) {
        html.markup(HEAD).markup("<title>keepalived");
        if let Some(name) = &d.instance_name {
            html.markup(" ").text(name);
        }
        html.markup("</title>\n<style>")
            .markup(STYLE)
            .markup("</style>\n</head>\n<body>\n<header>\n");
        html.markup("<h1>keepalived");
        if let Some(name) = &d.instance_name {
            html.markup(" ").text(name);
        }
        html.markup("</h1>\n<p>").text(&d.version).markup(", runs for ");
        html.text(span(d.started.until(self.now))).markup("; as of ");
        html.text((self.stamp)(self.now)).markup("</p>\n<p>").text(&d.configuration.file);
        html.markup(", read ").text((self.stamp)(d.configuration.loaded));
        if d.configuration.flawed {
            html.markup(", <strong class=\"bad\">with errors</strong>");
        }
        if let Some(reload) = d.configuration.last_reload.as_ref().filter(|r| !r.accepted) {
            html.markup("; <strong class=\"bad\">the last reload was refused</strong> ");
            html.text((self.stamp)(reload.at));
        }
        html.markup("</p>\n</header>\n<main>\n");
    }

    fn row(
        &mut self,
        section: Section,
        is_well: bool,
        out: &mut String,
        write: impl FnOnce(&Self, &mut Html<'_>),
    ) {
        self.enter(section, out);
        if is_well && self.rows >= MOST_ROWS {
            self.hidden += 1;
            return;
        }
        self.rows += 1;
        let mut html = Html(out);
        html.markup("<tr>");
        write(self, &mut html);
        html.markup("</tr>\n");
    }

    /// Opens a section with its first object.
    fn enter(&mut self, section: Section, out: &mut String) {
        if self.section == Some(section) {
            return;
        }
        self.close(out);
        self.section = Some(section);
        let (title, heads) = section.heads();
        let mut html = Html(out);
        html.markup("<section>\n<h2>").markup(title).markup("</h2>\n");
        if heads.is_empty() {
            html.markup("<ol>\n");
            return;
        }
        html.markup("<table aria-label=\"").markup(title).markup("\">\n<thead><tr>");
        for head in heads {
            html.markup("<th scope=\"col\">").markup(head).markup("</th>");
        }
        html.markup("</tr></thead>\n<tbody>\n");
    }

    fn close(&mut self, out: &mut String) {
        let Some(section) = self.section.take() else { return };
        let mut html = Html(out);
        let is_table = !section.heads().1.is_empty();
        html.markup(if is_table { "</tbody>\n</table>\n" } else { "</ol>\n" });
        self.rows = 0;
        let hidden = std::mem::take(&mut self.hidden);
        if hidden > 0 {
            html.markup("<p class=\"faint\">And ").text(hidden);
            html.markup(" more with which nothing is wrong.</p>\n");
        }
        html.markup("</section>\n");
    }

    fn event(&self, event: &Event, html: &mut Html<'_>) {
        html.markup("<li><span class=\"faint\">").text((self.stamp)(event.at)).markup("</span> ");
        html.text(sentence(event)).markup("</li>\n");
    }

    /// How long ago; when, for a pointer that rests on it.
    fn age(&self, at: Option<Time>, html: &mut Html<'_>) {
        html.begin_cell("For");
        if let Some(at) = at {
            html.markup("<span class=\"age\" title=\"").text((self.stamp)(at)).markup("\">");
            html.text(span(at.until(self.now))).markup("</span>");
        }
        html.markup("</td>");
    }
}

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <meta http-equiv=\"refresh\" content=\"10\">\n\
    <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n";

const TAIL: &str = "</main>\n<footer><p>This page loads itself again every 10 seconds. \
    <a href=\"/metrics\">Metrics</a>, <a href=\"/status.json\">JSON</a>, \
    <a href=\"/healthz\">health</a></p></footer>\n</body>\n</html>\n";
