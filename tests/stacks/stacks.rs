//! The table of stacks.

use axum::Router;

use crate::{
    layers, mappers,
    stack::{async_validator, default, no_linger, twice, validator, Belongs, Stack},
};

use Belongs::{Either, Inside, Outside};

const REPLACED: &str = "outside, rejections stay as they are; inside, the layer replaces them";
const CHANGED: &str = "outside, rejections stay as they are; inside, the layer changes them";
const UNCHANGED: &str = "rejections are the same on either side";
const OWN: &str =
    "outside, the layer's own responses get the close and arrive; inside, they do not pass \
    `ExpectLayer`";
const DROPS: &str =
    "outside, the layer's own responses get the close and arrive; inside, the layer \
    drops the future of `ExpectLayer` and responds without it";
const ADDS: &str = "inside, rejections get the layer's headers; outside, they lack them";
const TRACED: &str = "inside, rejections are traced; outside, they are not";

pub(crate) static STACKS: &[Stack] = &[
    // Handlers.
    Stack::alone("handler: 401", "/401").thorough(),
    Stack::alone("handler: 401 after 5 ms", "/401-late").thorough(),
    Stack::alone("handler: 413, no_linger()", "/413")
        .expect(no_linger)
        .thorough(),
    Stack::alone("handler: read on a thread, 202", "/thread").thorough(),
    Stack::alone("handler: read in a task, 202", "/task").thorough(),
    Stack::alone("handler: polled, rest in a task, 202", "/polled"),
    Stack::alone("handler: echo", "/echo"),
    Stack::alone("handler: events, body held", "/events").thorough(),
    Stack::alone("handler: reads the body", "/read"),
    Stack::alone("ExpectLayer twice", "/401")
        .expect(twice)
        .thorough(),
    Stack::alone("validator", "/read")
        .expect(validator)
        .thorough(),
    Stack::alone("async validator", "/read")
        .expect(async_validator)
        .thorough(),
    // axum.
    Stack::with("`map_response`: redirect", "/401", mappers::redirect)
        .belongs(Either, REPLACED)
        .thorough(),
    Stack::with("`map_response`: JSON", "/401", mappers::json)
        .belongs(Either, REPLACED)
        .thorough(),
    Stack::with("`map_response`: page", "/401", mappers::error_page)
        .belongs(Either, REPLACED)
        .thorough(),
    Stack::with(
        "`map_response`: waits, then page",
        "/401",
        mappers::waits_before,
    )
    .belongs(Either, REPLACED),
    Stack::with(
        "`map_response`: drops, waits, page",
        "/401",
        mappers::waits_after,
    )
    .belongs(Either, REPLACED),
    Stack::with(
        "`map_response`: redirect, validator",
        "/401",
        mappers::redirect,
    )
    .expect(validator)
    .belongs(Either, REPLACED),
    Stack::with(
        "`map_response`: page, async validator",
        "/401",
        mappers::error_page,
    )
    .expect(async_validator)
    .belongs(Either, REPLACED)
    .thorough(),
    Stack::with(
        "`map_response`: page, no_linger()",
        "/413",
        mappers::error_page,
    )
    .expect(no_linger)
    .belongs(Either, REPLACED),
    Stack::with(
        "`map_response`: page, body read in a task",
        "/task",
        mappers::error_page,
    )
    .as_bare_inside()
    .belongs(Either, REPLACED),
    Stack::with(
        "`map_response`: JSON, events with body held",
        "/events",
        mappers::json,
    )
    .as_bare_inside()
    .belongs(Either, REPLACED),
    Stack::with("`map_response` between two ExpectLayers", "/401", between)
        .belongs(Either, REPLACED)
        .thorough(),
    Stack::with("`from_fn`: authenticates", "/read", mappers::authenticates)
        .as_bare_inside()
        .belongs(Outside, OWN),
    Stack::with("`from_fn`: replaces", "/413", mappers::replaces).belongs(Either, REPLACED),
    Stack::with("`from_fn`: drops the future", "/never", mappers::gives_up)
        .as_bare_inside()
        .belongs(Outside, DROPS),
    Stack::with("`from_fn`: repeats the request", "/503", mappers::repeats)
        .belongs(Either, REPLACED),
    // tower.
    Stack::with(
        "`HandleErrorLayer`, `TimeoutLayer` of tower",
        "/never",
        layers::handle_error_timeout,
    )
    .as_bare_inside()
    .belongs(Outside, DROPS)
    .thorough(),
    Stack::with("`BufferLayer`", "/401", layers::buffer).belongs(Outside, OWN),
    Stack::with("`BufferLayer`, read on a thread", "/thread", layers::buffer).belongs(Outside, OWN),
    Stack::with(
        "`BufferLayer`, `SpawnReadyLayer`",
        "/401",
        layers::spawn_ready,
    )
    .belongs(Outside, OWN),
    Stack::with("`LoadShedLayer`", "/read", layers::load_shed)
        .as_bare_inside()
        .belongs(Outside, OWN),
    Stack::with("`ConcurrencyLimitLayer`", "/401", layers::concurrency_limit)
        .belongs(Outside, UNCHANGED),
    Stack::with("`FilterLayer`", "/read", layers::filter)
        .as_bare_inside()
        .belongs(Outside, OWN),
    // The response may be ready before the connection has had its turn.
    Stack::with("`tokio::spawn`", "/401", layers::spawn)
        .as_bare_inside()
        .belongs(Outside, UNCHANGED),
    Stack::with(
        "`tokio::spawn`, polled, rest in a task",
        "/polled",
        layers::spawn,
    )
    .as_bare_inside()
    .belongs(Outside, UNCHANGED),
    // tower-http.
    Stack::with("`TimeoutLayer`", "/never", layers::timeout)
        .as_bare_inside()
        .belongs(Outside, DROPS)
        .thorough(),
    Stack::with("`CatchPanicLayer`", "/panic", layers::catch_panic)
        .as_bare_inside()
        .belongs(Outside, DROPS)
        .thorough(),
    Stack::with("`RequestBodyLimitLayer`", "/read", layers::body_limit)
        .as_bare_inside()
        .belongs(Outside, OWN)
        .thorough(),
    Stack::with(
        "`ValidateRequestHeaderLayer`",
        "/read",
        layers::validate_request,
    )
    .headers("Accept: text/html\r\n")
    .as_bare_inside()
    .belongs(Outside, OWN),
    Stack::with(
        "`AsyncRequireAuthorizationLayer`",
        "/read",
        layers::async_authorization,
    )
    .as_bare_inside()
    .belongs(Outside, OWN),
    Stack::with("`CsrfLayer`", "/read", layers::csrf)
        .headers("Sec-Fetch-Site: cross-site\r\n")
        .as_bare_inside()
        .belongs(Outside, OWN),
    Stack::with(
        "`RequestDecompressionLayer`",
        "/read",
        layers::request_decompression,
    )
    .headers("Content-Encoding: compress\r\n")
    .as_bare_inside()
    .belongs(Outside, OWN),
    Stack::with("`CorsLayer`: OPTIONS", "/read", layers::cors)
        .method("OPTIONS")
        .as_bare_inside()
        .belongs(Inside, ADDS),
    Stack::with("`CorsLayer`", "/401", layers::cors).belongs(Inside, ADDS),
    Stack::with(
        "`SetResponseHeaderLayer`: keep-alive",
        "/401",
        layers::set_header,
    )
    .belongs(Either, CHANGED),
    Stack::with("`SetStatusLayer`", "/401", layers::set_status).belongs(Either, CHANGED),
    Stack::with("`MapResponseBodyLayer`", "/401", layers::map_response_body)
        .belongs(Either, CHANGED),
    Stack::with(
        "`ResponseBodyTimeoutLayer`",
        "/401",
        layers::response_body_timeout,
    )
    .belongs(Either, UNCHANGED),
    Stack::with("`CompressionLayer`", "/401", layers::compression)
        .headers("Accept-Encoding: gzip\r\n")
        .belongs(Either, CHANGED),
    Stack::with("`CompressionLayer`, echo", "/echo", layers::compression)
        .headers("Accept-Encoding: gzip\r\n")
        .belongs(Either, CHANGED),
    Stack::with("`TraceLayer`", "/401", layers::trace).belongs(Inside, TRACED),
];

fn between(app: Router) -> Router {
    default(mappers::redirect(app))
}
