//! Requests that grow: in their number of fields, and in an `Expect` field, well-formed or hostile.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower::layer::util::Identity;

use super::{
    cases::on_bare,
    ours::checking,
    requests::{expecting, get, put, with_expect, with_fields},
    Exchange,
};

const FIELDS: &[usize] = &[10, 100, 1000];
const BYTES: &[usize] = &[12, 1 << 10, 16 << 10, 32 << 10, 64 << 10];

/// A kind of request, in several sizes.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) sizes: &'static [usize],
    request: fn(usize) -> Request<Full<Bytes>>,
}

pub(crate) const SHAPES: &[Shape] = &[
    shape("GET, header fields", FIELDS, |count| {
        with_fields(get(), count)
    }),
    shape("PUT accepted, header fields", FIELDS, |count| {
        with_fields(expecting(), count)
    }),
    shape("Expect: ,,,,", BYTES, |size| one_line(",".repeat(size))),
    shape("Expect: 100-continue,…", BYTES, |size| {
        one_line(list("100-continue", size))
    }),
    shape("Expect: a,a,a,…", BYTES, |size| one_line(list("a", size))),
    shape("Expect: a,a,a,…,=", BYTES, |size| {
        one_line(list("a", size - 2) + ",=")
    }),
    shape("Expect: a;b=c;b=c…", BYTES, |size| {
        one_line(format!("a{}", ";b=c".repeat(size / 4)))
    }),
    shape("Expect: a=\"xxxx…\"", BYTES, |size| {
        one_line(format!("a=\"{}\"", "x".repeat(size - 4)))
    }),
    shape("Expect: a=\"\\x\\x…\"", BYTES, |size| {
        one_line(format!("a=\"{}\"", "\\x".repeat(size / 2 - 2)))
    }),
    shape("Expect: 100-continue, in many lines", BYTES, |size| {
        with_expect(put(), vec!["100-continue".to_owned(); size / 12])
    }),
];

const fn shape(
    name: &'static str,
    sizes: &'static [usize],
    request: fn(usize) -> Request<Full<Bytes>>,
) -> Shape {
    Shape {
        name,
        sizes,
        request,
    }
}

/// One shape in one size, with the layer or without.
#[derive(Clone, Copy)]
pub(crate) struct Grown {
    pub(crate) shape: Shape,
    pub(crate) size: usize,
    pub(crate) layered: bool,
}

pub(crate) fn grown() -> Vec<Grown> {
    let sizes = |shape: &Shape| {
        let shape = *shape;
        shape.sizes.iter().flat_map(move |&size| {
            [false, true].map(|layered| Grown {
                shape,
                size,
                layered,
            })
        })
    };
    SHAPES.iter().flat_map(sizes).collect()
}

impl Grown {
    pub(crate) fn build(&self) -> Box<dyn Exchange> {
        let Self { shape, size, .. } = *self;
        let request = move || (shape.request)(size);
        match self.layered {
            false => on_bare(Identity::new(), request),
            true => on_bare(checking(), request),
        }
    }
}

fn one_line(value: String) -> Request<Full<Bytes>> {
    with_expect(put(), [value])
}

/// As long as `size`, or a little shorter.
fn list(member: &str, size: usize) -> String {
    vec![member; (size + 1) / (member.len() + 1)].join(",")
}
