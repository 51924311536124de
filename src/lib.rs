//! tower-expect

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)
)]

mod body;
mod credentials;
mod decision;
mod exchange;
mod expectation;
mod field_value;
mod future;
mod head;
mod layer;
mod media_range;
mod rejection;
pub mod render;
pub mod rules;
mod service;
mod signal;
mod unread;
mod validator;

#[cfg(feature = "tokio")]
mod linger;
#[cfg(not(feature = "tokio"))]
#[path = "linger/off.rs"]
mod linger;

#[cfg(feature = "tokio")]
pub use self::linger::Linger;
pub use self::{
    body::{ExpectBody, ResponseBody},
    credentials::{Authorization, Basic},
    decision::{Scope, Unsignallable},
    expectation::{Expectation, Expectations, Iter, MalformedExpect, Params},
    field_value::IntoFieldValue,
    future::{AsyncResponseFuture, ResponseFuture},
    head::{InvalidHeader, RequestHead},
    layer::ExpectLayer,
    rejection::Rejection,
    render::Render,
    service::Expect,
    signal::ContinueSignal,
    validator::{Async, AsyncValidator, Validator},
};
