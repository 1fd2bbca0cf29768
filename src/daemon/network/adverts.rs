//! Advertisements: receiving from the sockets of instances, and sending.

use std::io;
use std::net::IpAddr;

use crate::base::ids::InstanceId;
use crate::base::ratelimit::Rate;
use crate::base::time::{Duration, Instant};
use crate::daemon::network::RETRY_SENDS;
use crate::daemon::outlets::report::{self, HeldBack};
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::SocketId;
use crate::sys::raw::Batch;
use crate::vrrp::receive::Received;
use crate::vrrp::{self, Input};

/// Rate of lines about unknown virtual routers from one sender.
const UNKNOWN_VRID: Rate = Rate::new(10, Duration::from_secs(1));
/// Batches read from one socket in one turn; the rest waits for the next.
const RECEIVE_BUDGET: usize = 8;

impl Runtime {
    /// Reads one socket within its budget, in a turn that started at `began`; true if it is empty
    /// now.
    pub(in crate::daemon) fn receive_adverts(&mut self, socket: SocketId, began: Instant) -> bool {
        let mut batch = self.network.batch.take().unwrap_or_default();
        let mut empty = false;
        for _ in 0..RECEIVE_BUDGET {
            let Some(source) = self.network.endpoints.socket(socket) else {
                empty = true;
                break;
            };
            let count = match source.receive(&mut batch) {
                Ok(count) => count,
                Err(e) => {
                    log::debug!("cannot receive: {e}");
                    0
                }
            };
            self.take_batch(socket, &batch);
            self.serve_owed(began);
            if count < Batch::CAPACITY {
                empty = true;
                break;
            }
        }
        self.network.batch = Some(batch);
        self.pace.arrivals.note(self.now);
        empty
    }

    fn take_batch(&mut self, socket: SocketId, batch: &Batch) {
        let moment = self.clock.moment();
        self.now = moment.now;
        let mut last = moment.now;
        for datagram in batch.packets() {
            let arrived = datagram.stamp.map_or(moment.now, |stamp| moment.arrival(stamp));
            last = arrived;
            // The filter has checked the router id already, so there is one.
            let Some(&vrid) = datagram.payload.get(1) else { continue };
            let vrrp = &self.cores.vrrp;
            let has_peer = |id| vrrp.instance(id).is_some_and(|i| i.has_peer(datagram.source));
            let Some(id) = self.network.endpoints.addressee(socket, vrid, has_peer) else {
                self.on_unknown_vrid(vrid, datagram.source);
                continue;
            };
            let packet = Received {
                source: datagram.source,
                destination: datagram.destination,
                ttl: datagram.ttl,
                arrived,
                wall: moment.wall_at(arrived),
                header: datagram.header,
                pdu: datagram.payload,
            };
            self.cores.vrrp(Input::Packet { id, packet }, self.now);
        }
        self.network.endpoints.note_read(socket, last);
    }

    fn on_unknown_vrid(&mut self, vrid: u8, from: IpAddr) {
        if !self.running.config.global.log_unknown_vrids {
            return;
        }
        if let Some(held_back) =
            self.network.unknown_vrids.admit((), Some(from), UNKNOWN_VRID, self.now)
        {
            log::info!("VRID {vrid} from {from} is not configured here{}", HeldBack(held_back));
        }
    }

    /// Sends the waiting adverts.
    pub(in crate::daemon) fn flush_adverts(&mut self) {
        let (vrrp, limit, now) = (&mut self.cores.vrrp, &mut self.network.send_errors, self.now);
        let (chatter, continuity) = (&mut self.outlets.chatter, &mut self.continuity);
        let advertised = self.clock.monotonic(now);
        let done = |id, priority, result: io::Result<()>| match result {
            Ok(()) => {
                if let Some(interval) = vrrp.count_sent(id, priority, now) {
                    continuity.note_advert(id, interval, advertised);
                    if let Some(last) = vrrp.sequence(id) {
                        continuity.note_sequence(id, last);
                    }
                }
                if priority == 0 {
                    report::detail(name_of(vrrp, id), "sent 0 priority", chatter, now);
                }
            }
            Err(e) if is_news(priority, &e) => {
                if let Some(held_back) = limit.admit(now) {
                    advert_failed(vrrp, id, &e, held_back);
                }
            }
            Err(_) => {}
        };
        let room = self.network.endpoints.flush(&mut self.network.scratch, done);
        self.network.retry_sends = (!room).then(|| self.now + RETRY_SENDS);
    }
}

/// A priority-zero advert on an interface that is down cannot be sent, which is expected.
fn is_news(priority: u8, error: &io::Error) -> bool {
    let hopeless = [libc::ENETUNREACH, libc::ENETDOWN].map(Some);
    priority != 0 || !hopeless.contains(&error.raw_os_error())
}

fn name_of(vrrp: &vrrp::Domain, id: InstanceId) -> &str {
    vrrp.instance(id).map_or("?", |i| i.config().name.as_str())
}

fn advert_failed(vrrp: &vrrp::Domain, id: InstanceId, error: &io::Error, held_back: u32) {
    let name = name_of(vrrp, id);
    let errno = error.raw_os_error().unwrap_or(0);
    log::info!("({name}): send advert error {errno} ({error}){}", HeldBack(held_back));
}
