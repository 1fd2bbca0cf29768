//! Statements as text. Their keywords come from the tables that the reader uses.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::iter::repeat_n;
use std::rc::Rc;

use super::fits::{fits, quoted, Fits};
use super::form::{Form, Named};
use super::track::Weights;
use super::Secrets;

pub(super) struct Printer {
    text: String,
    depth: usize,
    secrets: Secrets,
    pub(super) weights: Rc<Weights>,
}

impl Printer {
    pub(super) const fn new(secrets: Secrets, weights: Rc<Weights>) -> Self {
        Self { text: String::new(), depth: 0, secrets, weights }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// One word, with a blank before it.
    pub(super) fn word(&mut self, word: impl fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, " {word}");
    }

    /// Lines without a keyword.
    pub(super) fn lines<const FORM: Form>(&mut self, list: impl IntoIterator<Item: Fits<FORM>>) {
        for line in list {
            // The first word has a blank before it, too.
            self.text.extend(repeat_n(' ', (self.depth * 4).saturating_sub(1)));
            line.write(self);
            self.text.push('\n');
        }
    }

    pub(super) fn secret<'m>(&self, secret: impl Into<Cow<'m, str>>) -> Veiled<'m> {
        Veiled(match self.secrets {
            Secrets::Shown => secret.into(),
            Secrets::Hidden => "********".into(),
        })
    }
}

/// A secret, or what is printed in its place.
pub(super) struct Veiled<'m>(Cow<'m, str>);

fits! {
    SECRET => Veiled<'_>: |word, out| out.word(quoted(&word.0));
}

/// A statement or an option that is not complete.
pub(super) struct Open<'o> {
    /// `None`: it is left out.
    out: Option<&'o mut Printer>,
    /// Where it begins, as long as its first word is missing.
    start: Option<usize>,
    is_option: bool,
}

// There are hundreds of statements: each is to be three calls, and no more code.
impl<'o> Open<'o> {
    #[inline(never)]
    pub(super) fn named(out: &'o mut Printer, row: &Named) -> Self {
        let Named { name, is_option, .. } = *row;
        let start = Some(out.text.len()).filter(|_| !name.is_empty());
        if start.is_some() {
            out.text.extend(repeat_n(' ', if is_option { 1 } else { out.depth * 4 }));
            out.text.push_str(name);
        }
        Self { out: Some(out), start, is_option }
    }

    #[inline(never)]
    pub(super) fn and<const FORM: Form>(mut self, word: impl Fits<FORM>) -> Self {
        let Some(out) = &mut self.out else { return self };
        let before = out.text.len();
        word.write(out);
        if let Some(start) = self.start.take().filter(|_| out.text.len() == before) {
            out.text.truncate(start);
            self.out = None;
        }
        self
    }

    #[inline(never)]
    pub(super) fn end(self) {
        if let (Some(out), false) = (self.out, self.is_option) {
            out.text.push('\n');
        }
    }

    pub(super) fn block(self, body: impl FnOnce(&mut Printer)) {
        let Some(out) = self.out else { return };
        out.text.push_str(" {\n");
        out.depth += 1;
        body(out);
        out.depth -= 1;
        out.text.extend(repeat_n(' ', out.depth * 4));
        out.text.push_str("}\n");
    }
}

/// Statements of a block, or words and options of a line, to a [`Printer`]:
/// - `NAME: WORD, ..`, left out if there is nothing to print for the first word;
/// - `NAME if CONDITION`, the name alone;
/// - `_: WORD, ..`, the words of a line that belong to no option;
/// - `NAME: WORD, .. => TABLE { .. }`, with a block; or with a closure in place of the table;
/// - `NAME => each LIST`, with a block of lines, left out if there are none;
/// - `for PATTERN in LIST => { .. }`, `match VALUE => { PATTERN => { .. } .. }`, and `.METHOD(..)`
///   of the printer.
///
/// What is printed as `A | B` is the same in both tables. A name may be in two pieces.
macro_rules! put {
    (@ $tables:tt $out:expr;) => {};
    (@ $tables:tt $out:expr; .$method:ident($($arg:expr),*) $(; $($rest:tt)*)?) => {
        $out.$method($($arg),*);
        put!(@ $tables $out; $($($rest)*)?);
    };
    (@ $tables:tt $out:expr; for $item:pat in $list:expr => { $($body:tt)* } $(; $($rest:tt)*)?) => {
        for $item in $list {
            put!(@ $tables $out; $($body)*);
        }
        put!(@ $tables $out; $($($rest)*)?);
    };
    (@ $tables:tt $out:expr;
        match $value:expr => { $($case:pat $(if $guard:expr)? => { $($body:tt)* })+ }
        $(; $($rest:tt)*)?
    ) => {
        match $value {
            $($case $(if $guard)? => { put!(@ $tables $out; $($body)*); })+
        }
        put!(@ $tables $out; $($($rest)*)?);
    };
    (@ $tables:tt $out:expr; $($name:literal)+ if $on:expr $(; $($rest:tt)*)?) => {
        {
            put!(# $tables [$($name)+] [] false);
            if $on {
                put!(& $out;).end();
            }
        }
        put!(@ $tables $out; $($($rest)*)?);
    };
    (@ $tables:tt $out:expr; _: $($word:expr),+ $(; $($rest:tt)*)?) => {
        put!(@ $tables $out; "": $($word),+ $(; $($rest)*)?);
    };
    (@ $tables:tt $out:expr; $($name:literal)+: $($word:expr),+ $(; $($rest:tt)*)?) => {
        {
            put!(# $tables [$($name)+] [$($word)+] false);
            put!(& $out; $($word),+).end();
        }
        put!(@ $tables $out; $($($rest)*)?);
    };
    (@ $tables:tt $out:expr; $name:literal => each $list:expr $(; $($rest:tt)*)?) => {
        {
            put!(# $tables [$name] [] true);
            let mut list = $list.into_iter().peekable();
            if list.peek().is_some() {
                put!(& $out;).block(|out| out.lines::<{ ROW.inner }>(list));
            }
        }
        put!(@ $tables $out; $($($rest)*)?);
    };
    (@ $tables:tt $out:expr; $name:literal $(: $($word:expr),+)? => $inner:ident { $($body:tt)* }
        $(; $($rest:tt)*)?
    ) => {
        {
            put!(# $tables [$name] [$($($word)+)?] true);
            const { ROW.opens(&$crate::config::keywords::$inner.block) };
            put!(& $out; $($($word),+)?).block(|out| put!(out, $inner { $($body)* }));
        }
        put!(@ $tables $out; $($($rest)*)?);
    };
    (@ $tables:tt $out:expr; $name:literal $(: $($word:expr),+)? => $body:expr
        $(; $($rest:tt)*)?
    ) => {
        {
            put!(# $tables [$name] [$($($word)+)?] true);
            put!(& $out; $($($word),+)?).block($body);
        }
        put!(@ $tables $out; $($($rest)*)?);
    };
    // What the tables say.
    (# [$($table:ident)|+] [$($name:literal)+] [$($word:expr)*] $braces:literal) => {
        const NAME: &str = concat!($($name),+);
        const WORDS: &[&str] = &[$(stringify!($word)),*];
        const ROW: $crate::config::print::form::Named = $crate::config::print::form::common(&[
            $($crate::config::keywords::$table.named(NAME, WORDS.len(), $braces)),+
        ]);
    };
    // The name and the words.
    (& $out:expr; $($one:expr $(, $two:expr $(, $three:expr)?)?)?) => {
        $crate::config::print::text::Open::named($out, &ROW)
            $(.and::<{ ROW.forms[0] }>($one)
            $(.and::<{ ROW.forms[1] }>($two)
            $(.and::<{ ROW.forms[2] }>($three))?)?)?
    };
    ($out:expr, $($table:ident)|+ { $($body:tt)* }) => {{
        put!(@ [$($table)|+] $out; $($body)*);
    }};
}
pub(super) use put;
