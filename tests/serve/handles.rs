//! Handles: the end at once, and of several servers together.

use std::{
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::DuplexStream,
    sync::oneshot,
    time::{sleep, Instant},
};
use tower_expect::{serve::Handle, ConnectionEnd, Event};

use crate::{
    pipes::pipes,
    support::{app, read_all, read_to, write},
};

#[tokio::test(start_paused = true)]
async fn a_server_that_is_aborted_waits_for_nobody() {
    for is_shutting_down in [false, true] {
        let ends: Arc<Mutex<Vec<ConnectionEnd>>> = Arc::default();
        let told = Arc::clone(&ends);
        let (connections, pipes) = pipes::<DuplexStream>();
        let server = tower_expect::serve(pipes, app()).observe(move |event: &Event| {
            if let Event::Disconnected { end, .. } = event {
                told.lock().expect("no panic").push(*end);
            }
        });
        let handle = server.handle();
        let server = tokio::spawn(server.into_future());
        let (near, mut client) = tokio::io::duplex(1 << 16);
        connections.send(near).expect("listening");
        write(&mut client, "GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await;
        sleep(Duration::from_millis(1)).await;
        if is_shutting_down {
            handle.shutdown();
            sleep(Duration::from_secs(60)).await;
            assert!(!server.is_finished());
        }
        let begun = Instant::now();
        handle.abort();
        assert_eq!(read_all(&mut client).await, "");
        server.await.expect("no panic").expect("no error");
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let ends = ends.lock().expect("no panic");
        assert_eq!(*ends, [ConnectionEnd::Aborted]);
    }
}

#[tokio::test(start_paused = true)]
async fn servers_that_share_a_handle_count_together_and_end_together() {
    for by_signal in [false, true] {
        let handle = Handle::new();
        let (stop, stopped) = oneshot::channel::<()>();
        let (to_one, pipes_of_one) = pipes::<DuplexStream>();
        let (to_other, pipes_of_other) = pipes::<DuplexStream>();
        let one = tower_expect::serve(pipes_of_one, app())
            .with_handle(handle.clone())
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            });
        let other = tower_expect::serve(pipes_of_other, app()).with_handle(handle.clone());
        let servers = [one, other].map(|server| tokio::spawn(server.into_future()));
        let mut clients = Vec::new();
        for connections in [to_one, to_other] {
            let (near, mut client) = tokio::io::duplex(1 << 16);
            connections.send(near).expect("listening");
            write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
            read_to(&mut client, "\r\n\r\n0").await;
            clients.push(client);
        }
        assert_eq!(handle.connections(), 2);

        let begun = Instant::now();
        if by_signal {
            stop.send(()).expect("running");
        } else {
            handle.shutdown();
        }
        for mut client in clients {
            assert_eq!(read_all(&mut client).await, "");
        }
        for server in servers {
            server.await.expect("no panic").expect("no error");
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(handle.connections(), 0);
    }
}

#[tokio::test]
async fn a_handle_that_was_used_before_ends_a_server_as_it_begins() {
    let uses: [fn(&Handle); 2] = [Handle::shutdown, Handle::abort];
    for used in uses {
        let handle = Handle::default();
        used(&handle);
        let server = tower_expect::serve(pipes::<DuplexStream>().1, app());
        let ended = server.with_handle(handle).into_future().await;
        ended.expect("no error");
    }
}
