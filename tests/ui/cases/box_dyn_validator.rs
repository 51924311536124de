use tower_expect::{ExpectLayer, Validator};

fn main() {
    let validator: Box<dyn Validator> = Box::new(());
    let _ = ExpectLayer::new(validator);
}
