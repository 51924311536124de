//! Frames into the crate's HTTP/2 server with the layer in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio::io::duplex;
use tower::{service_fn, Layer};
use tower_expect::{http2::Builder, ExpectLayer};
use tower_expect_fuzz::{
    app,
    frames::{script::Script, transcript},
    runtime,
};

fuzz_target!(|script: Script| {
    let service = ExpectLayer::new(app::by_field).layer(service_fn(app::answer));
    let (_, received) = runtime::run(async {
        let (near, far) = duplex(1 << 14);
        let server = Builder::new().serve_connection(near, service);
        tokio::join!(server, script.play(far))
    });
    transcript::check(&received);
});
