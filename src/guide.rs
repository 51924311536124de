//! Pages that explain one subject each.

#[doc = include_str!("guide/rejections_that_arrive.md")]
pub mod rejections_that_arrive {}

#[doc = include_str!("guide/layer_order.md")]
#[doc = include_str!("guide/layer_order_table.md")]
pub mod layer_order {}

#[doc = include_str!("guide/validators.md")]
pub mod validators {}

#[cfg(feature = "serve")]
#[doc = include_str!("guide/http2_and_serve.md")]
pub mod http2_and_serve {}

#[cfg(feature = "client")]
#[doc = include_str!("guide/proxying.md")]
pub mod proxying {}

#[doc = include_str!("guide/deployment.md")]
pub mod deployment {}

#[doc = include_str!("guide/debugging_a_417.md")]
pub mod debugging_a_417 {}

#[cfg(feature = "client")]
#[doc = include_str!("guide/client.md")]
pub mod client {}

#[doc = include_str!("guide/design_notes.md")]
pub mod design_notes {}
