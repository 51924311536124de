//! The accept loop: as many connections as there may be, and errors of the listener.

use std::{
    collections::VecDeque,
    future::{pending, IntoFuture},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use tokio::{
    io::{AsyncReadExt, DuplexStream},
    time::{sleep, timeout, Instant},
};
use tower_expect::{serve::Listener, Event};

use crate::support::{app, piped, read_all, read_to, write};

const HEAD: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn at_the_limit_clients_wait_until_a_connection_ends() {
    let events = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&events);
    let (dial, handle) = piped(app(), |server| {
        server.max_connections(3).observe(move |event: &Event| {
            if let Event::MaxConnections { .. } = event {
                *counted.lock().expect("no panic") += 1;
            }
        })
    });
    let mut served: Vec<DuplexStream> = (0..3).map(|_| dial.connect()).collect();
    for client in &mut served {
        write(client, HEAD).await;
        read_to(client, "\r\n\r\n0").await;
    }
    let mut waiting: Vec<DuplexStream> = (0..5).map(|_| dial.connect()).collect();
    for client in &mut waiting {
        write(client, HEAD).await;
        timeout(Duration::from_secs(10), client.read_u8())
            .await
            .expect_err("not accepted yet");
    }
    assert_eq!(handle.connections(), 3);
    assert_eq!(*events.lock().expect("no panic"), 1);

    for _ in 0..5 {
        drop(served.remove(0));
        let mut client = waiting.remove(0);
        read_to(&mut client, "\r\n\r\n0").await;
        assert_eq!(handle.connections(), 3);
        served.push(client);
    }
    // Told once, not for each that waited.
    assert_eq!(*events.lock().expect("no panic"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_given_back_however_a_connection_ends() {
    let app = Router::new().fallback(panicking);
    let (dial, handle) = piped(app, |server| server.max_connections(1));
    for _ in 0..3 {
        // A panic, a head in breach of the protocol, a client that leaves, one that says nothing.
        for bytes in [HEAD, "nonsense\r\n\r\n", "GET", ""] {
            let mut client = dial.connect();
            write(&mut client, bytes).await;
            read_all(&mut client).await;
        }
        let mut client = dial.connect();
        write(&mut client, "GET").await;
        drop(client);
    }
    sleep(Duration::from_secs(60)).await;
    assert_eq!(handle.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_those_who_were_not_accepted() {
    let (dial, handle) = piped(app(), |server| server.max_connections(1));
    let mut served = dial.connect();
    write(&mut served, HEAD).await;
    read_to(&mut served, "\r\n\r\n0").await;
    let mut waiting = dial.connect();
    handle.shutdown();
    assert_eq!(read_all(&mut served).await, "");
    assert_eq!(read_all(&mut waiting).await, "");
}

#[test]
#[should_panic(expected = "the maximum number of connections is 0")]
fn a_limit_of_no_connections_is_a_mistake() {
    let (_, pipes) = crate::pipes::pipes::<DuplexStream>();
    let _ = tower_expect::serve(pipes, app()).max_connections(0);
}

async fn panicking() {
    panic!("on purpose");
}

/// Fails with these errors first, then accepts one connection.
struct Failing {
    errors: VecDeque<io::ErrorKind>,
    io: Option<DuplexStream>,
}

impl Listener for Failing {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> io::Result<(DuplexStream, ())> {
        if let Some(error) = self.errors.pop_front() {
            return Err(error.into());
        }
        match self.io.take() {
            Some(io) => Ok((io, ())),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn accepting_goes_on_after_any_error_and_pauses_after_those_of_the_system() {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, Other, OutOfMemory,
    };

    // The errors, and how long the pauses are together.
    let rows: &[(&[io::ErrorKind], u64)] = &[
        (&[], 0),
        (
            &[
                ConnectionAborted,
                ConnectionReset,
                ConnectionRefused,
                Interrupted,
            ],
            0,
        ),
        (&[Other], 5),
        (&[Other, OutOfMemory, ConnectionAborted, Other], 5 + 10 + 20),
        (&[Other; 12], 5 * 255 + 4 * 1000),
    ];
    for (errors, pauses) in rows {
        let told = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&told);
        let (near, mut client) = tokio::io::duplex(1 << 16);
        let listener = Failing {
            errors: errors.iter().copied().collect(),
            io: Some(near),
        };
        let server = tower_expect::serve(listener, app()).observe(move |event: &Event| {
            if let Event::AcceptFailed { .. } = event {
                *counted.lock().expect("no panic") += 1;
            }
        });
        let begun = Instant::now();
        tokio::spawn(server.into_future());
        write(&mut client, HEAD).await;
        read_to(&mut client, "\r\n\r\n0").await;
        let took = begun.elapsed().as_millis();
        let pauses = u128::from(*pauses);
        assert!(
            (pauses..=pauses + 20).contains(&took),
            "{errors:?}: {took} ms"
        );
        let of_system = |error: &&io::ErrorKind| matches!(error, Other | OutOfMemory);
        let expected = errors.iter().filter(of_system).count();
        assert_eq!(*told.lock().expect("no panic"), expected, "{errors:?}");
    }
}

#[cfg(target_os = "linux")]
mod descriptors {
    use tokio::net::TcpStream;

    use super::*;
    use crate::{
        process::{self, Server},
        support::within,
    };

    /// Serves, if this process was started for that.
    #[test]
    #[ignore = "a process of another test"]
    fn server() {
        if process::wanted().as_deref() != Some("few descriptors") {
            return;
        }
        tokio::runtime::Runtime::new()
            .expect("started")
            .block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                    .await
                    .expect("loopback");
                let server = tower_expect::serve(listener, app());
                process::announce(server.local_addr().expect("bound"));
                server.await.expect("no error");
            });
    }

    #[tokio::test]
    async fn running_out_of_them_is_survived() {
        let server =
            Server::start_with_descriptors("accepting::descriptors::server", "few descriptors", 40);
        let ask = |mut client: TcpStream| async move {
            write(&mut client, HEAD).await;
            read_to(&mut client, "\r\n\r\n0").await;
            client
        };
        for _ in 0..3 {
            // All of these are in the backlog at least.
            let mut clients = Vec::new();
            for _ in 0..100 {
                clients.push(TcpStream::connect(server.address).await.expect("listening"));
            }
            sleep(Duration::from_millis(300)).await;
            let descriptors = server.resources().descriptors;
            // Some may be inherited.
            assert!((35..=45).contains(&descriptors), "{descriptors}");
            // Those who were accepted are served meanwhile.
            let first = clients.remove(0);
            let first = within(ask(first)).await;
            // As the others leave, those behind them are accepted.
            let last = clients.pop().expect("many");
            drop((first, clients));
            within(ask(last)).await;
        }
    }
}
