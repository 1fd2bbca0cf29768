//! The sessions of servers, to be resumed: a check then costs the server no signature.
//!
//! A server is where it is and what it is asked for by: two with one name, or two ports of one
//! address, neither share a session nor push each other's out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, NamedGroup};

use crate::base::sorted::SortedMap;

/// Servers that are remembered. More would be remembered at a cost in memory: a session holds the
/// certificates of its server. One that is forgotten costs a full handshake.
const SERVERS: usize = 16_384;

/// A ticket of TLS 1.3 is good for one connection (RFC 8446, C.4). Several virtual servers can
/// have one real server, which they ask at the same time.
const TICKETS: usize = 4;

type Servers = SortedMap<(SocketAddr, String), Arc<ClientConfig>>;

/// One configuration for each server, which is the common one but for its sessions.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    common: Arc<ClientConfig>,
    servers: Rc<RefCell<Servers>>,
    most: usize,
}

impl Sessions {
    pub(super) fn new(common: ClientConfig) -> Self {
        Self { common: Arc::new(common), servers: Rc::default(), most: SERVERS }
    }

    #[cfg(test)]
    pub(super) fn with_room_for(self, most: usize) -> Self {
        Self { most, ..self }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.servers.borrow().len()
    }

    /// What a connection to this server is made with.
    pub(super) fn of(&self, server: SocketAddr, name: &ServerName<'_>) -> Arc<ClientConfig> {
        let mut servers = self.servers.borrow_mut();
        let key = (server, name.to_str().into_owned());
        if let Some(config) = servers.get(&key) {
            return Arc::clone(config);
        }
        if servers.len() >= self.most {
            // Checks go round: were it the oldest, each would be gone by the time of its turn.
            servers.pop_first();
        }
        let mut config = ClientConfig::clone(&self.common);
        config.resumption = Resumption::store(Arc::<Session>::default());
        Arc::clone(servers.entry(key).or_insert_with(|| Arc::new(config)))
    }
}

/// What one server gave us. The trait is made for all of them, and so names one that is known.
#[derive(Debug, Default)]
struct Session(Mutex<Given>);

#[derive(Debug, Default)]
struct Given {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tickets: VecDeque<Tls13ClientSessionValue>,
}

impl Session {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for Session {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.given().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.given().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.given().tls12 = Some(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.given().tls12.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.given().tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        let tickets = &mut self.given().tickets;
        if tickets.len() >= TICKETS {
            tickets.pop_front();
        }
        tickets.push_back(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.given().tickets.pop_back()
    }
}
