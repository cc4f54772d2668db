//! The simulation of a fleet: every device is played, alike ones once where that is exact.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use forewarn_engine::{PolicySet, SignedPolicy};
use forewarn_proto::policy::Policy;
use forewarn_trust::metadata::ADMIN_VALIDITY;
use jiff::{SignedDuration, Timestamp};

use super::{
    apps::Apps,
    calendar::Calendar,
    device::{Device, Track},
    fleet::Fleet,
    scene::{Period, Scene},
};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Simulation {
    /// Everybody who has a banned app, as far as the policy speaks of them.
    pub(crate) tracks: Vec<Track>,
}

/// What is done at once: one device, standing for as many as are alike.
struct Job<'f> {
    entry: usize,
    name: String,
    stands_for: u32,
    scene: &'f Scene<'f>,
}

/// Plays a policy over a fleet. `progress` hears, from any thread, how many devices are done.
///
/// # Errors
/// Names the field of the fleet that speaks of something unknown.
pub(crate) fn run(
    policy: &Policy,
    fleet: &Fleet,
    period: Period,
    seed: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Simulation, String> {
    let policy = Arc::new(policy.clone());
    let mut scenes = Vec::new();
    for (index, entry) in fleet.devices.iter().enumerate() {
        let apps = Apps::of(entry, &policy).map_err(|problem| format!("devices[{index}].{problem}"))?;
        let (set, calendar) = (set_of(&policy, period.from), Calendar::of(entry, period.from, period.until));
        scenes.push(Scene { entry, policy: policy.clone(), set, calendar, apps, period, seed });
    }
    let jobs: Vec<Job<'_>> = scenes.iter().enumerate().flat_map(|(index, scene)| jobs_of(index, scene)).collect();
    Ok(Simulation { tracks: play_all(&jobs, progress) })
}

/// The bundle that reaches the devices.
fn set_of(policy: &Arc<Policy>, from: Timestamp) -> PolicySet {
    let expires = from.saturating_add(ADMIN_VALIDITY).unwrap_or(Timestamp::MAX);
    let signed = SignedPolicy { policy: policy.clone(), signed_by: Vec::new(), expires };
    PolicySet { bundle: 1, policies: BTreeMap::from([(policy.id.clone(), signed)]), ..PolicySet::default() }
}

/// Alike devices differ in their names alone. These matter to a ramp, to a rollout by shares, and to who removes an app
/// when; without all of these, and where nobody has a banned app, one device stands for all.
fn jobs_of<'f>(index: usize, scene: &'f Scene<'f>) -> Vec<Job<'f>> {
    let entry = scene.entry;
    let hit = (0..entry.people).any(|of| scene.apps.banned_for(&scene.policy, super::apps::person(of)).is_some());
    let Policy { deadline, rollout, .. } = &*scene.policy;
    let spread =
        deadline.ramp.0 > SignedDuration::ZERO || rollout.percent < 100 || rollout.over.0 > SignedDuration::ZERO;
    let differ = hit && (spread || !entry.complies.is_none());
    let job = |name: String, stands_for: u32| Job { entry: index, name, stands_for, scene };
    if entry.count == 0 {
        Vec::new()
    } else if differ {
        (0..entry.count).map(|number| job(entry.device_name(number), 1)).collect()
    } else {
        vec![job(entry.device_name(0), entry.count)]
    }
}

fn play_all(jobs: &[Job<'_>], progress: &(dyn Fn(u64) + Sync)) -> Vec<Track> {
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let played: Mutex<BTreeMap<usize, Vec<Track>>> = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((index, job)) = take(&next, jobs) {
            let tracks = Device::new(job.scene, job.name.clone()).play();
            let tracks = tracks.into_iter().map(|track| Track { entry: job.entry, devices: job.stands_for, ..track });
            played.lock().unwrap_or_else(PoisonError::into_inner).insert(index, tracks.collect());
            let devices = u64::from(job.stands_for);
            progress(done.fetch_add(devices, Ordering::Relaxed) + devices);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len().max(1));
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    played.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().flatten().collect()
}

fn take<'j, 'f>(next: &AtomicUsize, jobs: &'j [Job<'f>]) -> Option<(usize, &'j Job<'f>)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, jobs.get(index)?))
}
