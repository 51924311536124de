//! One exchange: what the client does, and what must happen according to the decision table.

pub(crate) const MIB: usize = 1 << 20;

pub(crate) struct Exchange {
    pub(crate) title: &'static str,
    /// The row of the decision table.
    pub(crate) row: u8,
    pub(crate) target: &'static str,
    pub(crate) version: &'static str,
    pub(crate) authorization: Option<&'static str>,
    pub(crate) content_type: &'static str,
    /// Bytes that the client has to send.
    pub(crate) body: usize,
    pub(crate) expect: Option<&'static str>,
    /// Whether the client waits for a 100 before it sends the body.
    pub(crate) waits: bool,
    /// The status lines that must arrive, and no others.
    pub(crate) responses: Vec<&'static str>,
    /// bytes of the body that must cross the wire.
    pub(crate) sent: usize,
}

impl Exchange {
    /// An upload that is accepted.
    pub(crate) fn accepted(title: &'static str, row: u8) -> Self {
        Self {
            title,
            row,
            target: "/upload",
            version: "HTTP/1.1",
            authorization: Some("Bearer s3cr3t"),
            content_type: "image/png",
            body: MIB,
            expect: Some("100-continue"),
            waits: true,
            responses: vec!["HTTP/1.1 100 Continue", "HTTP/1.1 200 OK"],
            sent: MIB,
        }
    }

    /// An upload that is rejected with that response, once the caller has changed something about it.
    pub(crate) fn rejected(title: &'static str, row: u8, response: &'static str) -> Self {
        Self {
            responses: vec![response],
            sent: 0,
            ..Self::accepted(title, row)
        }
    }

    pub(crate) fn head(&self) -> String {
        let content_length = self.body.to_string();
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
