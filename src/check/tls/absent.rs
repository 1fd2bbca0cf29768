//! What is left of TLS in a build without it: nothing can be made, so nothing can be called.

use std::convert::Infallible;
use std::net::SocketAddr;

use super::{KeyError, Material};
use crate::base::verdict::Reason;
use crate::check::talk::Talk;

#[derive(Clone, Debug)]
pub struct Client(Infallible);

impl Client {
    pub fn new(_: &Material) -> Result<Self, KeyError> {
        Err(KeyError::NoTls)
    }
}

#[derive(Debug)]
pub struct Filter(Infallible);

impl Filter {
    pub fn new(client: &Client, _: Option<&str>, _: SocketAddr) -> Result<Self, Reason> {
        match client.0 {}
    }

    pub fn is_handshaking(&self) -> bool {
        match self.0 {}
    }

    pub fn start(&mut self, _: &mut Talk) -> Result<(), Reason> {
        match self.0 {}
    }

    pub fn pending_output(&self) -> &[u8] {
        match self.0 {}
    }

    pub fn sent(&mut self, _: usize) {
        match self.0 {}
    }

    pub fn received(&mut self, _: &[u8], _: &mut Talk) -> Result<(), Reason> {
        match self.0 {}
    }

    pub fn closed(&mut self, _: &mut Talk) -> Result<(), Reason> {
        match self.0 {}
    }
}
