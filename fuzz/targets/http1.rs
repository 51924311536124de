//! A stream of bytes into hyper's HTTP/1 with the layer above it.

#![no_main]

use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use libfuzzer_sys::fuzz_target;
use tokio::io::duplex;
use tower::{service_fn, Layer};
use tower_expect::ExpectLayer;
use tower_expect_fuzz::{
    app, runtime,
    wire::{
        client::{Script, Stream},
        log::{Log, Numbering},
        transcript,
    },
};

fuzz_target!(|script: Script| {
    let log = Log::default();
    let layer = ExpectLayer::new(app::by_field);
    let service = Numbering::new(layer.layer(service_fn(app::answer)), log.clone());
    let (_, received) = runtime::run(async {
        let (near, far) = duplex(1 << 14);
        let server = http1::Builder::new()
            .serve_connection(TokioIo::new(near), TowerToHyperService::new(service));
        tokio::join!(server, script.play(far))
    });
    let calls = log.take();
    transcript::check(&received, &calls);
    if let Stream::Honest(_) = script.stream {
        let executed = calls.iter().position(|call| call.path == "/hidden");
        assert_eq!(
            executed,
            None,
            "content was executed after {:?}",
            calls.first()
        );
    }
});
