//! Runs the attacks on every stack, and counts.

use std::{net::SocketAddr, sync::Arc};

use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    attack::{self, Attack, Timing, Try},
    servers::{Server, SERVERS},
    stack::{Place, Stack},
    stacks::STACKS,
    tries::tries,
    verdict,
};

/// Enough for [`verdict::is_above`] to tell all from none.
const DEFAULT_TRIES: usize = 20;
const AT_ONCE: usize = 48;

/// One stack below one server under one attack, in all places.
pub(crate) struct Row {
    pub(crate) stack: &'static Stack,
    pub(crate) server: &'static Server,
    pub(crate) attack: Attack,
    /// In the order of [`Place::ALL`]; `None` where the stack has no such place.
    pub(crate) counts: [Option<Count>; 3],
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) tries: usize,
    pub(crate) responded: usize,
    pub(crate) close: usize,
    pub(crate) invited: usize,
    /// In how many tries a hidden request was executed.
    pub(crate) hidden: usize,
    /// All tries but those in which the body was owed and nothing was executed.
    pub(crate) counted: usize,
}

impl Count {
    fn add(&mut self, result: &Try) {
        let hidden = result.hidden();
        self.tries += 1;
        self.responded += usize::from(result.responded);
        self.close += usize::from(result.close);
        self.invited += usize::from(result.invited);
        self.hidden += usize::from(hidden);
        self.counted += usize::from(hidden || !result.invited);
    }
}

impl Row {
    pub(crate) fn count(&self, place: Place) -> Option<Count> {
        self.counts[place as usize]
    }

    /// Whether nothing hidden may be executed there, whatever the stack does without the layer.
    fn is_safe(&self, place: Place) -> bool {
        self.server.vouches
            || match place {
                Place::Outside => true,
                // A body that has come with the head is read, and done; close is left to the response.
                Place::Inside => !self.stack.as_bare_inside && self.attack.timing == Timing::After,
                Place::Bare => false,
            }
    }

    /// What is wrong in one place, if anything.
    pub(crate) fn fault(&self, place: Place) -> Option<String> {
        let count = self.count(place)?;
        let Count {
            hidden,
            counted,
            tries,
            responded,
            ..
        } = count;
        let bare = self.count(Place::Bare).unwrap_or_default();
        if responded < tries {
            Some(format!("{responded} responses in {tries} tries"))
        } else if self.is_safe(place) && hidden > 0 {
            Some(format!(
                "{hidden} of {counted} hidden requests executed instead of none"
            ))
        } else if place != Place::Bare && verdict::is_above(count, bare) {
            let (of, without) = (bare.counted, bare.hidden);
            Some(format!(
                "{hidden} of {counted} hidden requests executed, {without} of {of} bare"
            ))
        } else {
            None
        }
    }
}

pub(crate) async fn all() -> Vec<Row> {
    let mut rows = Vec::new();
    for server in SERVERS {
        for stack in STACKS {
            rows.extend(measure(server, stack).await);
        }
    }
    rows
}

async fn measure(server: &'static Server, stack: &'static Stack) -> Vec<Row> {
    let mut addresses = Vec::new();
    for place in Place::ALL {
        if stack.has(place) {
            addresses.push((place, server.start(stack.router(place)).await));
        }
    }
    let long: &[_] = if stack.thorough { &Attack::LONG } else { &[] };
    let mut rows = Vec::new();
    for attack in Attack::SHORT.iter().chain(long) {
        let counts = run(stack, attack, &addresses).await;
        rows.push(Row {
            stack,
            server,
            attack: *attack,
            counts,
        });
    }
    rows
}

/// The tries of all places by turns, so that what else the machine does befalls them alike.
async fn run(
    stack: &'static Stack,
    attack: &Attack,
    addresses: &[(Place, SocketAddr)],
) -> [Option<Count>; 3] {
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for _ in 0..tries(DEFAULT_TRIES).div_ceil(attack.one_in) {
        for &(place, address) in addresses {
            let permit = Arc::clone(&at_once).acquire_owned().await.expect("open");
            let attack = *attack;
            tasks.spawn(async move {
                let result = attack::run(stack, &attack, address).await;
                drop(permit);
                (place, result)
            });
        }
    }
    let mut results = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (place, result) = done.expect("no panic");
        results.push((place, result));
    }
    let mut counts = [None; 3];
    // Only now, since a hidden request may be executed after its connection has been given up.
    for (place, result) in results {
        counts[place as usize]
            .get_or_insert_with(Count::default)
            .add(&result);
    }
    counts
}
