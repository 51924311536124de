//! What goes over the wire: literal bytes and single frames, against real servers on loopback.

mod app;
mod curl;
mod departed;
mod desync;
mod field;
mod forms;
mod frames;
mod frameworks;
mod http1;
mod http2;
mod rejected;
mod requirements;
mod signalled;
mod stray;
mod streaming;
mod support;
mod switching;
