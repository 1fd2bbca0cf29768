//! Entries of the journal.

use crate::daemon::journal::{Entry, What};
use crate::daemon::view::View;
use crate::status::{Change, Event, Time};

pub(in crate::daemon) fn event(view: &View<'_>, number: u64, entry: &Entry) -> Event {
    let subject = &entry.subject;
    Event {
        number,
        at: Time(view.wall_at(entry.at)),
        kind: subject.kind,
        name: subject.name.to_string(),
        of: subject.of.as_ref().map(ToString::to_string),
        change: match &entry.what {
            What::State { from, to } => {
                Change::State { from: from.map(str::to_owned), to: (*to).to_owned() }
            }
            What::Other(change) => (**change).clone(),
        },
        why: entry.why.text(),
    }
}
