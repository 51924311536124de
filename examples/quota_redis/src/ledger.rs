//! The accounts in Redis, which all replicas share.

use std::{io, sync::Arc, time::Duration};

use redis::{
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
    Client, FromRedisValue, IntoConnectionInfo, RedisResult, Script, ScriptInvocation,
};
use tokio::time::{timeout, Instant};
use uuid::Uuid;

use super::config::Config;

/// How long a settlement is remembered, and so can be repeated.
const MEMORY: Duration = Duration::from_secs(3600);

pub(crate) struct Ledger {
    redis: ConnectionManager,
    reserve: Script,
    settle: Script,
    timeout: Duration,
    quota: u64,
    lease: Duration,
}

/// A part of a user's quota, claimed for one upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) user: Arc<str>,
    /// Chosen here, not by Redis: what was asked can be undone although no answer came.
    pub(crate) id: Uuid,
    pub(crate) bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Reserved,
    /// It may fit when uploads under way have ended.
    Full,
    TooLarge {
        left: u64,
    },
}

impl Ledger {
    /// Does not connect yet: the server starts without Redis, too.
    pub(crate) fn new(config: &Config) -> RedisResult<Self> {
        let timeout = config.redis_timeout;
        let manager = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            // Each question tries again by itself. Waiting longer is no use: it must be answered.
            .set_number_of_retries(0);
        let redis = config
            .redis
            .as_str()
            .into_connection_info()?
            .set_tcp_settings(tcp());
        Ok(Self {
            redis: ConnectionManager::new_lazy_with_config(Client::open(redis)?, manager)?,
            reserve: Script::new(include_str!("reserve.lua")),
            settle: Script::new(include_str!("settle.lua")),
            timeout,
            quota: config.quota,
            lease: config.lease,
        })
    }

    /// Within which each question is answered, or has failed.
    pub(crate) fn deadline(&self) -> Duration {
        2 * self.timeout
    }

    pub(crate) fn lease(&self) -> Duration {
        self.lease
    }

    /// Takes a lease for the claim, or renews the one it has.
    pub(crate) async fn reserve(&self, claim: &Claim) -> RedisResult<Verdict> {
        let mut call = call(&self.reserve, claim);
        call.arg(claim.bytes)
            .arg(self.quota)
            .arg(self.lease.as_millis());
        let (verdict, left): (String, u64) = self.ask(&call).await?;
        Ok(match &*verdict {
            "reserved" => Verdict::Reserved,
            "full" => Verdict::Full,
            _ => Verdict::TooLarge { left },
        })
    }

    /// Ends the lease of the claim and counts what was read; once, however often it is called.
    pub(crate) async fn settle(&self, claim: &Claim, read: u64) -> RedisResult<()> {
        let mut call = call(&self.settle, claim);
        call.arg(read).arg(MEMORY.as_millis());
        self.ask(&call).await
    }

    async fn ask<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> RedisResult<T> {
        let mut redis = self.redis.clone();
        let began = Instant::now();
        let answer = async {
            match call.invoke_async(&mut redis).await {
                // What fails at once may be an old failure, which begins a new connection. Both
                // scripts can be repeated.
                Err(error) if error.is_io_error() && began.elapsed() < self.timeout => {
                    call.invoke_async(&mut redis).await
                }
                answer => answer,
            }
        };
        let too_late = |_| io::Error::from(io::ErrorKind::TimedOut);
        timeout(self.deadline(), answer).await.map_err(too_late)?
    }
}

/// The keys are in the same slot of a cluster: only what is in braces is hashed.
fn call<'a>(script: &'a Script, claim: &Claim) -> ScriptInvocation<'a> {
    let Claim { user, id, .. } = claim;
    let mut call = script.key(format!("quota:{{{user}}}"));
    call.key(format!("quota:{{{user}}}:leases"))
        .key(format!("quota:{{{user}}}:sizes"))
        .key(format!("quota:{{{user}}}:settled:{id}"))
        .arg(id.to_string());
    call
}

fn tcp() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    // A connection to a host that is gone would otherwise be kept for a quarter of an hour.
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(5));
    settings
}
