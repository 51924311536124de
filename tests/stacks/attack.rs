//! An expecting request, and another one hidden in and behind what the server may take for its body.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use crate::{
    app::executed,
    stack::Stack,
    wire::{Received, Wire},
};

/// How long the body of a response is waited for that may in turn wait for the request's.
const HELD: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    pub(crate) timing: Timing,
    /// The Content-Length, or `None` for a chunked body, which is as long as a short one.
    length: Option<usize>,
    /// Whether the connection has carried a long body before, so that hyper's buffer has grown.
    warm: bool,
    /// Every so many tries of a short one, one.
    pub(crate) one_in: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// The body is sent when the final response has been read.
    After,
    /// All is sent with the request's head.
    Head,
}

const SHORT: usize = 60;

impl Attack {
    const fn new(timing: Timing, length: Option<usize>, one_in: usize) -> Self {
        Self {
            timing,
            length,
            warm: false,
            one_in,
        }
    }

    const fn warm(self) -> Self {
        Self { warm: true, ..self }
    }

    /// For all stacks.
    pub(crate) const SHORT: [Self; 4] = [
        Self::new(Timing::After, Some(SHORT), 1),
        Self::new(Timing::After, None, 1),
        Self::new(Timing::Head, Some(SHORT), 1),
        Self::new(Timing::Head, None, 1),
    ];

    /// For the thorough ones.
    pub(crate) const LONG: [Self; 5] = [
        Self::new(Timing::After, Some(SHORT), 5).warm(),
        Self::new(Timing::After, Some(600 << 10), 5).warm(),
        Self::new(Timing::After, Some(600 << 10), 5),
        Self::new(Timing::After, Some(2 << 20), 5),
        Self::new(Timing::After, Some(8 << 20), 10),
    ];

    /// What the server may take for the body, or for the hidden request.
    fn body(&self, id: usize) -> Vec<u8> {
        let length = self.length.unwrap_or(SHORT);
        let hidden = format!("GET /hidden/{id} HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut body = vec![b'x'; length];
        body[..hidden.len()].copy_from_slice(hidden.as_bytes());
        match self.length {
            Some(_) => body,
            None => [
                format!("{length:x}\r\n").as_bytes(),
                &body,
                b"\r\n0\r\n\r\n",
            ]
            .concat(),
        }
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.timing {
            Timing::After => "after",
            Timing::Head => "head",
        })?;
        match self.length {
            Some(SHORT) => write!(f, ", {SHORT} B")?,
            Some(length) if length < 1 << 20 => write!(f, ", {} KiB", length >> 10)?,
            Some(length) => write!(f, ", {} MiB", length >> 20)?,
            None => f.write_str(", chunked")?,
        }
        f.write_str(if self.warm { ", warm" } else { "" })
    }
}

/// What one try has shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Try {
    pub(crate) responded: bool,
    pub(crate) close: bool,
    /// A 100 was sent, so that the body was owed.
    pub(crate) invited: bool,
    inside: usize,
    behind: usize,
}

impl Try {
    /// Whether a request was executed that must not be. Call when all is over, so that late ones count.
    ///
    /// Behind a body that was owed, a request is honest; inside of one it never is.
    pub(crate) fn hidden(&self) -> bool {
        executed(self.inside) || (!self.invited && executed(self.behind))
    }
}

pub(crate) async fn run(stack: &Stack, attack: &Attack, address: SocketAddr) -> Try {
    static IDS: AtomicUsize = AtomicUsize::new(1 << 20);

    let inside = IDS.fetch_add(2, Ordering::Relaxed);
    let mut result = Try {
        inside,
        behind: inside + 1,
        ..Try::default()
    };
    if let Ok(mut wire) = Wire::to(address).await {
        // What the server has sent until it fails is what counts.
        _ = send(&mut wire, stack, attack, &result).await;
        let received = &wire.received;
        let head = received.head();
        result.responded = head.is_some();
        result.invited = received.interim > 0;
        result.close = head.is_some_and(|head| head.field("connection") == Some("close"));
    }
    result
}

async fn send(wire: &mut Wire, stack: &Stack, attack: &Attack, ids: &Try) -> io::Result<()> {
    if attack.warm {
        warm(wire).await?;
    }
    let Stack {
        method,
        path,
        headers,
        ..
    } = stack;
    let framing = match attack.length {
        Some(length) => format!("Content-Length: {length}"),
        None => "Transfer-Encoding: chunked".to_owned(),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\n{headers}Expect: 100-continue\r\n{framing}\r\n\r\n"
    );
    let body = attack.body(ids.inside);
    let behind = format!("GET /hidden/{} HTTP/1.1\r\nHost: a\r\n\r\n", ids.behind);
    let all = [&body, behind.as_bytes()].concat();
    // The first response and that of a hidden request, whichever it is.
    let two = |received: &Received| received.finals.len() > 1;
    match attack.timing {
        Timing::Head => {
            wire.send(&[head.as_bytes(), &all].concat()).await?;
            wire.receive(two).await;
        }
        Timing::After => {
            wire.send(head.as_bytes()).await?;
            let any = |received: &Received| received.interim > 0 || received.head().is_some();
            wire.receive(any).await;
            let whole = |received: &Received| received.interim > 0 || !received.finals.is_empty();
            wire.receive_for(HELD, whole).await;
            if wire.received.interim > 0 {
                // An honest client sends what it owes.
                let whole = |received: &Received| !received.finals.is_empty();
                wire.exchange(&body, whole).await;
            } else {
                wire.exchange(&all, two).await;
            }
        }
    }
    Ok(())
}

/// Uploads a body as long as makes hyper's buffer grow to its full size.
async fn warm(wire: &mut Wire) -> io::Result<()> {
    let length = 2 << 20;
    let head = format!("POST /warm HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    wire.send(head.as_bytes()).await?;
    wire.exchange(&vec![b'x'; length], |received| !received.finals.is_empty())
        .await;
    wire.received = Received::default();
    Ok(())
}
