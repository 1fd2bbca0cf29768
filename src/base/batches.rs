//! Long lists that are used up from the front.

/// A list in pieces. Each is freed when its last value is taken, so that what the values become
/// needs no room beside all of them.
#[derive(Debug)]
pub struct Batches<T>(Vec<Vec<T>>);

/// Values in a piece.
const SIZE: usize = 256;

impl<T> Default for Batches<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Batches<T> {
    pub fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < SIZE => last.push(value),
            // The first one grows: most lists are short.
            Some(_) => {
                let mut next = Vec::with_capacity(SIZE);
                next.push(value);
                self.0.push(next);
            }
            None => self.0.push(vec![value]),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T> IntoIterator for Batches<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn the_order_is_kept_and_what_was_taken_is_gone() {
        let mut batches = Batches::default();
        let value = Rc::new(());
        let count = 3 * SIZE + 1;
        (0..count).for_each(|n| batches.push((n, Rc::clone(&value))));
        assert!(batches.iter().map(|(n, _)| *n).eq(0..count));
        let mut rest = batches.into_iter();
        assert!(rest.by_ref().take(SIZE + 1).map(|(n, _)| n).eq(0..=SIZE));
        assert_eq!(Rc::strong_count(&value), count - SIZE);
        assert_eq!(rest.count(), count - SIZE - 1);
    }
}
