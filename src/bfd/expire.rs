//! What silence does (RFC 5880 sections 6.8.1 and 6.8.4), and when it means nothing.

use super::action::{Action, Note};
use super::cause::Cause;
use super::hear::Move;
use super::timing;
use super::Domain;
use crate::base::ids::SessionId;
use crate::base::time::Instant;
use crate::wire::bfd::{Diag, SessionState};

impl Domain {
    /// Serves everything due: first what we owe others, then what we expect of them, unless it may
    /// be among what is unread. All that arrived before `read_to` is read.
    pub(super) fn on_deadline(
        &mut self,
        read_to: Option<Instant>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        self.send_owed(now, out);
        let until = read_to.map_or(now, |read_to| read_to.min(now));
        // Twice at most: first the neighbour is forgotten, then its sequence numbers.
        while self.judge_silent(until, now, out) {}
        // A neighbour that wanted no packets and is forgotten gets some again.
        self.send_owed(now, out);
    }

    /// False: no silence has ended.
    fn judge_silent(&mut self, until: Instant, now: Instant, out: &mut Vec<Action>) -> bool {
        // All are noted before any is judged.
        let mut silent = Vec::new();
        while let Some((when, id)) = self.expected.pop_due(until) {
            self.absences.note(when, now);
            silent.push(id);
        }
        for &id in &silent {
            self.on_silence(id, now, out);
            self.rearm(id);
        }
        !silent.is_empty()
    }

    fn send_owed(&mut self, now: Instant, out: &mut Vec<Action>) {
        while let Some((when, id)) = self.owed.pop_due(now) {
            self.absences.note(when, now);
            self.on_due(id, now, out);
        }
    }

    fn on_silence(&mut self, id: SessionId, now: Instant, out: &mut Vec<Action>) {
        let Some(s) = self.sessions.get_mut(usize::from(id)).and_then(Option::as_mut) else {
            return;
        };
        let (Some(n), Some(detection)) = (s.neighbor, s.detection_time()) else {
            s.sequences.forget();
            return;
        };
        let waited = now.since(n.heard);
        let is_alive = matches!(s.state, SessionState::Init | SessionState::Up);
        if is_alive && s.second_chance.is_none() {
            let chance = timing::second_chance(s.min_rx, &n.offer);
            let ended = self.absences.last(chance);
            if let Some(until) = ended.map(|ended| ended + chance).filter(|&until| until > now) {
                s.second_chance = Some(until);
                let late = waited.saturating_sub(detection);
                s.note(id, Note::Stalled { late, until }, now, out);
                return;
            }
        }
        let before = s.timing();
        (s.neighbor, s.second_chance) = (None, None);
        if is_alive {
            let cause = Cause::Silence { waited, detection };
            let step = Move { to: SessionState::Down, diag: Some(Diag::TIME_EXPIRED), cause };
            let change = s.enter(id, step, now, out);
            self.transmit(id, false, now, out);
            out.push(change);
        }
        self.reschedule(id, &before, now, out);
    }
}
