//! The events as those of `tracing`, named as on the server's side.

use tracing::{event, Level};

use super::Event;

const TARGET: &str = "tower_expect::client";

pub(super) fn event(event: &Event) {
    match event {
        Event::Asked { content_length } => event!(
            target: TARGET,
            Level::DEBUG,
            http.request.body.size = content_length,
            "waiting for 100 Continue",
        ),
        Event::Continued { delay } => event!(
            target: TARGET,
            Level::DEBUG,
            tower_expect.delay = delay.as_secs_f64(),
            "100 Continue",
        ),
        Event::TimedOut { delay } => event!(
            target: TARGET,
            Level::DEBUG,
            tower_expect.delay = delay.as_secs_f64(),
            "no 100 Continue in time, sending the body",
        ),
        Event::Unheard {} => event!(
            target: TARGET,
            Level::DEBUG,
            "the connection cannot report a 100 Continue, sending the body",
        ),
        Event::Rejected { status, spared } => event!(
            target: TARGET,
            Level::DEBUG,
            http.response.status_code = status.as_u16(),
            tower_expect.spared = spared,
            "response before the body, which is not sent",
        ),
        Event::Repeated { reason } => event!(
            target: TARGET,
            Level::DEBUG,
            "error.type" = reason.as_str(),
            "repeating the request",
        ),
    }
}
