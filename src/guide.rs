//! Pages that go further than the crate's front page.

#[doc = include_str!("guide/debugging_a_417.md")]
pub mod debugging_a_417 {}

/// Where `ExpectLayer` belongs among other layers, and what happens where it stands elsewhere.
///
#[doc = include_str!("guide/layer_order_table.md")]
pub mod layer_order {}
