//! Emits the events as those of `tracing`.
//!
//! Field names follow OpenTelemetry's semantic conventions for HTTP where they have one. The level is DEBUG,
//! except for what an operator should know of: accept errors, the limit of connections, and connections
//! that are cut at a shutdown are at WARN.

use tracing::{enabled, event, Level};

pub(crate) use tracing::Span;

use super::{ConnectionEnd, Event};

const TARGET: &str = "tower_expect";

pub(crate) fn is_on() -> bool {
    enabled!(target: TARGET, Level::DEBUG)
}

pub(crate) fn event(event: &Event) {
    match event {
        Event::Accepted {
            expecting,
            content_length,
        } => event!(
            target: TARGET,
            Level::DEBUG,
            http.request.body.size = content_length,
            tower_expect.expecting = expecting,
            "request accepted",
        ),
        Event::Rejected {
            status,
            reason,
            message,
            content_length,
        } => event!(
            target: TARGET,
            Level::DEBUG,
            http.response.status_code = status.as_u16(),
            "error.type" = reason.as_str(),
            "error.message" = &**message,
            http.request.body.size = content_length,
            "request rejected before its body",
        ),
        Event::Continued { delay } => event!(
            target: TARGET,
            Level::DEBUG,
            tower_expect.delay = delay.as_secs_f64(),
            "100 Continue",
        ),
        Event::NeverRead {
            status,
            expecting,
            content_length,
        } => event!(
            target: TARGET,
            Level::DEBUG,
            http.response.status_code = status.as_u16(),
            http.request.body.size = content_length,
            tower_expect.expecting = expecting,
            "responded without reading the body",
        ),
        Event::Lingering {} => event!(target: TARGET, Level::DEBUG, "draining behind the response"),
        Event::Lingered {
            bytes,
            spared,
            end,
            duration,
        } => event!(
            target: TARGET,
            Level::DEBUG,
            tower_expect.linger.bytes = bytes,
            tower_expect.linger.spared = spared,
            tower_expect.linger.end = end.as_str(),
            tower_expect.linger.duration = duration.as_secs_f64(),
            "drained behind the response",
        ),
        Event::Connected {} => event!(target: TARGET, Level::DEBUG, "connection accepted"),
        Event::Disconnected {
            end: ConnectionEnd::Aborted,
            message,
            duration,
        } => event!(
            target: TARGET,
            Level::WARN,
            "error.message" = message.as_deref(),
            tower_expect.connection.duration = duration.as_secs_f64(),
            "connection cut at the shutdown",
        ),
        Event::Disconnected {
            end,
            message,
            duration,
        } => event!(
            target: TARGET,
            Level::DEBUG,
            tower_expect.connection.end = end.as_str(),
            "error.message" = message.as_deref(),
            tower_expect.connection.duration = duration.as_secs_f64(),
            "connection ended",
        ),
        Event::AcceptFailed { message } => event!(
            target: TARGET,
            Level::WARN,
            "error.message" = &**message,
            "failed to accept a connection",
        ),
        Event::MaxConnections {} => event!(
            target: TARGET,
            Level::WARN,
            "limit of connections reached; accepting pauses",
        ),
    }
}
