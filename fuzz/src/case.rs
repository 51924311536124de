//! One request, the settings of the layer, and what the application does.

use arbitrary::Arbitrary;
use http::{header, HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version};
use tower_expect::{ContinueUnavailable, ValidateWhen};

#[derive(Arbitrary, Debug)]
pub struct Case {
    method: u8,
    version: u8,
    fields: Vec<(Field, Value)>,
    pub body_ended: bool,
    pub body_length: Option<u32>,
    scope: u8,
    supported: Vec<Name>,
    pub continue_unavailable_rejects: bool,
    pub signal: bool,
    pub lingers: bool,
    rejects: Option<u16>,
    pub asynchronous: bool,
    pub application: Application,
    /// With which limit the validator accepts, in bytes.
    pub max_body: Option<u8>,
    /// The lengths of the frames of the body, where it has any.
    pub frames: Vec<u8>,
}

/// What is done with a request that is accepted.
#[derive(Arbitrary, Debug)]
pub struct Application {
    pub polls: u8,
    pub drops_body: bool,
    pub end: End,
    pub later_polls: u8,
    /// Whether the response is dropped before a body that is still held.
    pub response_first: bool,
}

#[derive(Arbitrary, Debug, PartialEq, Eq)]
pub enum End {
    Answers,
    Fails,
    /// The future is dropped.
    Vanishes,
}

#[derive(Arbitrary, Debug)]
enum Field {
    Expect,
    ContentLength,
    TransferEncoding,
    ContentType,
    Connection,
    Accept,
}

#[derive(Arbitrary, Debug)]
enum Value {
    Continue,
    Extension(Name),
    Number(u32),
    Chunked,
    Grpc,
    Empty,
    Any(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Name {
    Continue,
    A,
    B,
}

impl Name {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Continue => "100-continue",
            Self::A => "a",
            Self::B => "Bee",
        }
    }
}

impl Case {
    pub fn method(&self) -> Method {
        let methods = [
            Method::PUT,
            Method::POST,
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::TRACE,
            Method::DELETE,
            Method::CONNECT,
            Method::PATCH,
        ];
        methods[usize::from(self.method) % methods.len()].clone()
    }

    pub fn version(&self) -> Version {
        let versions = [
            Version::HTTP_11,
            Version::HTTP_2,
            Version::HTTP_10,
            Version::HTTP_3,
            Version::HTTP_09,
        ];
        versions[usize::from(self.version) % versions.len()]
    }

    pub fn scope(&self) -> ValidateWhen {
        [
            ValidateWhen::HasBody,
            ValidateWhen::Expecting,
            ValidateWhen::Always,
        ][usize::from(self.scope % 3)]
    }

    pub fn continue_unavailable(&self) -> ContinueUnavailable {
        match self.continue_unavailable_rejects {
            true => ContinueUnavailable::Reject,
            false => ContinueUnavailable::Forward,
        }
    }

    /// Without `100-continue`, which is always supported and need not be declared.
    pub fn supported(&self) -> impl Iterator<Item = &'static str> + '_ {
        let supported = self.supported.iter();
        supported
            .filter(|name| !matches!(name, Name::Continue))
            .map(Name::as_str)
    }

    /// The status with which the validator rejects.
    pub fn rejects(&self) -> Option<StatusCode> {
        let valid = |status: u16| StatusCode::from_u16(100 + status % 900).expect("three digits");
        self.rejects.map(valid)
    }

    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (field, value) in &self.fields {
            if let Some(value) = value.to_header_value() {
                headers.append(field.name(), value);
            }
        }
        headers
    }

    pub fn request<B>(&self, body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method();
        *request.version_mut() = self.version();
        *request.headers_mut() = self.headers();
        request
    }
}

impl Field {
    fn name(&self) -> HeaderName {
        match self {
            Self::Expect => header::EXPECT,
            Self::ContentLength => header::CONTENT_LENGTH,
            Self::TransferEncoding => header::TRANSFER_ENCODING,
            Self::ContentType => header::CONTENT_TYPE,
            Self::Connection => header::CONNECTION,
            Self::Accept => header::ACCEPT,
        }
    }
}

impl Value {
    fn to_header_value(&self) -> Option<HeaderValue> {
        Some(match self {
            Self::Continue => HeaderValue::from_static("100-Continue"),
            Self::Extension(name) => HeaderValue::try_from(format!("{}=1", name.as_str())).ok()?,
            Self::Number(number) => (*number).into(),
            Self::Chunked => HeaderValue::from_static("chunked"),
            Self::Grpc => HeaderValue::from_static("application/grpc+proto"),
            Self::Empty => HeaderValue::from_static(" ,\t,"),
            Self::Any(bytes) => HeaderValue::from_bytes(bytes).ok()?,
        })
    }
}
