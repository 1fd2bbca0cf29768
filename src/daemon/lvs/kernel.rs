//! IPVS in the kernel: requests out, answers in.

use std::io;
use std::path::Path;

use super::{Lvs, Message};
use crate::base::errno::Errno;
use crate::base::name::SharedName;
use crate::base::time::Instant;
use crate::daemon::network::buffers::is_set;
use crate::holdings::ipvs;
use crate::model::{self, Config};
use crate::sys::ipvs::Ipvs;
use crate::sys::reason;
use crate::wire::netlink::ipvs::{Daemon, Destination, Request, Role, Service, Timeouts};

/// Keyword for the receive buffer.
const COMMANDS: &str = "lvs_netlink_cmd_rcv_bufs";

/// An IPVS whose contents are still being read, before it is used.
pub(in crate::daemon) struct Opening {
    kernel: Ipvs<Request>,
}

impl Opening {
    /// Reads the contents. `breathe` is called after each service.
    pub(in crate::daemon) fn read(&self, breathe: &mut dyn FnMut()) -> io::Result<Contents> {
        contents(&self.kernel, breathe)
    }
}

/// The contents of IPVS.
pub(in crate::daemon) struct Contents {
    services: Vec<(Service, Vec<Destination>)>,
    daemons: Vec<Daemon>,
    timeouts: Option<Timeouts>,
}

fn contents<T>(kernel: &Ipvs<T>, breathe: &mut dyn FnMut()) -> io::Result<Contents> {
    let services = kernel.dump(breathe)?;
    let daemons = kernel.daemons()?;
    let timeouts = kernel.timeouts().inspect_err(|e| {
        log::debug!("IPVS: the timeouts cannot be read, nor restored at the end: {e}");
    });
    Ok(Contents { services, daemons, timeouts: timeouts.ok() })
}

impl Lvs {
    /// Opens the kernel's IPVS for a configuration that needs it. `None`: it is already open, or not
    /// needed. `lvs_flush` clears its contents.
    ///
    /// # Errors
    /// IPVS is missing or cannot be used; the text names a remedy.
    pub(in crate::daemon) fn open(
        &mut self,
        config: &Config,
        namespace: Option<&Path>,
        now: Instant,
    ) -> io::Result<Option<Opening>> {
        let lvs = &config.lvs;
        let needed = !config.virtual_servers.is_empty()
            || lvs.sync_daemon.is_some()
            || lvs.timeouts != model::lvs::Timeouts::default();
        if !needed {
            return Ok(None);
        }
        if self.kernel.as_ref().is_some_and(Ipvs::is_idle) {
            self.renew(now);
        }
        if let Some(kernel) = &self.kernel {
            is_set(COMMANDS, kernel.set_receive_buffer(config.global.buffers.lvs_cmd));
            return Ok(None);
        }
        let mut kernel = Ipvs::open(namespace)?;
        is_set(COMMANDS, kernel.set_receive_buffer(config.global.buffers.lvs_cmd));
        if lvs.flush {
            kernel.queue(&Request::Flush, Request::Flush);
        }
        while !kernel.is_idle() {
            let mut answers = Vec::new();
            kernel.flush(&mut answers)?;
            for (request, errno) in answers.into_iter().filter(|(_, errno)| *errno != 0) {
                log::error!("IPVS {}: {}", shown(&request), Errno(errno));
            }
        }
        Ok(Some(Opening { kernel }))
    }

    /// Takes the IPVS that was opened into use.
    pub(in crate::daemon) fn opened(&mut self, opening: Opening, seen: &Contents, now: Instant) {
        self.kernel = Some(opening.kernel);
        self.compare(seen, now);
        // Virtual servers configured before IPVS was available.
        self.inbox.extend(self.ids.iter().map(|id| Message::Want(*id)));
    }

    fn compare(&mut self, seen: &Contents, now: Instant) {
        let out = &mut self.ipvs_actions;
        self.holdings.handle(ipvs::Input::Dumped { services: &seen.services }, now, out);
        self.holdings.handle(ipvs::Input::SeenDaemons { daemons: &seen.daemons }, now, out);
        if let Some(timeouts) = seen.timeouts {
            self.holdings.handle(ipvs::Input::SeenTimeouts { timeouts }, now, out);
        }
    }

    /// Applies `lvs_timeouts` and `lvs_sync_daemon`.
    pub(super) fn adopt_settings(&mut self, lvs: &model::lvs::Lvs, now: Instant) {
        self.sync_daemon.clone_from(&lvs.sync_daemon);
        if self.kernel.is_none() {
            return;
        }
        let timeouts = ipvs::timeouts(&lvs.timeouts);
        let input = ipvs::Input::WantTimeouts { timeouts };
        self.holdings.handle(input, now, &mut self.ipvs_actions);
        self.want_daemons(now);
    }

    /// A virtual router became master or stopped being master, and `lvs_sync_daemon` may follow it.
    pub(in crate::daemon) fn on_vrrp(
        &mut self,
        instance: &SharedName,
        is_master: bool,
        now: Instant,
    ) {
        let changed = match is_master {
            true => self.masters.insert(instance.clone()),
            false => self.masters.remove(instance),
        };
        let follows = |d: &model::lvs::SyncDaemon| d.instance.as_deref() == Some(instance.as_str());
        if changed && self.kernel.is_some() && self.sync_daemon.as_ref().is_some_and(follows) {
            self.want_daemons(now);
        }
    }

    /// Requests the sync daemon for the state of the virtual router, or both if it follows none.
    fn want_daemons(&mut self, now: Instant) {
        let mut daemons = Vec::new();
        if let Some(config) = &self.sync_daemon {
            let is_master =
                config.instance.as_ref().map(|name| self.masters.contains(name.as_str()));
            let roles: &[Role] = match is_master {
                None => &[Role::Master, Role::Backup],
                Some(true) => &[Role::Master],
                Some(false) => &[Role::Backup],
            };
            daemons.extend(roles.iter().filter_map(|role| ipvs::daemon(config, *role)));
        }
        let input = ipvs::Input::WantDaemons { daemons: &daemons };
        self.holdings.handle(input, now, &mut self.ipvs_actions);
    }

    pub(super) fn execute_ipvs(&mut self, action: &ipvs::Action) {
        match action {
            ipvs::Action::Ask(request) => match &mut self.kernel {
                Some(kernel) => kernel.queue(request, *request),
                None => self.answers.push((*request, libc::ENOPROTOOPT)),
            },
            ipvs::Action::Missing { service, destination: None } => {
                log::warn!("IPVS: {service} was removed externally; restoring it");
            }
            ipvs::Action::Missing { service, destination: Some(destination) } => {
                log::warn!("IPVS: {destination} of {service} was removed externally; restoring it");
            }
            ipvs::Action::Refused { request, errno, delay } => {
                let error = io::Error::from_raw_os_error(*errno);
                let again = delay
                    .map(|d| format!("; retrying in {:.1} s", d.as_secs_f64()))
                    .unwrap_or_default();
                log::error!("IPVS {}: {error}{again}", shown(request));
            }
        }
    }

    /// Sends one batch of requests and reads the answers.
    pub(super) fn flush_kernel(&mut self, now: Instant) {
        let mut answers = std::mem::take(&mut self.answers);
        if let Some(kernel) = &mut self.kernel {
            if let Err(e) = kernel.flush(&mut answers) {
                log::error!("cannot send requests to IPVS: {e}");
                // The origin of a request decides whether to repeat it.
                kernel.give_up(e.raw_os_error().unwrap_or(libc::EIO), &mut answers);
            }
        }
        // ENOENT: one object is missing, or all of IPVS.
        let missing = answers.iter().any(|(_, errno)| *errno == libc::ENOENT);
        for (request, errno) in answers.drain(..) {
            let input = ipvs::Input::Answer { request: &request, errno };
            self.holdings.handle(input, now, &mut self.ipvs_actions);
        }
        self.answers = answers;
        if missing && self.renewals.admit(now).is_some() {
            self.renew(now);
        }
    }

    /// Restores everything if IPVS was unloaded and is available again.
    fn renew(&mut self, now: Instant) {
        let Some(kernel) = &mut self.kernel else { return };
        let looked = match kernel.renew() {
            Ok(false) => return,
            Ok(true) => {
                log::warn!("IPVS was unloaded and is available again; restoring everything");
                // Loaded a moment ago, it has little or nothing in it.
                contents(kernel, &mut || {})
            }
            Err(e) => Err(e),
        };
        match looked {
            Ok(seen) => self.compare(&seen, now),
            Err(e) => log::error!(
                "IPVS cannot be read: {}. This is retried at the next change, or later",
                reason(&e)
            ),
        }
    }
}

/// keepalived's name of a request, with its object.
fn shown(request: &Request) -> String {
    match request {
        Request::AddService(service) => {
            format!("cmd IP_VS_SO_SET_ADD(1154) error ({})", service.key)
        }
        Request::ChangeService(service) => {
            format!("cmd IP_VS_SO_SET_EDIT(1155) error ({})", service.key)
        }
        Request::RemoveService(key) => format!("cmd IP_VS_SO_SET_DEL(1156) error ({key})"),
        Request::AddDestination(service, d) => {
            format!("cmd IP_VS_SO_SET_ADDDEST(1159) error ({service} -> {})", d.key)
        }
        Request::ChangeDestination(service, d) => {
            format!("cmd IP_VS_SO_SET_EDITDEST(1161) error ({service} -> {})", d.key)
        }
        Request::RemoveDestination(service, key) => {
            format!("cmd IP_VS_SO_SET_DELDEST(1160) error ({service} -> {key})")
        }
        Request::Flush => "cmd IP_VS_SO_SET_FLUSH(1157) error".to_owned(),
        Request::SetTimeouts(_) => "cmd IP_VS_SO_SET_TIMEOUT(1162) error".to_owned(),
        Request::StartDaemon(_) => "cmd IP_VS_SO_SET_STARTDAEMON(1163) error".to_owned(),
        Request::StopDaemon(_) => "cmd IP_VS_SO_SET_STOPDAEMON(1164) error".to_owned(),
        Request::Zero(_) => "cmd IP_VS_SO_SET_ZERO(1167) error".to_owned(),
    }
}
