//! Documents in the making: metrics, the status page, the status as JSON.

use super::answer::{Bookmark, Detail, Step};
use crate::base::time::Instant;
use crate::control::session::Session;
use crate::control::Reply;
use crate::daemon::runtime::Runtime;
use crate::daemon::status::event;
use crate::web::{Body, Document, Wanted};

/// Text that is sent together.
const PIECE: usize = 8 << 10;

/// A document, and how far it is.
#[derive(Debug)]
pub(super) struct Writing {
    document: Document,
    form: Form,
    place: Bookmark,
    /// Not sent yet.
    text: String,
    /// What the kernel counts is read after this.
    since: Instant,
}

/// How the text is wrapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// As lines of the control socket.
    Lines,
    Http(Body),
}

impl Writing {
    pub(super) fn new(document: Document, form: Form, since: Instant) -> Self {
        Self { document, form, place: Bookmark::default(), text: String::new(), since }
    }
}

impl Runtime {
    /// Adds one object. False if that was all.
    pub(super) fn write(&mut self, writing: &mut Writing, session: &mut Session) -> bool {
        let Writing { document, form, place, text, since } = writing;
        let wanted = document.wants();
        let step = match wanted {
            Some(wanted) => self.next_wanted(wanted, place, *since),
            None => Step::End,
        };
        match step {
            Step::Reply(reply) => document.add(&reply, text),
            Step::Nothing => {}
            Step::End => {
                document.go_on(text);
                *place = Bookmark::default();
            }
        }
        let is_over = document.wants().is_none();
        if text.len() < PIECE && !is_over {
            return true;
        }
        match form {
            Form::Lines => {
                session.reply(&Reply::Text(std::mem::take(text)), self.now);
                if is_over {
                    session.reply(&Reply::Done, self.now);
                }
            }
            Form::Http(body) => {
                let mut bytes = Vec::with_capacity(text.len() + 32);
                body.piece(text, &mut bytes);
                if is_over {
                    body.end(&mut bytes);
                }
                session.say(&bytes, self.now);
                text.clear();
            }
        }
        !is_over
    }

    fn next_wanted(&mut self, wanted: Wanted, place: &mut Bookmark, since: Instant) -> Step {
        match wanted {
            Wanted::All(topic) => self.next_of(topic, place, None),
            Wanted::Figures(topic) => {
                place.detail = Detail::Figures;
                self.next_of(topic, place, None)
            }
            Wanted::Traffic(topic) => {
                if !self.lvs.read_traffic(place.index, since) {
                    return Step::Nothing;
                }
                place.detail = Detail::Traffic;
                self.next_of(topic, place, None)
            }
            Wanted::Events(most) if place.index < most => {
                let number = place.event.unwrap_or_else(|| self.journal.last() + 1);
                let Some((number, entry)) = self.journal.before(number) else { return Step::End };
                (place.index, place.event) = (place.index + 1, Some(number));
                Step::Reply(Reply::Event(event::event(&self.view(), number, entry)))
            }
            Wanted::Events(_) => Step::End,
        }
    }
}
