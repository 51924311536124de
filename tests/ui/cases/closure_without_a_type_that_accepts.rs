use tower_expect::ExpectLayer;

fn main() {
    let _ = ExpectLayer::new(|_| Ok(()));
}
