//! Limits that hold while a body of unknown length is read, and what clients get to see of them.

mod axum;
