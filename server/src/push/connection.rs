//! One device's connection, from its first byte to its last. After the handshake and the request's head it is *parked*:
//! it holds its keys, its socket and a place in the feed, and wakes for a push, a word from the device, or its end.

use std::{cell::RefCell, io, pin::pin, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use rustix::net::Shutdown;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{
    Post, Register,
    feed::Stream,
    head::{self, Asked, Refused},
    session::{Session, Standing},
};
use crate::{door::Place, listener::common_name};

/// A comment (WHATWG HTML, section 9.2): it says nothing but that somebody is there.
const SIGN_OF_LIFE: &[u8] = b":\n\n";

/// How long a client may take for its handshake and its request's head together. Stops those who open and say nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a device may take to read one frame. A slower one is dropped, and resumes by the id that it knows.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection that is refused stays for the other side to read why.
const LINGER: Duration = Duration::from_secs(1);
/// The most that is held of what a client sent and TLS can't read yet, in bytes: one record of the largest size (RFC
/// 8446, section 5.2) and what is read at a time.
const MAX_UNREAD_BYTES: usize = 20 * 1024;
/// How much is read at a time, in bytes.
const CHUNK_BYTES: usize = 2048;
/// How much a device may send after its request, in bytes as they are on the wire. It has nothing to say.
const MAX_SAID_BYTES: usize = 1024;

thread_local! {
    /// Where frames are encrypted, for one device after another.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
/// What a thread keeps of it, in bytes.
const MAX_SCRATCH_BYTES: usize = 128 * 1024;

/// A parked connection.
struct Parked {
    socket: TcpStream,
    session: Session,
    stream: Stream,
    said: usize,
}

/// Attends to one connection until it ends. `place` is the handshake's, and given up after it.
pub(super) async fn attend<R: Register>(socket: TcpStream, post: Arc<Post<R>>, place: Place) {
    let sign_of_life = post.sign_of_life;
    // On the heap until it is done: what lives while a connection is parked is to be small.
    let greeted = Box::pin(greet(socket, post, place)).await;
    let result = match greeted {
        Ok(Some(parked)) => parked.listen(sign_of_life).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        tracing::debug!("a stream ended: {error:#}");
    }
}

/// The handshake, the request and the answer, in time.
async fn greet<R: Register>(socket: TcpStream, post: Arc<Post<R>>, mut place: Place) -> Result<Option<Parked>> {
    timeout(PATIENCE, place.hear(&socket)).await.context("a client said nothing")??;
    let whole = async {
        let mut session = Session::new(post.tls.clone())?;
        let asked = hear_request(&socket, &mut session).await?;
        let device = session.peer().map(common_name).transpose()?;
        let answer = match (asked, device) {
            (None, _) => return Ok(None),
            (Some(Ok(known)), Some(device)) => match post.register.is_device(&device).await {
                Ok(true) => Ok((known, device)),
                Ok(false) => Err(Refused::NotEnrolled),
                Err(error) => {
                    tracing::error!("{error:#}");
                    Err(Refused::Failed)
                }
            },
            (Some(Ok(_)), None) => Err(Refused::NotEnrolled),
            (Some(Err(refused)), _) => Err(refused),
        };
        anyhow::Ok(Some((session, answer)))
    };
    let greeted = tokio::select! {
        greeted = timeout(PATIENCE, whole) => greeted.context("a client took too long to say what it wants"),
        _ = &mut place.turn => Err(anyhow!("a client took long to say what it wants, while others waited")),
    };
    let greeted = greeted.flatten().inspect_err(|_| place.failed())?;
    drop(place);
    let Some((mut session, answer)) = greeted else { return Ok(None) };
    match answer {
        Ok((known, device)) => Ok(Some(open(socket, session, &post, &known, &device).await?)),
        Err(refused) => {
            let mut outgoing = Vec::new();
            session.write(&refused.answer(), &mut outgoing)?;
            session.close(&mut outgoing)?;
            timeout(WRITE_PATIENCE, write_all(&socket, &outgoing)).await??;
            linger(&socket).await;
            Ok(None)
        }
    }
}

/// Reads until the request's head is whole. None where the client closed before.
async fn hear_request(socket: &TcpStream, session: &mut Session) -> Result<Option<Result<String, Refused>>> {
    let (mut outgoing, mut heard) = (Vec::new(), Vec::new());
    loop {
        if !read_some(socket, session.incoming()).await? {
            return Ok(None);
        }
        let standing = session.read(&mut outgoing, &mut heard);
        write_all(socket, &outgoing).await?;
        outgoing.clear();
        if standing.is_err() {
            linger(socket).await;
        }
        if standing? == Standing::Closed {
            return Ok(None);
        }
        match head::read(&heard) {
            Asked::More => {}
            Asked::Stream(known) => return Ok(Some(Ok(known))),
            Asked::Refused(refused) => return Ok(Some(Err(refused))),
        }
    }
}

/// The first answer: the head, and the frame that is current.
async fn open<R: Register>(
    socket: TcpStream,
    session: Session,
    post: &Post<R>,
    known: &str,
    device: &str,
) -> Result<Parked> {
    let mut stream = post.feed.listen(device);
    // Once more, now that it would be dropped: it may have been revoked in between.
    if !post.register.is_device(device).await? {
        bail!("a device was revoked while it came in");
    }
    let current = stream.current.borrow_and_update().clone();
    let mut answer = head::stream(post.spread());
    answer.extend(current.event_for(known, post.sign_of_life));
    let mut parked = Parked { socket, session, stream, said: 0 };
    parked.send(&answer).await?;
    Ok(parked)
}

/// What wakes a parked connection.
enum Wake {
    Due,
    Pushed,
    Spoken,
    Dropped,
}

impl Parked {
    async fn listen(mut self, sign_of_life: Duration) -> Result<()> {
        if self.stream.current.borrow().closing {
            return self.close().await;
        }
        // Each device at its own moment: together they would be a wave.
        let mut due = pin!(sleep(sign_of_life.mul_f64(fastrand::f64())));
        loop {
            let wake = tokio::select! {
                () = &mut due => Wake::Due,
                pushed = self.stream.current.changed() => pushed.map(|()| Wake::Pushed)?,
                ready = self.socket.readable() => ready.map(|()| Wake::Spoken)?,
                _ = &mut self.stream.bell => Wake::Dropped,
            };
            match wake {
                Wake::Due => {
                    due.as_mut().reset(Instant::now() + sign_of_life);
                    self.send(SIGN_OF_LIFE).await?;
                }
                Wake::Pushed => {
                    let current = self.stream.current.borrow_and_update().clone();
                    if current.closing {
                        return self.close().await;
                    }
                    self.send(&current.event()).await?;
                }
                Wake::Spoken => match self.hear()? {
                    Standing::Closed => return self.close().await,
                    Standing::Open | Standing::Handshake => {}
                },
                Wake::Dropped => return self.close().await,
            }
        }
    }

    /// Encrypts and writes at once. What the socket does not take is kept and written in time; what becomes current
    /// meanwhile is looked at after that, and of several the newest alone.
    async fn send(&mut self, plain: &[u8]) -> Result<()> {
        let left = self.write(|session, outgoing| session.write(plain, outgoing))?;
        self.finish(left).await
    }

    async fn close(&mut self) -> Result<()> {
        let left = self.write(Session::close)?;
        self.finish(left).await
    }

    async fn finish(&self, left: Option<Box<[u8]>>) -> Result<()> {
        let Some(left) = left else { return Ok(()) };
        let written = Box::pin(timeout(WRITE_PATIENCE, write_all(&self.socket, &left)));
        written.await.context("a device reads too slowly")?
    }

    /// Has `make` encrypt something into a buffer that the thread lends, and gives what the socket does not take of it.
    fn write(&mut self, make: impl FnOnce(&mut Session, &mut Vec<u8>) -> Result<()>) -> Result<Option<Box<[u8]>>> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            make(&mut self.session, scratch)?;
            let written = match self.socket.try_write(scratch) {
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error.into()),
            };
            let left = scratch.get(written..).filter(|left| !left.is_empty()).map(Box::from);
            if scratch.capacity() > MAX_SCRATCH_BYTES {
                *scratch = Vec::new();
            }
            Ok(left)
        })
    }

    /// What a device says after its request is read and dropped.
    fn hear(&mut self) -> Result<Standing> {
        let mut chunk = [0; MAX_SAID_BYTES];
        let length = match self.socket.try_read(&mut chunk) {
            Ok(0) => bail!("the device went without a word"),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Standing::Open),
            Err(error) => return Err(error.into()),
        };
        self.said += length;
        if self.said > MAX_SAID_BYTES {
            bail!("a device talks; it was to listen");
        }
        self.session.incoming().extend_from_slice(chunk.get(..length).unwrap_or_default());
        let (mut outgoing, mut heard) = (Vec::new(), Vec::new());
        let standing = self.session.read(&mut outgoing, &mut heard);
        // A few bytes at most: an alert, or new keys. Where there is no room even for those, nobody reads.
        if !outgoing.is_empty() && self.socket.try_write(&outgoing)? < outgoing.len() {
            bail!("a device talks and does not read");
        }
        standing
    }
}

/// Reads what is there, or waits for it. False at the end.
async fn read_some(socket: &TcpStream, incoming: &mut Vec<u8>) -> Result<bool> {
    if incoming.len() > MAX_UNREAD_BYTES {
        bail!("a client sends what is not TLS");
    }
    loop {
        socket.readable().await?;
        incoming.reserve(CHUNK_BYTES);
        match socket.try_read_buf(incoming) {
            Ok(length) => return Ok(length > 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits a moment for the other side to close. A socket that is closed with something unread in it is reset, and what was
/// sent last may be lost with it: the reason for a refusal.
async fn linger(socket: &TcpStream) {
    let rest = async {
        let mut unread = Vec::new();
        while unread.len() < MAX_UNREAD_BYTES && matches!(read_some(socket, &mut unread).await, Ok(true)) {}
    };
    if rustix::net::shutdown(socket, Shutdown::Write).is_ok() {
        let _ = timeout(LINGER, rest).await;
    }
}

async fn write_all(socket: &TcpStream, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        socket.writable().await?;
        match socket.try_write(bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
