//! The head of the one request that a connection brings (RFC 9112), and the head of its answer.

use std::time::Duration;

use forewarn_proto::push::SPREAD_HEADER;

/// The largest head of a request, in bytes. A device's own has some 150.
pub(super) const MAX_HEAD_BYTES: usize = 4096;
/// The most headers in one.
const MAX_HEADERS: usize = 32;
/// The longest `Last-Event-ID` that can be a digest. A longer one is no bundle's.
const MAX_ID_BYTES: usize = 64;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The head is not complete.
    More,
    /// `GET /v1/stream`, with the digest of the bundle that the device has; empty if it has none.
    Stream(String),
    /// Something else, or nothing that can be read.
    Refused(Refused),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Unreadable,
    TooLarge,
    NotHere,
    NotGet,
    NotEnrolled,
    Failed,
}

impl Refused {
    /// The status and reason phrase, and what a person is told.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unreadable => ("400 Bad Request", "this is not an HTTP/1.1 request"),
            Self::TooLarge => ("431 Request Header Fields Too Large", "a request's head has at most 4096 bytes here"),
            Self::NotHere => ("404 Not Found", "here is /v1/stream alone; ask the server's other address"),
            Self::NotGet => ("405 Method Not Allowed", "a stream is asked for with GET"),
            Self::NotEnrolled => ("403 Forbidden", "this device is no longer enrolled; run `forewarn enroll`"),
            Self::Failed => ("500 Internal Server Error", "the server failed; its log says why"),
        }
    }

    /// The whole answer.
    pub(super) fn answer(self) -> Vec<u8> {
        let (status, text) = self.words();
        let (body, allow) = (format!("\"{text}\""), if self == Self::NotGet { "allow: GET\r\n" } else { "" });
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{allow}\
             connection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// Reads a head that may have come in part.
pub(super) fn read(bytes: &[u8]) -> Asked {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD_BYTES => judge(&request),
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD_BYTES => Asked::More,
        Ok(_) | Err(httparse::Error::TooManyHeaders) => Asked::Refused(Refused::TooLarge),
        Err(_) => Asked::Refused(Refused::Unreadable),
    }
}

fn judge(request: &httparse::Request<'_, '_>) -> Asked {
    if request.path != Some("/v1/stream") {
        return Asked::Refused(Refused::NotHere);
    }
    if request.method != Some("GET") {
        return Asked::Refused(Refused::NotGet);
    }
    let id = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("last-event-id"));
    let id = id.and_then(|header| std::str::from_utf8(header.value).ok()).filter(|id| id.len() <= MAX_ID_BYTES);
    Asked::Stream(id.unwrap_or_default().to_owned())
}

/// The head of the stream: what follows are events, for as long as the connection lives.
pub(super) fn stream(spread: Duration) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n{SPREAD_HEADER}: {}\r\n\
         connection: close\r\n\r\n",
        spread.as_secs()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "GET /v1/stream HTTP/1.1\r\nhost: a\r\nLast-Event-ID: abc\r\n\r\n";

    #[test]
    fn a_head_may_be_split_anywhere() {
        for split in 0..HEAD.len() {
            assert_eq!(read(&HEAD.as_bytes()[..split]), Asked::More, "after {split} bytes");
        }
        assert_eq!(read(HEAD.as_bytes()), Asked::Stream("abc".into()));
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let refused = |head: &str| match read(head.as_bytes()) {
            Asked::Refused(refused) => refused,
            other @ (Asked::More | Asked::Stream(_)) => panic!("{other:?}"),
        };
        assert_eq!(refused("GET /v1/status HTTP/1.1\r\n\r\n"), Refused::NotHere);
        assert_eq!(refused("POST /v1/stream HTTP/1.1\r\n\r\n"), Refused::NotGet);
        assert_eq!(refused("\u{1}\u{2}\u{3}"), Refused::Unreadable);
        assert_eq!(
            refused(&format!("GET /v1/stream HTTP/1.1\r\na: {}", "x".repeat(MAX_HEAD_BYTES))),
            Refused::TooLarge
        );
        let many = format!("GET /v1/stream HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_HEADERS + 1));
        assert_eq!(refused(&many), Refused::TooLarge);
    }

    #[test]
    fn an_id_that_is_no_digest_is_none() {
        let head = format!("GET /v1/stream HTTP/1.1\r\nlast-event-id: {}\r\n\r\n", "a".repeat(65));
        assert_eq!(read(head.as_bytes()), Asked::Stream(String::new()));
    }

    #[test]
    fn every_refusal_is_a_whole_answer_with_a_json_text() {
        use Refused::{Failed, NotEnrolled, NotGet, NotHere, TooLarge, Unreadable};
        for refused in [Unreadable, TooLarge, NotHere, NotGet, NotEnrolled, Failed] {
            let answer = String::from_utf8(refused.answer()).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{answer}");
            serde_json::from_str::<String>(body).unwrap();
        }
    }
}
