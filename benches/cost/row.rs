//! One line of the table: what one layer costs for one kind of request.

use super::{
    allocations,
    instructions::Counted,
    numbers::to_float,
    stacks::{Case, BARE},
};

/// Figures of a layer above those of the bare service; of the bare service as they are.
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) layer: &'static str,
    pub(crate) instructions: Option<f64>,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    pub(crate) nanoseconds: Option<f64>,
}

pub(crate) fn rows(cases: &[Case], counted: Option<&Counted>, times: Option<&[f64]>) -> Vec<Row> {
    let measured = cases.iter().enumerate().map(|(index, case)| {
        let allocated = allocations::count(case.build);
        Row {
            scenario: case.scenario,
            layer: case.layer,
            instructions: counted.map(|counted| counted.cases[index]),
            allocations: to_float(allocated.count_total),
            bytes: to_float(allocated.bytes_total),
            nanoseconds: times.map(|times| times[index]),
        }
    });
    above_bare(&measured.collect::<Vec<_>>())
}

fn above_bare(rows: &[Row]) -> Vec<Row> {
    let bare = |scenario| find(rows, scenario, BARE);
    let above = |row: &Row| match row.layer == BARE {
        true => row.minus(None),
        false => row.minus(bare(row.scenario)),
    };
    rows.iter().map(above).collect()
}

pub(crate) fn find<'a>(rows: &'a [Row], scenario: &str, layer: &str) -> Option<&'a Row> {
    rows.iter()
        .find(|row| row.scenario == scenario && row.layer == layer)
}

impl Row {
    fn minus(&self, bare: Option<&Self>) -> Self {
        let less = |of: fn(&Self) -> Option<f64>| {
            let bare = bare.and_then(of).unwrap_or(0.0);
            of(self).map(|measured| measured - bare)
        };
        Self {
            scenario: self.scenario,
            layer: self.layer,
            instructions: less(|row| row.instructions),
            allocations: less(|row| Some(row.allocations)).unwrap_or_default(),
            bytes: less(|row| Some(row.bytes)).unwrap_or_default(),
            nanoseconds: less(|row| row.nanoseconds),
        }
    }
}
