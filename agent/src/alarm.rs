//! Sleeps until the engine wants to look again. The kernel's boot-time timer counts suspend, so that a laptop that slept
//! over a deadline looks as soon as it wakes; an idle daemon isn't woken at all.

use std::time::Duration;

use anyhow::Result;
use forewarn_core::ports::Alarm;
use forewarn_host::{Clock, Shift};
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use rustix::{
    fd::OwnedFd,
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime},
};
use tokio::io::unix::AsyncFd;

/// How often a simulated clock's file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A timer of the boot clock, which counts suspend. Nothing simulated moves it.
pub(crate) struct BootTimer(AsyncFd<OwnedFd>);

/// Sleeps for the engine, by a clock that may be simulated.
pub(crate) struct EngineAlarm {
    timer: BootTimer,
    clock: Clock,
    seen: Shift,
}

impl BootTimer {
    pub(crate) fn new() -> Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self(register(timer)?))
    }

    /// Returns after `length`. Another call sets it anew.
    async fn after(&self, length: SignedDuration) -> Result<()> {
        // A timer of zero is no timer, hence at least a millisecond.
        let length = length.max(SignedDuration::from_millis(1));
        let it_value = Timespec { tv_sec: length.as_secs(), tv_nsec: length.subsec_nanos().into() };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
        let mut guard = self.0.readable().await?;
        guard.clear_ready();
        Ok(())
    }
}

/// A file of the kernel's that becomes readable when something has happened.
#[expect(deprecated, reason = "its successor is unsafe, for types that lie about their descriptor; an OwnedFd doesn't")]
pub(crate) fn register(file: OwnedFd) -> std::io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(file)
}

impl EngineAlarm {
    pub(crate) fn new(clock: Clock) -> Result<Self> {
        Ok(Self { timer: BootTimer::new()?, seen: clock.shift(), clock })
    }

    async fn sleep_simulated(&mut self, length: Option<SignedDuration>) {
        let end = length.map(|length| self.clock.read().boot + length);
        loop {
            let shift = self.clock.shift();
            if shift != self.seen || end.is_some_and(|end| self.clock.read().boot >= end) {
                self.seen = shift;
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Alarm for BootTimer {
    fn sleep(&mut self, length: Option<SignedDuration>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match length {
                Some(length) => self.after(length).await,
                None => std::future::pending().await,
            }
        })
    }
}

impl Alarm for EngineAlarm {
    fn sleep(&mut self, length: Option<SignedDuration>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.clock.is_simulated() {
                self.sleep_simulated(length).await;
                return Ok(());
            }
            self.timer.sleep(length).await
        })
    }
}
