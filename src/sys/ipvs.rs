//! The kernel's IPVS: batches of changes, and dumps.

use std::io;
use std::path::Path;

use super::pipeline::{whole, Pipeline};
use super::{genl, netns, reason};
use crate::base::addr::Family;
use crate::model::global::ReceiveBuffer;
use crate::wire::netlink::genl::parse;
use crate::wire::netlink::ipvs::{
    Daemon, Destination, Info, Query, Request, SeenDestination, SeenService, Service, ServiceKey,
    Timeouts, FAMILY,
};
use crate::wire::Malformed;

/// Pending changes with their owners, and queries, which are answered at once.
pub struct Ipvs<T> {
    pipeline: Pipeline<T>,
    family: u16,
}

impl<T> Ipvs<T> {
    /// Opens IPVS of this network namespace, or of another one (a file such as `ip netns` keeps).
    /// The kernel loads `ip_vs` for it.
    ///
    /// # Errors
    /// The text says what to do: there is no `ip_vs`, no such namespace, or no permission.
    pub fn open(namespace: Option<&Path>) -> io::Result<Self> {
        match namespace {
            None => Self::open_here(),
            Some(path) => netns::within(path, Self::open_here)
                .map_err(|e| explained(&e, &format!("network namespace {}", path.display())))?,
        }
    }

    fn open_here() -> io::Result<Self> {
        let pipeline =
            genl::open().map_err(|e| explained(&e, "cannot open a generic netlink socket"))?;
        let family = genl::resolve(pipeline.socket(), FAMILY).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => {
                explained(&e, "ip_vs is missing: load it with \"modprobe ip_vs\"")
            }
            _ => explained(&e, "cannot find IPVS in the kernel"),
        })?;
        let opened = Self { pipeline, family };
        opened.info().map_err(|e| explained(&e, "IPVS does not answer"))?;
        Ok(opened)
    }

    /// Reopens IPVS after it was unloaded, which any ENOENT may indicate. True if it was and is
    /// available again, empty. Must be called while no request is pending; the kernel loads `ip_vs`
    /// for it.
    ///
    /// # Errors
    /// IPVS is not available.
    pub fn renew(&mut self) -> io::Result<bool> {
        genl::renumber(self.pipeline.socket(), FAMILY, &mut self.family)
    }

    /// # Errors
    /// The kernel refuses the size.
    pub fn set_receive_buffer(&self, buffer: ReceiveBuffer) -> io::Result<()> {
        self.pipeline.set_receive_buffer(buffer)
    }

    pub fn queue(&mut self, request: &Request, asker: T) {
        self.pipeline.queue(asker, |out| request.emit(self.family, out));
    }

    pub fn is_idle(&self) -> bool {
        self.pipeline.is_idle()
    }

    /// Sends one batch and appends the kernel's answers: the owner and 0 or an errno.
    ///
    /// Takes about a millisecond, and longer where the kernel has to load a scheduler.
    pub fn flush(&mut self, answers: &mut Vec<(T, i32)>) -> io::Result<()> {
        self.pipeline.flush(answers)
    }

    /// Answers all waiting requests with this errno, when none can be sent.
    pub fn give_up(&mut self, errno: i32, answers: &mut Vec<(T, i32)>) {
        self.pipeline.give_up(errno, answers);
    }

    /// All services with their destinations. `breathe` is called after each.
    pub fn dump(&self, breathe: &mut dyn FnMut()) -> io::Result<Vec<(Service, Vec<Destination>)>> {
        let mut list = Vec::new();
        for seen in self.services()? {
            let destinations = match self.destinations(&seen.service.key) {
                Ok(destinations) => destinations.iter().map(|d| d.destination).collect(),
                // It was removed since.
                Err(e) if e.raw_os_error() == Some(libc::ESRCH) => continue,
                Err(e) => return Err(e),
            };
            list.push((seen.service, destinations));
            breathe();
        }
        Ok(list)
    }

    pub fn services(&self) -> io::Result<Vec<SeenService>> {
        self.ask(&Query::Services, SeenService::parse)
    }

    /// Fails with ESRCH if it is not there.
    pub fn service(&self, key: &ServiceKey) -> io::Result<SeenService> {
        self.ask_one(&Query::Service(*key), SeenService::parse)
    }

    pub fn destinations(&self, service: &ServiceKey) -> io::Result<Vec<SeenDestination>> {
        let family: Family = service.family();
        self.ask(&Query::Destinations(*service), |list| SeenDestination::parse(list, family))
    }

    pub fn daemons(&self) -> io::Result<Vec<Daemon>> {
        self.ask(&Query::Daemons, Daemon::parse)
    }

    pub fn timeouts(&self) -> io::Result<Timeouts> {
        self.ask_one(&Query::Timeouts, Timeouts::parse)
    }

    pub fn info(&self) -> io::Result<Info> {
        self.ask_one(&Query::Info, Info::parse)
    }

    fn ask_one<V>(
        &self,
        query: &Query,
        read: impl Fn(&[u8]) -> Result<V, Malformed>,
    ) -> io::Result<V> {
        self.ask(query, read)?.pop().ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// A message that cannot be read (a newer kernel's) is skipped: the others still count.
    fn ask<V>(
        &self,
        query: &Query,
        read: impl Fn(&[u8]) -> Result<V, Malformed>,
    ) -> io::Result<Vec<V>> {
        let mut message = Vec::new();
        query.emit(self.family, &mut message);
        whole("the contents of IPVS", || {
            let mut list = Vec::new();
            let is_whole = genl::query(self.pipeline.socket(), &message, |body| {
                match parse(body).and_then(|(_, attributes)| read(attributes)) {
                    Ok(value) => list.push(value),
                    Err(e) => log::debug!("{query:?}: message skipped: {e}"),
                }
            })?;
            Ok(is_whole.then_some(list))
        })
    }
}

/// An error of the same kind with another text.
fn explained(e: &io::Error, text: &str) -> io::Error {
    io::Error::new(e.kind(), format!("{text} ({})", reason(e)))
}
