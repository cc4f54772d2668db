//! One loop over everything that can wake the agent.

mod answers;
mod bundles;
mod finished;
mod offers;
mod sieve;
mod start;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use forewarn_engine::{Engine, Input, Now, ProfileId};
use forewarn_proto::{
    inventory::{Person, Scope},
    ipc::Isolation,
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, Interval},
};

pub use self::start::{Inputs, Ports, Setup, run};
use self::{offers::Offers, sieve::Sieve};
use crate::{
    executor::{Done, Executor},
    history::History,
    notice::{self, News},
    ports::{Alarm, Asked, Device, People},
    sync::{self, Heard, Link},
    touched::Touched,
    trust::{Examined, Trust},
};

/// How long a start waits for what was accepted before to be verified. It is in force a moment later where that takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that can wake the agent.
enum Wake {
    /// The engine wanted to look again, or a simulated clock was moved.
    Alarm,
    /// The server, or its silence.
    Server(Heard),
    /// Packages may have changed in these scopes.
    Changed(BTreeSet<Scope>),
    /// Nothing was looked at for long.
    LookDue,
    /// A task of ours is done.
    Done(Done),
    /// What was offered is verified, or is not what it has to be.
    Examined(Examined),
    /// What could not be read or kept is to be offered again.
    Resumed,
    /// The person was, or was not, shown something; or has read it.
    Notice(News),
    /// What people said a moment ago is to be heard.
    Words,
    /// A person asks.
    Asked(Asked),
    /// What somebody asked a moment ago is to be answered.
    Ready(Asked),
    /// Somebody's account or home is not quite what it was: they are told anew.
    PersonChanged(Person),
    /// The system wants us to stop.
    Stop,
}

struct Agent {
    engine: Engine,
    executor: Executor,
    people: Arc<dyn People>,
    device: Arc<dyn Device>,
    trust: Trust,
    offers: Offers,
    sieve: Sieve,
    /// When each person's next question that changes something is answered.
    next_questions: BTreeMap<Person, Instant>,
    /// Where what is to be judged comes back.
    examined: mpsc::UnboundedSender<Examined>,
    resumed: mpsc::UnboundedSender<()>,
    /// Trusted time, for what goes by it elsewhere.
    time: watch::Sender<Timestamp>,
    server: String,
    connected: bool,
    /// When the server last gave a sign of life, by trusted time.
    heard_at: Option<Timestamp>,
    link: Link,
    ready: mpsc::UnboundedSender<Asked>,
    known: watch::Sender<String>,
    /// What the last errand about each profile could not do.
    mail_notes: BTreeMap<ProfileId, Vec<String>>,
    /// Whose homes were not open yet, so that what a crash left half done there is still to be settled.
    unsettled: BTreeSet<Person>,
    isolation: Option<Isolation>,
    history: History,
}

struct Channels {
    examined: mpsc::UnboundedReceiver<Examined>,
    resumed: mpsc::UnboundedReceiver<()>,
    heard: mpsc::Receiver<Heard>,
    touched: Touched,
    done: mpsc::UnboundedReceiver<Done>,
    news: mpsc::UnboundedReceiver<News>,
    asked: mpsc::Receiver<Asked>,
    ready: mpsc::UnboundedReceiver<Asked>,
    changed: mpsc::UnboundedReceiver<Person>,
    look: Interval,
    stop: BoxFuture<'static, ()>,
}

impl Agent {
    /// Begins to speak with the server.
    fn connect(&self) {
        tokio::spawn(sync::listen(self.link.clone(), self.known.subscribe()));
        tokio::spawn(sync::send_reports(self.link.clone(), self.executor.report.subscribe()));
    }

    /// What is known before anything is heard: who is not quite who they were, the policies in the store, and the device as it
    /// is.
    async fn begin(&mut self, Channels { changed, examined, .. }: &mut Channels) {
        // Before any other errand: what a crash left half done.
        for person in std::mem::take(&mut self.unsettled) {
            self.executor.settle(person);
        }
        while let Ok(person) = changed.try_recv() {
            self.tell_anew(person);
        }
        self.offer_stored();
        if self.offers.is_under_way()
            && let Ok(Some(examined)) = tokio::time::timeout(PATIENCE, examined.recv()).await
        {
            self.judge(examined);
        }
        self.look_everywhere();
        self.give(Input::Tick);
    }

    async fn attend(mut self, mut channels: Channels, mut alarm: Box<dyn Alarm>) -> Result<()> {
        loop {
            let wake = self.wait(&mut channels, &mut *alarm).await?;
            let stops = matches!(wake, Wake::Stop);
            self.respond(wake);
            if stops {
                return self.executor.store.set_state(self.engine.state()).context("the state can't be stored");
            }
        }
    }

    /// Waits for whatever comes first.
    async fn wait(&self, channels: &mut Channels, alarm: &mut dyn Alarm) -> Result<Wake> {
        let sleep = self.engine.next_wake(&self.now());
        Ok(tokio::select! {
            result = alarm.sleep(sleep) => {
                result?;
                Wake::Alarm
            }
            Some(heard) = channels.heard.recv() => Wake::Server(heard),
            scopes = channels.touched.next() => Wake::Changed(scopes),
            _ = channels.look.tick() => Wake::LookDue,
            Some(done) = channels.done.recv() => Wake::Done(done),
            Some(examined) = channels.examined.recv() => Wake::Examined(examined),
            Some(()) = channels.resumed.recv() => Wake::Resumed,
            Some(news) = channels.news.recv() => Wake::Notice(news),
            () = until(self.sieve.due()) => Wake::Words,
            Some(asked) = channels.asked.recv() => Wake::Asked(asked),
            Some(asked) = channels.ready.recv() => Wake::Ready(asked),
            Some(person) = channels.changed.recv() => Wake::PersonChanged(person),
            () = &mut channels.stop => Wake::Stop,
        })
    }

    fn respond(&mut self, wake: Wake) {
        match wake {
            Wake::Alarm | Wake::Stop => self.give(Input::Tick),
            Wake::Server(heard) => self.hear(heard),
            Wake::Examined(examined) => self.judge(examined),
            Wake::Resumed => self.resume(),
            Wake::Changed(scopes) => scopes.into_iter().for_each(|scope| self.executor.look(&self.engine, scope)),
            Wake::LookDue => self.look_everywhere(),
            Wake::Done(done) => self.finish(done),
            Wake::Notice(news) => {
                let heard = self.sieve.pass(news, Instant::now());
                heard.into_iter().for_each(|news| self.take_news(news));
            }
            Wake::Words => self.sieve.take(Instant::now()).into_iter().for_each(|news| self.take_news(news)),
            Wake::Asked(asked) => self.answer(asked),
            Wake::Ready(asked) => self.reply(asked),
            Wake::PersonChanged(person) => self.tell_anew(person),
        }
    }

    /// Gives an input to the engine and does what comes out, until nothing is left to do at once.
    fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let effects = self.engine.handle(input, &self.now());
            inputs.extend(effects.into_iter().filter_map(|effect| self.executor.perform(effect, &self.engine)));
            self.write_down();
        }
    }

    /// Keeps what has changed for people. Before the policies are known, nothing can be said of that.
    fn write_down(&mut self) {
        if self.trust.policies().is_none() {
            return;
        }
        let entries = self.history.go_on(&self.engine, self.people.persons().into_iter());
        if !entries.is_empty()
            && let Err(error) = self.executor.store.add_entries(&entries, &self.history)
        {
            tracing::warn!("what was decided can't be kept for `forewarn log`: {error:#}");
        }
    }

    fn tell_anew(&mut self, person: Person) {
        tracing::warn!("the account or the home of {person} is not quite what it was; they are told anew");
        self.give(Input::PersonChanged(person));
        let stored = self.executor.store.set_state(self.engine.state());
        if let Err(error) = stored.and_then(|()| self.people.forget_to_tell(person)) {
            tracing::error!("that {person} is told anew can't be stored, so nothing is taken from them: {error:#}");
        }
        self.look_everywhere();
    }

    fn look_everywhere(&mut self) {
        self.executor.look_everywhere(&self.engine);
    }

    fn take_news(&mut self, news: News) {
        match news {
            News::Input(input) => self.give(input),
            News::Attended(person) => {
                self.executor.scanner.came(person);
                self.give(Input::PersonReachable(person));
                let _ = self.executor.orders.send(notice::Order::Settled(person));
            }
        }
    }

    fn now(&self) -> Now {
        self.device.now()
    }
}

/// Waits for a moment; for ever if there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
