//! The only reader of clocks. Everything else gets the time as an argument.

use std::cell::Cell;
use std::time::Duration;

use nix::time::ClockId;

use crate::base::appointment::Civil;
use crate::base::time::{micros, Instant, WallTime};

/// The monotonic clock, counted from the start of the daemon.
#[derive(Debug)]
pub struct Clock {
    /// CLOCK_MONOTONIC at start.
    start: Duration,
    recent: Cell<Instant>,
    /// Wall clock minus monotonic clock when both were last read: a change is a step of the wall.
    offset: Cell<i64>,
}

/// Both clocks, read together, to convert time stamps of the kernel to [`Instant`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub now: Instant,
    pub wall: WallTime,
    /// The wall clock was set since the last moment, so its time stamps are unusable.
    pub stepped: bool,
}

impl Clock {
    /// A clock that shows zero.
    #[expect(clippy::new_without_default, reason = "reads the clock, which a default should not")]
    pub fn new() -> Self {
        Self::since(read(ClockId::CLOCK_MONOTONIC))
    }

    /// A clock that showed zero at this time of CLOCK_MONOTONIC: that of the program before this one.
    pub fn since(start: Duration) -> Self {
        let monotonic = read(ClockId::CLOCK_MONOTONIC);
        let offset = offset(monotonic, read(ClockId::CLOCK_REALTIME));
        Self { start, recent: Cell::new(Instant::ZERO), offset: Cell::new(offset) }
    }

    pub fn now(&self) -> Instant {
        self.instant(read(ClockId::CLOCK_MONOTONIC))
    }

    /// The time at the last read of the clock, for callers that know it to be recent. Where the
    /// kernel has no vDSO, reading it costs as much as sending a packet.
    pub fn recent(&self) -> Instant {
        self.recent.get()
    }

    /// A time of this clock by CLOCK_MONOTONIC, which outlives the daemon.
    pub fn monotonic(&self, at: Instant) -> Duration {
        self.start + at.since(Instant::ZERO)
    }

    /// CLOCK_MONOTONIC itself, in microseconds, for comparison with other processes.
    pub fn monotonic_micros(&self) -> u64 {
        micros(read(ClockId::CLOCK_MONOTONIC))
    }

    /// Both clocks. Must be called after reading the packets whose time stamps are to be converted.
    pub fn moment(&self) -> Moment {
        self.moment_of(read(ClockId::CLOCK_MONOTONIC), read(ClockId::CLOCK_REALTIME))
    }

    fn moment_of(&self, monotonic: Duration, wall: Duration) -> Moment {
        let offset = offset(monotonic, wall);
        let change = offset.abs_diff(self.offset.replace(offset));
        Moment {
            now: self.instant(monotonic),
            wall: WallTime(micros(wall)),
            stepped: u128::from(change) > STEP.as_micros(),
        }
    }

    fn instant(&self, monotonic: Duration) -> Instant {
        let now = Instant::from_micros(micros(monotonic.saturating_sub(self.start)));
        self.recent.set(now);
        now
    }
}

/// A larger difference is a step of the wall clock; a smaller one is slewing, or a suspension of
/// the process between the two reads.
const STEP: Duration = Duration::from_millis(20);

/// No packet waits longer than this in a socket; an older stamp comes from a clock that was set.
const OLDEST: Duration = Duration::from_secs(3600);

impl Moment {
    /// Arrival time of a packet that the kernel stamped (`SO_TIMESTAMPNS`) with `stamp`.
    ///
    /// Stamps are of the wall clock, which may have been set between the arrival and now. What is
    /// in the future, or follows a step, counts as having arrived now: a peer is then judged alive
    /// rather than silent. Callers that know when the socket was last empty should take the later
    /// of both.
    pub fn arrival(&self, stamp: WallTime) -> Instant {
        if self.stepped {
            return self.now;
        }
        let age = Duration::from_micros(self.wall.0.saturating_sub(stamp.0));
        self.now - age.min(OLDEST)
    }

    /// What the wall clock shows now would have shown at an earlier time.
    pub fn wall_at(&self, earlier: Instant) -> WallTime {
        WallTime(self.wall.0.saturating_sub(micros(self.now.since(earlier))))
    }
}

/// The calendar's time. For texts and for comparing with files and stamps only.
pub fn wall() -> WallTime {
    WallTime(micros(read(ClockId::CLOCK_REALTIME)))
}

/// Time since the host was booted, including times of suspension.
pub fn since_boot() -> Duration {
    read(ClockId::CLOCK_BOOTTIME)
}

/// A time of the local calendar, to the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Local {
    pub year: i32,
    /// 0 is January.
    pub month: usize,
    pub day: u8,
    /// 0 is Sunday.
    pub weekday: usize,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl Local {
    /// `Sun Nov 22 19:11:50 2026`, whatever the locale.
    pub fn long(&self) -> String {
        let weekday = WEEKDAYS.get(self.weekday).unwrap_or(&"???");
        format!("{weekday} {} {}", self.short(), self.year)
    }

    /// `Nov 22 19:11:50`: the form of syslog (RFC 3164 §4.1.2).
    pub fn short(&self) -> String {
        let month = MONTHS.get(self.month).unwrap_or(&"???");
        let Self { day, hour, minute, second, .. } = self;
        format!("{month} {day:2} {hour:02}:{minute:02}:{second:02}")
    }
}

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The local calendar at a time, by the host's time zone.
pub fn local(wall: WallTime) -> Local {
    let tm = local_time(wall);
    let small = |n: libc::c_int| u8::try_from(n).unwrap_or(0);
    Local {
        year: tm.tm_year.saturating_add(1900),
        month: usize::from(small(tm.tm_mon)),
        day: small(tm.tm_mday),
        weekday: usize::from(small(tm.tm_wday)),
        hour: small(tm.tm_hour),
        minute: small(tm.tm_min),
        second: small(tm.tm_sec),
    }
}

/// When the local calendar shows this; `None`: never, as clocks skip it.
pub fn moment_of(c: Civil) -> Option<WallTime> {
    // SAFETY: all fields of `tm` are integers or a pointer that may be null.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    tm.tm_year = c.year.checked_sub(1900)?;
    tm.tm_mon = libc::c_int::from(c.month) - 1;
    tm.tm_mday = c.day.into();
    (tm.tm_hour, tm.tm_min, tm.tm_sec) = (c.hour.into(), c.minute.into(), c.second.into());
    tm.tm_isdst = -1;
    // SAFETY: `tm` is ours alone.
    let seconds = unsafe { libc::mktime(&raw mut tm) };
    let is_same = (tm.tm_hour, tm.tm_min) == (c.hour.into(), c.minute.into());
    let seconds = u64::try_from(seconds).ok().filter(|_| is_same)?;
    Some(WallTime(seconds.saturating_mul(1_000_000)))
}

/// How many minutes the local calendar is ahead of UTC at a time.
pub fn zone_minutes(wall: WallTime) -> i32 {
    i32::try_from(local_time(wall).tm_gmtoff / 60).unwrap_or(0)
}

fn local_time(wall: WallTime) -> libc::tm {
    let seconds = (wall.0 / 1_000_000).try_into().unwrap_or_default();
    // SAFETY: all fields of `tm` are integers or a pointer that may be null.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values of the right types, and `tm` is ours alone. A
    // failure (a year beyond i32) leaves zeros.
    unsafe { libc::localtime_r(&raw const seconds, &raw mut tm) };
    tm
}

/// Wall minus monotonic, in microseconds.
fn offset(monotonic: Duration, wall: Duration) -> i64 {
    let of = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
    of(wall).saturating_sub(of(monotonic))
}

fn read(clock: ClockId) -> Duration {
    let time = clock.now().expect("a clock Linux always has");
    // Before 1970 counts as 1970.
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn moment(now: u64, wall: u64) -> Moment {
        Moment { now: Instant::from_micros(now), wall: WallTime(wall), stepped: false }
    }

    #[test]
    fn counts_from_its_making_and_never_backwards() {
        let clock = Clock::new();
        let a = clock.now();
        let b = clock.now();
        assert!(a <= b && b < Instant::from_millis(60_000), "{a} {b}");
        assert_eq!(clock.recent(), b);
    }

    #[test]
    fn the_host_was_booted_before_this() {
        let awake = read(ClockId::CLOCK_MONOTONIC);
        assert!(since_boot() >= awake);
    }

    #[test]
    fn a_stamp_is_as_old_as_the_wall_says() {
        assert_eq!(
            moment(5_000, 1_000_000).arrival(WallTime(999_000)),
            Instant::from_micros(4_000)
        );
    }

    #[test]
    fn a_stamp_in_the_future_is_now() {
        assert_eq!(
            moment(5_000, 1_000_000).arrival(WallTime(2_000_000)),
            Instant::from_micros(5_000)
        );
    }

    #[test]
    fn a_stamp_is_no_older_than_an_hour_or_the_daemon() {
        let hour = OLDEST.as_micros() as u64;
        let late = moment(hour + 7, 100 * hour);
        assert_eq!(late.arrival(WallTime(0)), Instant::from_micros(7));
        assert_eq!(moment(5, 100 * hour).arrival(WallTime(0)), Instant::ZERO);
    }

    #[test]
    fn a_stamp_from_before_a_step_of_the_wall_is_now() {
        let stepped = Moment { stepped: true, ..moment(5_000, 9_000_000) };
        assert_eq!(stepped.arrival(WallTime(1_000)), Instant::from_micros(5_000));
    }

    #[test]
    fn notices_a_step_of_the_wall_once() {
        let clock = Clock::new();
        let second = Duration::from_secs(1);
        // The first moment may follow a step, as the clock was made at another time.
        let stepped = [(1, 100), (2, 101), (3, 103), (4, 104), (5, 103), (6, 104)]
            .map(|(monotonic, wall)| clock.moment_of(monotonic * second, wall * second).stepped);
        assert_eq!(stepped[1..], [false, true, false, true, false]);
        let slewed = clock.moment_of(7 * second, 105 * second + STEP / 2);
        assert!(!slewed.stepped);
    }

    #[test]
    fn calendar_texts_have_the_form_of_the_c_locale() {
        let t = Local { year: 2026, month: 10, day: 2, weekday: 1, hour: 9, minute: 1, second: 5 };
        assert_eq!(t.long(), "Mon Nov  2 09:01:05 2026");
        assert_eq!(t.short(), "Nov  2 09:01:05");
    }

    #[test]
    fn the_local_calendar_is_within_a_day_of_utc() {
        // Sat 14 Mar 2026 12:00 UTC.
        let t = local(WallTime(1_773_489_600_000_000));
        assert_eq!((t.year, t.month), (2026, 2));
        assert!((13..=15).contains(&t.day), "{t:?}");
    }
}
