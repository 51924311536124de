//! What came back on a connection, and what must hold of it.

use std::collections::HashMap;

use loona_hpack::Decoder;

use crate::app::ADMITTED;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// How far the response of one stream has got.
#[derive(Debug, Default)]
struct Progress {
    invited: bool,
    begun: bool,
    ended: bool,
    reset: bool,
}

/// Checks the frames that came back.
///
/// * A stream gets one 100 at most, before the final head, which is that of a request accepted.
/// * Content and trailers come after the final head, nothing after the end or a reset.
pub fn check(received: &[u8]) {
    let mut decoder = Decoder::new();
    let mut streams = HashMap::<u32, Progress>::new();
    let mut block = Vec::new();
    let mut ends = false;
    let mut rest = received;
    while let Some((kind, flags, stream, payload)) = next_frame(&mut rest) {
        let progress = streams.entry(stream).or_default();
        match kind {
            HEADERS | CONTINUATION => {
                block.extend_from_slice(payload);
                ends |= kind == HEADERS && flags & END_STREAM != 0;
                if flags & END_HEADERS != 0 {
                    let fields = decoder.decode(&std::mem::take(&mut block)).expect("HPACK");
                    progress.head(&fields, std::mem::take(&mut ends));
                }
            }
            DATA => {
                assert!(
                    progress.begun && !progress.is_over(),
                    "content, but {progress:?}"
                );
                progress.ended = flags & END_STREAM != 0;
            }
            RST_STREAM => progress.reset = true,
            PUSH_PROMISE => panic!("a push"),
            _ => {}
        }
    }
}

/// Takes a frame off: type, flags, stream, payload; `None` if the connection ends.
fn next_frame<'a>(rest: &mut &'a [u8]) -> Option<(u8, u8, u32, &'a [u8])> {
    let (head, after) = rest.split_first_chunk::<9>()?;
    let [length, stream] = [
        [0, head[0], head[1], head[2]],
        [head[5], head[6], head[7], head[8]],
    ];
    let length = usize::try_from(u32::from_be_bytes(length)).expect("24 bits");
    let (payload, after) = after.split_at_checked(length)?;
    *rest = after;
    Some((head[3], head[4], u32::from_be_bytes(stream), payload))
}

impl Progress {
    fn is_over(&self) -> bool {
        self.ended || self.reset
    }

    fn head(&mut self, fields: &[(Vec<u8>, Vec<u8>)], end: bool) {
        let field = |name: &str| {
            let mut fields = fields.iter();
            let (_, value) = fields.find(|(found, _)| found == name.as_bytes())?;
            Some(std::str::from_utf8(value).expect("ASCII"))
        };
        match field(":status") {
            Some("100") => {
                // One may follow a reset: h2 does not look at the stream's state before it sends a
                // 100 (0.4.20, src/proto/streams/send.rs:162-190). Only a client in breach sees it.
                let is_due = !self.begun && !self.invited && !self.ended && !end;
                assert!(is_due, "a 100, but {self:?}");
                self.invited = true;
            }
            Some(status) => {
                let is_due = !self.begun && !self.is_over() && !status.starts_with('1');
                assert!(is_due, "{status}, but {self:?}");
                let is_accepted = field(ADMITTED).is_some();
                assert!(is_accepted || !self.invited, "{status} after a 100");
                self.begun = true;
            }
            None => {
                let is_due = self.begun && !self.is_over() && end;
                assert!(is_due, "trailers, but {self:?}");
            }
        }
        self.ended = end;
    }
}
