//! One exchange: what the client does, and what the table says must come of it.

pub(crate) const MIB: usize = 1 << 20;

pub(crate) struct Exchange {
    pub(crate) title: &'static str,
    /// Of the table in the crate's documentation.
    pub(crate) row: u8,
    pub(crate) target: &'static str,
    pub(crate) version: &'static str,
    pub(crate) authorization: Option<&'static str>,
    pub(crate) content_type: &'static str,
    /// Bytes that the client has to send.
    pub(crate) content: usize,
    pub(crate) expect: Option<&'static str>,
    /// Whether the client waits for a 100 before it sends the content.
    pub(crate) waits: bool,
    /// The status lines that must come, and no others.
    pub(crate) answers: Vec<&'static str>,
    /// Bytes of content that must cross the wire.
    pub(crate) sent: usize,
}

impl Exchange {
    /// An upload that is all right.
    pub(crate) fn accepted(title: &'static str, row: u8) -> Self {
        Self {
            title,
            row,
            target: "/upload",
            version: "HTTP/1.1",
            authorization: Some("Bearer s3cr3t"),
            content_type: "image/png",
            content: MIB,
            expect: Some("100-continue"),
            waits: true,
            answers: vec!["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK"],
            sent: MIB,
        }
    }

    /// One in which something has to be changed for that answer.
    pub(crate) fn refused(title: &'static str, row: u8, answer: &'static str) -> Self {
        Self {
            answers: vec![answer],
            sent: 0,
            ..Self::accepted(title, row)
        }
    }

    pub(crate) fn head(&self) -> String {
        let content_length = self.content.to_string();
        let fields = [
            ("Host", Some("localhost")),
            ("Authorization", self.authorization),
            ("Content-Type", Some(self.content_type)),
            ("Content-Length", Some(&content_length)),
            ("Expect", self.expect),
        ];
        let mut head = format!("PUT {} {}\r\n", self.target, self.version);
        for (name, value) in fields {
            if let Some(value) = value {
                head.extend([name, ": ", value, "\r\n"]);
            }
        }
        head + "\r\n"
    }
}
