use tower_expect::{ExpectLayer, Rejection};

fn main() {
    let _ = ExpectLayer::new(|head| match head.bearer() {
        Some("s3cr3t") => Ok(()),
        _ => Err(Rejection::unauthorized("Bearer")),
    });
}
