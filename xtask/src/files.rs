//! Folders as a map from name to content, to compare and to hash.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Relative path → content.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// Reads a folder with what is below it; a missing one is empty, a file is a tree of one.
pub(crate) fn read_tree(path: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    add(path, "", &mut tree).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(tree)
}

fn add(path: &Path, name: &str, tree: &mut Tree) -> io::Result<()> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(meta) if meta.is_file() => {
            tree.insert(name.to_owned(), fs::read(path)?);
            return Ok(());
        }
        Ok(_) => {}
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        add(
            &entry.path(),
            &format!("{name}/{}", entry.file_name().to_string_lossy()),
            tree,
        )?;
    }
    Ok(())
}

/// Names that differ: only here, only there, or with another content.
pub(crate) fn differences(here: &Tree, there: &Tree) -> Vec<String> {
    let mut names: Vec<&String> = here.keys().chain(there.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| here.get(*name) != there.get(*name))
        .cloned()
        .collect()
}

/// SHA-256 of names and contents, in hex.
pub(crate) fn hash(trees: &[Tree]) -> String {
    let mut hasher = Sha256::new();
    for tree in trees {
        for (name, content) in tree {
            hasher.update(name);
            hasher.update([0]);
            hasher.update(content.len().to_le_bytes());
            hasher.update(content);
        }
        hasher.update([1]);
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Tree {
        entries
            .iter()
            .map(|(name, text)| ((*name).into(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn differences_are_named() {
        let here = tree(&[("same", "1"), ("changed", "1"), ("gone", "1")]);
        let there = tree(&[("same", "1"), ("changed", "2"), ("new", "1")]);
        assert_eq!(differences(&here, &there), ["changed", "gone", "new"]);
        assert_eq!(differences(&here, &here), Vec::<String>::new());
    }

    #[test]
    fn the_hash_sees_names_contents_and_borders() {
        let hashes = [
            hash(&[tree(&[("a", "1")])]),
            hash(&[tree(&[("b", "1")])]),
            hash(&[tree(&[("a", "2")])]),
            hash(&[tree(&[("a", "1")]), tree(&[])]),
        ];
        let mut distinct = hashes.to_vec();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), hashes.len());
    }

    #[test]
    fn folders_are_read_with_what_is_below() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join("a/b")).unwrap();
        fs::write(temp.path().join("a/b/c"), "x").unwrap();
        assert_eq!(read_tree(temp.path()).unwrap(), tree(&[("/a/b/c", "x")]));
        assert_eq!(
            read_tree(&temp.path().join("missing")).unwrap(),
            Tree::new()
        );
    }
}
