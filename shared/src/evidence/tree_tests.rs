//! The tree against RFC 6962: the definition, published vectors, and every single flipped bit.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

/// The leaves of the vectors of RFC 6962's reference implementation (google/certificate-transparency,
/// `merkle_tree_test.cc`), and the roots over the first one, two, three … of them.
const LEAVES: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/// Place, size of the tree, and the path (the same test's, counted from 0).
const PATHS: [(u64, usize, &[&str]); 5] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn digest(text: &str) -> Digest {
    text.parse().unwrap()
}

fn leaf(number: usize) -> Digest {
    Digest::of([number.to_be_bytes().as_slice()])
}

/// A tree over leaves of any bytes, with the path of one of them.
fn grown(leaves: &[Vec<u8>], index: u64) -> (Root, Path) {
    let name = leaf(0);
    let mut tree = Tree::default();
    for (at, bytes) in leaves.iter().enumerate() {
        let wanted = if at as u64 == index { vec![name] } else { Vec::new() };
        if at as u64 == index {
            tree.wanted.insert(name, Some(Path { index, hashes: Vec::new() }));
        }
        tree.add(bytes, wanted);
    }
    let (root, mut paths) = tree.finish();
    (root, paths.remove(&name).unwrap())
}

/// RFC 6962's own words: `MTH(D[n])`, split at the largest power of two below n.
fn by_definition(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of([]),
        [one] => leaf_hash(one.bytes()),
        more => {
            let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
            node_hash(&by_definition(left), &by_definition(right))
        }
    }
}

/// RFC 6962's `PATH(m, D[n])`.
fn path_by_definition(at: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, beside) = match at.checked_sub(left.len()) {
        None => (path_by_definition(at, left), by_definition(right)),
        Some(at) => (path_by_definition(at, right), by_definition(left)),
    };
    path.push(beside);
    path
}

#[test]
fn the_published_vectors_hold() {
    let leaves: Vec<Vec<u8>> = LEAVES.iter().map(|text| HEXLOWER.decode(text.as_bytes()).unwrap()).collect();
    let (empty, _) = Tree::default().finish();
    assert_eq!(empty, Root { count: 0, hash: digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") });
    for (at, root) in ROOTS.iter().enumerate() {
        assert_eq!(grown(&leaves[..=at], 0).0, Root { count: at as u64 + 1, hash: digest(root) });
    }
    for (index, size, hashes) in PATHS {
        let (root, path) = grown(&leaves[..size], index);
        let hashes = hashes.iter().map(|hash| digest(hash)).collect();
        assert_eq!(path, Path { index, hashes }, "leaf {index} of {size}");
        assert_eq!(root_of(&path, leaf_hash(&leaves[usize::try_from(index).unwrap()]), root.count), Some(root.hash));
    }
}

#[test]
fn every_tree_of_up_to_seventy_leaves_and_every_path_in_it_are_as_defined() {
    for size in 0..70 {
        let leaves: Vec<Digest> = (0..size).map(leaf).collect();
        let mut tree = Tree::with_paths_of(leaves.iter().copied().chain([leaf(1000)]));
        leaves.iter().for_each(|leaf| tree.push(leaf));
        let (root, paths) = tree.finish();
        assert_eq!(root, Root { count: size as u64, hash: by_definition(&leaves) });
        assert_eq!(paths.len(), size, "a leaf that is not in the tree has no path");
        for (at, digest) in leaves.iter().enumerate() {
            let path = &paths[digest];
            assert_eq!((path.index, &path.hashes), (at as u64, &path_by_definition(at, &leaves)));
            assert_eq!(root_by(path, digest, root.count), Some(root.hash));
        }
    }
}

#[test]
fn a_tree_of_a_hundred_thousand_leaves_takes_no_more_memory_than_its_height() {
    let mut tree = Tree::with_paths_of([leaf(12_345)]);
    for number in 0..100_000 {
        tree.push(&leaf(number));
        assert!(tree.subtrees.len() <= 17);
    }
    let (root, paths) = tree.finish();
    assert_eq!(root_by(&paths[&leaf(12_345)], &leaf(12_345), root.count), Some(root.hash));
}

proptest! {
    #[test]
    fn no_other_leaf_place_or_path_leads_to_the_root(size in 1usize..200, at in any::<prop::sample::Index>(), flip in any::<(usize, u8)>()) {
        let at = at.index(size);
        let mut tree = Tree::with_paths_of([leaf(at)]);
        (0..size).for_each(|number| tree.push(&leaf(number)));
        let (root, paths) = tree.finish();
        let path = &paths[&leaf(at)];
        let wrong = |digest: &Digest| {
            let mut bytes = *digest.bytes();
            bytes[flip.0 % 32] ^= flip.1.max(1);
            Digest::of_bytes(bytes)
        };
        prop_assert_eq!(root_by(path, &leaf(at), root.count), Some(root.hash));
        prop_assert_ne!(root_by(path, &wrong(&leaf(at)), root.count), Some(root.hash));
        for place in 0..path.hashes.len() {
            let mut other = path.clone();
            other.hashes[place] = wrong(&other.hashes[place]);
            prop_assert_ne!(root_by(&other, &leaf(at), root.count), Some(root.hash));
            other.hashes.remove(place);
            prop_assert_ne!(root_by(&other, &leaf(at), root.count), Some(root.hash));
        }
        let longer = Path { index: path.index, hashes: path.hashes.iter().copied().chain([leaf(0)]).collect() };
        prop_assert_ne!(root_by(&longer, &leaf(at), root.count), Some(root.hash));
        for index in (0..size as u64 + 3).filter(|index| *index != path.index) {
            let moved = Path { index, hashes: path.hashes.clone() };
            prop_assert_ne!(root_by(&moved, &leaf(at), root.count), Some(root.hash));
        }
    }
}
