//! Whether two proportions differ by more than chance.

use crate::measure::Count;

/// How often a difference this large, or a larger one, is mere chance before it counts as one.
///
/// A run makes a few hundred comparisons, so that one run in some thousands gives a false alarm at the
/// very most. With 12 tries and more, "all against none" is told; smaller differences take more tries.
const CHANCE: f64 = 1e-6;

/// Whether more was executed than without the layer, beyond chance.
///
/// Fisher's exact test, one-sided: the hidden requests that were executed are dealt to the tries of both
/// at random; how likely is it that those with the layer get as many of them, or more?
pub(crate) fn is_above(layer: Count, bare: Count) -> bool {
    chance(layer.hidden, layer.counted, bare.hidden, bare.counted) < CHANCE
}

fn chance(hits: usize, tries: usize, bare_hits: usize, bare_tries: usize) -> f64 {
    let all_hits = hits + bare_hits;
    let ways = ln_choose(tries + bare_tries, all_hits);
    let at_least = hits..=all_hits.min(tries);
    let likelihoods = at_least
        .filter(|hits| all_hits - hits <= bare_tries)
        .map(|hits| (ln_choose(tries, hits) + ln_choose(bare_tries, all_hits - hits) - ways).exp());
    likelihoods.sum()
}

/// The logarithm of the number of ways to choose `k` of `n`.
fn ln_choose(n: usize, k: usize) -> f64 {
    let ln = |number: usize| f64::from(u32::try_from(number).expect("tries are few")).ln();
    (1..=k).map(|i| ln(n - k + i) - ln(i)).sum()
}

#[test]
fn differences_that_chance_explains_are_none() {
    for (layer, bare) in [
        ((0, 20), (0, 20)),
        ((20, 20), (20, 20)),
        ((11, 400), (7, 400)),
    ] {
        assert!(
            chance(layer.0, layer.1, bare.0, bare.1) > 0.1,
            "{layer:?} {bare:?}"
        );
    }
    assert!(chance(3, 20, 0, 20) > CHANCE);
    assert!(chance(0, 0, 20, 20) > CHANCE);
}

#[test]
fn differences_that_chance_does_not_explain_are_told() {
    // 1 in 40 over 20.
    let all_against_none = chance(20, 20, 0, 20);
    assert!((all_against_none * 137_846_528_820.0 - 1.0).abs() < 1e-6);
    assert!(chance(12, 12, 0, 12) < CHANCE);
    assert!(chance(100, 100, 40, 100) < CHANCE);
}
