//! The three protocols, as far as a subscriber needs them: our own stream, MQTT 3.1.1 (OASIS) and NATS.

use clap::ValueEnum;

/// What is in the last bytes of every push, so that a device knows when it has all of it.
pub(crate) fn marker(round: u64) -> String {
    format!("#end-{round:06}#")
}

/// The length of [`marker`].
pub(crate) const MARKER_BYTES: usize = 12;

/// 4 KiB that end with the marker.
pub(crate) fn payload(round: u64) -> String {
    format!("{}{}", "x".repeat(4096 - MARKER_BYTES), marker(round))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Sse,
    Mqtt,
    Nats,
}

impl Protocol {
    /// What a device writes once TLS stands.
    pub(crate) fn hello(self, number: usize) -> Vec<u8> {
        match self {
            Self::Sse => {
                b"GET /v1/stream HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nlast-event-id: \r\n\r\n".to_vec()
            }
            Self::Mqtt => {
                let id = format!("d{number:06}");
                // CONNECT: the protocol's name, level 4, a clean session, no keep-alive; then SUBSCRIBE with QoS 0.
                let mut connect = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 7];
                connect.extend(id.as_bytes());
                let mut hello = packet(0x10, &connect);
                hello.extend(packet(0x82, b"\x00\x01\x00\x06policy\x00"));
                hello
            }
            Self::Nats => b"CONNECT {\"verbose\":false,\"tls_required\":true}\r\nSUB policy 1\r\nPING\r\n".to_vec(),
        }
    }

    /// Whether what a device heard says that it is connected and will get what is pushed.
    pub(crate) fn is_ready(self, heard: &[u8]) -> bool {
        match self {
            Self::Sse => heard.starts_with(b"HTTP/1.1 200") && heard.ends_with(b"\n\n") && contains(heard, b"\ndata: "),
            Self::Mqtt => heard == b"\x20\x02\x00\x00\x90\x03\x00\x01\x00",
            Self::Nats => contains(heard, b"PONG\r\n"),
        }
    }

    /// Whether the server speaks before TLS does.
    pub(crate) fn speaks_first(self) -> bool {
        self == Self::Nats
    }

    /// What a publisher writes after [`Self::hello`].
    pub(crate) fn publish(self, payload: &str) -> Vec<u8> {
        match self {
            Self::Sse => Vec::new(),
            Self::Mqtt => packet(0x30, &[b"\x00\x06policy", payload.as_bytes()].concat()),
            Self::Nats => format!("PUB policy {}\r\n{payload}\r\n", payload.len()).into_bytes(),
        }
    }
}

/// An MQTT packet, with its remaining length in seven bits a byte.
fn packet(kind: u8, rest: &[u8]) -> Vec<u8> {
    let (mut packet, mut length) = (vec![kind], rest.len());
    loop {
        let low = u8::try_from(length % 128).unwrap_or_default();
        length /= 128;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend(rest);
    packet
}

pub(crate) fn contains(heard: &[u8], word: &[u8]) -> bool {
    heard.windows(word.len()).any(|window| window == word)
}
