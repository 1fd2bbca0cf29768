//! IPVS in the kernel: requests out, answers in.

use std::io;

use super::Lvs;
use crate::base::time::Instant;
use crate::holdings::ipvs;
use crate::sys::ipvs::Ipvs;
use crate::wire::netlink::ipvs::Request;

impl Lvs {
    /// The kernel's IPVS, to be given before there is a virtual server.
    pub(in crate::daemon) fn set_kernel(&mut self, kernel: Ipvs<Request>) {
        self.kernel = Some(kernel);
    }

    pub(in crate::daemon) const fn has_kernel(&self) -> bool {
        self.kernel.is_some()
    }

    /// Asks the kernel for something that nobody holds: timeouts, sync daemons, a flush.
    pub(in crate::daemon) fn ask(&mut self, request: &Request) {
        if let Some(kernel) = &mut self.kernel {
            kernel.queue(request, *request);
        }
    }

    /// Compares with what the kernel has.
    pub(in crate::daemon) fn dump(&mut self, now: Instant) -> io::Result<()> {
        let Some(kernel) = &self.kernel else { return Ok(()) };
        let services = kernel.dump()?;
        let input = ipvs::Input::Dumped { services: &services };
        self.holdings.handle(input, now, &mut self.ipvs_actions);
        Ok(())
    }

    pub(super) fn execute_ipvs(&mut self, action: &ipvs::Action) {
        match action {
            ipvs::Action::Ask(request) => match &mut self.kernel {
                Some(kernel) => kernel.queue(request, *request),
                None => self.answers.push((*request, libc::ENOPROTOOPT)),
            },
            ipvs::Action::Missing { service, destination: None } => {
                log::warn!("IPVS: somebody else removed {service}: put back");
            }
            ipvs::Action::Missing { service, destination: Some(destination) } => {
                log::warn!("IPVS: somebody else removed {destination} from {service}: put back");
            }
            ipvs::Action::Refused { request, errno, delay } => {
                let error = io::Error::from_raw_os_error(*errno);
                let again = delay
                    .map(|d| format!(", asked again in {:.1} s", d.as_secs_f64()))
                    .unwrap_or_default();
                log::error!("IPVS {}: {error}{again}", shown(request));
            }
        }
    }

    /// Sends one batch of requests and takes the answers in.
    pub(super) fn flush_kernel(&mut self, now: Instant) {
        let mut answers = std::mem::take(&mut self.answers);
        if let Some(kernel) = &mut self.kernel {
            if let Err(e) = kernel.flush(&mut answers) {
                log::error!("cannot send requests to IPVS: {e}");
                // Whoever asked decides whether to ask again.
                kernel.give_up(e.raw_os_error().unwrap_or(libc::EIO), &mut answers);
            }
        }
        for (request, errno) in answers.drain(..) {
            match request {
                Request::AddService(_)
                | Request::ChangeService(_)
                | Request::RemoveService(_)
                | Request::AddDestination(..)
                | Request::ChangeDestination(..)
                | Request::RemoveDestination(..) => {
                    let input = ipvs::Input::Answer { request: &request, errno };
                    self.holdings.handle(input, now, &mut self.ipvs_actions);
                }
                _ if errno == 0 => {}
                _ => {
                    let error = io::Error::from_raw_os_error(errno);
                    log::error!("IPVS {}: {error}", shown(&request));
                }
            }
        }
        self.answers = answers;
    }
}

/// A request as keepalived names it, with what it is about.
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
