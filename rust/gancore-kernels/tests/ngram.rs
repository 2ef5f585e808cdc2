//! N-grams against maps of them.

#![allow(clippy::unwrap_used)]

mod naive {
    pub mod ngram;
}

use gancore_kernels::error::Result;
use gancore_kernels::ngram::{self, Sentences, Tally};
use gancore_kernels::pool::{self, Interrupt};
use proptest::prelude::*;

fn flat(sentences: &[Vec<i64>]) -> (Vec<i64>, Vec<i64>) {
    (sentences.concat(), sentences.iter().map(|s| i64::try_from(s.len()).unwrap()).collect())
}

fn tally(hypotheses: &[Vec<i64>], references: Option<&[Vec<i64>]>, n: usize) -> Result<Tally> {
    let (tokens, lengths) = flat(hypotheses);
    let (others, other_lengths) = references.map(flat).unwrap_or_default();
    let references = references.map(|_| Sentences { tokens: &others, lengths: &other_lengths });
    ngram::tally(Sentences { tokens: &tokens, lengths: &lengths }, references, n, &Interrupt::new())
}

fn text() -> impl Strategy<Value = Vec<Vec<i64>>> {
    let token = prop_oneof![6 => 0..4_i64, 1 => Just(i64::MAX)];
    prop::collection::vec(prop::collection::vec(token, 1..12), 2..8)
}

proptest! {
    #[test]
    fn matches_are_those_of_the_definition(hypotheses in text(), references in text(), n in 1..6_usize) {
        let ours = tally(&hypotheses, Some(&references), n).unwrap();
        for (i, h) in hypotheses.iter().enumerate() {
            for k in 1..=n {
                prop_assert_eq!(ours.matches[i * n + k - 1], naive::ngram::matches(h, &references.iter(), k));
            }
            prop_assert_eq!(ours.closest[i], naive::ngram::closest(h, references.iter()));
        }
    }

    #[test]
    fn each_sentence_is_left_out_of_its_own_references(sentences in text(), n in 1..6_usize) {
        let ours = tally(&sentences, None, n).unwrap();
        for (i, h) in sentences.iter().enumerate() {
            let others = sentences.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, s)| s);
            for k in 1..=n {
                prop_assert_eq!(ours.matches[i * n + k - 1], naive::ngram::matches(h, &others, k));
            }
            prop_assert_eq!(ours.closest[i], naive::ngram::closest(h, others));
        }
    }

    #[test]
    fn counts_are_those_of_the_definition(sentences in text(), n in 1..6_usize) {
        let (tokens, lengths) = flat(&sentences);
        let sentences_ = Sentences { tokens: &tokens, lengths: &lengths };
        let mut ours = ngram::counts(sentences_, n, &Interrupt::new()).unwrap();
        let mut all = std::collections::HashMap::new();
        for gram in sentences.iter().flat_map(|s| s.windows(n)) {
            *all.entry(gram).or_insert(0) += 1;
        }
        let mut exact: Vec<i64> = all.into_values().collect();
        ours.sort_unstable();
        exact.sort_unstable();
        prop_assert_eq!(ours, exact);
    }
}

#[test]
fn threads_change_nothing() {
    let sentences: Vec<Vec<i64>> =
        (0..10_000_i64).map(|i| (0..5).map(|j| (i * 7 + j * j) % 11).collect()).collect();
    pool::set_num_threads(1).unwrap();
    let expected = tally(&sentences, None, 4).unwrap();
    pool::set_num_threads(3).unwrap();
    assert_eq!(tally(&sentences, None, 4).unwrap(), expected);
}

#[test]
fn bad_input_is_named() {
    let refused = |h: &[Vec<i64>], r: Option<&[Vec<i64>]>, n| tally(h, r, n).unwrap_err().to_string();
    let fine = vec![vec![1, 2], vec![3]];
    assert!(refused(&[vec![1], vec![]], Some(&fine), 2).contains("`hypotheses`"));
    assert!(refused(&fine, Some(&[vec![1], vec![0, -2]]), 2).contains("-2 in sentence 1"));
    assert!(refused(&fine, Some(&[]), 2).contains("`references`"));
    assert!(refused(&[vec![1, 2]], None, 2).contains("at least 2 sentences"));
    assert!(refused(&fine, None, 0).contains("`n`"));
}
