//! Lines with rules of their own: commands, regular expressions, and heads of virtual servers.

use super::Checker;
use crate::config::document::Node;
use crate::config::keyword::{Bad, Block, Keyword, ValueKind};
use crate::config::lex::script::{command_words, line_words};
use crate::config::value::Value;

impl Checker<'_> {
    pub(super) fn script<'d>(
        &mut self,
        node: Node<'d>,
        keyword: &'static Keyword,
        required: bool,
        user: bool,
    ) -> Option<Value<'d>> {
        let word = node.keyword();
        match line_words(node.raw()).map(|words| words.len()) {
            Err(quote) => {
                let text = format!("{quote}: '{}' is ignored", keyword.name);
                self.out.error(keyword.name, word.span, text);
                None
            }
            Ok(0) if required => {
                let text = format!("'{}' needs a command", word.text);
                self.out.error(keyword.name, word.span, text);
                None
            }
            Ok(n) => {
                let used = if user { 3 } else { 1 };
                if n > used {
                    let text = format!(
                        "words after the command of '{}' are ignored: quote the whole command",
                        word.text
                    );
                    self.out.warn(keyword.name, word.span, text);
                }
                Some(Value::Nothing)
            }
        }
    }

    pub(super) fn pattern<'d>(
        &mut self,
        node: Node<'d>,
        keyword: &'static Keyword,
    ) -> Option<Value<'d>> {
        let word = node.keyword();
        let text = match command_words(node.raw()).map(|words| words.len()) {
            Ok(1) => return Some(Value::Nothing),
            Ok(0) => format!("'{}' needs a pattern", word.text),
            Ok(_) => format!("'{}' has several words: quote the pattern", word.text),
            Err(why) => format!("{why}: '{}' is ignored", word.text),
        };
        self.out.error(keyword.name, word.span, text);
        None
    }

    /// `ADDRESS [PORT]`, `fwmark N` or `group NAME`.
    pub(super) fn service<'d>(
        &mut self,
        node: Node<'d>,
        keyword: &'static Keyword,
        block: &'static Block,
    ) -> Option<Value<'d>> {
        const MARK: ValueKind = ValueKind::Int { min: 0, max: 4_294_967_295, lenient: true };
        const PORT: ValueKind = ValueKind::Int { min: 0, max: 65_535, lenient: false };
        let Some(first) = node.arg(0) else {
            self.missing(keyword.name, node.keyword(), ValueKind::Address);
            return None;
        };
        let kind = match first.text {
            "fwmark" => MARK,
            "group" => ValueKind::Text,
            _ => {
                let value = self.value(keyword.name, ValueKind::Address, first, Bad::Ignore)?;
                if let Some(port) = node.arg(1) {
                    self.value(keyword.name, PORT, port, Bad::Ignore)?;
                }
                self.left_over(node, keyword, block, 2);
                return Some(value);
            }
        };
        let Some(second) = node.arg(1) else {
            self.missing(first.text, first, kind);
            return None;
        };
        let value = self.value(first.text, kind, second, Bad::Ignore)?;
        self.left_over(node, keyword, block, 2);
        Some(value)
    }
}
