//! Responses in the bytes that an HTTP/1 client receives.

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) head: String,
    pub(crate) content: String,
}

impl Message {
    /// The first message and its length. `content`: whether a final one has any (not after HEAD).
    pub(crate) fn parse(bytes: &[u8], content: bool) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut message = Self {
            head,
            content: String::new(),
        };
        let length = match message.field("content-length") {
            _ if !content => 0,
            Some(length) => length.parse().unwrap(),
            None if message.field("transfer-encoding").is_some() => chunked(&bytes[end - 2..])? - 2,
            None => 0,
        };
        let content = bytes.get(end..end + length)?;
        message.content = String::from_utf8_lossy(content).into_owned();
        Some((message, end + length))
    }

    pub(crate) fn status(&self) -> u16 {
        let status = self.head.split(' ').nth(1).unwrap();
        status.parse().unwrap()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let field = fields.find(|(found, _)| found.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value)
    }
}

/// The length of chunked content, from the line end before it; the chunks stay as they are.
fn chunked(bytes: &[u8]) -> Option<usize> {
    let end = b"\r\n0\r\n\r\n";
    let last = bytes.windows(end.len()).position(|window| window == end)?;
    Some(last + end.len())
}
