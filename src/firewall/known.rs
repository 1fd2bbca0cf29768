//! What is known of a table in the kernel.

use crate::base::addr::Family;
use crate::wire::netlink::nft::{Batch, Table};

/// Contents of a table that this core made.
pub(super) trait Contents {
    /// The name of the table.
    fn table(&self) -> &str;
}

#[derive(Debug)]
pub(super) enum KnownTable<C> {
    Absent,
    /// A table of this name may exist. `old`: it is from an earlier run.
    Uncertain {
        name: String,
        old: bool,
    },
    Present(C),
}

impl<C: Contents> KnownTable<C> {
    /// The name of the table that exists, or may exist.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Uncertain { name, .. } => Some(name),
            Self::Present(contents) => Some(contents.table()),
        }
    }

    /// The name of a table from an earlier run.
    pub(super) fn old(&self) -> Option<&str> {
        match self {
            Self::Uncertain { name, old: true } => Some(name),
            Self::Uncertain { .. } | Self::Absent | Self::Present(_) => None,
        }
    }

    /// A table of this name existed at start. True if that is news.
    pub(super) fn find(&mut self, name: String) -> bool {
        let is_news = matches!(self, Self::Absent);
        if is_news {
            *self = Self::Uncertain { name, old: true };
        }
        is_news
    }

    /// The contents of the table of this name are no longer known.
    pub(super) fn doubt(&mut self, name: String) {
        *self = Self::Uncertain { name, old: false };
    }

    /// Removes whatever there is in favour of a table of this name.
    pub(super) fn clear_for(&self, table: &str, family: Family, batch: &mut Batch) {
        let other = self.name().filter(|name| *name != table);
        for name in std::iter::once(table).chain(other) {
            super::ruleset::remove(Table { family, name }, batch);
        }
    }
}
