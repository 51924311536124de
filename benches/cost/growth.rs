//! How the cost grows with the request.

use super::{
    instructions::Counted,
    numbers::to_float,
    stacks::growth::{grown, SHAPES},
};

/// Instructions above the bare service for a request of one shape, by its size.
pub(crate) struct Growth {
    pub(crate) shape: &'static str,
    pub(crate) points: Vec<(usize, f64)>,
}

pub(crate) fn of(counted: &Counted) -> Vec<Growth> {
    let measured: Vec<_> = grown().into_iter().zip(&counted.growth).collect();
    let count = |shape: &str, size, layered| {
        let mut measured = measured.iter();
        let found = measured.find(|(grown, _)| {
            grown.shape.name == shape && grown.size == size && grown.layered == layered
        });
        found.map(|(_, count)| **count)
    };
    let point = |shape, size| Some((size, count(shape, size, true)? - count(shape, size, false)?));
    let growth = SHAPES.iter().map(|shape| Growth {
        shape: shape.name,
        points: shape
            .sizes
            .iter()
            .filter_map(|&size| point(shape.name, size))
            .collect(),
    });
    growth.filter(|growth| growth.points.len() > 1).collect()
}

impl Growth {
    /// By what the cost is multiplied when the size doubles, between the two largest sizes.
    pub(crate) fn per_doubling(&self) -> Option<f64> {
        let [.., (small, cheap), (large, dear)] = self.points[..] else {
            return None;
        };
        let doublings = (to_float(large as u64) / to_float(small as u64)).log2();
        Some((dear / cheap).powf(1.0 / doublings))
    }
}
