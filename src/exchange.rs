//! One request in flight: from the moment it is accepted or rejected until its body is gone.
//!
//! An [`Exchange`](state::Exchange) is one allocation, shared by the request body that the application
//! has, the response future, and the response body. It tracks where the request body is, and whether the
//! client was invited to send it:
//!
//! ```text
//!            the application drops it                drained, or dropped before the response
//!      Lent ─────────────────────────▶ Returned ──────────────────────────────────────────▶ Gone
//!        │                                ▲                                                   ▲
//!        │                                └─ drained before the response, but not to its end   │
//!        │                                                                                     │
//!        ├── read to its end; or dropped by the application, where it is not to be kept ───────┤
//!        │                                                                                     │
//!        │ the head of the response is out                                                     │
//!        ▼          read to its end; or dropped by the application, then drained or dropped    │
//!      Late ───────────────────────────────────────────────────────────────────────────────────┘
//!
//!      Never ──▶ Polled ──▶ Invited
//!                  │           a 100 is known to be sent, or a frame has arrived:
//!                  │           the client owes its body
//!                  └ a poll was pending: perhaps a 100 is sent, perhaps not
//! ```
//!
//! Before the response leaves, [`Flight::before`](flight::Flight::before) returns what must be done first.
//! A client that expects and was not invited does not owe its body once it has the response, so its body
//! must not be read afterwards: the next bytes may be its next request. [`terms`] decides what happens to the
//! body, and [`drain`] drains it where that is safe.

mod begin;
mod body;
mod close;
#[cfg_attr(not(feature = "tokio"), path = "exchange/drain/off.rs")]
mod drain;
mod finish;
mod flight;
mod held;
mod marker;
mod outcome;
mod reject;
mod response;
#[cfg_attr(
    not(feature = "http2"),
    allow(dead_code, reason = "`http2` makes rooms, and `tokio` drains")
)]
mod room;
mod settle;
mod state;
mod terms;

#[cfg(feature = "http2")]
pub(crate) use self::room::Room;
pub(crate) use self::{
    begin::accept,
    outcome::Outcome,
    reject::{reject, reject_unasked},
};
#[cfg(feature = "serve")]
pub(crate) use self::{begin::accept_under_server, marker::Turns};
pub use self::{body::ExpectBody, response::ResponseBody, settle::ResponseFuture};
