//! Objects that have entries in the journal.

use crate::base::name::SharedName;
use crate::model::track::Object;
use crate::status::ObjectKind;

/// An object by its name, so that its history survives a reload that replaces it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::daemon) struct Subject {
    pub(in crate::daemon) kind: ObjectKind,
    pub(in crate::daemon) name: SharedName,
    /// The virtual server of a real server.
    pub(in crate::daemon) of: Option<SharedName>,
}

impl Subject {
    pub(in crate::daemon) fn new(kind: ObjectKind, name: impl Into<SharedName>) -> Self {
        Self { kind, name: name.into(), of: None }
    }

    pub(in crate::daemon) fn server(service: &str, server: &str) -> Self {
        Self { kind: ObjectKind::Server, name: server.into(), of: Some(service.into()) }
    }

    /// The daemon itself: its start, reloads, commands.
    pub(in crate::daemon) fn daemon() -> Self {
        Self::new(ObjectKind::Daemon, "keepalived")
    }
}

impl From<&Object> for Subject {
    fn from(object: &Object) -> Self {
        Self::new(kind(object), object.name())
    }
}

pub(in crate::daemon) const fn kind(object: &Object) -> ObjectKind {
    match object {
        Object::Script(_) => ObjectKind::Script,
        Object::File(_) => ObjectKind::File,
        Object::Process(_) => ObjectKind::Process,
        Object::Bfd(_) => ObjectKind::Bfd,
    }
}
