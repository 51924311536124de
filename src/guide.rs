//! Pages that go further than the crate's front page.

#[doc = include_str!("guide/debugging_a_417.md")]
pub mod debugging_a_417 {}

#[cfg(feature = "client")]
#[doc = include_str!("guide/client.md")]
pub mod client {}

/// Where `ExpectLayer` belongs among other layers, and what happens where it stands elsewhere.
///
/// With `Router::layer`, the layer that is added last is the outermost. In a `ServiceBuilder`, the first is.
///
/// | layer | put `ExpectLayer` | otherwise |
/// |---|---|---|
/// | your own auth by `from_fn` | outside | its 401 is lost to clients that are sending |
/// | `CatchPanicLayer`, `TimeoutLayer`, `HandleErrorLayer`, `LoadShedLayer` | outside | their responses say no close, and a body that is not owed may be read as a request, as without the layer |
/// | `RequestBodyLimitLayer`, `RequestDecompressionLayer` | outside | the same |
/// | `BufferLayer`, `ConcurrencyLimitLayer`, `tokio::spawn` | outside | rejections take a place of theirs |
/// | `map_response` and others that replace responses | on either side | outside of them, the layer's own rejections stay as they are |
/// | `CorsLayer` | inside | pages of other origins cannot read rejections, and preflights are validated |
/// | `TraceLayer`, metrics, request ids | inside | rejections are not seen by them |
/// | `SetResponseHeaderLayer` that sets `Connection` | do not use it | it takes the close away |
///
/// Nothing outside may remove or rewrite the `Expect` header; use
/// [`strip_expect`](crate::ExpectLayer::strip_expect) for the services inside. The layer would take the client
/// for one that owes its body.
///
/// # What was measured
///
#[doc = include_str!("guide/layer_order_table.md")]
pub mod layer_order {}
