//! The document of `kactl status --json`.

use serde::Serialize;

use super::Wanted;
use crate::control::{Reply, Topic};

/// The topics in the order of the document.
const TOPICS: [Topic; 6] =
    [Topic::Daemon, Topic::Instance, Topic::Group, Topic::Track, Topic::Service, Topic::Server];

/// The status as JSON. Lists without objects are left out.
#[derive(Debug, Default)]
pub struct Json {
    topic: usize,
    /// The list that is open.
    list: Option<&'static str>,
    /// Something stands before what comes next.
    follows: bool,
}

impl Json {
    pub(super) fn wants(&self) -> Option<Wanted> {
        TOPICS.get(self.topic).copied().map(Wanted::All)
    }

    pub(super) fn go_on(&mut self, out: &mut String) {
        self.topic += 1;
        if self.topic == TOPICS.len() {
            self.close(out);
            out.push_str(if self.follows { "\n}\n" } else { "{}\n" });
        }
    }

    pub(super) fn add(&mut self, reply: &Reply, out: &mut String) {
        match reply {
            Reply::Daemon(daemon) => {
                self.key("daemon", out);
                out.push_str(&text(daemon));
            }
            Reply::Instance(instance) => self.item("instances", instance, out),
            Reply::Group(group) => self.item("groups", group, out),
            Reply::Track(track) => self.item("tracks", track, out),
            Reply::Session(session) => self.item("sessions", session, out),
            Reply::Service(service) => self.item("services", service, out),
            Reply::Server(server) => self.item("servers", server, out),
            _ => {}
        }
    }

    fn item(&mut self, list: &'static str, object: &impl Serialize, out: &mut String) {
        if self.list == Some(list) {
            out.push_str(",\n");
        } else {
            self.close(out);
            self.key(list, out);
            out.push_str("[\n");
            self.list = Some(list);
        }
        out.push_str(&text(object));
    }

    fn key(&mut self, key: &str, out: &mut String) {
        out.push_str(if self.follows { ",\n\"" } else { "{\n\"" });
        out.push_str(key);
        out.push_str("\": ");
        self.follows = true;
    }

    fn close(&mut self, out: &mut String) {
        if self.list.take().is_some() {
            out.push_str("\n]");
        }
    }
}

fn text(object: &impl Serialize) -> String {
    // Plain data with text as keys has a form in JSON.
    serde_json::to_string(object).unwrap_or_default()
}
