//! What a call is refused for by position: that is taken out, and the rest goes again.
//!
//! The registry's positions are believed once something proves them, because it is not sure from where it
//! counts. Had the wrong ones been taken out, what it named would still be in the rest, and it would name it
//! again. So they are proved by the next answer: that it takes the rest, or that it names something else by
//! other codes, as when one kind of check comes after another. Where a code comes again they are in doubt.

use std::collections::HashMap;

use crate::consent::code::Code;

/// What goes out together, and what was taken out of it.
pub(super) struct Sifted<T> {
    /// What goes out, in this order.
    pub(super) rest: Vec<T>,
    /// What it was refused for, in earlier attempts.
    pub(super) removed: Vec<(T, Code)>,
    /// Whether some of that may have been taken out by a mistake.
    pub(super) is_doubtful: bool,
}

impl<T> Sifted<T> {
    pub(super) fn of(rest: Vec<T>) -> Self {
        Self { rest, removed: Vec::new(), is_doubtful: false }
    }

    /// Takes out what the call was refused for, unless nothing is named or a position is not one of the
    /// rest. Whether it did.
    pub(super) fn leave_out(&mut self, refused: Vec<(usize, Code)>) -> bool {
        if refused.is_empty() || refused.iter().any(|(at, _)| *at >= self.rest.len()) {
            return false;
        }
        self.is_doubtful |= self.names_again(&refused);
        // Of several codes for one position the first counts.
        let refused: HashMap<usize, Code> = refused.into_iter().rev().collect();
        let all = std::mem::take(&mut self.rest);
        for (position, one) in all.into_iter().enumerate() {
            match refused.get(&position) {
                Some(code) => self.removed.push((one, *code)),
                None => self.rest.push(one),
            }
        }
        true
    }

    /// Whether a code comes again for which something was taken out before.
    pub(super) fn names_again(&self, refused: &[(usize, Code)]) -> bool {
        refused.iter().any(|(_, code)| self.removed.iter().any(|(_, before)| before == code))
    }

    pub(super) fn into_all(self) -> impl Iterator<Item = T> {
        self.rest.into_iter().chain(self.removed.into_iter().map(|(one, _)| one))
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed expectation is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> Code {
        text.parse().expect("a code")
    }

    fn sifted(count: u8) -> Sifted<u8> {
        Sifted::of((0..count).collect())
    }

    #[test]
    fn what_is_named_is_taken_out_and_the_rest_stays_in_order() {
        let mut list = sifted(5);
        assert!(list.leave_out(vec![(3, code("H120")), (1, code("H121")), (3, code("H122"))]));
        assert_eq!((&list.rest, list.is_doubtful), (&vec![0, 2, 4], false));
        assert_eq!(list.removed, [(1, code("H121")), (3, code("H120"))]);
        assert!(!list.leave_out(Vec::new()) && !list.leave_out(vec![(0, code("H180")), (3, code("H180"))]));
        assert_eq!(list.into_all().collect::<Vec<_>>(), [0, 2, 4, 1, 3]);
    }

    #[test]
    fn another_kind_of_check_leaves_no_doubt_and_a_code_that_comes_again_does() {
        let mut list = sifted(9);
        assert!(list.leave_out(vec![(3, code("H120"))]) && list.leave_out(vec![(3, code("H180"))]));
        assert!(!list.is_doubtful);
        assert!(list.leave_out(vec![(0, code("H120"))]));
        assert!(list.is_doubtful);
    }

    proptest! {
        /// A registry that checks by kinds, one after the other, and counts from `base`.
        #[test]
        fn what_is_taken_out_without_doubt_is_what_the_registry_meant(
            bad in prop::collection::btree_map(0u8..30, 0u8..3, 0..8),
            base in 0usize..2,
            first_only: bool,
        ) {
            let mut list = sifted(30);
            for _ in 0..40 {
                let kind = bad.iter().filter(|(at, _)| list.rest.contains(at)).map(|(_, kind)| *kind).min();
                let Some(kind) = kind else { break };
                let named = |at: &u8| bad.get(at) == Some(&kind);
                let mut refused: Vec<_> =
                    list.rest.iter().enumerate().filter(|(_, at)| named(at)).map(|(at, _)| (at + base, code(&format!("H12{kind}")))).collect();
                if first_only {
                    refused.truncate(1);
                }
                if !list.leave_out(refused) {
                    // A position that is none: it goes out in halves.
                    return Ok(());
                }
            }
            if !list.is_doubtful && !list.rest.is_empty() {
                let removed: Vec<_> = list.removed.iter().map(|(at, _)| *at).collect();
                prop_assert!(removed.iter().all(|at| bad.contains_key(at)), "{removed:?} of {bad:?}");
                prop_assert!(list.rest.iter().all(|at| !bad.contains_key(at)));
            }
        }
    }
}
