//! Days of the proleptic Gregorian calendar, counted from 1970-01-01.

/// Days from 1970-01-01 to this day, in the proleptic Gregorian calendar.
pub fn days(year: i32, month: u8, day: u8) -> i64 {
    // The year begins with March, so that the day of leap years is its last.
    let (year, month) = match month {
        1 | 2 => (i64::from(year) - 1, i64::from(month) + 9),
        month => (i64::from(year), i64::from(month) - 3),
    };
    let in_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year
        - 719_468
}

/// Year, month and day of a number of days since 1970, counting years from March so that the leap
/// day comes last.
pub const fn date(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let days = days + 719_468;
    let (era, of_era) = (days / ERA, days % ERA);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let carry = if month <= 2 { 1 } else { 0 };
    (era * 400 + year + carry, month, day)
}
