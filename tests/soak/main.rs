//! Many rejected clients, most of them misbehaving, and one honest one beside them.
//!
//! The server runs in a process of its own, whose memory and descriptors must return to where they
//! were. `TOWER_EXPECT_SOAK=100000` sets the number of rejections, 2,000 unless set;
//! `TOWER_EXPECT_SOAK_CONNECTIONS` how many are under way at a time, 200 unless set.

#![cfg(all(feature = "tokio", target_os = "linux"))]

#[path = "../support/process.rs"]
mod process;
#[path = "../support/resources.rs"]
mod resources;

mod clients;
mod server;

use std::{
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use clients::{Behaviour, Seen};

const TEST: &str = "rejected_clients_of_every_kind_leave_nothing_behind";

#[test]
fn rejected_clients_of_every_kind_leave_nothing_behind() {
    if process::wanted().is_some() {
        return server::run();
    }
    let rejections = number("TOWER_EXPECT_SOAK", 2_000);
    let connections = number("TOWER_EXPECT_SOAK_CONNECTIONS", 200);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(soak(rejections, connections));
}

async fn soak(rejections: usize, connections: usize) {
    let server = process::Server::start(TEST, "");
    let at_rest = server.resources().descriptors;
    // The first 8,000 bring pools and caches to their working size, which 60,000 do not exceed.
    let warm_up = Arc::new(Load::new(8_000));
    warm_up.clone().run(server.address, connections).await;
    server.settle(at_rest).await;
    let before = server.resources();
    let undisturbed = clients::honest_rate(server.address, Duration::from_secs(2)).await;

    let load = Arc::new(Load::new(rejections));
    let started = Instant::now();
    let running = tokio::spawn(Arc::clone(&load).run(server.address, connections));
    let done = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&done);
    let address = server.address;
    let honest = tokio::spawn(async move { clients::honest_until(address, &flag).await });
    running.await.expect("no client panics");
    let took = started.elapsed();
    done.store(true, Ordering::Relaxed);
    let disturbed = honest.await.expect("the honest client is served");

    server.settle(at_rest).await;
    let after = server.resources();
    let lost = load.lost.load(Ordering::Relaxed);
    println!("{rejections} rejections, {connections} at a time, in {took:.1?}; {lost} not seen");
    println!("honest uploads a second: {undisturbed:.0} undisturbed, {disturbed:.0} beside them");
    println!("before: {before}");
    println!("after:  {after}");

    assert_eq!(
        lost, 0,
        "rejections that a client waited for and did not see"
    );
    assert!(after.descriptors <= at_rest, "descriptors leak");
    let allowance = 4 << 20;
    assert!(after.memory <= before.memory + allowance, "memory leaks");
    assert!(
        disturbed >= 0.8 * undisturbed.min(clients::HONEST_PACE),
        "the honest client starves"
    );
}

/// Rejections still to provoke, and those that went unseen.
struct Load {
    left: AtomicUsize,
    lost: AtomicUsize,
}

impl Load {
    fn new(rejections: usize) -> Self {
        Self {
            left: AtomicUsize::new(rejections),
            lost: AtomicUsize::new(0),
        }
    }

    async fn run(self: Arc<Self>, address: std::net::SocketAddr, connections: usize) {
        let clients = (0..connections).map(|_| {
            let load = Arc::clone(&self);
            tokio::spawn(async move {
                while let Some(number) = load.next() {
                    let behaviour = Behaviour::of(number);
                    if clients::be_rejected(address, behaviour).await == Seen::No {
                        load.lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("no client panics");
        }
    }

    fn next(&self) -> Option<usize> {
        let one_less = |left: usize| left.checked_sub(1);
        let order = Ordering::Relaxed;
        self.left.fetch_update(order, order, one_less).ok()
    }
}

fn number(variable: &str, default: usize) -> usize {
    let text = std::env::var(variable).ok();
    text.map_or(default, |text| text.parse().expect("a number"))
}
