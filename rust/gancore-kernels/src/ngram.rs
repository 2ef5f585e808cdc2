//! N-grams of token ids: how often they match, and how often each occurs.
//!
//! ```text
//! matches_k(h) = sum over k-grams g of h of min(count_h(g), max over references r of count_r(g))
//! ```
//!
//! the clipped matches of BLEU (Papineni et al. 2002, section 2.1.1). A k-gram gets a number from the number of its
//! first k - 1 tokens and its last token, so numbers of all orders cost one look-up a position each. Of every k-gram the
//! largest count in a sentence, the sentence that has it, and the largest elsewhere are kept: the second serves where a
//! sentence is judged against all the others (self-BLEU, Zhu et al. 2018), at the cost of judging it against all.

mod intern;

use crate::error::{Error, Result};
use crate::pool::{self, Interrupt};
use intern::{Interner, NONE};

/// Sentences that are worked on between two looks for an interrupt.
const STRETCH: usize = 4096;

/// Sentences of token ids, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Sentences<'a> {
    /// Ids of all sentences, none negative.
    pub tokens: &'a [i64],
    /// How many tokens each sentence has.
    pub lengths: &'a [i64],
}

/// Matches of hypotheses with references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Clipped matches of orders 1 to n of each hypothesis, hypothesis by hypothesis.
    pub matches: Vec<i64>,
    /// The length nearest to that of the hypothesis among its references, the shorter of two.
    pub closest: Vec<i64>,
}

/// Matches of each hypothesis with all references, or with all other hypotheses where there are none.
pub fn tally(
    hypotheses: Sentences<'_>,
    references: Option<Sentences<'_>>,
    n: usize,
    interrupt: &Interrupt,
) -> Result<Tally> {
    check_order(n)?;
    let mut text = Text::default();
    let judged = text.add("hypotheses", hypotheses)?;
    let judges = match references {
        Some(references) => text.add("references", references)?,
        None => judged.clone(),
    };
    let alone = references.is_none();
    if judges.len() < 1 + usize::from(alone) {
        let argument = if alone { "sentences" } else { "references" };
        let expected = if alone { "at least 2 sentences" } else { "at least 1 sentence" };
        return Err(Error::shape(argument, expected, judges.len().to_string()));
    }
    let mut matches = vec![0; judged.len() * n];
    let mut grams = Grams::new(&text, interrupt)?;
    for order in 1..=n {
        if order > 1 {
            grams.lengthen(&text, interrupt)?;
        }
        let runs = grams.runs(&text, interrupt)?;
        let mut best = vec![Best::default(); grams.distinct];
        for sentence in judges.clone() {
            for &(gram, count) in runs.of(sentence) {
                best[gram as usize].add(count, sentence);
            }
        }
        pool::for_each_chunk_mut(&mut matches, STRETCH * n, |i, matches| {
            interrupt.check()?;
            for (place, matches) in matches.chunks_exact_mut(n).enumerate() {
                let sentence = i * STRETCH + place;
                let clipped = runs
                    .of(sentence)
                    .iter()
                    .map(|&(gram, count)| i64::from(count.min(best[gram as usize].without(sentence, alone))));
                matches[order - 1] = clipped.sum();
            }
            Ok(())
        })?;
    }
    let lengths: Vec<_> = judges.map(|sentence| text.length(sentence)).collect();
    Ok(Tally { matches, closest: closest(&lengths, hypotheses.lengths, alone) })
}

/// How often each distinct n-gram of some sentences occurs, by first occurrence.
pub fn counts(sentences: Sentences<'_>, n: usize, interrupt: &Interrupt) -> Result<Vec<i64>> {
    check_order(n)?;
    let mut text = Text::default();
    text.add("sentences", sentences)?;
    let mut grams = Grams::new(&text, interrupt)?;
    for _ in 1..n {
        grams.lengthen(&text, interrupt)?;
    }
    let mut counts = vec![0; grams.distinct];
    for &gram in grams.numbers.iter().filter(|&&gram| gram != NONE) {
        counts[gram as usize] += 1;
    }
    Ok(counts)
}

fn check_order(n: usize) -> Result<()> {
    if n == 0 { Err(Error::domain("n", "be at least 1", "0")) } else { Ok(()) }
}

/// All sentences of a call.
#[derive(Default)]
struct Text {
    tokens: Vec<i64>,
    /// Where each sentence ends.
    ends: Vec<usize>,
}

impl Text {
    /// Take up sentences; their numbers.
    fn add(&mut self, argument: &'static str, sentences: Sentences<'_>) -> Result<std::ops::Range<usize>> {
        let (first, mut end) = (self.ends.len(), self.tokens.len());
        for (number, &length) in sentences.lengths.iter().enumerate() {
            match usize::try_from(length) {
                Ok(length) if length > 0 => end += length,
                _ => {
                    let got = format!("{length} in sentence {number}");
                    return Err(Error::domain(argument, "have at least 1 token in each sentence", got));
                }
            }
            self.ends.push(end);
        }
        if end - self.tokens.len() != sentences.tokens.len() {
            let expected = format!("{} tokens, as its lengths say", end - self.tokens.len());
            return Err(Error::shape(argument, expected, sentences.tokens.len().to_string()));
        }
        if let Some(at) = sentences.tokens.iter().position(|&token| token < 0) {
            let at = at + self.tokens.len();
            let sentence = self.ends.partition_point(|&end| end <= at).max(first) - first;
            let got = format!("{} in sentence {sentence}", sentences.tokens[at - self.tokens.len()]);
            return Err(Error::domain(argument, "have token ids of at least 0", got));
        }
        self.tokens.extend_from_slice(sentences.tokens);
        if self.tokens.len() >= NONE as usize {
            return Err(Error::shape(argument, "fewer than 2^32 - 1 tokens", self.tokens.len().to_string()));
        }
        Ok(first..self.ends.len())
    }

    fn range(&self, sentence: usize) -> std::ops::Range<usize> {
        let start = if sentence == 0 { 0 } else { self.ends[sentence - 1] };
        start..self.ends[sentence]
    }

    fn length(&self, sentence: usize) -> i64 {
        self.range(sentence).len() as i64
    }
}

/// Numbers of the k-grams that begin at each position, [`NONE`] where the sentence is too short.
struct Grams {
    order: usize,
    /// Number of the token at each position.
    tokens: Vec<u32>,
    numbers: Vec<u32>,
    /// How many k-grams there are.
    distinct: usize,
}

impl Grams {
    fn new(text: &Text, interrupt: &Interrupt) -> Result<Self> {
        let mut interner = Interner::new(text.tokens.len());
        let mut tokens = Vec::with_capacity(text.tokens.len());
        for stretch in text.tokens.chunks(STRETCH) {
            interrupt.check()?;
            tokens.extend(stretch.iter().map(|&token| interner.number(token.cast_unsigned())));
        }
        Ok(Self { order: 1, numbers: tokens.clone(), tokens, distinct: interner.len() })
    }

    /// Go from k to k + 1.
    fn lengthen(&mut self, text: &Text, interrupt: &Interrupt) -> Result<()> {
        let mut interner = Interner::new(self.numbers.len());
        for sentence in 0..text.ends.len() {
            if sentence % STRETCH == 0 {
                interrupt.check()?;
            }
            let range = text.range(sentence);
            let whole = range.end.saturating_sub(self.order).max(range.start);
            for at in range.start..whole {
                let key = (u64::from(self.numbers[at]) << 32) | u64::from(self.tokens[at + self.order]);
                self.numbers[at] = interner.number(key);
            }
            self.numbers[whole..range.end].fill(NONE);
        }
        self.order += 1;
        self.distinct = interner.len();
        Ok(())
    }

    /// The k-grams of each sentence with their counts.
    fn runs(&self, text: &Text, interrupt: &Interrupt) -> Result<Runs> {
        let mut runs = Runs { counts: Vec::with_capacity(self.numbers.len()), ends: Vec::new() };
        let mut sorted = Vec::new();
        for sentence in 0..text.ends.len() {
            if sentence % STRETCH == 0 {
                interrupt.check()?;
            }
            sorted.clear();
            sorted.extend(self.numbers[text.range(sentence)].iter().filter(|&&gram| gram != NONE));
            sorted.sort_unstable();
            runs.counts.extend(sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)));
            runs.ends.push(runs.counts.len());
        }
        Ok(runs)
    }
}

/// Distinct k-grams and their counts, sentence by sentence.
struct Runs {
    counts: Vec<(u32, u32)>,
    ends: Vec<usize>,
}

impl Runs {
    fn of(&self, sentence: usize) -> &[(u32, u32)] {
        let start = if sentence == 0 { 0 } else { self.ends[sentence - 1] };
        &self.counts[start..self.ends[sentence]]
    }
}

/// The largest count of a k-gram in a sentence, whose it is, and the largest in any other.
#[derive(Clone, Copy, Default)]
struct Best {
    first: u32,
    second: u32,
    owner: usize,
}

impl Best {
    fn add(&mut self, count: u32, sentence: usize) {
        if count > self.first {
            *self = Self { first: count, second: self.first, owner: sentence };
        } else {
            self.second = self.second.max(count);
        }
    }

    fn without(&self, sentence: usize, alone: bool) -> u32 {
        if alone && self.owner == sentence { self.second } else { self.first }
    }
}

/// The nearest of some lengths to each other one, which is left out once itself where it is among them.
fn closest(lengths: &[i64], wanted: &[i64], alone: bool) -> Vec<i64> {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    wanted
        .iter()
        .map(|&length| {
            let (below, above) =
                (sorted.partition_point(|&l| l < length), sorted.partition_point(|&l| l <= length));
            if above - below > usize::from(alone) {
                return length;
            }
            let (shorter, longer) = (sorted[..below].last(), sorted.get(above));
            match (shorter, longer) {
                (Some(&shorter), Some(&longer)) if longer - length < length - shorter => longer,
                (Some(&shorter), _) => shorter,
                (None, Some(&longer)) => longer,
                // Only a sentence that is judged by nobody comes here, and such are refused.
                (None, None) => length,
            }
        })
        .collect()
}
