//! Messages to the kernel: changes ([`Request`]) and queries ([`Query`]).

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP};

use super::daemon::emit_role;
use super::{Daemon, Destination, DestinationKey, Role, Service, ServiceKey};
use crate::wire::netlink::{attributes, genl, u32_of};
use crate::wire::Malformed;

/// Version of the family.
const VERSION: u8 = 1;

const NEW_SERVICE: u8 = 1;
const SET_SERVICE: u8 = 2;
const DEL_SERVICE: u8 = 3;
const GET_SERVICE: u8 = 4;
const NEW_DEST: u8 = 5;
const SET_DEST: u8 = 6;
const DEL_DEST: u8 = 7;
const GET_DEST: u8 = 8;
const NEW_DAEMON: u8 = 9;
const DEL_DAEMON: u8 = 10;
const GET_DAEMON: u8 = 11;
const SET_CONFIG: u8 = 12;
const GET_CONFIG: u8 = 13;
const GET_INFO: u8 = 15;
const ZERO: u8 = 16;
const FLUSH: u8 = 17;

const CMD_ATTR_TIMEOUT_TCP: u16 = 4;
const CMD_ATTR_TIMEOUT_TCP_FIN: u16 = 5;
const CMD_ATTR_TIMEOUT_UDP: u16 = 6;

const INFO_ATTR_VERSION: u16 = 1;
const INFO_ATTR_CONN_TAB_SIZE: u16 = 2;

/// A change; the reply is an errno.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Request {
    AddService(Service),
    ChangeService(Service),
    /// Also removes its destinations.
    RemoveService(ServiceKey),
    AddDestination(ServiceKey, Destination),
    ChangeDestination(ServiceKey, Destination),
    RemoveDestination(ServiceKey, DestinationKey),
    StartDaemon(Daemon),
    StopDaemon(Role),
    SetTimeouts(Timeouts),
    /// Resets the counters of one service, or of all.
    Zero(Option<ServiceKey>),
    /// Removes all services, regardless of their origin.
    Flush,
}

impl Request {
    const fn command(&self) -> u8 {
        match self {
            Self::AddService(_) => NEW_SERVICE,
            Self::ChangeService(_) => SET_SERVICE,
            Self::RemoveService(_) => DEL_SERVICE,
            Self::AddDestination(..) => NEW_DEST,
            Self::ChangeDestination(..) => SET_DEST,
            Self::RemoveDestination(..) => DEL_DEST,
            Self::StartDaemon(_) => NEW_DAEMON,
            Self::StopDaemon(_) => DEL_DAEMON,
            Self::SetTimeouts(_) => SET_CONFIG,
            Self::Zero(_) => ZERO,
            Self::Flush => FLUSH,
        }
    }

    /// Appends the message; `family` is the number from the controller.
    pub fn emit(&self, family: u16, out: &mut Vec<u8>) {
        let mut w = genl::begin(out, family, 0, self.command(), VERSION);
        match self {
            Self::AddService(service) | Self::ChangeService(service) => service.emit(&mut w),
            Self::RemoveService(key) | Self::Zero(Some(key)) => key.emit(&mut w),
            Self::AddDestination(service, d) | Self::ChangeDestination(service, d) => {
                service.emit(&mut w);
                d.emit(&mut w);
            }
            Self::RemoveDestination(service, key) => {
                service.emit(&mut w);
                key.emit(&mut w);
            }
            Self::StartDaemon(daemon) => daemon.emit(&mut w),
            Self::StopDaemon(role) => emit_role(*role, &mut w),
            Self::SetTimeouts(t) => {
                w.u32(CMD_ATTR_TIMEOUT_TCP, t.tcp);
                w.u32(CMD_ATTR_TIMEOUT_TCP_FIN, t.tcp_fin);
                w.u32(CMD_ATTR_TIMEOUT_UDP, t.udp);
            }
            Self::Zero(None) | Self::Flush => {}
        }
        w.finish();
    }
}

/// A query; the reply is one message, or a dump of many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Query {
    Services,
    Service(ServiceKey),
    Destinations(ServiceKey),
    Daemons,
    Timeouts,
    Info,
}

impl Query {
    /// True if the reply is a dump of any number of messages, with a final one. Other replies are
    /// followed by an acknowledgement.
    const fn is_dump(&self) -> bool {
        matches!(self, Self::Services | Self::Destinations(_) | Self::Daemons)
    }

    /// Appends the message; `family` is the number from the controller.
    pub fn emit(&self, family: u16, out: &mut Vec<u8>) {
        let command = match self {
            Self::Services | Self::Service(_) => GET_SERVICE,
            Self::Destinations(_) => GET_DEST,
            Self::Daemons => GET_DAEMON,
            Self::Timeouts => GET_CONFIG,
            Self::Info => GET_INFO,
        };
        let flags = if self.is_dump() { NLM_F_DUMP } else { NLM_F_ACK };
        let mut w = genl::begin(out, family, flags, command, VERSION);
        if let Self::Service(service) | Self::Destinations(service) = self {
            service.emit(&mut w);
        }
        w.finish();
    }
}

/// Connection timeouts in seconds. In a request, 0 leaves a timeout unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Timeouts {
    pub tcp: u32,
    pub tcp_fin: u32,
    pub udp: u32,
}

impl Timeouts {
    /// Parses the attributes of a message.
    pub fn parse(list: &[u8]) -> Result<Self, Malformed> {
        let mut t = Self::default();
        for attribute in attributes(list) {
            match attribute? {
                (CMD_ATTR_TIMEOUT_TCP, value) => t.tcp = u32_of(value)?,
                (CMD_ATTR_TIMEOUT_TCP_FIN, value) => t.tcp_fin = u32_of(value)?,
                (CMD_ATTR_TIMEOUT_UDP, value) => t.udp = u32_of(value)?,
                _ => {}
            }
        }
        Ok(t)
    }
}

/// Information about the IPVS module.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Info {
    /// Major, minor and patch level, one byte each.
    pub version: u32,
    pub connection_table_size: u32,
}

impl Info {
    /// Parses the attributes of a message.
    pub fn parse(list: &[u8]) -> Result<Self, Malformed> {
        let mut info = Self::default();
        for attribute in attributes(list) {
            match attribute? {
                (INFO_ATTR_VERSION, value) => info.version = u32_of(value)?,
                (INFO_ATTR_CONN_TAB_SIZE, value) => info.connection_table_size = u32_of(value)?,
                _ => {}
            }
        }
        Ok(info)
    }
}
