//! Nothing gets past the validator: no request that it rejects reaches the application, and no byte
//! beyond what it accepts.

#[path = "../wire/app.rs"]
#[allow(dead_code, reason = "shared with tests/wire")]
mod app;
mod cell;
#[path = "../wire/frames.rs"]
#[allow(dead_code, reason = "shared with tests/wire")]
mod frames;
mod guards;
mod http1;
mod http2;
mod limits;
mod oracle;
#[path = "../support/skip.rs"]
mod skip;
#[path = "../wire/support.rs"]
#[allow(dead_code, unused_imports, reason = "shared with tests/wire")]
mod support;
mod table;
mod tools;
mod unchanged;
