//! A body of frames, and an application that takes what it can get of it.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::case::Case;

/// The frames of the case, each ready at once.
pub struct Fed {
    frames: VecDeque<u8>,
    length: Option<u32>,
}

impl Fed {
    pub fn new(case: &Case) -> Self {
        Self {
            frames: case.frames.iter().copied().collect(),
            length: case.body_length,
        }
    }
}

impl Body for Fed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.frames.pop_front();
        Poll::Ready(frame.map(|len| Ok(Frame::data(vec![b'x'; len.into()].into()))))
    }

    /// That of the head, whatever comes.
    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) => SizeHint::with_exact(length.into()),
            None => SizeHint::default(),
        }
    }
}

/// What came of a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub bytes: u64,
    pub failed: bool,
}

impl Delivered {
    /// What should come under that limit: frames as long as they fit, nothing after one that does not.
    pub fn expected(case: &Case, limit: Option<u64>) -> Self {
        let mut expected = Self::default();
        for len in case.frames.iter().copied().map(u64::from) {
            let fits = limit.is_none_or(|limit| expected.bytes + len <= limit);
            expected.failed |= !fits;
            if !expected.failed {
                expected.bytes += len;
            }
        }
        expected
    }

    /// Reads to the end, errors or not.
    pub fn of<B>(body: &mut B) -> Self
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let mut delivered = Self::default();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(frame)) = Pin::new(&mut *body).poll_frame(&mut cx) {
            match frame {
                Ok(frame) => {
                    delivered.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                Err(_) => delivered.failed = true,
            }
        }
        delivered
    }
}
