//! Brings notices to people: to a companion that attends to them, else to their terminals. What nobody was shown was not
//! shown.

mod sights;
mod starter;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use forewarn_engine::{Input, Notice, NoticeId, NoticeKind, Subject};
use forewarn_proto::{
    inventory::Person,
    ipc::{self, Made, Word},
    policy::Language,
    report::{Medium, Obstacle},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use tokio::{sync::mpsc, time::Instant};

use self::{sights::Sights, starter::Starter};
use crate::{
    ports::{Companion, Device, NotShown, Presenter, Said},
    words::Localizer,
};

/// How many lines an hour of the log say of one person that what attends to them comes and goes.
const MENTIONS_AN_HOUR: u32 = 100;
const AN_HOUR: Duration = Duration::from_secs(60 * 60);

/// What is asked of the notices.
#[derive(Debug)]
pub(crate) enum Order {
    /// Show this, which was made then by trusted time, and say whether it was shown.
    Show(Notice, Timestamp),
    /// Take down what is shown about this.
    Withdraw(Subject),
    /// All that waited for this person was sent.
    Settled(Person),
}

/// What is heard of people.
#[derive(Debug)]
pub(crate) enum News {
    /// A receipt, the lack of one, or what the person did.
    Input(Input),
    /// Somebody attends to this person now.
    Attended(Person),
}

/// How notices are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeWay {
    /// The desktop where there is one, else terminals.
    #[default]
    Auto,
    /// The desktop only.
    Desktop,
    /// Terminals only.
    Terminal,
}

/// How notices come to people.
#[derive(Debug, Clone)]
pub struct NoticeConfig {
    /// On which screens.
    pub way: NoticeWay,
    /// The languages of what is written on terminals, best first.
    pub languages: Vec<Language>,
    /// The zone of the moments in it.
    pub zone: TimeZone,
}

struct Hub {
    config: NoticeConfig,
    presenter: Arc<dyn Presenter>,
    device: Arc<dyn Device>,
    starter: Starter,
    /// Who attends, the newest last.
    companions: Vec<Companion>,
    /// Notices that a companion was given, and has not answered for.
    given: BTreeMap<NoticeId, Given>,
    sights: Sights,
    /// How often it was logged of each person that somebody came or went, and since when that is counted.
    mentions: BTreeMap<Person, (Instant, u32)>,
    news: mpsc::UnboundedSender<News>,
}

struct Given {
    companion: u64,
    notice: Notice,
}

/// Works until the daemon ends.
pub(crate) async fn run(
    config: NoticeConfig,
    (presenter, device): (Arc<dyn Presenter>, Arc<dyn Device>),
    people: Vec<Person>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    mut said: mpsc::Receiver<Said>,
    news: mpsc::UnboundedSender<News>,
) {
    let started = people.into_iter().filter(|_| config.way != NoticeWay::Terminal);
    let starter = Starter::new(presenter.clone(), started);
    let (given, sights, mentions) = (BTreeMap::new(), Sights::default(), BTreeMap::new());
    let companions = Vec::new();
    let mut hub = Hub { config, presenter, device, starter, companions, given, sights, mentions, news };
    loop {
        tokio::select! {
            Some(order) = orders.recv() => hub.take(order),
            Some(said) = said.recv() => hub.hear(said),
            person = hub.starter.due() => hub.start(person),
            else => return,
        }
    }
}

impl Hub {
    fn take(&mut self, order: Order) {
        match order {
            Order::Show(notice, at) => self.show(notice, at),
            Order::Withdraw(subject) => {
                self.sights.end(&subject);
                self.tell(subject.person(), &ipc::Order::Withdraw(subject));
            }
            Order::Settled(person) => self.tell(person, &ipc::Order::Settled),
        }
    }

    fn hear(&mut self, said: Said) {
        match said {
            Said::Came(companion) => self.welcome(companion),
            Said::Left(number) => self.part(number),
            Said::Word(number, word) => {
                let person = self.companions.iter().find(|companion| companion.number == number).map(|c| c.person);
                if let Some(person) = person {
                    self.hear_word(number, person, word);
                }
            }
        }
    }

    /// A person's desktop needs one companion: the newest.
    fn welcome(&mut self, companion: Companion) {
        if self.is_mentioned(companion.person) {
            tracing::info!("{} is attended to ({:?})", companion.person, companion.medium);
        }
        let is_replaced = |c: &Companion| (c.person, c.medium) == (companion.person, Medium::Desktop);
        if companion.medium == Medium::Desktop {
            let replaced: Vec<Companion> = self.companions.extract_if(.., |c| is_replaced(c)).collect();
            for former in replaced {
                let _ = former.orders.try_send(ipc::Order::Replaced);
                self.give_up(former.number);
                self.lose_sight(former.number);
            }
            // What was on the screen before is to be there again.
            for id in self.sights.left_behind(companion.person) {
                self.tell_daemon(News::Input(Input::NoticeGone(id)));
            }
            self.starter.came(companion.person);
        }
        let person = companion.person;
        self.companions.push(companion);
        self.tell_daemon(News::Attended(person));
    }

    fn part(&mut self, number: u64) {
        let gone: Vec<Companion> = self.companions.extract_if(.., |c| c.number == number).collect();
        for companion in gone.iter().filter(|companion| companion.medium == Medium::Desktop) {
            if self.is_mentioned(companion.person) {
                tracing::warn!("what shows notices to {} is gone", companion.person);
            }
            self.starter.left(companion.person);
            self.tell_daemon(News::Input(Input::PersonUnattended(companion.person)));
        }
        self.give_up(number);
        self.lose_sight(number);
    }

    /// Whether it is logged that what attends to this person comes or goes: they may have it do so as often as they like.
    fn is_mentioned(&mut self, person: Person) -> bool {
        let (since, count) = self.mentions.entry(person).or_insert_with(|| (Instant::now(), 0));
        if since.elapsed() > AN_HOUR {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        *count <= MENTIONS_AN_HOUR
    }

    /// What a companion had on the screen went with it. What nobody can have read was not shown.
    fn lose_sight(&mut self, number: u64) {
        for id in self.sights.lose(number, Instant::now()) {
            self.tell_daemon(News::Input(Input::NoticeUnread(id)));
        }
    }

    /// What this companion was given and has not answered for may have been seen, and does not count as shown.
    fn give_up(&mut self, number: u64) {
        let lost = self.given.extract_if(.., |_, given| given.companion == number);
        for (id, _) in lost.collect::<Vec<_>>() {
            self.tell_daemon(News::Input(Input::NoticeLost(id)));
        }
    }

    fn hear_word(&mut self, number: u64, person: Person, word: Word) {
        let own = |subject: &Subject| subject.person() == person;
        let news = match word {
            Word::Shown(id) => {
                let medium = self.companions.iter().find(|c| c.number == number).map(|c| c.medium);
                self.answered(id, number).zip(medium).map(|(notice, medium)| {
                    if medium == Medium::Desktop {
                        self.sights.begin(notice.subject, id, number, Instant::now());
                    }
                    Input::NoticeShown(id, medium)
                })
            }
            Word::Vanished(id) => self.sights.vanished(id, number, Instant::now()).map(Input::NoticeUnread),
            Word::NotShown(id, obstacle) => {
                return self.answered(id, number).into_iter().for_each(|notice| self.fall_back(&notice, obstacle));
            }
            Word::Reachable => Some(Input::PersonReachable(person)),
            Word::Acknowledged(subject) => own(&subject).then(|| {
                self.sights.end(&subject);
                Input::NoticeAcknowledged(subject)
            }),
            Word::Snoozed(subject, length) => own(&subject).then(|| {
                self.sights.end(&subject);
                Input::NoticeSnoozed(subject, length.0)
            }),
        };
        match news {
            Some(input) => self.tell_daemon(News::Input(input)),
            None => tracing::debug!("{person} speaks of what is not theirs"),
        }
    }

    /// The notice that this companion was given under this number, which it now has answered for.
    fn answered(&mut self, id: NoticeId, companion: u64) -> Option<Notice> {
        let is_theirs = self.given.get(&id).is_some_and(|given| given.companion == companion);
        is_theirs.then(|| self.given.remove(&id)).flatten().map(|given| given.notice)
    }

    fn show(&mut self, notice: Notice, at: Timestamp) {
        let person = notice.subject.person();
        if self.config.way == NoticeWay::Terminal {
            return self.show_on_terminals(&notice, Obstacle::NoSession);
        }
        let newest = self.companions.iter().rev().find(|companion| companion.person == person);
        let Some(companion) = newest else {
            let comes = self.starter.need(person);
            return if comes {
                self.fail(notice.id, Obstacle::NoSession);
            } else {
                self.fall_back(&notice, Obstacle::NoSession);
            };
        };
        let number = companion.number;
        let boot_ms = i64::try_from(self.device.now().boot.as_millis()).unwrap_or(i64::MAX);
        match companion.orders.try_send(ipc::Order::Show(Box::new(notice.clone()), Made { boot_ms, at })) {
            Ok(()) => drop(self.given.insert(notice.id, Given { companion: number, notice })),
            Err(_) => {
                self.part(number);
                self.fail(notice.id, Obstacle::NoSession);
            }
        }
    }

    /// Where no desktop can show it, terminals may. Whoever is not there is left alone; so is who does not want to be
    /// disturbed, but for a last call that their desktop keeps to itself.
    fn fall_back(&mut self, notice: &Notice, obstacle: Obstacle) {
        let insists = notice.kind == NoticeKind::LastCall && obstacle == Obstacle::DoNotDisturb;
        let nothing_shows = insists || matches!(obstacle, Obstacle::NoSession | Obstacle::NoService);
        if nothing_shows && self.config.way == NoticeWay::Auto {
            self.show_on_terminals(notice, obstacle);
        } else {
            self.fail(notice.id, obstacle);
        }
    }

    fn show_on_terminals(&mut self, notice: &Notice, obstacle: Obstacle) {
        // Texts take memory that an idle daemon does without.
        let words = Localizer::new(&self.config.languages).notice(notice, &self.config.zone);
        match self.presenter.show(notice.subject.person(), &words) {
            Ok(()) => self.tell_daemon(News::Input(Input::NoticeShown(notice.id, Medium::Terminal))),
            Err(NotShown::NoTerminal) => self.fail(notice.id, obstacle),
            Err(NotShown::NobodyThere) => self.fail(notice.id, Obstacle::Away),
        }
    }

    fn fail(&self, id: NoticeId, obstacle: Obstacle) {
        tracing::warn!("a notice could not be shown: {}", obstacle.text());
        self.tell_daemon(News::Input(Input::NoticeFailed(id, obstacle)));
    }

    /// Tells everything that attends to this person.
    fn tell(&self, person: Person, order: &ipc::Order) {
        for companion in self.companions.iter().filter(|companion| companion.person == person) {
            let _ = companion.orders.try_send(order.clone());
        }
    }

    fn start(&mut self, person: Person) {
        let attended = self.companions.iter().any(|c| (c.person, c.medium) == (person, Medium::Desktop));
        if !attended {
            self.starter.start(person);
        }
    }

    fn tell_daemon(&self, news: News) {
        // Nobody hears it only when the daemon ends.
        let _ = self.news.send(news);
    }
}
