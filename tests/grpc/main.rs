//! The layer around the services of tonic.

#[path = "../wire/app.rs"]
#[allow(dead_code, reason = "shared with tests/wire")]
mod app;
#[path = "../wire/frames.rs"]
#[allow(dead_code, reason = "shared with tests/wire")]
mod frames;
mod limits;
mod rejected;
mod service;
#[path = "../wire/support.rs"]
#[allow(dead_code, unused_imports, reason = "shared with tests/wire")]
mod support;
