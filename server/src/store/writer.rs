//! Reports are written many at a time: whatever has come while one statement was on its way to the disk goes with the
//! next. A report is answered when it is on the disk.
//!
//! What waits is bounded by its size; beyond that a device is told to come again, which costs the server nothing.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use forewarn_proto::report::MAX_REPORT_BYTES;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::Store;

/// The most bytes of large reports that wait, body buffers included; and as many of the first bytes of all.
const MAX_WAITING_BYTES: usize = 32 * MAX_REPORT_BYTES;
/// How much of each report counts as its first bytes. Nearly all reports are shorter: those who send large ones keep no such
/// report out.
const FIRST_BYTES: usize = 16 * 1024;
/// What the places in memory are counted in.
const UNIT: usize = 1024;
/// The most reports in one statement. There are four values for each, and PostgreSQL takes 65,535 in one.
const MAX_BATCH: usize = 128;

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is on the disk, or a newer one of the same device is.
    Stored,
    /// No such device may speak.
    NotWelcome,
    /// The database failed; its error is in the log.
    Failed,
}

/// Too much waits already, or another report of this device.
#[derive(Debug)]
pub(crate) struct Busy;

/// The way to the writer.
#[derive(Debug, Clone)]
pub(crate) struct ReportWriter {
    queue: mpsc::UnboundedSender<Waiting>,
    first: Arc<Semaphore>,
    rest: Arc<Semaphore>,
    /// Whose report is being read or waits.
    under_way: Arc<Mutex<HashSet<String>>>,
}

/// A device's report on its way: its room, taken as the bytes come.
#[derive(Debug)]
pub(crate) struct Room {
    device: String,
    bytes: usize,
    first: Option<OwnedSemaphorePermit>,
    rest: Option<OwnedSemaphorePermit>,
    writer: ReportWriter,
}

impl Room {
    /// Takes room for so many more bytes. It is reckoned by their sum, however small the pieces are in which they come.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Busy> {
        let (before, after) = (self.bytes, self.bytes + bytes);
        self.bytes = after;
        let first = |sum: usize| sum.min(FIRST_BYTES).div_ceil(UNIT);
        let rest = |sum: usize| sum.saturating_sub(FIRST_BYTES).div_ceil(UNIT);
        let wanted = [
            (&self.writer.first, &mut self.first, first(after) - first(before)),
            (&self.writer.rest, &mut self.rest, rest(after) - rest(before)),
        ];
        for (room, held, units) in wanted {
            if units == 0 {
                continue;
            }
            let units = u32::try_from(units).map_err(|_| Busy)?;
            let more = room.clone().try_acquire_many_owned(units).map_err(|_| Busy)?;
            match held {
                Some(held) => held.merge(more),
                None => *held = Some(more),
            }
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.writer.under_way().remove(&self.device);
    }
}

#[derive(Debug)]
struct Waiting {
    device: String,
    sequence: u64,
    received: Timestamp,
    text: String,
    answer: oneshot::Sender<Verdict>,
    _room: Room,
}

impl ReportWriter {
    /// A writer and the task that writes, which ends when the last writer is dropped and all is written.
    pub(crate) fn new(store: Store) -> (Self, impl Future<Output = ()>) {
        let (queue, waiting) = mpsc::unbounded_channel();
        let room = || Arc::new(Semaphore::new(MAX_WAITING_BYTES / UNIT));
        (Self { queue, first: room(), rest: room(), under_way: Arc::default() }, write_all(store, waiting))
    }

    /// Room for a report of this device; none while another one of its is on its way.
    pub(crate) fn room(&self, device: &str) -> Result<Room, Busy> {
        if !self.under_way().insert(device.to_owned()) {
            return Err(Busy);
        }
        Ok(Room { device: device.to_owned(), bytes: 0, first: None, rest: None, writer: self.clone() })
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<String>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a report written in the place of the device's last, and waits until it is on the disk.
    pub(crate) async fn write(
        &self,
        room: Room,
        device: String,
        sequence: u64,
        text: String,
        received: Timestamp,
    ) -> Verdict {
        let (answer, verdict) = oneshot::channel();
        let sent = self.queue.send(Waiting { device, sequence, received, text, answer, _room: room });
        if sent.is_err() {
            return Verdict::Failed;
        }
        verdict.await.unwrap_or(Verdict::Failed)
    }
}

async fn write_all(store: Store, mut waiting: mpsc::UnboundedReceiver<Waiting>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while waiting.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let stored = store.write_reports(&batch).await;
        if let Err(error) = &stored {
            tracing::error!("{} reports could not be stored: {error:#}", batch.len());
        }
        for one in batch.drain(..) {
            let verdict = match &stored {
                Ok(stored) if stored.contains(&one.device) => Verdict::Stored,
                Ok(_) => Verdict::NotWelcome,
                Err(_) => Verdict::Failed,
            };
            // Whoever has gone away in the meantime does not hear it; they send it again.
            let _ = one.answer.send(verdict);
        }
    }
}

impl Store {
    /// Writes reports with one statement, and says of which devices. A device sends one at a time, the newest; one that
    /// lost its state counts from 1 again, so that the last to come counts.
    async fn write_reports(&self, batch: &[Waiting]) -> Result<Vec<String>> {
        let newest: BTreeMap<&str, &Waiting> = batch.iter().map(|one| (one.device.as_str(), one)).collect();
        let statement = insert_of(newest.len());
        // The text holds no value, only as many numbered places as there are reports.
        let mut insert = sqlx::query_scalar(AssertSqlSafe(statement));
        for (device, one) in newest {
            let sequence = i64::try_from(one.sequence).unwrap_or(i64::MAX);
            insert = insert.bind(device).bind(sequence).bind(one.received.as_millisecond()).bind(&one.text);
        }
        Ok(insert.fetch_all(&self.pool).await?)
    }
}

/// The statement that writes this many reports.
fn insert_of(reports: usize) -> String {
    let mut rows = String::new();
    for row in 0..reports {
        let at = row * 4;
        let comma = if row == 0 { "" } else { ", " };
        let values = (at + 1, at + 2, at + 3, at + 4);
        let (device, sequence, received, report) = values;
        let _ = write!(
            rows,
            "{comma}(CAST(${device} AS TEXT), CAST(${sequence} AS BIGINT), CAST(${received} AS BIGINT), \
             CAST(${report} AS TEXT))"
        );
    }
    format!(
        "INSERT INTO report (device, sequence, received, report) SELECT v.column1, v.column2, v.column3, v.column4 \
         FROM (VALUES {rows}) AS v JOIN device d ON d.name = v.column1 AND d.revoked IS NULL WHERE true \
         ON CONFLICT (device) DO UPDATE SET sequence = excluded.sequence, received = excluded.received, \
         report = excluded.report RETURNING device"
    )
}
