//! What an import answers for each chunk of a book. Rows are named by their place in the chunk; nothing
//! repeats what stands in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Check, Words};

/// Counts of rows and of what their keys came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportCounts {
    /// Rows that were looked at.
    pub rows: u64,
    /// Those that became the state of their key.
    pub accepted: u64,
    /// Those that were told before.
    pub duplicate: u64,
    /// Those that something newer stands over.
    pub superseded: u64,
    /// Those that break a rule, by its code. Nothing of them is kept.
    pub rejected: BTreeMap<String, u64>,
    /// Addresses that İYS was asked about; in a dry run, that it would be asked about.
    pub asked: u64,
    /// Of the rows that are the state of their key: İYS has it.
    pub at_iys: u64,
    /// A refusal, and İYS holds no consent that it would end.
    pub not_registered: u64,
    /// İYS has to be told.
    pub to_push: u64,
    /// The same, once a person has acted.
    pub held: u64,
    /// İYS lacks it and would refuse it, or has done so, by its code.
    pub refused_at_iys: BTreeMap<String, u64>,
    /// Insider has to be told.
    pub to_insider: u64,
}

impl ImportCounts {
    /// Adds those of another chunk.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
        self.superseded += other.superseded;
        self.asked += other.asked;
        self.at_iys += other.at_iys;
        self.not_registered += other.not_registered;
        self.to_push += other.to_push;
        self.held += other.held;
        self.to_insider += other.to_insider;
        for (own, others) in [(&mut self.rejected, &other.rejected), (&mut self.refused_at_iys, &other.refused_at_iys)] {
            for (code, count) in others {
                *own.entry(code.clone()).or_default() += count;
            }
        }
    }
}

/// A row without effect, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedRow {
    /// Its place in the chunk, from 0.
    pub row: usize,
    /// İYS's code, or the name of a rule of ours.
    pub code: String,
    /// The field, where it is one.
    pub field: String,
    /// The rule.
    pub rule: Words,
    /// Whether it is kept, and only İYS does not take it.
    #[serde(default)]
    pub kept: bool,
}

/// Rows of which nothing is known to be done: they are to be sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Unfinished {
    /// Their places in the chunk, in ascending order.
    pub rows: Vec<usize>,
    /// In how many seconds.
    pub seconds: u64,
    /// Why, for a person.
    pub why: String,
}

/// What became of a chunk. Its counts leave out what is unfinished.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportAnswer {
    /// Counts.
    pub counts: ImportCounts,
    /// Rows without effect, in the order of the chunk.
    pub refused: Vec<RefusedRow>,
    /// What is to be sent again.
    pub unfinished: Unfinished,
    /// Why nothing was done at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Check>,
}
