//! The story, chapter by chapter.

use std::{collections::BTreeSet, process::Command, time::Instant};

use anyhow::{Context, Result};
use forewarn_proto::{ipc::Status, report::Stage as ObligationStage};
use forewarn_tests::{home, wait_until};
use jiff::{SignedDuration, Timestamp};

use super::{Stage, program::Program};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Tells all of it.
pub(super) fn tell(stage: &mut Stage) -> Result<()> {
    found(stage)?;
    enroll(stage)?;
    let policy = preview(stage)?;
    publish(stage, &policy)?;
    remind(stage)?;
    revoke(stage)?;
    restore(stage)?;
    sent_in_error(stage)
}

fn found(stage: &mut Stage) -> Result<()> {
    stage.timeline.chapter("Two admins found the company's repository");
    stage.event(&format!("the server runs on {} and has made its own keys", stage.company.url));
    for name in ["alice", "bob"] {
        let made = stage.company.init_admin(name)?;
        stage.event(&format!("{name} makes a key on their own machine, encrypted at rest"));
        stage.timeline.quote(made.lines().next().unwrap_or_default());
    }
    stage.company.found_repository()?;
    stage.event("alice founds, bob compares the fingerprints and signs; the last signature publishes");
    Ok(())
}

fn enroll(stage: &mut Stage) -> Result<()> {
    stage.timeline.chapter("A device is enrolled");
    home::TIKTOK.install(&stage.device.home)?;
    let token = stage.company.token()?;
    let said = stage.device.enroll(&token, &stage.company.path("bob/root.json"))?;
    stage.event("the device makes its key, and trusts the admins whom bob's file names");
    stage.timeline.quote(&said);
    stage.device.start()?;
    let all_listed = |status: &Status| status.confirmed_at.is_some() && status.sources.iter().any(|s| s.packages > 0);
    let status = stage.device.wait_for("packages are listed", all_listed)?;
    stage.event("the daemon lists what is installed, and keeps the list to itself");
    for source in status.sources.iter().filter(|s| s.packages > 0 || !s.gaps.is_empty()) {
        let state = if source.gaps.is_empty() { "complete" } else { "partial" };
        stage.timeline.quote(&format!("{:<10}{:>6} packages, {state}", source.source.name(), source.packages));
    }
    compare_with_dpkg(stage, &status);
    Ok(())
}

/// `dpkg-query` is asked by the demonstration, never by the daemon.
fn compare_with_dpkg(stage: &mut Stage, status: &Status) {
    let Ok(query) = Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}\n"]).output() else {
        stage.timeline.quote("there is no dpkg-query here to compare with");
        return;
    };
    let theirs = String::from_utf8_lossy(&query.stdout).lines().filter(|line| *line == "installed").count();
    let ours = status.sources.iter().find(|source| source.source.name() == "dpkg").map_or(0, |source| source.packages);
    stage.timeline.check(ours == theirs, &format!("dpkg-query lists {theirs} installed packages, the daemon {ours}"));
}

fn preview(stage: &mut Stage) -> Result<String> {
    stage.timeline.chapter("TikTok is to be banned");
    let at = (stage.now()? + HOUR * 30).to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let deadline = format!("at = \"{}\"\ngrace = \"48h\"", at.strftime("%Y-%m-%dT%H:%MZ"));
    let policy = stage.company.policy_file(&home::ban(&home::TIKTOK, "no-tiktok", 1, &deadline))?;
    let checked = stage.company.admin("alice", &["check", &policy])?.ok()?;
    stage.event("alice writes a policy and checks it");
    stage.timeline.quote(&checked);
    let previewed = stage.company.admin("alice", &["preview", &policy])?.ok()?;
    stage.event("alice previews it: devices count, nobody is told");
    stage.timeline.quote(from_last(&previewed, "preview/"));
    let silent = stage.device.terminal().is_empty();
    stage.timeline.check(silent && previewed.contains("not met on 1 devices"), "one device counted, no notice shown");
    Ok(policy)
}

fn publish(stage: &mut Stage, policy: &str) -> Result<()> {
    stage.company.admin("alice", &["propose", policy])?.ok()?;
    let alone = stage.company.admin("alice", &["publish"])?;
    stage.event("alice signs, and tries to publish alone");
    stage.timeline.quote(&alone.text);
    let unchanged = stage.device.status()?.rules.is_empty();
    stage.timeline.promise(2, !alone.success && unchanged, "one signature of two did nothing");
    let start = Instant::now();
    stage.company.admin("bob", &["sign", "--yes"])?.ok()?;
    let notice = stage.device.wait_for_notice("Why, and whom to ask?")?;
    let latency = start.elapsed();
    stage.device.wait_for_first_notice()?;
    stage.event("bob reads the draft and signs, which publishes it; the person sees");
    stage.timeline.quote(&notice);
    let text = format!("from bob's `sign`, which opens his key, to the notice: {} ms", latency.as_millis());
    stage.timeline.check(latency.as_millis() < 2000, &text);
    let status = stage.device.wait_for("a deadline runs", |s| s.obligations.iter().any(|o| o.deadline.is_some()))?;
    let obligation = &status.obligations[0];
    let (shown, deadline) = (obligation.shown.context("not shown")?, obligation.deadline.context("no deadline")?);
    let given = deadline.duration_since(shown);
    let text = format!("the policy says 30 h, the person gets {} h from when the notice was shown", given.as_hours());
    stage.timeline.promise(1, given >= HOUR * 48, &text);
    explain(stage)
}

fn explain(stage: &mut Stage) -> Result<()> {
    let why = stage.device.run(&["why", "tiktok"])?.ok()?;
    stage.event("the person asks: forewarn why tiktok");
    stage.timeline.quote(&why);
    let parts = ["signed by  alice, bob", "matched", "told", "deadline", "takes", "undo", "contest"];
    let complete = parts.iter().all(|part| why.contains(part));
    stage.timeline.promise(
        8,
        complete,
        "`why` names rule, signers, match, notice, deadline, consequence, undo, appeal",
    );
    Ok(())
}

fn remind(stage: &mut Stage) -> Result<()> {
    stage.timeline.chapter("Time passes");
    let deadline = stage.deadline()?;
    stage.device.set_wall_clock(HOUR * 24 * 365)?;
    let forward = stage.device.status()?;
    stage.device.set_wall_clock(HOUR * -24 * 365)?;
    stage.event("somebody sets the device's clock a year forward, and back");
    let same = stage.deadline()? == deadline && forward.obligations.iter().all(|o| o.stage == ObligationStage::Warned);
    stage.timeline.promise(6, same, "a clock set a year forward brought the deadline no nearer");
    for (length, name) in [(HOUR * 24, "24 h"), (HOUR * 20, "4 h"), (HOUR * 3, "1 h")] {
        stage.device.wait_for_reminder(|| stage.pass(length + MINUTE / 10))?;
        stage.event(&format!("{name} before the deadline: a reminder"));
    }
    Ok(())
}

fn revoke(stage: &mut Stage) -> Result<()> {
    stage.timeline.chapter("The server is gone, and the deadline comes");
    let before = home::mail_files(&stage.device.home)?;
    stage.mail.clone_from(&before);
    stage.company.kill_server();
    stage.device.wait_for("the server is missed", |status| !status.connected)?;
    stage.pass(MINUTE * 45)?;
    stage.device.wait_for_last_call()?;
    stage.event("15 min before the deadline, without a server: the last call");
    stage.pass(HOUR * 30)?;
    let held = stage.device.wait_for("the revoke is held", |s| s.obligations[0].stage == ObligationStage::Held)?;
    stage.event("a day later: the deadline has passed, but nobody can confirm the policy");
    let why = stage.device.run(&["why", "tiktok"])?.ok()?;
    why.lines()
        .skip_while(|line| !line.contains("deadline passed"))
        .take(1 + held.obligations[0].holds.len())
        .for_each(|line| stage.timeline.quote(line));
    let untouched = home::mail_files(&stage.device.home)? == before;
    stage.timeline.promise(7, untouched, "without a server the device warned and took nothing");
    let thunderbird = Program::open(&stage.device.home)?;
    stage.company.start_server()?;
    wait_for_closing(stage, thunderbird)?;
    let taken = stage.device.wait_for("revoked", |status| !status.revoked.is_empty())?;
    stage.event("it is closed, and the company account goes into the vault");
    let (company, private) =
        (home::mentions(&stage.device.home, "@corp.example")?, home::mentions(&stage.device.home, "@private.example")?);
    let text =
        format!("in Thunderbird and isync {company} settings name the company account, {private} the private one");
    stage.timeline.check(company == 0 && private > 0 && taken.revoked.len() == 1, &text);
    stage.device.wait_for_notice("was taken off this device")?;
    Ok(())
}

/// What a mail program has in its memory is not changed under it, and no program is closed for anybody.
fn wait_for_closing(stage: &mut Stage, thunderbird: Program) -> Result<()> {
    let waits = |status: &Status| status.obligations.iter().any(|o| !o.waiting_for.is_empty());
    let waiting = stage.device.wait_for("it waits for the mail program", waits)?;
    stage.event(
        "the server is back and confirms the policy, but the person has their mail open; `forewarn status` says",
    );
    let said = stage.device.run(&["status"])?.ok()?;
    said.lines().take(3).for_each(|line| stage.timeline.quote(line));
    let named = waiting.obligations[0].waiting_for == ["Thunderbird"] && said.contains("waiting for Thunderbird");
    stage.timeline.promise(4, named, "Thunderbird was running: it was waited for, and not closed");
    thunderbird.close()
}

fn restore(stage: &mut Stage) -> Result<()> {
    stage.timeline.chapter("The person removes TikTok");
    home::TIKTOK.remove(&stage.device.home)?;
    stage.device.wait_for_notice("Company mail (corp.example) is back")?;
    stage.event("the daemon sees that the app is gone, and gives the account back");
    let identical = compare_mail(stage)?;
    stage.timeline.promise(4, identical, "every file of the mail profile has the SHA-256 that it had before");
    let status = stage.device.status()?;
    let report = serde_json::to_string(&status.report)?;
    stage.event("everything that the server was ever told about this device now:");
    stage.timeline.quote(&report);
    let leaked = installed_names().into_iter().find(|name| name.len() > 3 && report.contains(&format!("\"{name}\"")));
    stage.timeline.promise(5, leaked.is_none(), "the report names the rule and its result, and no package");
    Ok(())
}

fn sent_in_error(stage: &mut Stage) -> Result<()> {
    stage.timeline.chapter("A policy sent in error");
    home::INSTAGRAM.install(&stage.device.home)?;
    stage.company.publish(&home::ban(&home::INSTAGRAM, "hasty", 1, "grace = \"24h\""))?;
    let notice = stage.device.wait_for_first_notice()?;
    stage.event("a second policy goes out, signed by both; the person sees it");
    stage.timeline.quote(from_last(&notice, "[forewarn]"));
    stage.pass(HOUR * 24)?;
    stage.device.wait_for_last_call()?;
    stage.pass(MINUTE * 20)?;
    stage.device.wait_for("revoked again", |status| !status.revoked.is_empty())?;
    stage.event("its deadline passes, and the account goes");
    let start = Instant::now();
    stage.company.admin("alice", &["retract", "hasty", "--reason", "sent in error"])?.ok()?;
    stage.device.wait_for("nothing is asked", |status| status.obligations.is_empty() && status.revoked.is_empty())?;
    let text = stage.device.wait_for_notice("\" was sent in error")?;
    let latency = start.elapsed().as_millis();
    stage.event("\"This was sent in error.\" alice alone takes it back");
    stage.timeline.quote(from_last(&text, "[forewarn] Correction"));
    let identical = compare_mail(stage)?;
    let text = format!("retracted by one admin: notice gone, correction shown, profile back, in {latency} ms");
    stage.timeline.promise(3, identical, &text);
    let corrected = wait_until("the correction is reported", || {
        let status = stage.company.admin("bob", &["status"])?.ok()?;
        let line = status.lines().find(|line| line.starts_with("hasty was retracted") && line.contains("1 of 1"));
        line.map(str::to_owned).context("not yet")
    })?;
    stage.event("bob asks who saw it and who was corrected");
    stage.timeline.quote(&corrected);
    stage.timeline.promise(2, true, "one admin alone took a policy back");
    Ok(())
}

/// The end of a text, from the last `start` in it on.
fn from_last<'t>(text: &'t str, start: &str) -> &'t str {
    text.rfind(start).map_or(text, |at| &text[at..])
}

/// Prints each mail file with its SHA-256 then and now.
fn compare_mail(stage: &mut Stage) -> Result<bool> {
    let now = home::mail_files(&stage.device.home)?;
    let before = stage.mail.clone();
    for (path, hash) in &before {
        let same = if now.get(path) == Some(hash) { "identical" } else { "DIFFERS" };
        stage.timeline.quote(&format!("{}… {same}  {}", &hash[..12], path.display()));
    }
    Ok(now == before)
}

fn installed_names() -> BTreeSet<String> {
    let query = Command::new("dpkg-query").args(["-W", "-f", "${Package}\n"]).output();
    query.map(|o| String::from_utf8_lossy(&o.stdout).lines().map(str::to_owned).collect()).unwrap_or_default()
}

impl Stage {
    fn now(&self) -> Result<Timestamp> {
        Ok(forewarn_host::Clock::new(Some(&self.device.clock_file())).wall())
    }

    fn event(&self, text: &str) {
        self.timeline.event(self.now().unwrap_or_default(), text);
    }

    /// Time passes for everyone.
    fn pass(&self, length: SignedDuration) -> Result<()> {
        self.company.pass(length)?;
        self.device.pass(length)
    }

    fn deadline(&self) -> Result<Timestamp> {
        self.device.status()?.obligations.first().and_then(|o| o.deadline).context("no deadline runs")
    }
}
