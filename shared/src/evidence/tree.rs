//! The Merkle tree of RFC 6962, section 2.1, over a stream of leaves, in memory that grows with the tree's
//! height only.
//!
//! A leaf hashes to `SHA-256(0x00 ‖ leaf)`, two subtrees to `SHA-256(0x01 ‖ left ‖ right)`, no leaf at all to
//! `SHA-256()`. A path is checked as in RFC 9162, section 2.1.3.2, which describes the same tree.

use std::collections::HashMap;

use super::Digest;

/// A whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Root {
    /// How many leaves it has.
    pub count: u64,
    /// Its hash.
    pub hash: Digest,
}

/// Where a leaf is, and the hashes beside its way to the root, from the leaf upwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The leaf's place, from 0.
    pub index: u64,
    /// The hashes.
    pub hashes: Vec<Digest>,
}

/// A tree that grows leaf by leaf. Paths are kept for the leaves that were asked for at the beginning.
#[derive(Debug, Default)]
pub struct Tree {
    /// Full subtrees, each smaller than the one before it.
    subtrees: Vec<Subtree>,
    count: u64,
    wanted: HashMap<Digest, Option<Path>>,
}

#[derive(Debug)]
struct Subtree {
    leaves: u64,
    hash: Digest,
    /// The wanted leaves in it.
    wanted: Vec<Digest>,
}

impl Tree {
    /// A tree that keeps the paths of these leaves.
    pub fn with_paths_of(leaves: impl IntoIterator<Item = Digest>) -> Self {
        Self { wanted: leaves.into_iter().map(|leaf| (leaf, None)).collect(), ..Self::default() }
    }

    /// Adds a movement's digest.
    pub fn push(&mut self, digest: &Digest) {
        let mut wanted = Vec::new();
        if let Some(path) = self.wanted.get_mut(digest).filter(|path| path.is_none()) {
            *path = Some(Path { index: self.count, hashes: Vec::new() });
            wanted.push(*digest);
        }
        self.add(digest.bytes(), wanted);
    }

    fn add(&mut self, leaf: &[u8], wanted: Vec<Digest>) {
        self.count += 1;
        let mut last = Subtree { leaves: 1, hash: leaf_hash(leaf), wanted };
        while self.subtrees.last().is_some_and(|before| before.leaves == last.leaves)
            && let Some(before) = self.subtrees.pop()
        {
            last = self.joined(before, last);
        }
        self.subtrees.push(last);
    }

    fn joined(&mut self, left: Subtree, right: Subtree) -> Subtree {
        for (of, beside) in [(&left, &right), (&right, &left)] {
            for leaf in &of.wanted {
                if let Some(Some(path)) = self.wanted.get_mut(leaf) {
                    path.hashes.push(beside.hash);
                }
            }
        }
        let mut wanted = left.wanted;
        wanted.extend(right.wanted);
        Subtree { leaves: left.leaves + right.leaves, hash: node_hash(&left.hash, &right.hash), wanted }
    }

    /// The whole tree, and the paths of the wanted leaves that are in it.
    pub fn finish(mut self) -> (Root, HashMap<Digest, Path>) {
        let mut whole = self.subtrees.pop();
        while let Some(left) = self.subtrees.pop() {
            whole = Some(match whole {
                Some(right) => self.joined(left, right),
                None => left,
            });
        }
        let hash = whole.map_or_else(|| Digest::of([]), |whole| whole.hash);
        let paths = self.wanted.into_iter().filter_map(|(leaf, path)| Some((leaf, path?))).collect();
        (Root { count: self.count, hash }, paths)
    }
}

/// The root of a tree of `count` leaves that has the digest at the path's place, whatever the tree is; `None`
/// where no tree of so many leaves has such a path.
pub fn root_by(path: &Path, digest: &Digest, count: u64) -> Option<Digest> {
    root_of(path, leaf_hash(digest.bytes()), count)
}

fn root_of(path: &Path, leaf: Digest, count: u64) -> Option<Digest> {
    if path.index >= count {
        return None;
    }
    let (mut at, mut last, mut hash) = (path.index, count - 1, leaf);
    for beside in &path.hashes {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(beside, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::of([[0].as_slice(), leaf])
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of([[1].as_slice(), left.bytes(), right.bytes()])
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
