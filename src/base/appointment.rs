//! The time of a reload as a file names it: `12:30:00`, `26-11-27 12:30:00` or
//! `2026-11-27 12:30:00`, by the local calendar, or with a `Z` after it by UTC.

use std::fmt;

use super::calendar;
use super::time::WallTime;

/// A second of a calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    pub year: i32,
    /// 1 is January.
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

/// A time, every day or on one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appointment {
    /// Year, month and day.
    date: Option<(i32, u8, u8)>,
    time: (u8, u8, u8),
    is_utc: bool,
}

/// Why a text names no time to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AppointmentError {
    Format,
    Invalid,
    Past,
}

impl fmt::Display for AppointmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "format is incorrect",
            Self::Invalid => "is not valid",
            Self::Past => "is in the past",
        })
    }
}

impl Appointment {
    /// # Errors
    /// The text is no time.
    pub fn parse(text: &str) -> Result<Self, AppointmentError> {
        let (text, is_utc) = text.strip_suffix('Z').map_or((text, false), |text| (text, true));
        let (date, time) = match (text.len(), text.split_once(' ')) {
            (8, None) => (None, text),
            (17 | 19, Some((date, time))) => (Some(date), time),
            _ => return Err(AppointmentError::Format),
        };
        let [hour, minute, second] = numbers(time, ':').ok_or(AppointmentError::Format)?;
        let date = match date {
            None => None,
            Some(date) => {
                let [year, month, day] = numbers(date, '-').ok_or(AppointmentError::Format)?;
                // Two digits are of this century.
                Some((if date.len() == 8 { 2000 + year } else { year }, month, day))
            }
        };
        let small = |n: i32| u8::try_from(n).map_err(|_| AppointmentError::Format);
        let time = (small(hour)?, small(minute)?, small(second)?);
        let date = match date {
            None => None,
            Some((year, month, day)) => Some((year, small(month)?, small(day)?)),
        };
        let is_day = date.is_none_or(|(year, month, day)| {
            (1..=12).contains(&month) && (1..=length(year, month)).contains(&day)
        });
        let is_time = time.0 < 24 && time.1 < 60 && time.2 < 60;
        (is_day && is_time).then_some(Self { date, time, is_utc }).ok_or(AppointmentError::Invalid)
    }

    /// It is for one day, so it cannot be repeated.
    pub const fn has_date(&self) -> bool {
        self.date.is_some()
    }

    /// Its first time after `now`. `calendar`: the local calendar at a time; `moment`: when the local
    /// calendar shows this.
    ///
    /// # Errors
    /// It is over.
    pub fn next(
        &self,
        now: WallTime,
        calendar: impl Fn(WallTime) -> Civil,
        moment: impl Fn(Civil) -> Option<WallTime>,
    ) -> Result<WallTime, AppointmentError> {
        let at = |(year, month, day)| {
            let (hour, minute, second) = self.time;
            let civil = Civil { year, month, day, hour, minute, second };
            if self.is_utc {
                Some(of_utc(civil))
            } else {
                moment(civil)
            }
        };
        if let Some(date) = self.date {
            return at(date).filter(|at| *at > now).ok_or(AppointmentError::Past);
        }
        let today = if self.is_utc { utc(now) } else { calendar(now) };
        let today = (today.year, today.month, today.day);
        // A time that clocks skip on one day is there on the next.
        let mut days = std::iter::successors(Some(today), |day| Some(following(*day))).take(3);
        days.find_map(|day| at(day).filter(|at| *at > now)).ok_or(AppointmentError::Invalid)
    }
}

/// Three numbers of digits alone.
fn numbers(text: &str, between: char) -> Option<[i32; 3]> {
    let mut parts = text.split(between).map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

const fn length(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const fn following((year, month, day): (i32, u8, u8)) -> (i32, u8, u8) {
    if day < length(year, month) {
        (year, month, day + 1)
    } else if month < 12 {
        (year, month + 1, 1)
    } else {
        (year + 1, 1, 1)
    }
}

fn of_utc(c: Civil) -> WallTime {
    let seconds = calendar::days(c.year, c.month, c.day) * 86_400
        + i64::from(c.hour) * 3600
        + i64::from(c.minute) * 60
        + i64::from(c.second);
    WallTime(u64::try_from(seconds).unwrap_or_default() * 1_000_000)
}

fn utc(now: WallTime) -> Civil {
    let seconds = now.0 / 1_000_000;
    let (days, rest) = (i64::try_from(seconds / 86_400).unwrap_or_default(), seconds % 86_400);
    let (year, month, day) = calendar::date(days);
    let small = |n: i64| u8::try_from(n).unwrap_or_default();
    let part = |n: u64| u8::try_from(n).unwrap_or_default();
    Civil {
        year: i32::try_from(year).unwrap_or_default(),
        month: small(month),
        day: small(day),
        hour: part(rest / 3600),
        minute: part(rest / 60 % 60),
        second: part(rest % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27 12:00:00 UTC.
    const NOON: WallTime = WallTime(1_795_780_800_000_000);

    /// With a local calendar two hours ahead of UTC.
    fn next(text: &str) -> Result<i64, AppointmentError> {
        let two_hours = 7_200_000_000;
        let calendar = |at: WallTime| utc(WallTime(at.0 + two_hours));
        let moment = |civil| Some(WallTime(of_utc(civil).0 - two_hours));
        let at = Appointment::parse(text)?.next(NOON, calendar, moment)?;
        Ok(i64::try_from(at.0 / 1_000_000).unwrap() - i64::try_from(NOON.0 / 1_000_000).unwrap())
    }

    #[test]
    fn a_time_is_the_next_one() {
        assert_eq!(next("12:30:00Z"), Ok(1800));
        assert_eq!(next("14:30:00"), Ok(1800));
        assert_eq!(next("12:00:00Z"), Ok(86_400), "not the present one");
        assert_eq!(next("26-11-27 12:00:05Z"), Ok(5));
        assert_eq!(next("2027-11-27 12:00:00Z"), Ok(365 * 86_400));
        assert_eq!(next("2028-02-29 12:00:00Z"), Ok(459 * 86_400));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "12:00", "1:00:00", "+1:00:00", "12-00-00", "2026-11-27", "x26-11-27 1:1:1"]
        {
            assert_eq!(next(text), Err(AppointmentError::Format), "{text}");
        }
        for text in ["24:00:00", "12:60:00", "27-02-30 00:00:00", "2100-02-29 00:00:00"] {
            assert_eq!(next(text), Err(AppointmentError::Invalid), "{text}");
        }
        assert_eq!(next("26-11-27 12:00:00Z"), Err(AppointmentError::Past));
    }

    #[test]
    fn days_are_counted_both_ways() {
        let mut day = (1970, 1, 1);
        for n in 0..60_000 {
            let (year, month, date) = day;
            assert_eq!(calendar::days(year, month, date), n);
            let at = utc(WallTime(u64::try_from(n).unwrap() * 86_400_000_000));
            assert_eq!((at.year, at.month, at.day), day);
            day = following(day);
        }
    }
}
