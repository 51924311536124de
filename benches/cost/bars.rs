//! What the layer may cost at most.

use super::{
    growth::Growth,
    row::{find, Row},
};

/// A figure and the most that it may be; `None` for what was not measured.
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) measured: Option<f64>,
    pub(crate) limit: Option<f64>,
}

impl Bar {
    pub(crate) fn is_met(&self) -> Option<bool> {
        Some(self.measured? <= self.limit?)
    }
}

const OURS: &str = "ExpectLayer";

/// Before there was one exchange per request, with rules that were not asked (rustc 1.95).
const FIRST_VERSION_PUT: f64 = 1158.0;

pub(crate) fn bars(rows: &[Row], growths: &[Growth]) -> Vec<Bar> {
    let instructions =
        |scenario, layer| find(rows, scenario, layer).and_then(|row| row.instructions);
    let allocations = |scenario, layer| find(rows, scenario, layer).map(|row| row.allocations);
    let bar = |name, measured, limit| Bar {
        name,
        measured,
        limit,
    };
    // By chance, a field that is not there is found out sooner or later.
    let gets = ["GET", "GET by curl", "GET by Go", "GET by a browser"];
    let mean = |layer| {
        let [a, b, c, d] = gets.map(|get| instructions(get, layer));
        Some((a? + b? + c? + d?) / 4.0)
    };
    let axum = "Expect, accepted, axum's bodies";
    let by_hand = instructions(axum, "from_fn");
    let doubling = growths.iter().filter_map(Growth::per_doubling);
    let doubling = doubling.max_by(f64::total_cmp);
    vec![
        bar(
            "GET, mean of four clients: instructions, at most limit's",
            mean(OURS),
            mean("limit"),
        ),
        bar(
            "GET: allocations, none",
            allocations("GET", OURS),
            Some(0.0),
        ),
        bar(
            "PUT: instructions, at most two thirds of those of the first version",
            instructions("PUT", OURS),
            Some(FIRST_VERSION_PUT * 2.0 / 3.0),
        ),
        bar(
            "PUT: allocations, at most 1",
            allocations("PUT", OURS),
            Some(1.0),
        ),
        bar(
            "PUT, no linger: allocations, none",
            allocations("PUT", "ExpectLayer, no linger"),
            Some(0.0),
        ),
        bar(
            "Expect, accepted: instructions, at most half of from_fn's",
            instructions(axum, OURS),
            by_hand.map(|count| count / 2.0),
        ),
        bar(
            "Expect, accepted, routed: allocations, at most 1",
            allocations("Expect, accepted, routed", OURS),
            Some(1.0),
        ),
        bar(
            "Expect, rejected: allocations, at most 3",
            allocations("Expect, rejected", OURS),
            Some(3.0),
        ),
        bar(
            "client, not asking: allocations, none",
            allocations("Client, PUT", "ExpectContinueLayer, not asking"),
            Some(0.0),
        ),
        bar(
            "growth: per doubling, at most 2.1 times",
            doubling,
            Some(2.1),
        ),
    ]
}
