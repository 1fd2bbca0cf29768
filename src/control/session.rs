//! One client as the daemon sees it: received bytes, pending output, and the time it has. Pure.
//!
//! A client of the control socket asks in lines, one of the web in its own way.

use super::framing::{Lines, TooLong};
use super::reply::Reply;
use crate::base::time::{Duration, Instant};

/// The longest request.
pub const LONGEST: usize = 8 << 10;
/// Output from which nothing is added until the client has read some. One reply may exceed it.
const ENOUGH: usize = 64 << 10;
/// Time for a request, and until the next one.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// Time in which a client must read something of what is pending.
const READ_TIME: Duration = Duration::from_secs(10);

/// The bytes of one connection.
#[derive(Debug)]
pub struct Session {
    input: Lines,
    output: Vec<u8>,
    /// How much of the output was sent.
    sent: usize,
    /// The last time that the client sent or read something.
    lively: Instant,
    /// It has no more time after this, whatever it does.
    end: Option<Instant>,
    /// A request is being answered.
    is_served: bool,
    /// No more requests are read; the connection ends when the output is sent.
    pub is_ending: bool,
}

/// Why a client is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overdue {
    /// It does not read its replies.
    Reading,
    /// It sent no complete request.
    Asking,
}

impl Session {
    pub const fn new(now: Instant) -> Self {
        Self {
            input: Lines::new(LONGEST),
            output: Vec::new(),
            sent: 0,
            lively: now,
            end: None,
            is_served: false,
            is_ending: false,
        }
    }

    /// One that has no more time than this for everything.
    pub fn until(now: Instant, end: Instant) -> Self {
        Self { end: Some(end), ..Self::new(now) }
    }

    /// It has no more time than this.
    pub fn end_by(&mut self, end: Instant) {
        self.end = self.end.into_iter().chain([end]).min();
    }

    /// How many bytes may be read from the client.
    pub fn room(&self) -> usize {
        if self.is_ending {
            0
        } else {
            self.input.room()
        }
    }

    pub fn received(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    /// The next request, unless one is being answered.
    ///
    /// # Errors
    /// It is too long. The session must end.
    pub fn take_request(&mut self, now: Instant) -> Result<Option<Vec<u8>>, TooLong> {
        if self.is_served || self.is_ending {
            return Ok(None);
        }
        let request = self.input.next_line()?;
        if request.is_some() {
            (self.is_served, self.lively) = (true, now);
        }
        Ok(request)
    }

    /// What was received of a request that is not a line.
    pub fn unread(&self) -> &[u8] {
        self.input.bytes()
    }

    /// What was received is a request, and its answer follows. There is no other one.
    pub fn begin_answer(&mut self, now: Instant) {
        (self.is_served, self.lively) = (true, now);
        self.input = Lines::new(0);
    }

    /// Adds bytes to what is sent.
    pub fn say(&mut self, bytes: &[u8], now: Instant) {
        if self.pending_output().is_empty() {
            self.lively = now;
        }
        self.output.extend_from_slice(bytes);
    }

    /// Adds a line to what is sent. After the last one of an answer, the next request is taken.
    pub fn reply(&mut self, reply: &Reply, now: Instant) {
        if self.pending_output().is_empty() {
            self.lively = now;
        }
        reply.emit(&mut self.output);
        if reply.is_last() {
            self.is_served = false;
        }
    }

    /// False if the client has to read first.
    pub fn has_room(&self) -> bool {
        self.pending_output().len() < ENOUGH
    }

    pub fn pending_output(&self) -> &[u8] {
        self.output.get(self.sent..).unwrap_or_default()
    }

    /// So many bytes of the pending output were sent.
    pub fn sent(&mut self, n: usize, now: Instant) {
        self.sent += n;
        if n > 0 {
            self.lively = now;
        }
        if self.sent >= self.output.len() {
            self.sent = 0;
            self.output.clear();
            // A follower may wait for days.
            self.output.shrink_to(ENOUGH / 16);
        } else if self.sent >= ENOUGH {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// When the client is overdue if nothing happens until then. A request that is being answered
    /// takes as long as it takes.
    pub fn next_deadline(&self) -> Option<Instant> {
        let next = match (self.pending_output().is_empty(), self.is_served) {
            (false, _) => Some(self.lively + READ_TIME),
            (true, false) => Some(self.lively + REQUEST_TIME),
            (true, true) => None,
        };
        next.into_iter().chain(self.end).min()
    }

    pub fn overdue(&self, now: Instant) -> Option<Overdue> {
        let is_over = self.next_deadline().is_some_and(|deadline| deadline <= now);
        let asks = self.pending_output().is_empty() && !self.is_served;
        is_over.then_some(if asks { Overdue::Asking } else { Overdue::Reading })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;
    use crate::control::{Failure, Request};

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_client_that_says_nothing_has_half_a_minute() {
        let mut session = Session::new(at(0));
        session.received(b"{");
        assert_eq!((session.overdue(at(29)), session.next_deadline()), (None, Some(at(30))));
        assert_eq!(session.overdue(at(30)), Some(Overdue::Asking));
    }

    #[test]
    fn a_client_that_reads_slowly_stays_and_one_that_does_not_read_goes() {
        let mut session = Session::new(at(0));
        session.received(b"x\ny\n");
        assert_eq!(session.take_request(at(5)), Ok(Some(b"x".to_vec())));
        assert_eq!(session.take_request(at(5)), Ok(None), "one at a time");
        assert_eq!(session.next_deadline(), None, "being answered");
        while session.has_room() {
            session.reply(&Reply::Missed(1), at(20));
        }
        assert!(session.pending_output().len() < ENOUGH + 100);
        for second in [29, 38, 47] {
            assert_eq!(session.overdue(at(second)), None);
            session.sent(1, at(second));
        }
        assert_eq!(session.overdue(at(57)), Some(Overdue::Reading));
        session.sent(session.pending_output().len(), at(56));
        assert_eq!(session.next_deadline(), None);
        session.reply(&Reply::Done, at(60));
        assert_eq!(session.pending_output(), b"\"done\"\n");
        assert_eq!(session.take_request(at(60)), Ok(Some(b"y".to_vec())));
    }

    #[test]
    fn one_with_an_end_has_no_more_time_however_lively_it_is() {
        let mut session = Session::until(at(0), at(60));
        session.received(b"GET /");
        assert_eq!((session.unread(), session.next_deadline()), (&b"GET /"[..], Some(at(30))));
        session.begin_answer(at(25));
        assert_eq!((session.room(), session.next_deadline()), (0, Some(at(60))));
        for second in [30, 38, 46, 54] {
            session.say(b"abc", at(second));
            session.sent(1, at(second));
        }
        assert_eq!(
            (session.overdue(at(59)), session.overdue(at(60))),
            (None, Some(Overdue::Reading))
        );
    }

    #[test]
    fn a_long_request_ends_the_session_and_costs_no_memory() {
        let mut session = Session::new(at(0));
        for _ in 0..1000 {
            session.received(&[b' '; 1024]);
        }
        assert_eq!((session.room(), session.take_request(at(0))), (0, Err(TooLong)));
        session.is_ending = true;
        assert_eq!(session.take_request(at(0)), Ok(None));
    }

    #[test]
    fn requests_are_the_same_however_they_arrive() {
        const PARTS: [&[u8]; 6] =
            [b"{\"version\":1,", b"\"do\":\"status\"}", b"\n", b"\0\xff", b"{}", &[b' '; 3000]];
        let mut rng = Rng::new(1);
        for _ in 0..2_000 {
            let bytes: Vec<u8> =
                (0..rng.between(0, 11)).flat_map(|_| *rng.pick(&PARTS)).copied().collect();
            let piece = usize::try_from(rng.between(1, 5_000)).expect("small");
            assert_eq!(asked(&bytes, piece), asked(&bytes, bytes.len().max(1)));
        }
    }

    /// What a client asks for, each answered at once; as long as it asks properly.
    fn asked(bytes: &[u8], piece: usize) -> Vec<Result<Request, Failure>> {
        let (mut session, mut found) = (Session::new(at(0)), Vec::new());
        for mut part in bytes.chunks(piece) {
            while !part.is_empty() && !session.is_ending {
                let taken = part.len().min(session.room());
                session.received(&part[..taken]);
                part = &part[taken..];
                loop {
                    match session.take_request(at(0)) {
                        Err(TooLong) => session.is_ending = true,
                        Ok(None) => break,
                        Ok(Some(line)) => {
                            found.push(Request::parse(&line));
                            session.reply(&Reply::Done, at(0));
                            session.sent(session.pending_output().len(), at(0));
                        }
                    }
                }
            }
        }
        found
    }

    #[test]
    fn output_that_is_never_quite_sent_does_not_grow() {
        let mut session = Session::new(at(0));
        for _ in 0..100_000 {
            session.reply(&Reply::Missed(123_456), at(0));
            let n = session.pending_output().len();
            session.sent(n - 1, at(0));
        }
        assert!(session.output.capacity() < 4 * ENOUGH, "{}", session.output.capacity());
    }
}
