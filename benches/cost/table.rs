//! The table.

use super::{bars::Bar, growth::Growth, row::Row, stacks::is_bare};

pub(crate) fn print(rows: &[Row], growths: &[Growth], bars: &[Bar]) {
    println!("\nThe cost of one request, above the bare service or client\n");
    let mut scenario = "";
    for row in rows {
        if row.scenario != scenario {
            scenario = row.scenario;
            println!(
                "{scenario:40} {:>12} {:>12} {:>8} {:>8}",
                "instructions", "allocations", "bytes", "ns"
            );
        }
        let sign = |figure: String| match is_bare(row.layer) {
            true => format!("({figure})"),
            false => figure,
        };
        println!(
            "  {:38} {:>12} {:>12} {:>8} {:>8}",
            row.layer,
            sign(shown(row.instructions)),
            sign(shown(Some(row.allocations))),
            sign(shown(Some(row.bytes))),
            sign(shown(row.nanoseconds.map(f64::round))),
        );
    }
    println!("\nIn parentheses: the bare one itself. Rejections spare it, and are set against it all the same.");
    print_growth(growths);
    print_bars(bars);
}

fn print_growth(growths: &[Growth]) {
    if growths.is_empty() {
        return;
    }
    println!(
        "\nHow it grows: instructions above the bare service, by the number of fields or bytes\n"
    );
    for growth in growths {
        let points = growth.points.iter();
        let points: Vec<_> = points
            .map(|(size, count)| format!("{size}: {count}"))
            .collect();
        let ratio = growth.per_doubling().unwrap_or(f64::NAN);
        println!(
            "{:38} x {ratio:.2} per doubling   {}",
            growth.shape,
            points.join("  ")
        );
    }
}

fn print_bars(bars: &[Bar]) {
    println!(
        "\n{:60} {:>10} {:>10} {:>7}",
        "Bars", "measured", "bar", "ratio"
    );
    for bar in bars {
        let verdict = match bar.is_met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "not measured",
        };
        let ratio = bar
            .measured
            .zip(bar.limit)
            .map(|(measured, limit)| measured / limit);
        let ratio = ratio.filter(|ratio| ratio.is_finite());
        println!(
            "{:60} {:>10} {:>10} {:>7}  {verdict}",
            bar.name,
            shown(bar.measured),
            shown(bar.limit),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        );
    }
}

fn shown(figure: Option<f64>) -> String {
    match figure {
        Some(figure) if figure.fract() == 0.0 => format!("{figure}"),
        Some(figure) => format!("{figure:.2}"),
        None => "-".into(),
    }
}
