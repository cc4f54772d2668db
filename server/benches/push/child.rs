//! Processes that are told things on their standard input, and what the system says they cost.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A process that ends with this value.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("can't be started")?;
        let (input, output) = (child.stdin.take().context("no input")?, child.stdout.take().context("no output")?);
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// This program, as one of its parts.
    pub(crate) fn part(arguments: &[&str]) -> Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).args(arguments))
    }

    pub(crate) fn tell(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}")?;
        Ok(self.input.flush()?)
    }

    /// The next line that begins with `word`, without it, as numbers.
    pub(crate) fn hear(&mut self, word: &str) -> Result<Vec<f64>> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                bail!("a process ended before it said `{word}`");
            }
            if let Some(rest) = line.trim().strip_prefix(word) {
                return Ok(rest.split_whitespace().filter_map(|number| number.parse().ok()).collect());
            }
        }
    }

    pub(crate) fn ask(&mut self, line: &str, word: &str) -> Result<Vec<f64>> {
        self.tell(line)?;
        self.hear(word)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn wait(&mut self) -> Result<()> {
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of this process's standard input.
pub(crate) fn commands() -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Resident memory of a process, in bytes.
pub(crate) fn memory(id: u32) -> Result<f64> {
    let text = fs_err::read_to_string(format!("/proc/{id}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("there is no such figure")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? * 1024.0)
}

/// Processor time that the threads of a process have used, in microseconds.
pub(crate) fn processor(id: u32) -> Result<f64> {
    let mut sum = 0.0;
    for thread in fs_err::read_dir(format!("/proc/{id}/task"))? {
        let text = fs_err::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        sum += text.split(' ').next().unwrap_or_default().parse::<f64>().unwrap_or_default() / 1000.0;
    }
    Ok(sum)
}

/// Milliseconds on a clock that all processes share.
pub(crate) fn now() -> f64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
