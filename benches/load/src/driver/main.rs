//! The clients that no load tool has: those that ask for a 100, and those that are refused.
//!
//! ```text
//! driver uploads ADDRESS CONNECTIONS SECONDS LENGTH
//! driver refusals waiting|watching|blind ADDRESS CONNECTIONS SECONDS LENGTH
//! driver held ADDRESS PATH CONNECTIONS
//! ```
//!
//! Each prints JSON on a line.

mod connection;
mod held;
mod latencies;
mod refusals;
mod uploads;

use std::{error::Error, net::SocketAddr, str::FromStr, time::Duration};

type Failure = Box<dyn Error + Send + Sync>;

/// How much, and for how long.
#[derive(Clone, Copy)]
struct Load {
    address: SocketAddr,
    connections: usize,
    time: Duration,
    /// The length of each upload.
    length: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let mut args = Args(&mut args);
    match args.next::<String>()?.as_str() {
        "uploads" => println!("{}", uploads::run(args.load()?).await?),
        "refusals" => {
            let client = args.next()?;
            println!("{}", refusals::run(client, args.load()?).await?);
        }
        "held" => held::run(args.next()?, args.next()?, args.next()?).await?,
        other => return Err(format!("unknown: {other}").into()),
    }
    Ok(())
}

struct Args<'a>(&'a mut dyn Iterator<Item = String>);

impl Args<'_> {
    fn next<T: FromStr<Err: Error + Send + Sync + 'static>>(&mut self) -> Result<T, Failure> {
        Ok(self.0.next().ok_or("an argument is missing")?.parse()?)
    }

    fn load(&mut self) -> Result<Load, Failure> {
        Ok(Load {
            address: self.next()?,
            connections: self.next()?,
            time: Duration::from_secs_f64(self.next()?),
            length: self.next()?,
        })
    }
}
