//! The clients: four that are rejected, one that is not.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Uploads a second that the honest client attempts: well below what an idle server does, so that
/// what it gets tells of the server rather than of the processor that the load takes.
pub(crate) const HONEST_PACE: f64 = 100.0;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Behaviour {
    /// Asks for the 100, is rejected, sends nothing and waits for the end.
    Silent,
    /// Sends all of its 256 KiB before it looks.
    Whole,
    /// Goes on sending a byte at a time, for a while.
    Trickle,
    /// Is gone as soon as it has sent the head.
    Vanish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Yes,
    No,
    NotWaited,
}

const LENGTH: usize = 256 * 1024;

impl Behaviour {
    pub(crate) fn of(number: usize) -> Self {
        [Self::Silent, Self::Whole, Self::Trickle, Self::Vanish][number % 4]
    }
}

pub(crate) async fn be_rejected(address: SocketAddr, behaviour: Behaviour) -> Seen {
    match timeout(Duration::from_secs(20), exchange(address, behaviour)).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(_)) | Err(_) => Seen::No,
    }
}

async fn exchange(address: SocketAddr, behaviour: Behaviour) -> io::Result<Seen> {
    let mut stream = connect(address).await?;
    let expect = match behaviour {
        Behaviour::Silent => "expect: 100-continue\r\n",
        _ => "",
    };
    let head =
        format!("PUT /rejected HTTP/1.1\r\nhost: a\r\n{expect}content-length: {LENGTH}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    match behaviour {
        Behaviour::Silent => {}
        Behaviour::Whole => stream.write_all(&vec![0; LENGTH]).await?,
        Behaviour::Trickle => {
            for _ in 0..5 {
                stream.write_all(b"x").await?;
                sleep(Duration::from_millis(40)).await;
            }
        }
        Behaviour::Vanish => return Ok(Seen::NotWaited),
    }
    let response = read_head(&mut stream).await?;
    if let Behaviour::Silent = behaviour {
        // To the end: the server must let go by itself.
        stream.read_to_end(&mut Vec::new()).await?;
    }
    Ok(match response.starts_with("HTTP/1.1 401 ") {
        true => Seen::Yes,
        false => Seen::No,
    })
}

/// Uploads a second, one after the other on one connection, at the pace above.
pub(crate) async fn honest_rate(address: SocketAddr, time: Duration) -> f64 {
    let stop = AtomicBool::new(false);
    let timer = async {
        sleep(time).await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(honest_until(address, &stop), timer).0
}

pub(crate) async fn honest_until(address: SocketAddr, stop: &AtomicBool) -> f64 {
    let mut stream = connect(address).await.expect("listening");
    let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / HONEST_PACE));
    let started = Instant::now();
    let mut uploads = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        upload(&mut stream)
            .await
            .expect("an honest upload is served");
        uploads += 1;
    }
    f64::from(uploads) / started.elapsed().as_secs_f64()
}

async fn upload(stream: &mut TcpStream) -> io::Result<()> {
    let head = "PUT /accepted HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 65536\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let interim = read_head(stream).await?;
    assert_eq!(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&vec![0; 65536]).await?;
    let response = read_head(stream).await?;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    Ok(())
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Up to the empty line; responses here have no content worth reading.
async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) => return Err(error),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
