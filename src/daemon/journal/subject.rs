//! Objects that have entries in the journal.

use crate::base::name::SharedName;
use crate::model::track::Object;
use crate::status::Kind;

/// An object by its name, so that its history survives a reload that replaces it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::daemon) struct Subject {
    pub(in crate::daemon) kind: Kind,
    pub(in crate::daemon) name: SharedName,
    /// The virtual server of a real server.
    pub(in crate::daemon) of: Option<SharedName>,
}

impl Subject {
    pub(in crate::daemon) fn new(kind: Kind, name: impl Into<SharedName>) -> Self {
        Self { kind, name: name.into(), of: None }
    }

    pub(in crate::daemon) fn server(service: &str, server: &str) -> Self {
        Self { kind: Kind::Server, name: server.into(), of: Some(service.into()) }
    }

    /// The daemon itself: its start, reloads, commands.
    pub(in crate::daemon) fn daemon() -> Self {
        Self::new(Kind::Daemon, "keepalived")
    }
}

impl From<&Object> for Subject {
    fn from(object: &Object) -> Self {
        Self::new(kind(object), object.name())
    }
}

pub(in crate::daemon) const fn kind(object: &Object) -> Kind {
    match object {
        Object::Script(_) => Kind::Script,
        Object::File(_) => Kind::File,
        Object::Process(_) => Kind::Process,
        Object::Bfd(_) => Kind::Bfd,
    }
}
