//! Who hears of interim responses: the gate, and a callback of the user's.

use std::sync::Arc;

use http::{HeaderMap, Request, StatusCode};

use super::gate::Gate;

#[derive(Clone)]
struct OnInformational(Arc<Callback>);

type Callback = dyn Fn(StatusCode, &HeaderMap) + Send + Sync;

/// Calls `callback` with each interim (1xx) response to this request, 100s included.
///
/// In the place of `hyper::ext::on_informational`, of which a request can carry only one: a request that
/// carries hyper's is passed on as it is, with hyper's callback and without waiting.
///
/// The callback is called from the connection's task. It should be quick, and must not panic. On HTTP/2,
/// hyper tells of no interim responses.
///
/// ```
/// use http::{Request, StatusCode};
/// use tower_expect::client;
///
/// let mut request = Request::put("http://example.com/").body(()).unwrap();
/// client::on_informational(&mut request, |status, headers| {
///     if status == StatusCode::EARLY_HINTS {
///         println!("{headers:?}");
///     }
/// });
/// ```
pub fn on_informational<B>(
    request: &mut Request<B>,
    callback: impl Fn(StatusCode, &HeaderMap) + Send + Sync + 'static,
) {
    let callback = OnInformational(Arc::new(callback));
    request.extensions_mut().insert(callback);
}

/// Tells the gate when its last clone is gone, and with it the chance of a 100.
///
/// An HTTP/1.1 connection keeps it until the final response. One of HTTP/2, which tells of no 100, drops it
/// before it polls the body, as does whatever builds a request of its own.
struct Listener(Arc<Gate>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.deafen();
    }
}

/// Has the gate told of the responses to the request, and the user's callback, too.
///
/// Returns false, and changes nothing, if the request carries a callback of hyper's.
pub(super) fn listen<B>(request: &mut Request<B>, gate: Option<&Arc<Gate>>) -> bool {
    let before = request.extensions().clone();
    let user = request.extensions_mut().remove::<OnInformational>();
    let count = request.extensions().len();
    let listener = gate.map(|gate| Listener(Arc::clone(gate)));
    hyper::ext::on_informational(request, move |response| {
        if let Some(Listener(gate)) = &listener {
            gate.heard(response.status());
        }
        if let Some(OnInformational(callback)) = &user {
            callback(response.status(), response.headers());
        }
    });
    // hyper's type is private: that one was replaced shows only by the count.
    let is_only_one = request.extensions().len() > count;
    if !is_only_one {
        *request.extensions_mut() = before;
    }
    is_only_one
}

/// Has the user's callback told of the responses to a request that does not wait.
pub(super) fn forward<B>(request: &mut Request<B>) {
    if request.extensions().get::<OnInformational>().is_some() {
        listen(request, None);
    }
}
