use std::rc::Rc;

use tower_expect::{ExpectLayer, Rejection, RequestHead};

fn main() {
    let token = Rc::new("s3cr3t");
    let _ = ExpectLayer::new(move |head: &RequestHead| match head.bearer() == Some(*token) {
        true => Ok(()),
        false => Err(Rejection::unauthorized("Bearer")),
    });
}
