//! Values as words.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::time::Duration;

use super::form::{Form, COMMAND, TEXT};
use super::text::Printer;
use crate::base::addr::Prefix;
use crate::base::name::SharedName;
use crate::config::lower::seconds;
use crate::model::script::{Script, User};

/// A value in the place of a word of a form.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what these words are printed from",
    label = "the table has words of another form"
)]
pub(super) trait Fits<const FORM: Form> {
    fn write(&self, out: &mut Printer);
}

/// Values of a form, and how they are written.
macro_rules! fits {
    ($($form:ident => $($value:ty),+: |$this:pat_param, $out:ident| $write:expr;)+) => {
        $($(impl $crate::config::print::fits::Fits<{ $crate::config::print::form::$form }> for $value {
            fn write(&self, $out: &mut $crate::config::print::text::Printer) {
                let $this = self;
                $write
            }
        })+)+
    };
}
/// Values of which a line of a table is printed.
macro_rules! lines {
    ($($table:ident $(| $more:ident)* => $value:ty: |$this:pat_param| { $($body:tt)* })+) => {
        $(lines!(@ $value, $this, [$table $(| $more)*], { $($body)* }, $table $(, $more)*);)+
    };
    (@ $value:ty, $this:pat_param, $tables:tt, $body:tt, $($table:ident),+) => {
        $(impl $crate::config::print::fits::Fits<{
            $crate::config::print::form::line(&$crate::config::keywords::$table.entry)
        }> for $value {
            fn write(&self, out: &mut $crate::config::print::text::Printer) {
                let $this = self;
                lines!(& out $tables $body);
            }
        })+
    };
    (& $out:ident [$($table:tt)+] $body:tt) => {
        $crate::config::print::text::put!($out, $($table)+ $body);
    };
}
pub(super) use {fits, lines};

fits! {
    TEXT => str, String, SharedName, Cow<'_, str>: |word, out| out.word(quoted(word));
    // The owner of a file or a command: two words.
    TEXT => User: |user, out| out.word(format_args!("{} {}", user.uid, user.gid));
    CHOICE => &'static str: |word, out| out.word(word);
    NUMBER => u8, u16, u32, u64, usize, i8, i16, i32: |number, out| out.word(number);
    SECONDS => Duration: |time, out| out.word(seconds(*time));
    // In thousandths.
    MILLIS => Duration: |time, out| out.word(seconds(time.saturating_mul(1000)));
    SWITCH => bool: |on, out| out.word(if *on { "on" } else { "off" });
    ADDRESS => IpAddr, Ipv4Addr, Ipv6Addr: |addr, out| out.word(addr);
    PREFIX => Prefix, IpAddr: |prefix, out| out.word(prefix);
    RANGE => u16: |port, out| out.word(port);
    HEX => [u8]: |bytes, out| {
        out.word(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    };
    COMMAND => Script: |script, out| out.word(format_args!("\"{}\"", command(script)));
    SCRIPT => Script: |script, out| {
        Fits::<COMMAND>::write(script, out);
        Fits::<TEXT>::write(&script.user, out);
    };
}

/// Nothing is written for nothing.
impl<T: Fits<FORM>, const FORM: Form> Fits<FORM> for Option<T> {
    fn write(&self, out: &mut Printer) {
        self.iter().for_each(|value| value.write(out));
    }
}

/// Several words.
impl<T: Fits<FORM>, const FORM: Form> Fits<FORM> for [T] {
    fn write(&self, out: &mut Printer) {
        self.iter().for_each(|word| word.write(out));
    }
}

macro_rules! behind {
    ($($pointer:ty),+) => {
        $(impl<T: Fits<FORM> + ?Sized, const FORM: Form> Fits<FORM> for $pointer {
            fn write(&self, out: &mut Printer) {
                (**self).write(out);
            }
        })+
    };
}
behind!(&T, Box<T>, Rc<T>);

/// A word as the reader takes it back. No word holds a double quote: the language has no escape.
pub(super) fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/+,=*%&;()[]<>?^|".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.into()
    } else {
        format!("\"{word}\"").into()
    }
}

/// The words of a command, of which characters that are special to any stage of the reader, from
/// comments to definitions, are escaped.
fn command(script: &Script) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/+,=%".contains(&b);
    let mut text = String::new();
    for word in &script.argv {
        if !text.is_empty() {
            text.push(' ');
        }
        if word.bytes().all(|b| plain(b) || b == b' ') && (word.is_empty() || word.contains(' ')) {
            text.extend(["'", word, "'"]);
            continue;
        }
        for b in word.bytes() {
            match plain(b) {
                true => text.push(char::from(b)),
                false => text.push_str(&format!("\\{b:03o}")),
            }
        }
    }
    text
}
