//! The HTTP/2 server over real frames: the 100, refusals, flow control, the ends of streams.

mod lifecycle;
mod refusals;
mod response;
mod signal;
mod support;
mod window;
