//! A log's lines.

use std::io::{self, Write};

use forewarn_proto::foreign;

/// Writes a log to standard error. Each event comes as one write and becomes one line, so that nothing in it can look like
/// another event.
#[derive(Debug, Clone, Copy)]
pub enum Log {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Log {
    /// One event as it is written.
    fn event(self, event: &[u8]) -> String {
        let event = String::from_utf8_lossy(event);
        let event = event.strip_suffix('\n').unwrap_or(&event);
        let line = match self {
            Self::Text => foreign::guarded(event),
            Self::Json => foreign::json(event),
        };
        format!("{line}\n")
    }
}

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(self.event(event).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let forged = "\u{1b}[32m INFO\u{1b}[0m refused: x\n ERROR \u{202e}the vault is empty\u{9b}2J\n";
        let expected = "\u{1b}[32m INFO\u{1b}[0m refused: x\\u{a} ERROR \\u{202e}the vault is empty\\u{9b}2J\n";
        assert_eq!(Log::Text.event(forged.as_bytes()), expected);
        let json = serde_json::json!({ "message": forged }).to_string();
        let written = Log::Json.event(json.as_bytes());
        assert_eq!(written.lines().count(), 1);
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["message"], forged.replace('\u{202e}', ""));
    }
}
