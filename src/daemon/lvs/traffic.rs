//! What IPVS counts for virtual servers and real servers, read while metrics are written: one service
//! of IPVS at a time, and once for all metrics of a reply.

use std::io;

use super::Lvs;
use crate::base::ids::ServiceId;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::holdings::ipvs;
use crate::lvs;
use crate::model::lvs::VirtualServer;
use crate::status::{Connections, Server, Service, Traffic};
use crate::sys::ipvs::Ipvs;
use crate::sys::reason;
use crate::wire::netlink::ipvs::{DestinationKey, Request, SeenDestination, ServiceKey, Stats};

pub(super) type Counts = SortedMap<ServiceId, Count>;

/// What IPVS counts for one virtual server, as far as it was read.
pub(super) struct Count {
    /// Nothing in it is older.
    since: Instant,
    /// Services of IPVS that were read.
    read: usize,
    is_complete: bool,
    /// `None`: it is not in IPVS.
    service: Option<Traffic>,
    /// The real servers as configured.
    servers: Vec<(DestinationKey, Option<Traffic>)>,
}

impl Lvs {
    /// Reads one service of IPVS of a virtual server, given by its place in the configuration. True
    /// if all of them have been read since then.
    pub(in crate::daemon) fn read_traffic(&mut self, index: usize, since: Instant) -> bool {
        let Some(id) = self.ids.get(index) else { return true };
        let (Some(found), Some(kernel)) = (self.domain.service(*id), &self.kernel) else {
            self.traffic.remove(id);
            return true;
        };
        let config = found.config();
        let mut count = match self.traffic.remove(id) {
            Some(count) if count.since >= since => count,
            _ => Count::new(config, since),
        };
        // Answers to requests would be taken for those to queries.
        if !count.is_complete && kernel.is_idle() {
            let services = ipvs::services(config, self.group_of(config));
            if let Some(service) = services.get(count.read) {
                if let Err(e) = count.add(kernel, config, &service.key) {
                    log::debug!("IPVS: {} cannot be counted: {}", service.key, reason(&e));
                }
            }
            count.read += 1;
            count.is_complete = count.read >= services.len();
        }
        let is_complete = count.is_complete;
        self.traffic.insert(*id, count);
        is_complete
    }

    /// The counts are no longer needed.
    pub(in crate::daemon) fn forget_traffic(&mut self) {
        self.traffic = Counts::new();
    }

    /// The name of a virtual server, and its traffic as it was read.
    pub(in crate::daemon) fn service_traffic(&self, index: usize) -> Option<Service> {
        let (config, count) = (self.service(index)?.config(), self.count(index));
        let traffic = count.and_then(|count| count.service);
        Some(Service { name: config.to_string(), traffic, ..Service::default() })
    }

    /// The same of a real server, which is `None` beyond the last one.
    pub(in crate::daemon) fn server_traffic(&self, index: usize, inner: usize) -> Option<Server> {
        let (config, count) = (self.service(index)?.config(), self.count(index));
        let server = config.servers.get(inner)?;
        let key = ipvs::destination(server, 0).key;
        let counted = count.and_then(|count| count.servers.get(inner));
        // A reload may have changed the list since.
        let traffic = counted.filter(|(of, _)| *of == key).and_then(|(_, traffic)| *traffic);
        Some(Server {
            service: config.to_string(),
            name: config.server_name(server).to_string(),
            traffic,
            ..Server::default()
        })
    }

    fn count(&self, index: usize) -> Option<&Count> {
        self.traffic.get(self.ids.get(index)?)
    }

    /// The connections of a real server now; `None` if IPVS does not say.
    pub(in crate::daemon) fn connections(
        &self,
        of: &lvs::Service,
        index: usize,
    ) -> Option<Connections> {
        let kernel = self.kernel.as_ref().filter(|kernel| Ipvs::is_idle(kernel))?;
        let config = of.config();
        let wanted = ipvs::destination(config.servers.get(index)?, 0);
        let mut sum = Connections::default();
        for service in ipvs::services(config, self.group_of(config)) {
            let key = wanted.behind(&service.key).key;
            let seen = kernel.destinations(&service.key).ok()?;
            seen.iter().filter(|d| d.destination.key == key).for_each(|d| add_open(&mut sum, d));
        }
        Some(sum)
    }
}

impl Count {
    fn new(config: &VirtualServer, since: Instant) -> Self {
        let key = |server| (ipvs::destination(server, 0).key, None);
        let servers = config.servers.iter().map(key).collect();
        Self { since, read: 0, is_complete: false, service: None, servers }
    }

    /// Adds what passed through one service of IPVS. One that is not there is nothing.
    fn add(
        &mut self,
        kernel: &Ipvs<Request>,
        config: &VirtualServer,
        key: &ServiceKey,
    ) -> io::Result<()> {
        let stats = match kernel.service(key) {
            Err(e) if e.raw_os_error() == Some(libc::ESRCH) => return Ok(()),
            found => found?.stats,
        };
        let seen = kernel.destinations(key)?;
        let sum = self.service.get_or_insert_default();
        add_passed(sum, &stats);
        seen.iter().for_each(|d| add_open(&mut sum.open, d));
        let seen: SortedMap<_, _> = seen.iter().map(|d| (d.destination.key, d)).collect();
        for (server, (_, sum)) in config.servers.iter().zip(&mut self.servers) {
            let place = ipvs::destination(server, 0).behind(key).key;
            if let Some(seen) = seen.get(&place) {
                let sum = sum.get_or_insert_default();
                add_passed(sum, &seen.stats);
                add_open(&mut sum.open, seen);
            }
        }
        Ok(())
    }
}

fn add_open(sum: &mut Connections, seen: &SeenDestination) {
    sum.active += u64::from(seen.active_connections);
    sum.inactive += u64::from(seen.inactive_connections);
}

const fn add_passed(sum: &mut Traffic, stats: &Stats) {
    sum.connections = sum.connections.wrapping_add(stats.connections);
    sum.incoming_packets = sum.incoming_packets.wrapping_add(stats.packets_in);
    sum.outgoing_packets = sum.outgoing_packets.wrapping_add(stats.packets_out);
    sum.incoming_bytes = sum.incoming_bytes.wrapping_add(stats.bytes_in);
    sum.outgoing_bytes = sum.outgoing_bytes.wrapping_add(stats.bytes_out);
}
