//! What a client can do after a rejection, by its status.

use http::StatusCode;

/// The default message of a rejection by a validator; those of the layer itself are in `decision.rs`.
pub(super) fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "repeat the request with valid credentials",
        StatusCode::FORBIDDEN => "these credentials do not allow the request; do not repeat it",
        StatusCode::NOT_FOUND => "check the address of the request",
        StatusCode::METHOD_NOT_ALLOWED => "use a method that the Allow header lists",
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::GATEWAY_TIMEOUT
        | StatusCode::SERVICE_UNAVAILABLE => "repeat the request later",
        StatusCode::LENGTH_REQUIRED => "repeat the request with a Content-Length header",
        StatusCode::PAYLOAD_TOO_LARGE => "send a shorter body",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "send the body as a media type that the Accept header lists"
        }
        StatusCode::EXPECTATION_FAILED => "repeat the request without the Expect header",
        StatusCode::UPGRADE_REQUIRED => "switch to a protocol that the Upgrade header lists",
        StatusCode::TOO_MANY_REQUESTS => "wait before sending more requests",
        status if status.is_redirection() => "repeat the request at the address in Location",
        status if status.is_server_error() => {
            "the server could not decide; repeat the request later"
        }
        status if status.is_client_error() => "correct the request before repeating it",
        _ => "the response was made without the body of the request",
    }
}
