//! One request in flight: from the moment it is accepted or rejected until its body is gone.
//!
//! An [`Exchange`](state::Exchange) is one allocation that three hold in turn: the request body in the
//! hands of the application, the response future, and the response body. It knows where the request
//! body is, and how far the client was asked for it:
//!
//! ```text
//!            the application drops it              drained or dropped
//!      Lent ─────────────────────────▶ Returned ──────────────────────▶ Gone
//!        │  ╲                            ▲                                ▲
//!        │   ╲ reads it to its end ──────┼────────────────────────────────┤
//!        │                               │ not all of it                  │
//!        │                            (drained before the response)      │
//!        │ the response leaves                                            │
//!        ▼                                                                │
//!      Late ──────────────────────────────────────────────────────────────┘
//!                the application drops it or reads it to its end
//!
//!      Never ──▶ Polled ──▶ Invited
//!                  │           a 100 is known to be sent, or a frame has arrived:
//!                  │           the client owes the rest
//!                  └ a poll was pending: perhaps a 100 is sent, perhaps not
//! ```
//!
//! Before the response leaves, [`Flight::before`](flight::Flight::before) says what is to be done first.
//! A client that expects and was not invited does not owe its body once it has the response, so its body
//! must not be read afterwards: what follows may be the next request. [`drain`] does the reading where it
//! is safe.

mod begin;
mod body;
mod close;
#[cfg_attr(not(feature = "tokio"), path = "exchange/drain/off.rs")]
mod drain;
mod finish;
mod flight;
mod marker;
mod reject;
mod response;
mod settle;
mod state;

pub(crate) use self::{
    begin::accept,
    reject::{reject, reject_unasked},
    settle::Outcome,
};
#[cfg(feature = "serve")]
pub(crate) use self::{begin::accept_under_server, marker::Turns};
pub use self::{body::ExpectBody, response::ResponseBody, settle::ResponseFuture};
