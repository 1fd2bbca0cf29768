//! IPVS in the kernel: requests out, answers in.

use std::io;
use std::path::Path;

use super::{Lvs, Message};
use crate::base::time::Instant;
use crate::holdings::ipvs;
use crate::model::{self, Config};
use crate::sys::ipvs::Ipvs;
use crate::wire::netlink::ipvs::{Request, Role};

/// Origin of a request to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asker {
    Holdings,
    /// `lvs_flush`, a request without an owner.
    Start,
}

impl Lvs {
    /// Opens the kernel's IPVS for a configuration that needs it, and reads its contents, which
    /// `lvs_flush` clears first.
    ///
    /// # Errors
    /// IPVS is missing or cannot be used; the text names a remedy.
    pub(in crate::daemon) fn open(
        &mut self,
        config: &Config,
        namespace: Option<&Path>,
        now: Instant,
    ) -> io::Result<()> {
        let lvs = &config.lvs;
        let needed = !config.virtual_servers.is_empty()
            || lvs.sync_daemon.is_some()
            || lvs.timeouts != model::lvs::Timeouts::default();
        if !needed {
            return Ok(());
        }
        if self.kernel.as_ref().is_some_and(Ipvs::is_idle) {
            self.renew(now);
        }
        if self.kernel.is_some() {
            return Ok(());
        }
        let mut kernel = Ipvs::open(namespace)?;
        if lvs.flush {
            kernel.queue(&Request::Flush, (Request::Flush, Asker::Start));
        }
        self.kernel = Some(kernel);
        while self.kernel.as_ref().is_some_and(|kernel| !kernel.is_idle()) {
            self.flush_kernel(now);
        }
        if let Err(e) = self.look(now) {
            // The next reload starts over.
            self.kernel = None;
            return Err(e);
        }
        // Virtual servers configured before IPVS was available.
        self.inbox.extend(self.ids.iter().map(|id| Message::Want(*id)));
        Ok(())
    }

    /// Compares the state with the kernel after notifications may have been lost.
    pub(in crate::daemon) fn look(&mut self, now: Instant) -> io::Result<()> {
        let Some(kernel) = &self.kernel else { return Ok(()) };
        let services = kernel.dump()?;
        let daemons = kernel.daemons()?;
        let timeouts = kernel.timeouts();
        let out = &mut self.ipvs_actions;
        self.holdings.handle(ipvs::Input::Dumped { services: &services }, now, out);
        self.holdings.handle(ipvs::Input::SeenDaemons { daemons: &daemons }, now, out);
        match timeouts {
            Ok(timeouts) => {
                self.holdings.handle(ipvs::Input::SeenTimeouts { timeouts }, now, out);
            }
            Err(e) => {
                log::debug!("IPVS: the timeouts cannot be read or restored at the end: {e}")
            }
        }
        Ok(())
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
    pub(in crate::daemon) fn on_vrrp(&mut self, instance: &str, is_master: bool, now: Instant) {
        let changed = match is_master {
            true => self.masters.insert(instance.to_owned()),
            false => self.masters.remove(instance),
        };
        let follows = |d: &model::lvs::SyncDaemon| d.instance.as_deref() == Some(instance);
        if changed && self.kernel.is_some() && self.sync_daemon.as_ref().is_some_and(follows) {
            self.want_daemons(now);
        }
    }

    /// Requests the sync daemon for the state of the virtual router, or both if it follows none.
    fn want_daemons(&mut self, now: Instant) {
        let mut daemons = Vec::new();
        if let Some(config) = &self.sync_daemon {
            let is_master = config.instance.as_ref().map(|name| self.masters.contains(name));
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
                Some(kernel) => kernel.queue(request, (*request, Asker::Holdings)),
                None => self.answers.push(((*request, Asker::Holdings), libc::ENOPROTOOPT)),
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
        for ((request, asker), errno) in answers.drain(..) {
            match asker {
                Asker::Holdings => {
                    let input = ipvs::Input::Answer { request: &request, errno };
                    self.holdings.handle(input, now, &mut self.ipvs_actions);
                }
                Asker::Start if errno == 0 => {}
                Asker::Start => {
                    let error = io::Error::from_raw_os_error(errno);
                    log::error!("IPVS {}: {error}", shown(&request));
                }
            }
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
                self.look(now)
            }
            Err(e) => Err(e),
        };
        if let Err(e) = looked {
            log::error!("IPVS cannot be read: {e}. This is retried at the next change, or later");
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
