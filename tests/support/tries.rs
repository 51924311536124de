//! How often a race is run.

/// `TOWER_EXPECT_TRIES`, or else the default.
pub(crate) fn tries(default: usize) -> usize {
    let tries = std::env::var("TOWER_EXPECT_TRIES").ok();
    tries.map_or(default, |tries| {
        tries.parse().expect("TOWER_EXPECT_TRIES is not a number")
    })
}
