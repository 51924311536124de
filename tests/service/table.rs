//! The decision table, row by row, with a synchronous and an asynchronous validator.

mod content;
mod field;

use std::{
    convert::Infallible,
    future::ready,
    sync::{atomic::Ordering, Arc, Mutex},
};

use http::{header::EXPECT, HeaderValue, Request, Version};
use tower::{service_fn, Layer};
use tower_expect::{
    ContinueUnavailable, ExpectBody, ExpectLayer, Rejection, RequestHead, ValidateWhen,
};

use crate::support::{counted_signal, counter, reply, within_a_turn, PanicBody};

type Lines = &'static [&'static [u8]];
type Fields = &'static [(&'static str, &'static str)];

const ALL_VERSIONS: [Version; 3] = [Version::HTTP_11, Version::HTTP_2, Version::HTTP_3];
const CONTINUE: Lines = &[b"100-continue"];

#[derive(Clone, Copy, Debug)]
struct Case {
    version: Version,
    method: &'static str,
    expect: Lines,
    fields: Fields,
    signal: bool,
    ended: bool,
    supported: &'static [&'static str],
    continue_unavailable: ContinueUnavailable,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Rejected(u16),
    Accepted { content: bool, expecting: bool },
}

const NO_CONTENT: Outcome = Outcome::Accepted {
    content: false,
    expecting: false,
};
const CONTENT: Outcome = Outcome::Accepted {
    content: true,
    expecting: false,
};
const EXPECTING: Outcome = Outcome::Accepted {
    content: true,
    expecting: true,
};

const POST: Case = Case {
    version: Version::HTTP_11,
    method: "POST",
    expect: &[],
    fields: &[],
    signal: false,
    ended: false,
    supported: &[],
    continue_unavailable: ContinueUnavailable::Forward,
    outcome: CONTENT,
};

/// What became of a request.
struct Seen {
    status: u16,
    asked: usize,
    /// The `Expect` lines of each request that the inner service got.
    inner: Vec<Vec<HeaderValue>>,
}

impl Case {
    fn check(self) {
        for scope in [
            ValidateWhen::HasBody,
            ValidateWhen::Expecting,
            ValidateWhen::Always,
        ] {
            for rejects in [false, true] {
                self.check_both(scope, rejects);
            }
        }
    }

    fn check_both(&self, scope: ValidateWhen, rejects: bool) {
        let asked = match self.outcome {
            Outcome::Rejected(_) => false,
            Outcome::Accepted { content, expecting } => match scope {
                ValidateWhen::HasBody => content,
                ValidateWhen::Expecting => expecting,
                _ => true,
            },
        };
        let status = match self.outcome {
            Outcome::Rejected(status) => status,
            Outcome::Accepted { .. } if asked && rejects => 403,
            Outcome::Accepted { .. } => 200,
        };
        let inner = match status {
            200 => vec![self.lines()],
            _ => vec![],
        };
        for is_async in [false, true] {
            let seen = self.run(scope, rejects, is_async);
            let case = format!("{scope:?}, rejects: {rejects}, async: {is_async}, {self:?}");
            assert_eq!(seen.status, status, "{case}");
            assert_eq!(seen.asked, usize::from(asked), "{case}");
            assert_eq!(seen.inner, inner, "{case}");
        }
    }

    fn run(&self, scope: ValidateWhen, rejects: bool, is_async: bool) -> Seen {
        let (counter, asked) = counter();
        let verdict = move |_: &RequestHead| {
            counter.fetch_add(1, Ordering::SeqCst);
            match rejects {
                true => Err(Rejection::forbidden()),
                false => Ok(()),
            }
        };
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let log = Arc::clone(&seen);
        let inner = service_fn(move |request: Request<ExpectBody<PanicBody>>| {
            let lines = request.headers().get_all(EXPECT).iter().cloned();
            log.lock().unwrap().push(lines.collect());
            ready(Ok::<_, Infallible>(reply()))
        });
        let response = if is_async {
            let layer = ExpectLayer::new_async(move |head: &RequestHead| ready(verdict(head)));
            within_a_turn(self.configure(layer, scope).layer(inner), self.request())
        } else {
            let layer = self.configure(ExpectLayer::new(verdict), scope);
            within_a_turn(layer.layer(inner), self.request())
        };
        let inner = std::mem::take(&mut *seen.lock().unwrap());
        Seen {
            status: response.status().as_u16(),
            asked: asked(),
            inner,
        }
    }

    fn configure<V>(&self, layer: ExpectLayer<V>, scope: ValidateWhen) -> ExpectLayer<V> {
        let layer = layer
            .validate_when(scope)
            .when_continue_unavailable(self.continue_unavailable);
        let supported = self.supported.iter();
        supported.fold(layer, |layer, name| layer.support(*name))
    }

    fn lines(&self) -> Vec<HeaderValue> {
        let lines = self.expect.iter();
        lines
            .map(|line| HeaderValue::from_bytes(line).unwrap())
            .collect()
    }

    fn request(&self) -> Request<PanicBody> {
        let mut request = Request::builder().method(self.method).version(self.version);
        for line in self.lines() {
            request = request.header(EXPECT, line);
        }
        for (name, value) in self.fields {
            request = request.header(*name, *value);
        }
        if self.signal {
            request = request.extension(counted_signal().0);
        }
        request.body(PanicBody { ended: self.ended }).unwrap()
    }
}
