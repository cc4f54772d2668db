//! The one way in which our programs say something on a terminal, or write a log.
//!
//! Everything is said line by line: what is put into a line can neither end it nor do anything else than be read
//! ([`forewarn_proto::foreign`]), wherever it came from. A foreign text of several lines is said with its own margin.

mod log;
mod wrap;

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
};

use forewarn_proto::foreign;
use serde::Serialize;

pub use log::Log;
pub use wrap::{columns_of, wrapped};

/// Says one line on standard output, with the arguments of [`format!`].
#[macro_export]
macro_rules! say {
    () => { $crate::say_line(::std::format_args!("")) };
    ($($part:tt)*) => { $crate::say_line(::std::format_args!($($part)*)) };
}

/// Says one line on standard error, with the arguments of [`format!`].
#[macro_export]
macro_rules! warn {
    ($($part:tt)*) => { $crate::warn_line(::std::format_args!($($part)*)) };
}

/// See [`say!`].
pub fn say_line(line: Arguments<'_>) {
    finish(put(&mut anstream::stdout().lock(), columns_of(io::stdout()), &line.to_string(), "\n"));
}

/// See [`warn!`].
pub fn warn_line(line: Arguments<'_>) {
    finish(put(&mut anstream::stderr().lock(), columns_of(io::stderr()), &line.to_string(), "\n"));
}

/// Says lines on standard output.
pub fn say_lines(lines: impl IntoIterator<Item = String>) {
    let mut out = anstream::stdout().lock();
    let columns = columns_of(io::stdout());
    finish(lines.into_iter().try_for_each(|line| put(&mut out, columns, &line, "\n")));
}

/// Says a value on standard output, as JSON.
///
/// # Errors
/// When it has no JSON.
pub fn say_json(value: &impl Serialize) -> serde_json::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    say_lines(foreign::json(&text).lines().map(str::to_owned));
    Ok(())
}

/// Puts a question on standard output. The answer comes on the same line.
pub fn ask(question: &str) {
    finish(put(&mut anstream::stdout().lock(), columns_of(io::stdout()), question, " "));
}

/// Says on standard error why a program failed. What others said of it may have several lines.
pub fn complain(program: &str, error: &impl std::fmt::Display) {
    let text = error.to_string();
    let mut lines = text.lines();
    warn!("{program}: {}", lines.next().unwrap_or_default());
    lines.for_each(|line| warn!("  {}{line}", foreign::MARGIN));
}

/// Says how a program is used, in the words and styles that the command line's reader made.
pub fn explain_usage(text: &str, is_error: bool) {
    text.trim_end().lines().for_each(|line| if is_error { warn!("{line}") } else { say!("{line}") });
}

/// `columns`: of the terminal, if it is one.
fn put(out: &mut impl Write, columns: Option<usize>, line: &str, end: &str) -> io::Result<()> {
    let line = foreign::guarded(line);
    let text = columns.map_or_else(|| line.to_string(), |columns| wrapped(&line, columns).join("\n"));
    out.write_all(format!("{text}{end}").as_bytes())?;
    out.flush()
}

/// Whoever hears no more of it (`forewarn log | head`) has heard enough. That it could not be said otherwise (a full disk)
/// can't be said either; the exit code has to tell it.
fn finish(said: io::Result<()>) {
    match said {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(_) => std::process::exit(1),
    }
}
