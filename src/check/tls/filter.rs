//! One TLS connection, without a socket.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use rustls::ClientConnection;

use super::Client;
use crate::base::verdict::{ProbeStep, Reason};
use crate::check::end::End;
use crate::check::talk::Talk;

/// Clear text is handed on in pieces of this size.
const PIECE: usize = 4096;

/// Stands between the stream and the conversation, which it is lent for every call.
#[derive(Debug)]
pub struct Filter {
    connection: ClientConnection,
    output: Vec<u8>,
    /// The conversation knows that the connection is there.
    is_started: bool,
    /// The conversation knows that the connection is over.
    is_closed: bool,
}

impl Filter {
    /// A `name` that is one goes to the server (SNI).
    ///
    /// Sessions are remembered by the server and that name.
    pub fn new(client: &Client, name: Option<&str>, server: SocketAddr) -> Result<Self, Reason> {
        let name = name.and_then(|name| ServerName::try_from(name.to_owned()).ok());
        let name = name.unwrap_or_else(|| ServerName::from(server.ip()));
        let config = client.config(server, &name);
        let connection =
            ClientConnection::new(config, name).map_err(|e| Reason::Tls(e.to_string()))?;
        Ok(Self { connection, output: Vec::new(), is_started: false, is_closed: false })
    }

    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    pub fn start(&mut self, talk: &mut Talk) -> Result<(), Reason> {
        self.exchange(talk)
    }

    pub fn pending_output(&self) -> &[u8] {
        &self.output
    }

    pub fn sent(&mut self, n: usize) {
        self.output.drain(..n.min(self.output.len()));
    }

    pub fn received(&mut self, mut bytes: &[u8], talk: &mut Talk) -> Result<(), Reason> {
        while !bytes.is_empty() && talk.outcome().is_none() {
            let taken = self.connection.read_tls(&mut bytes).map_err(failure)?;
            let outcome = self.connection.process_new_packets().map_err(failure);
            // Even a failure can leave something to say: the alert that explains it.
            self.exchange(talk)?;
            outcome?;
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    /// The stream has ended, in the way of TLS or not.
    pub fn closed(&mut self, talk: &mut Talk) -> Result<(), Reason> {
        if self.is_handshaking() {
            return Err(Reason::Closed(ProbeStep::Handshake));
        }
        if !self.is_closed {
            self.is_closed = true;
            talk.closed(End::Cut);
        }
        Ok(())
    }

    /// Hands over clear text both ways, then collects what is to be sent.
    fn exchange(&mut self, talk: &mut Talk) -> Result<(), Reason> {
        if !self.is_handshaking() && !self.is_started {
            self.is_started = true;
            talk.start();
        }
        self.hand_over(talk)?;
        let clear = talk.pending_output();
        if !clear.is_empty() {
            let n = self.connection.writer().write(clear).map_err(failure)?;
            talk.sent(n);
        }
        if talk.outcome().is_some() {
            self.connection.send_close_notify();
        }
        while self.connection.wants_write() {
            self.connection.write_tls(&mut self.output).map_err(failure)?;
        }
        Ok(())
    }

    fn hand_over(&mut self, talk: &mut Talk) -> Result<(), Reason> {
        let mut piece = [0; PIECE];
        while !self.is_closed {
            match self.connection.reader().read(&mut piece) {
                Ok(0) => {
                    self.is_closed = true;
                    talk.closed(End::Orderly);
                }
                Ok(n) => talk.received(&piece[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(failure(e)),
            }
        }
        Ok(())
    }
}

fn failure(error: impl std::fmt::Display) -> Reason {
    Reason::Tls(error.to_string())
}
