//! A malformed header never turns into acceptance, however the rules that read it are combined.

use http::{Method, Request};
use proptest::{collection::vec, prelude::*, sample::select};
use tower_expect::{
    rules::{self, Rule},
    Rejection, RequestHead, Validator,
};

use super::for_all;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    Bearer,
    BearerToken,
    Basic,
    ContentType,
    ContentLength,
    ContentLengthRequired,
    Accepts,
    Rejects,
}

use Leaf::{
    Accepts, Basic, Bearer, BearerToken, ContentLength, ContentLengthRequired, ContentType, Rejects,
};

#[derive(Clone, Debug)]
enum Tree {
    Leaf(Leaf),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    When(bool, Box<Self>),
    ForMethods(Method, Box<Self>),
    RejectingWith(Box<Self>),
}

impl Tree {
    fn rule(&self) -> Rule {
        let list = |trees: &[Self]| trees.iter().map(Self::rule).collect::<Vec<_>>();
        match self {
            Self::Leaf(leaf) => leaf.rule(),
            Self::And(one, other) => one.rule().and(other.rule()).boxed(),
            Self::Or(one, other) => one.rule().or(other.rule()).boxed(),
            Self::All(trees) => rules::all(list(trees)).boxed(),
            Self::Any(trees) => rules::any(list(trees)).boxed(),
            &Self::When(holds, ref tree) => rules::when(move |_| holds, tree.rule()).boxed(),
            Self::ForMethods(method, tree) => tree.rule().for_methods([method]).boxed(),
            Self::RejectingWith(tree) => {
                let instead = Rejection::from(http::StatusCode::IM_A_TEAPOT);
                tree.rule().rejecting_with(instead).boxed()
            }
        }
    }

    fn has_one_of(&self, leaves: &[Leaf]) -> bool {
        match self {
            Self::Leaf(leaf) => leaves.contains(leaf),
            Self::And(one, other) | Self::Or(one, other) => {
                one.has_one_of(leaves) || other.has_one_of(leaves)
            }
            Self::All(trees) | Self::Any(trees) => trees.iter().any(|tree| tree.has_one_of(leaves)),
            Self::When(_, tree) | Self::ForMethods(_, tree) | Self::RejectingWith(tree) => {
                tree.has_one_of(leaves)
            }
        }
    }
}

impl Leaf {
    fn rule(self) -> Rule {
        match self {
            Bearer => rules::bearer(|_| true).realm("files").boxed(),
            BearerToken => rules::bearer_token("s3cr3t").boxed(),
            Basic => rules::basic(|_, _| true).realm("files").boxed(),
            ContentType => rules::content_type(["*/*"]).boxed(),
            ContentLength => rules::content_length(..).boxed(),
            ContentLengthRequired => rules::content_length(..).required().boxed(),
            Accepts => Rule::new(()).boxed(),
            Rejects => Rule::new(Rejection::forbidden()).boxed(),
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = select(vec![
        Bearer,
        BearerToken,
        Basic,
        ContentType,
        ContentLength,
        ContentLengthRequired,
        Accepts,
        Rejects,
    ]);
    leaf.prop_map(Tree::Leaf).prop_recursive(4, 16, 3, |tree| {
        let one = tree.clone().prop_map(Box::new);
        let methods = select(vec![Method::PUT, Method::GET]);
        prop_oneof![
            (one.clone(), one.clone()).prop_map(|(one, other)| Tree::And(one, other)),
            (one.clone(), one.clone()).prop_map(|(one, other)| Tree::Or(one, other)),
            vec(tree.clone(), 1..4).prop_map(Tree::All),
            vec(tree, 1..4).prop_map(Tree::Any),
            (any::<bool>(), one.clone()).prop_map(|(holds, one)| Tree::When(holds, one)),
            (methods, one.clone()).prop_map(|(method, one)| Tree::ForMethods(method, one)),
            one.prop_map(Tree::RejectingWith),
        ]
    })
}

/// A header, its lines, and which rules read it and find it malformed.
type Malformed = (&'static str, &'static [&'static [u8]], &'static [Leaf]);

const CREDENTIALS: &[Leaf] = &[Bearer, BearerToken, Basic];
const LENGTH: &[Leaf] = &[ContentLength, ContentLengthRequired];

const MALFORMED: &[Malformed] = &[
    (
        "authorization",
        &[b"Bearer s3cr3t", b"Bearer s3cr3t"],
        CREDENTIALS,
    ),
    (
        "authorization",
        &[b"Bearer s3cr3t", b"Basic QTpi"],
        CREDENTIALS,
    ),
    ("authorization", &[b"@ x"], CREDENTIALS),
    ("authorization", &[b""], CREDENTIALS),
    ("authorization", &[b"Bearer \xff"], CREDENTIALS),
    ("authorization", &[b"Bearer"], &[Bearer, BearerToken]),
    (
        "authorization",
        &[b"Bearer s3cr3t, Basic QTpi"],
        &[Bearer, BearerToken],
    ),
    ("authorization", &[b"Basic ????"], &[Basic]),
    ("authorization", &[b"Basic QWxh"], &[Basic]),
    ("content-type", &[b"png"], &[ContentType]),
    ("content-type", &[b""], &[ContentType]),
    (
        "content-type",
        &[b"image/png", b"image/png"],
        &[ContentType],
    ),
    ("content-length", &[b"+1"], LENGTH),
    ("content-length", &[b"1, 1"], LENGTH),
    ("content-length", &[b"1", b"1"], LENGTH),
    ("content-length", &[b""], LENGTH),
    ("content-length", &[b"18446744073709551616"], LENGTH),
];

/// A request on which all the rules agree but for the malformed header.
fn head((name, lines, _): &Malformed) -> RequestHead {
    let mut request = Request::put("/");
    for (other, value) in [
        ("authorization", "Bearer s3cr3t"),
        ("content-type", "image/png"),
        ("content-length", "1"),
    ] {
        if other != *name {
            request = request.header(other, value);
        }
    }
    for line in *lines {
        request = request.header(*name, *line);
    }
    RequestHead::from(request.body("x".to_owned()).unwrap())
}

#[test]
fn a_malformed_header_that_a_rule_reads_rejects_the_request_in_every_combination() {
    let cases = (trees(), select(MALFORMED));
    for_all(4_000, cases, |(tree, malformed)| {
        let accepted = tree.rule().validate(&head(&malformed)).is_ok();
        assert!(!(accepted && tree.has_one_of(malformed.2)));
    });
}

#[test]
fn each_rule_by_itself_tells_the_malformed_from_the_absent() {
    for malformed in MALFORMED {
        for leaf in malformed.2 {
            let rejection = leaf.rule().validate(&head(malformed)).unwrap_err();
            let message = rejection.message();
            assert!(
                message.contains(malformed.0),
                "{leaf:?}, {malformed:?}: {message}"
            );
        }
    }
}
