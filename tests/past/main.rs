//! Nothing gets past the validator: no request that it rejects reaches the application, and no byte
//! beyond what it accepts.

mod cell;
#[path = "../wire/frames.rs"]
#[allow(dead_code, reason = "shared with tests/wire")]
mod frames;
mod guards;
mod http1;
mod http2;
mod oracle;
#[path = "../wire/support.rs"]
#[allow(dead_code, unused_imports, reason = "shared with tests/wire")]
mod support;
mod table;
