//! Corrects documents with a missing brace. The intended structure follows from the tables, which
//! define the block of each keyword. Without the correction, one missing brace would make all
//! following statements unknown.
//!
//! A `{` that is missing is put behind its keyword, a `}` before the first keyword that cannot
//! stand where it stands. Both are reported.

use std::collections::VecDeque;

use super::complaints::Complaints;
use super::document::{Builder, Children, Document, Node};
use super::host::Host;
use super::keyword::{Block, Body, Keyword, ValueKind};
use super::keywords::ROOT;

/// Statements checked in one breath.
const BREATH: u32 = 256;

/// How a block ended.
enum End<'d> {
    AsWritten,
    /// Its closing brace was needed for a block within it.
    Early,
    /// With statements that belong one level up.
    ForParent(VecDeque<Node<'d>>),
    /// With statements that belong to the top level.
    ForRoot(VecDeque<Node<'d>>),
}

struct Mender<'m, 'a> {
    made: Builder,
    out: &'m mut Complaints<'a>,
    mended: bool,
    /// Closing braces that are missing, were reported, and will be noticed again further up.
    owed: u32,
    host: &'m dyn Host,
    steps: u32,
}

/// The corrected document; `None` if no correction is needed.
pub(super) fn mend(doc: &Document, out: &mut Complaints<'_>, host: &dyn Host) -> Option<Document> {
    let mut mender =
        Mender { made: Builder::default(), out, mended: false, owed: 0, host, steps: 0 };
    let roots = mender.gathered(doc.roots());
    mender.fill(roots, ROOT, true);
    mender.mended.then(|| mender.made.finish())
}

impl<'d> Mender<'_, '_> {
    /// Copies the statements of a block that consists of keywords.
    fn fill(&mut self, mut nodes: VecDeque<Node<'d>>, block: &'static Block, top: bool) -> End<'d> {
        let mut early = false;
        while let Some(node) = nodes.pop_front() {
            let keyword = block.find(node.keyword().text).filter(|k| has_body(k));
            let Some(keyword) = keyword else {
                if !top && opens_at_root(node) && block.find(node.keyword().text).is_none() {
                    self.missing_close(node);
                    nodes.push_front(node);
                    return End::ForRoot(nodes);
                }
                self.copy(node);
                continue;
            };
            self.statement(node);
            self.made.open();
            let end = if node.has_block() {
                let children = self.gathered(node.children());
                self.body(children, keyword, block)
            } else {
                self.missing_open(node);
                End::Early
            };
            let end = match end {
                End::Early => {
                    early = true;
                    let more = take_what_fits(&mut nodes, keyword, block);
                    self.body(more, keyword, block)
                }
                end => end,
            };
            self.made.close();
            let for_root = matches!(end, End::ForRoot(_));
            match end {
                End::AsWritten | End::Early => {}
                End::ForParent(rest) | End::ForRoot(rest) => {
                    rest.into_iter().rev().for_each(|node| nodes.push_front(node));
                }
            }
            if for_root && !top {
                return End::ForRoot(nodes);
            }
        }
        if early {
            End::Early
        } else {
            End::AsWritten
        }
    }

    fn body(
        &mut self,
        nodes: VecDeque<Node<'d>>,
        keyword: &'static Keyword,
        outer: &'static Block,
    ) -> End<'d> {
        match keyword.body {
            Body::Keywords(block) => self.fill(nodes, block, false),
            // The lines of an address list are never keywords; names might be.
            Body::Entries(entry) => {
                let addresses = matches!(entry.head.first(), Some(ValueKind::Prefix));
                self.lines(nodes, addresses.then_some(outer))
            }
            Body::Names(_) | Body::None => self.lines(nodes, None),
        }
    }

    /// Copies the lines of a list, up to one that is a keyword of `outer`.
    fn lines(&mut self, mut nodes: VecDeque<Node<'d>>, outer: Option<&'static Block>) -> End<'d> {
        while let Some(node) = nodes.pop_front() {
            let up = outer.is_some_and(|block| block.find(node.keyword().text).is_some());
            let root = opens_at_root(node);
            if !up && !root {
                self.copy(node);
                continue;
            }
            self.missing_close(node);
            nodes.push_front(node);
            if up {
                self.owed += 1;
                return End::ForParent(nodes);
            }
            return End::ForRoot(nodes);
        }
        End::AsWritten
    }

    fn copy(&mut self, node: Node<'d>) {
        self.statement(node);
        if node.has_block() {
            self.made.open();
            node.children().for_each(|child| self.copy(child));
            self.made.close();
        }
    }

    fn gathered(&mut self, nodes: Children<'d>) -> VecDeque<Node<'d>> {
        nodes.inspect(|_| self.breathe()).collect()
    }

    fn breathe(&mut self) {
        self.steps = self.steps.wrapping_add(1);
        if self.steps % BREATH == 0 {
            self.host.breathe();
        }
    }

    fn statement(&mut self, node: Node<'d>) {
        self.breathe();
        let words: Vec<_> = node.words().collect();
        self.made.statement(&words, node.raw());
    }

    fn missing_open(&mut self, node: Node<'_>) {
        self.mended = true;
        let word = node.keyword();
        let text = format!("'{}' needs a block: '{{' is missing", word.text);
        self.out.error(word.text, word.span, text);
    }

    fn missing_close(&mut self, node: Node<'_>) {
        self.mended = true;
        if self.owed > 0 {
            self.owed -= 1;
            return;
        }
        let word = node.keyword();
        self.out.error(word.text, word.span, format!("'}}' is missing before '{}'", word.text));
    }
}

const fn has_body(keyword: &Keyword) -> bool {
    !matches!(keyword.body, Body::None)
}

/// True for a block that can only stand at the top.
fn opens_at_root(node: Node<'_>) -> bool {
    node.has_block() && ROOT.find(node.keyword().text).is_some_and(has_body)
}

/// Statements after a block that belong into it.
fn take_what_fits<'d>(
    nodes: &mut VecDeque<Node<'d>>,
    keyword: &'static Keyword,
    outer: &'static Block,
) -> VecDeque<Node<'d>> {
    let fits = |node: &Node<'d>| {
        let word = node.keyword().text;
        match keyword.body {
            // A block with a name is one of the level above: `track_file NAME {`.
            Body::Keywords(block) => {
                let named = node.has_block() && node.args().len() > 0;
                block.find(word).is_some() && !(named && outer.find(word).is_some())
            }
            _ => outer.find(word).is_none() && !opens_at_root(*node),
        }
    };
    let count = nodes.iter().take_while(|node| fits(node)).count();
    nodes.drain(..count).collect()
}

#[cfg(test)]
mod tests;
