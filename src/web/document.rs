//! Texts that are made of objects of the status, one after another.

use super::{Json, Metrics, Page};
use crate::control::{Reply, Topic};

/// What a document needs next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Every object of a topic.
    All(Topic),
    /// The figures of every object of a topic. The rest, which takes longer to fill in, may be
    /// missing.
    Figures(Topic),
    /// The names and the traffic of every virtual server or real server.
    Traffic(Topic),
    /// So many events, the newest first.
    Events(usize),
}

/// A text in the making.
#[derive(Debug)]
pub enum Document {
    Metrics(Metrics),
    Page(Page),
    Json(Json),
}

impl Document {
    /// `None`: it is complete.
    pub fn wants(&self) -> Option<Wanted> {
        match self {
            Self::Metrics(metrics) => metrics.wants(),
            Self::Page(page) => page.wants(),
            Self::Json(json) => json.wants(),
        }
    }

    /// One of the wanted objects.
    pub fn add(&mut self, reply: &Reply, out: &mut String) {
        match self {
            Self::Metrics(metrics) => metrics.add(reply, out),
            Self::Page(page) => page.add(reply, out),
            Self::Json(json) => json.add(reply, out),
        }
    }

    /// There are no more of them.
    pub fn go_on(&mut self, out: &mut String) {
        match self {
            Self::Metrics(metrics) => metrics.go_on(),
            Self::Page(page) => page.go_on(out),
            Self::Json(json) => json.go_on(out),
        }
    }
}
