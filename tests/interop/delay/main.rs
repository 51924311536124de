//! A relay that makes loopback a slow and lossy link:
//! `interop_delay SERVER ROUND_TRIP_MS LOST_PERCENT` prints the address to connect to.

mod link;

use std::{error::Error, io::Write, time::Duration};

use link::Link;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, round_trip, lost_percent] = &arguments[..] else {
        return Err("usage: interop_delay SERVER ROUND_TRIP_MS LOST_PERCENT".into());
    };
    let link = Link {
        round_trip: Duration::from_millis(round_trip.parse()?),
        lost_percent: lost_percent.parse()?,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    link.relay(listener, server.parse()?).await?;
    Ok(())
}
