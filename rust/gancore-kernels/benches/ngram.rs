//! Self-BLEU's matches of 10,000 sentences of 12 tokens.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gancore_kernels::ngram::{self, Sentences};
use gancore_kernels::pool::{self, Interrupt};

fn matches(c: &mut Criterion) {
    pool::set_num_threads(1).unwrap();
    let tokens: Vec<i64> = (0..120_000_i64).map(|i| (i * 2_654_435_761 % 1009) * (i % 7) % 800).collect();
    let lengths = vec![12; 10_000];
    let sentences = Sentences { tokens: &tokens, lengths: &lengths };
    c.bench_function("tally of 10,000 sentences against the others, 1 thread", |b| {
        b.iter(|| ngram::tally(black_box(sentences), None, 4, &Interrupt::new()));
    });
}

criterion_group!(benches, matches);
criterion_main!(benches);
