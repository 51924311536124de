//! Frames and fields as bytes.

pub(crate) const PRIORITY: u8 = 2;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// Of PING and SETTINGS.
pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const END: u8 = END_STREAM | END_HEADERS;
pub(crate) const PADDED: u8 = 8;
pub(crate) const WITH_PRIORITY: u8 = 0x20;

/// `:method: GET`, `:scheme: http` and `:path: /`, from HPACK's static table.
pub(crate) const GET: &[u8] = &[0x82, 0x86, 0x84];
/// With `:method: POST`.
pub(crate) const POST: &[u8] = &[0x83, 0x86, 0x84];

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let head = [len[1], len[2], len[3], kind, flags];
    [&head, &stream.to_be_bytes()[..], payload].concat()
}

pub(crate) fn get(stream: u32) -> Vec<u8> {
    frame(1, END, stream, GET)
}

/// Without content, and never answered.
pub(crate) fn get_held(stream: u32) -> Vec<u8> {
    frame(1, END, stream, &[&GET[..2], b"\x04\x05/hold"].concat())
}

/// With content to follow.
pub(crate) fn post(stream: u32) -> Vec<u8> {
    frame(1, END_HEADERS, stream, POST)
}

pub(crate) fn data(flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    frame(0, flags, stream, content)
}

pub(crate) fn setting(id: u8, value: u32) -> Vec<u8> {
    let payload = [&[0, id], &value.to_be_bytes()[..]].concat();
    frame(SETTINGS, 0, 0, &payload)
}

pub(crate) fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

/// A literal field, which HPACK does not remember.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    let string = |text: &str| {
        let len = u8::try_from(text.len()).expect("short");
        [&[len], text.as_bytes()].concat()
    };
    [vec![0], string(name), string(value)].concat()
}
