//! The definitions, with maps of n-grams.

use std::collections::HashMap;

pub fn grams(sentence: &[i64], n: usize) -> HashMap<Vec<i64>, i64> {
    let mut counts = HashMap::new();
    for gram in sentence.windows(n) {
        *counts.entry(gram.to_vec()).or_insert(0) += 1;
    }
    counts
}

pub fn matches<'a>(
    hypothesis: &[i64],
    references: &(impl Iterator<Item = &'a Vec<i64>> + Clone),
    n: usize,
) -> i64 {
    grams(hypothesis, n)
        .iter()
        .map(|(gram, &count)| {
            let most = references.clone().map(|r| grams(r, n).get(gram).copied().unwrap_or(0)).max();
            count.min(most.unwrap_or(0))
        })
        .sum()
}

pub fn closest<'a>(hypothesis: &[i64], references: impl Iterator<Item = &'a Vec<i64>>) -> i64 {
    let length = hypothesis.len();
    references
        .map(|r| (r.len().abs_diff(length), r.len()))
        .min()
        .map_or(0, |(_, length)| i64::try_from(length).unwrap())
}
