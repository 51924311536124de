//! Counts as what can be divided.

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn to_float(count: u64) -> f64 {
    count as f64
}
