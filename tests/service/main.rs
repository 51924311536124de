//! The service as its caller sees it: polled by hand, without sockets.

mod accepted;
mod api;
mod bodies;
mod cancel;
mod prime;
mod properties;
mod race;
mod readiness;
mod reject;
mod render;
mod signal;
mod support;
mod table;

#[cfg(feature = "tokio")]
mod before_response;
#[cfg(feature = "tokio")]
mod deadline;
#[cfg(feature = "tokio")]
mod dropped;
#[cfg(feature = "tokio")]
mod linger;
#[cfg(feature = "tokio")]
mod nested;
#[cfg(feature = "tokio")]
mod observe;
#[cfg(feature = "tokio")]
mod switching;
#[cfg(feature = "tokio")]
mod unread;
