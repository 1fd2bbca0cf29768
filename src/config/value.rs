//! Checks a word against its kind.

use std::borrow::Cow;
use std::net::IpAddr;

use super::keyword::{Unit, ValueKind};
use crate::base::addr::{Family, Prefix};

/// Value of a word.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Value<'d> {
    /// No word was given, and none is needed.
    Nothing,
    Bool(bool),
    Int(i64),
    Micros(u64),
    Addr(IpAddr),
    /// Whether a length was given.
    Prefix(Prefix, bool),
    Text(&'d str),
}

impl Value<'_> {
    pub(super) const fn addr(self) -> Option<IpAddr> {
        match self {
            Self::Addr(addr) => Some(addr),
            _ => None,
        }
    }
}

/// Error in a word.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Wrong<'d> {
    /// It is not of the kind.
    Kind,
    /// It is below or above the limits.
    Below,
    Above,
    /// It can be used nevertheless, as this value.
    UsedAs(Value<'d>),
    /// It was always accepted, but only up to this limit.
    CutTo(Value<'d>, usize),
}

pub(super) type Parsed<'d> = Result<Value<'d>, Wrong<'d>>;

/// Reads `text` as one of `kind`.
pub(super) fn parse(kind: ValueKind, text: &str) -> Parsed<'_> {
    match kind {
        ValueKind::Text | ValueKind::Hidden => Ok(Value::Text(text)),
        ValueKind::Short(max) => short(text, max),
        ValueKind::Secret(max) => match short(text, max) {
            Err(Wrong::Above) => Err(Wrong::UsedAs(Value::Text(cut(text, max)))),
            other => other,
        },
        ValueKind::Link => short(text, 15),
        ValueKind::Bool => boolean(text),
        ValueKind::Int { min, max, lenient } => int(text, min, max, lenient),
        ValueKind::AnyBase { min, max } => {
            limited(any_base(text).ok_or(Wrong::Kind)?, min, max).map(Value::Int)
        }
        ValueKind::Time { unit, min, max } => time(text, unit, min, max),
        ValueKind::OneOf(words) => chosen(words.iter().find(|w| **w == text)),
        ValueKind::Known(words) => {
            chosen(words.iter().find(|w| **w == text)).map_err(|_| Wrong::CutTo(Value::Nothing, 0))
        }
        ValueKind::OneOfAnyCase(words) => {
            chosen(words.iter().find(|w| w.eq_ignore_ascii_case(text)))
        }
        ValueKind::Address | ValueKind::Group | ValueKind::Group4 | ValueKind::Group6 => {
            address(kind, text)
        }
        ValueKind::Prefix => prefix(text),
        ValueKind::Destination => match text {
            "default" | "any" | "all" => Ok(Value::Text(text)),
            _ => prefix(text),
        },
        ValueKind::Target => match text.parse::<u8>() {
            Ok(number) => Ok(Value::Int(number.into())),
            Err(_) => parse(ValueKind::Destination, text),
        },
        ValueKind::Range => is(text, is_range(text) || text.parse::<u16>().is_ok()),
        ValueKind::Span { max } => is(text, span(text, max).is_some()),
        ValueKind::Ports => is(text, ports(text).is_some()),
        ValueKind::Wide => is(text, text.parse::<u64>().is_ok()),
        ValueKind::Masked => is(text, masked(text).is_some()),
        ValueKind::Hex { wild } => is(text, is_hex(text, wild)),
        ValueKind::Digest => {
            is(text, text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()))
        }
        ValueKind::Status => is(text, is_status(text)),
        ValueKind::RouteTime => is(text, is_route_time(text)),
    }
}

/// Description of `kind` for messages.
pub(super) fn describe(kind: ValueKind) -> Cow<'static, str> {
    match kind {
        ValueKind::Text | ValueKind::Hidden => "a word".into(),
        ValueKind::Short(max) => format!("a word of at most {max} characters").into(),
        ValueKind::Secret(max) => format!("a password of 1 to {max} characters").into(),
        ValueKind::Link => "an interface name of at most 15 characters".into(),
        ValueKind::Bool => "'on' or 'off'".into(),
        ValueKind::Int { min, max, .. } | ValueKind::AnyBase { min, max } => {
            format!("a whole number from {min} to {max}").into()
        }
        ValueKind::Time { unit, min, max } => describe_time(unit, min, max).into(),
        ValueKind::OneOf(words) | ValueKind::Known(words) | ValueKind::OneOfAnyCase(words) => {
            one_of(words).into()
        }
        ValueKind::Address => "an IP address".into(),
        ValueKind::Group => "a multicast address".into(),
        ValueKind::Group4 => "an IPv4 multicast address".into(),
        ValueKind::Group6 => "an IPv6 multicast address".into(),
        ValueKind::Prefix => "an IP address with an optional prefix length".into(),
        ValueKind::Destination | ValueKind::Target => {
            "an address with an optional prefix length, or 'default'".into()
        }
        ValueKind::Range => "an address, a range of addresses or a port".into(),
        ValueKind::Span { max } => format!("a range LOW-HIGH of numbers up to {max}").into(),
        ValueKind::Ports => "a port from 1 to 65535 or a range LOW-HIGH of them".into(),
        ValueKind::Wide => "a whole number up to 18446744073709551615".into(),
        ValueKind::Masked => "a number with an optional mask".into(),
        ValueKind::Hex { .. } => "a string of hexadecimal digits".into(),
        ValueKind::Digest => "32 hexadecimal digits".into(),
        ValueKind::Status => "a status code from 100 to 599 or a range of them".into(),
        ValueKind::RouteTime => "a time such as 200ms".into(),
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("'{one}'"),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn describe_time(unit: Unit, min: u64, max: u64) -> String {
    let (name, scale) = match unit {
        Unit::Seconds | Unit::CoarseSeconds => ("a number of seconds", 1_000_000),
        Unit::Millis => ("a number of milliseconds", 1_000),
    };
    let shown = |micros: u64| {
        let whole = micros / scale;
        let rest = micros % scale;
        let digits = scale.ilog10() as usize;
        if rest == 0 {
            whole.to_string()
        } else {
            format!("{whole}.{rest:0digits$}").trim_end_matches('0').to_owned()
        }
    };
    if max == u64::MAX {
        format!("{name} from {} on", shown(min))
    } else {
        format!("{name} from {} to {}", shown(min), shown(max))
    }
}

fn is(text: &str, good: bool) -> Parsed<'_> {
    if good {
        Ok(Value::Text(text))
    } else {
        Err(Wrong::Kind)
    }
}

fn short(text: &str, max: usize) -> Parsed<'_> {
    if text.is_empty() {
        Err(Wrong::Kind)
    } else if text.len() > max {
        Err(Wrong::Above)
    } else {
        Ok(Value::Text(text))
    }
}

/// The first `max` bytes, or as many as are whole characters.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

fn boolean(text: &str) -> Parsed<'_> {
    match text {
        "on" | "true" | "yes" => Ok(Value::Bool(true)),
        "off" | "false" | "no" => Ok(Value::Bool(false)),
        _ => Err(Wrong::Kind),
    }
}

/// The word as the table spells it.
fn chosen<'d>(word: Option<&&'static str>) -> Parsed<'d> {
    word.map(|w| Value::Text(w)).ok_or(Wrong::Kind)
}

fn limited<'d>(n: i64, min: i64, max: i64) -> Result<i64, Wrong<'d>> {
    if n < min {
        Err(Wrong::Below)
    } else if n > max {
        Err(Wrong::Above)
    } else {
        Ok(n)
    }
}

fn int(text: &str, min: i64, max: i64, lenient: bool) -> Parsed<'_> {
    let text = text.trim_start();
    let sign = text.len() - text.trim_start_matches(['+', '-']).len();
    if sign > 1 {
        return Err(Wrong::Kind);
    }
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(Wrong::Kind);
    }
    let end = sign + digits;
    // More digits than fit are out of any limits.
    let far = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    let n = text[..end].parse::<i64>().unwrap_or(far);
    let n = limited(n, min, max)?;
    match (end == text.len(), lenient) {
        (true, _) => Ok(Value::Int(n)),
        (false, true) => Err(Wrong::UsedAs(Value::Int(n))),
        (false, false) => Err(Wrong::Kind),
    }
}

/// A number as C reads it: `0x` hexadecimal, `0` octal, otherwise decimal.
pub(super) fn any_base(text: &str) -> Option<i64> {
    let (digits, radix) =
        if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            (hex, 16)
        } else if text.len() > 1 && text.starts_with('0') {
            (&text[1..], 8)
        } else {
            (text, 10)
        };
    if digits.starts_with(['+', '-']) && radix != 10 {
        return None;
    }
    i64::from_str_radix(digits, radix).ok()
}

/// `N`, `N.`, `N.M` or `.M`, without exponent, sign or unit.
fn time(text: &str, unit: Unit, min: u64, max: u64) -> Parsed<'_> {
    let (scale, places): (u64, usize) = match unit {
        Unit::Seconds => (1_000_000, 6),
        Unit::CoarseSeconds => (1_000_000, 3),
        Unit::Millis => (1_000, 3),
    };
    let text = text.trim_start();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(part) || (whole.is_empty() && part.is_empty()) {
        return Err(Wrong::Kind);
    }
    let whole =
        if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| Wrong::Above)? };
    let mut n = whole.checked_mul(scale).ok_or(Wrong::Above)?;
    let mut worth = scale;
    for digit in part.bytes().take(places) {
        worth /= 10;
        n = n.saturating_add(u64::from(digit - b'0') * worth);
    }
    let over = part.as_bytes().get(places);
    if over.is_some_and(|&digit| digit >= b'5') {
        n = n.saturating_add(worth);
    }
    if n < min {
        Err(Wrong::Below)
    } else if n > max {
        Err(Wrong::Above)
    } else if over.is_some() {
        Err(Wrong::UsedAs(Value::Micros(n)))
    } else {
        Ok(Value::Micros(n))
    }
}

fn address(kind: ValueKind, text: &str) -> Parsed<'_> {
    let end = text.find(['-', '/']).unwrap_or(text.len());
    let addr: IpAddr = text[..end].parse().map_err(|_| Wrong::Kind)?;
    let fits = match kind {
        ValueKind::Group => addr.is_multicast(),
        ValueKind::Group4 => addr.is_ipv4() && addr.is_multicast(),
        ValueKind::Group6 => addr.is_ipv6() && addr.is_multicast(),
        _ => true,
    };
    if !fits {
        Err(Wrong::Kind)
    } else if end < text.len() {
        Err(Wrong::CutTo(Value::Addr(addr), end))
    } else {
        Ok(Value::Addr(addr))
    }
}

fn prefix(text: &str) -> Parsed<'_> {
    let (addr, len) = match text.split_once('/') {
        Some((addr, len)) => (addr, Some(len)),
        None => (text, None),
    };
    let addr: IpAddr = addr.parse().map_err(|_| Wrong::Kind)?;
    let host = Prefix::host(addr);
    let Some(len) = len else { return Ok(Value::Prefix(host, false)) };
    match len.parse::<u8>() {
        Ok(len) if len <= Family::of(&addr).bits() => Ok(Value::Prefix(Prefix { addr, len }, true)),
        _ => Err(Wrong::UsedAs(Value::Prefix(host, false))),
    }
}

fn is_range(text: &str) -> bool {
    let (first, rest) = match text.find(['-', '/']) {
        Some(at) => (&text[..at], Some((text.as_bytes()[at], &text[at + 1..]))),
        None => (text, None),
    };
    let Ok(first) = first.parse::<IpAddr>() else { return false };
    match rest {
        None => true,
        Some((b'/', len)) => {
            len.parse().is_ok_and(|len: u8| (1..=Family::of(&first).bits()).contains(&len))
        }
        Some((_, last)) => match (first, last.parse::<IpAddr>()) {
            (_, Ok(last)) => Family::of(&last) == Family::of(&first) && last >= first,
            (IpAddr::V4(first), Err(_)) => {
                last.parse().is_ok_and(|last: u8| last > first.octets()[3])
            }
            (IpAddr::V6(first), Err(_)) => {
                u16::from_str_radix(last, 16).is_ok_and(|last| last > first.segments()[7])
            }
        },
    }
}

/// `LOW-HIGH`, both at most `max`.
pub(super) fn span(text: &str, max: i64) -> Option<(i64, i64)> {
    let number = |s: &str| {
        let digits = !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        s.parse().ok().filter(|n| digits && (0..=max).contains(n))
    };
    let (low, high) = text.split_once('-')?;
    let span = (number(low)?, number(high)?);
    (span.0 <= span.1).then_some(span)
}

/// `PORT` or `LOW-HIGH`.
pub(super) fn ports(text: &str) -> Option<(u16, u16)> {
    let (low, high) = match text.contains('-') {
        true => span(text, u16::MAX.into())?,
        false => span(&format!("{text}-{text}"), u16::MAX.into())?,
    };
    // The kernel has no range with port 0.
    let port = |n: i64| u16::try_from(n).ok().filter(|&n| n != 0);
    Some((port(low)?, port(high)?))
}

/// `NUMBER[/MASK]`; without a mask, all bits count.
pub(super) fn masked(text: &str) -> Option<(u32, u32)> {
    let number = |s: &str| u32::try_from(any_base(s)?).ok();
    match text.split_once('/') {
        None => Some((number(text)?, u32::MAX)),
        Some((mark, mask)) => Some((number(mark)?, number(mask)?)),
    }
}

fn is_hex(text: &str, wild: bool) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit() || b == b' ' || (wild && matches!(b, b'x' | b'X')))
}

fn is_status(text: &str) -> bool {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let code = |s: &str| s.parse::<u16>().ok().filter(|c| (100..=599).contains(c));
    matches!((code(low), code(high)), (Some(low), Some(high)) if low <= high)
}

fn is_route_time(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].parse::<f64>().is_ok()
        && matches!(&text[end..], "" | "s" | "sec" | "secs" | "ms" | "msec" | "msecs")
}

/// The mode as a number from 0 to 0777.
pub(super) fn umask(text: &str) -> Option<i64> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return any_base(text).filter(|n| (0..=0o777).contains(n));
    }
    text.split('|').try_fold(0, |mode, bit| Some(mode | mode_bit(bit.trim())?))
}

fn mode_bit(name: &str) -> Option<i64> {
    Some(match name {
        "IRUSR" => 0o400,
        "IWUSR" => 0o200,
        "IXUSR" => 0o100,
        "IRWXU" => 0o700,
        "IRGRP" => 0o040,
        "IWGRP" => 0o020,
        "IXGRP" => 0o010,
        "IRWXG" => 0o070,
        "IROTH" => 0o004,
        "IWOTH" => 0o002,
        "IXOTH" => 0o001,
        "IRWXO" => 0o007,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::keyword::{int, seconds, strict};
    use super::*;

    #[test]
    fn strict_numbers_take_nothing_behind_them_lenient_ones_use_the_digits() {
        assert_eq!(parse(strict(1, 255), "5"), Ok(Value::Int(5)));
        assert_eq!(parse(strict(1, 255), " 50"), Ok(Value::Int(50)));
        assert_eq!(parse(strict(1, 255), "5x"), Err(Wrong::Kind));
        assert_eq!(parse(int(1, 255), "5x"), Err(Wrong::UsedAs(Value::Int(5))));
        assert_eq!(parse(int(1, 255), "256x"), Err(Wrong::Above));
        assert_eq!(parse(strict(1, 255), "99999999999999999999"), Err(Wrong::Above));
        assert_eq!(parse(strict(-1, 255), "-2"), Err(Wrong::Below));
        for bad in ["", "-", "+-1", "0x10", "five"] {
            assert_eq!(parse(strict(0, 255), bad), Err(Wrong::Kind), "{bad:?}");
        }
    }

    #[test]
    fn decimal_seconds() {
        let kind = seconds(10_000, 255_000_000);
        for (text, micros) in
            [("1", 1_000_000), ("1.", 1_000_000), (".25", 250_000), ("0.5", 500_000)]
        {
            assert_eq!(parse(kind, text), Ok(Value::Micros(micros)), "{text}");
        }
        assert_eq!(parse(kind, "0.1234567"), Err(Wrong::UsedAs(Value::Micros(123_457))));
        assert_eq!(parse(kind, "0.009"), Err(Wrong::Below));
        assert_eq!(parse(kind, "255.1"), Err(Wrong::Above));
        assert_eq!(parse(kind, "99999999999999999999"), Err(Wrong::Above));
        for bad in ["", ".", "1e3", "-1", "1s", "1.5s"] {
            assert_eq!(parse(kind, bad), Err(Wrong::Kind), "{bad:?}");
        }
    }

    #[test]
    fn addresses_end_at_the_first_dash_or_slash() {
        let addr = Value::Addr("192.0.2.7".parse().unwrap());
        assert_eq!(parse(ValueKind::Address, "192.0.2.7-9"), Err(Wrong::CutTo(addr, 9)));
        assert_eq!(parse(ValueKind::Address, "192.0.2.07"), Err(Wrong::Kind));
        assert_eq!(parse(ValueKind::Group4, "192.0.2.7"), Err(Wrong::Kind));
    }

    #[test]
    fn a_bad_prefix_length_leaves_the_address_alone() {
        let host = Prefix::host("192.0.2.7".parse().unwrap());
        assert_eq!(
            parse(ValueKind::Prefix, "192.0.2.7/33"),
            Err(Wrong::UsedAs(Value::Prefix(host, false)))
        );
        assert_eq!(parse(ValueKind::Prefix, "192.0.2.7"), Ok(Value::Prefix(host, false)));
        assert_eq!(parse(ValueKind::Prefix, "192.0.2.300/24"), Err(Wrong::Kind));
    }

    #[test]
    fn ranges_of_virtual_server_groups() {
        for good in [
            "192.0.2.10-20",
            "2001:db8::1-ff",
            "192.0.2.1-192.0.3.20",
            "192.0.2.1-192.0.2.1",
            "192.0.2.16/28",
        ] {
            assert!(is_range(good), "{good}");
        }
        for bad in ["192.0.2.10-10", "192.0.2.10-256", "2001:db8::1-fffff", "192.0.2.1/33", "x-9"] {
            assert!(!is_range(bad), "{bad}");
        }
    }

    #[test]
    fn file_modes() {
        assert_eq!(umask("0177"), Some(0o177));
        assert_eq!(umask("127"), Some(0o177));
        assert_eq!(umask("IRWXG|IRWXO"), Some(0o077));
        assert_eq!(umask("01000"), None);
        assert_eq!(umask("IRWXG,IRWXO"), None);
    }

    #[test]
    fn limits_are_shown_in_the_unit_of_the_keyword() {
        assert_eq!(describe(seconds(10_000, 255_000_000)), "a number of seconds from 0.01 to 255");
        assert_eq!(describe(seconds(1, u64::MAX)), "a number of seconds from 0.000001 on");
    }
}
