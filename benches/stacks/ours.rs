//! The layer of this crate, as it is measured.

use std::future::{ready, Ready};

use tower_expect::{
    render::Render, rules, Accepted, Async, ExpectLayer, Rejection, RequestHead, Validator,
};

use super::requests::{MAX_LENGTH, MEDIA_TYPES, TOKEN};

/// Who, what and how much may be uploaded.
fn rules() -> rules::Rule<impl Validator> {
    rules::bearer_token(TOKEN)
        .and(rules::content_type(MEDIA_TYPES))
        .and(rules::content_length(..=MAX_LENGTH))
}

/// Without a validator: so that rejections of the application arrive.
pub(crate) fn plain() -> ExpectLayer {
    ExpectLayer::default()
}

/// With the default settings.
pub(crate) fn checking() -> ExpectLayer<impl Validator> {
    ExpectLayer::new(rules())
}

pub(crate) fn rendering(renderer: impl Render) -> ExpectLayer<impl Validator> {
    checking().render_with(renderer)
}

type Decision = Ready<Result<Accepted, Rejection>>;

/// The same rules, asked by a validator that is asynchronous and yet ready at once.
pub(crate) fn checking_async() -> ExpectLayer<Async<impl Fn(&RequestHead) -> Decision>> {
    let rules = rules();
    ExpectLayer::new_async(move |head: &RequestHead| ready(rules.validate(head)))
}
