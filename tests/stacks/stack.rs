//! What a stack consists of, and where [`ExpectLayer`] may stand in it.

use axum::Router;
use tokio::time::{sleep, Duration};
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::app;

type Wrap = fn(Router) -> Router;

/// A handler, a layer around it, and [`ExpectLayer`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    pub(crate) name: &'static str,
    /// The handler's path.
    pub(crate) path: &'static str,
    pub(crate) method: &'static str,
    /// Lines of the request's head, each with its end.
    pub(crate) headers: &'static str,
    layer: Option<Wrap>,
    expect: Wrap,
    /// Whether [`ExpectLayer`] inside of the layer promises no more than its absence: the layer responds
    /// by itself or drops the future, or its response replaces one whose request body is still held.
    pub(crate) as_bare_inside: bool,
    pub(crate) belongs: Belongs,
    /// What becomes of a rejection, or of the layer's own response, for the documentation.
    pub(crate) note: &'static str,
    /// Whether to try long bodies and used connections, too.
    pub(crate) thorough: bool,
}

/// Where [`ExpectLayer`] belongs relative to the layer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Belongs {
    Outside,
    Inside,
    Either,
}

/// Where [`ExpectLayer`] stands relative to the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Outside,
    Inside,
    /// Nowhere: the stack that the others are compared with.
    Bare,
}

impl Place {
    pub(crate) const ALL: [Self; 3] = [Self::Outside, Self::Inside, Self::Bare];
}

impl Belongs {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Inside => "inside",
            Self::Either => "either",
        }
    }
}

impl Stack {
    /// A handler with no layer but [`ExpectLayer`].
    pub(crate) const fn alone(name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            path,
            method: "POST",
            headers: "",
            layer: None,
            expect: default,
            as_bare_inside: false,
            belongs: Belongs::Outside,
            note: "",
            thorough: false,
        }
    }

    pub(crate) const fn with(name: &'static str, path: &'static str, layer: Wrap) -> Self {
        let alone = Self::alone(name, path);
        Self {
            layer: Some(layer),
            ..alone
        }
    }

    pub(crate) const fn expect(self, expect: Wrap) -> Self {
        Self { expect, ..self }
    }

    pub(crate) const fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(crate) const fn headers(self, headers: &'static str) -> Self {
        Self { headers, ..self }
    }

    pub(crate) const fn as_bare_inside(self) -> Self {
        Self {
            as_bare_inside: true,
            ..self
        }
    }

    pub(crate) const fn thorough(self) -> Self {
        Self {
            thorough: true,
            ..self
        }
    }

    pub(crate) const fn belongs(self, belongs: Belongs, note: &'static str) -> Self {
        Self {
            belongs,
            note,
            ..self
        }
    }

    pub(crate) fn has_layer(&self) -> bool {
        self.layer.is_some()
    }

    pub(crate) fn has(&self, place: Place) -> bool {
        place != Place::Inside || self.has_layer()
    }

    pub(crate) fn router(&self, place: Place) -> Router {
        let layer = self.layer.unwrap_or(|app| app);
        let handlers = app::handlers();
        let wrapped = match place {
            Place::Outside => (self.expect)(layer(handlers)),
            Place::Inside => layer((self.expect)(handlers)),
            Place::Bare => layer(handlers),
        };
        wrapped.merge(app::unwrapped())
    }
}

pub(crate) fn default(app: Router) -> Router {
    app.layer(ExpectLayer::default())
}

pub(crate) fn twice(app: Router) -> Router {
    default(default(app))
}

pub(crate) fn no_linger(app: Router) -> Router {
    app.layer(ExpectLayer::default().no_linger())
}

pub(crate) fn validator(app: Router) -> Router {
    fn reject(_: &RequestHead) -> Result<(), Rejection> {
        Err(Rejection::unauthorized("Bearer"))
    }
    app.layer(ExpectLayer::new(reject))
}

pub(crate) fn async_validator(app: Router) -> Router {
    app.layer(ExpectLayer::new_async(|_: &RequestHead| async {
        sleep(Duration::from_millis(5)).await;
        Err::<(), _>(Rejection::unauthorized("Bearer"))
    }))
}
