//! Files that exist only in memory: for tests, fuzzing and dry runs.

use std::collections::BTreeMap;

use super::{Loader, Unusable};

/// A tree of files by absolute name; directories exist where a file lies below them.
#[derive(Clone, Default, Debug)]
pub struct MemoryLoader {
    files: BTreeMap<String, Result<Vec<u8>, Unusable>>,
}

impl MemoryLoader {
    /// With one file.
    pub fn with(path: &str, content: impl Into<Vec<u8>>) -> Self {
        Self::default().and(path, content)
    }

    /// With one more file.
    #[must_use]
    pub fn and(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(normal(path), Ok(content.into()));
        self
    }

    /// With a file that cannot be read.
    #[must_use]
    pub fn and_unusable(mut self, path: &str, why: Unusable) -> Self {
        self.files.insert(normal(path), Err(why));
        self
    }

    fn below(&self, directory: &str) -> impl Iterator<Item = &str> {
        let prefix = match normal(directory) {
            root if root == "/" => root,
            other => other + "/",
        };
        let from = prefix.clone();
        self.files.range(from..).map_while(move |(path, _)| path.strip_prefix(prefix.as_str()))
    }
}

impl Loader for MemoryLoader {
    fn list(&self, directory: &str) -> Option<Vec<String>> {
        let first = |rest: &str| rest.split('/').next().unwrap_or_default().to_owned();
        let mut names: Vec<String> = self.below(directory).map(first).collect();
        names.dedup();
        (!names.is_empty()).then_some(names)
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(&normal(path)) || self.below(path).next().is_some()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        match self.files.get(&normal(path)) {
            Some(Ok(content)) if content.len() as u64 > limit => Err(Unusable::TooLarge),
            Some(content) => content.clone(),
            None if self.below(path).next().is_some() => Err(Unusable::Directory),
            None => Err(Unusable::Missing),
        }
    }

    fn absolute(&self, path: &str) -> String {
        normal(path)
    }
}

/// The absolute name without `.`, `..` and doubled slashes; the working directory is the root.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}
