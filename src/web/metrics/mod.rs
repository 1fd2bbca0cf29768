//! Metrics in the text format of Prometheus, version 0.0.4.
//!
//! The format wants all samples of a family together, so the objects are passed once for each
//! family: the samples of ten thousand servers are never in memory as a whole.

mod daemon;
mod exporter;
mod instance;
mod lvs;
mod text;
mod track;
mod traffic;

use super::Wanted;
use crate::control::{Reply, Topic};
use crate::status::{Daemon, Group, Instance, Server, Service, Session, Track};
use text::Samples;

/// Metrics of one name.
struct Family {
    name: &'static str,
    kind: MetricType,
    help: &'static str,
    of: Of,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum MetricType {
    Gauge,
    Counter,
    Histogram,
}

/// The objects that have samples of it, and what these are.
enum Of {
    Daemon(fn(&Daemon, &mut Samples<'_>)),
    Instance(fn(&Instance, &mut Samples<'_>)),
    /// With what is left out of the figures.
    WholeInstance(fn(&Instance, &mut Samples<'_>)),
    Group(fn(&Group, &mut Samples<'_>)),
    Track(fn(&Track, &mut Samples<'_>)),
    Session(fn(&Session, &mut Samples<'_>)),
    Service(fn(&Service, &mut Samples<'_>)),
    Server(fn(&Server, &mut Samples<'_>)),
    /// Samples of the traffic, which the kernel is asked for.
    ServiceTraffic(fn(&Service, &mut Samples<'_>)),
    ServerTraffic(fn(&Server, &mut Samples<'_>)),
}

const ALL: &[&[Family]] = &[
    daemon::FAMILIES,
    instance::FAMILIES,
    exporter::FAMILIES,
    track::FAMILIES,
    lvs::FAMILIES,
    traffic::FAMILIES,
];

fn family(n: usize) -> Option<&'static Family> {
    ALL.iter().copied().flatten().nth(n)
}

/// Every name, without the suffixes of histograms, and what it means.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().copied().flatten().map(|family| (family.name, family.help))
}

/// The families that are still to be written.
#[derive(Debug, Default)]
pub struct Metrics {
    family: usize,
    /// The current one has its head.
    is_begun: bool,
}

impl Metrics {
    pub(super) fn wants(&self) -> Option<Wanted> {
        Some(match family(self.family)?.of {
            Of::Daemon(_) => Wanted::All(Topic::Daemon),
            Of::Instance(_) => Wanted::Figures(Topic::Instance),
            Of::WholeInstance(_) => Wanted::All(Topic::Instance),
            Of::Group(_) => Wanted::All(Topic::Group),
            Of::Track(_) | Of::Session(_) => Wanted::All(Topic::Track),
            Of::Service(_) => Wanted::All(Topic::Service),
            Of::Server(_) => Wanted::Figures(Topic::Server),
            Of::ServiceTraffic(_) => Wanted::Traffic(Topic::Service),
            Of::ServerTraffic(_) => Wanted::Traffic(Topic::Server),
        })
    }

    pub(super) fn add(&mut self, reply: &Reply, out: &mut String) {
        let Some(family) = family(self.family) else { return };
        let mut samples = Samples { family, is_begun: &mut self.is_begun, out };
        match (&family.of, reply) {
            (Of::Daemon(write), Reply::Daemon(daemon)) => write(daemon, &mut samples),
            (Of::Instance(write) | Of::WholeInstance(write), Reply::Instance(i)) => {
                write(i, &mut samples);
            }
            (Of::Group(write), Reply::Group(group)) => write(group, &mut samples),
            (Of::Track(write), Reply::Track(track)) => write(track, &mut samples),
            (Of::Session(write), Reply::Session(session)) => write(session, &mut samples),
            (Of::Service(write) | Of::ServiceTraffic(write), Reply::Service(service)) => {
                write(service, &mut samples);
            }
            (Of::Server(write) | Of::ServerTraffic(write), Reply::Server(server)) => {
                write(server, &mut samples);
            }
            _ => {}
        }
    }

    pub(super) fn go_on(&mut self) {
        self.family += 1;
        self.is_begun = false;
    }
}

const fn gauge(name: &'static str, help: &'static str, of: Of) -> Family {
    Family { name, kind: MetricType::Gauge, help, of }
}

const fn counter(name: &'static str, help: &'static str, of: Of) -> Family {
    Family { name, kind: MetricType::Counter, help, of }
}

const fn histogram(name: &'static str, help: &'static str, of: Of) -> Family {
    Family { name, kind: MetricType::Histogram, help, of }
}

#[cfg(test)]
mod tests;
