//! What people are answered.

use std::time::Duration;

use forewarn_engine::{App, Input, Subject};
use forewarn_proto::{
    api::AppealRequest,
    inventory::{Person, Scope},
    ipc::{Appealed, Question, RuleStatus, Status},
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::Agent;
use crate::{
    ports::{Answer, Asked},
    sync,
};

/// How long one person's question that changes something waits after the former. What it changes costs a disk.
const PAUSE: Duration = Duration::from_secs(1);

impl Agent {
    /// Answers; what changes something, in its time.
    pub(super) fn answer(&mut self, (person, question, answer): Asked) {
        let changes = matches!(question, Question::Acknowledge { .. } | Question::Snooze { .. } | Question::Look);
        let now = Instant::now();
        self.next_questions.retain(|_, next| *next > now);
        if !changes {
            return self.reply((person, question, answer));
        }
        match self.next_questions.get_mut(&person) {
            None => {
                self.next_questions.insert(person, now + PAUSE);
                self.reply((person, question, answer));
            }
            // There are no more of these than one person's connections.
            Some(next) => {
                let (ready, due) = (self.ready.clone(), *next);
                *next += PAUSE;
                tokio::spawn(async move {
                    sleep_until(due).await;
                    ready.send((person, question, answer))
                });
            }
        }
    }

    /// Does what is asked, then answers.
    pub(super) fn reply(&mut self, (person, question, answer): Asked) {
        self.give(Input::Tick);
        let said = match question {
            Question::Appeal { app, reason } => return self.appeal(person, &app, &reason, answer),
            Question::Log => Answer::Log(self.executor.store.entries(person).unwrap_or_default()),
            Question::Status | Question::Attend { .. } => self.status(person),
            Question::Look => {
                for scope in [Scope::System, Scope::Person(person)] {
                    self.executor.look(&self.engine, scope);
                }
                self.status(person)
            }
            Question::Acknowledge { app } => self.take(person, app.as_deref(), Input::NoticeAcknowledged),
            Question::Snooze { app, length } => {
                self.take(person, app.as_deref(), |subject| Input::NoticeSnoozed(subject, length.0))
            }
        };
        // Who does not wait for the answer gets none.
        let _ = answer.send(said);
    }

    /// Tells the engine what the person says of an app, or of all.
    fn take(&mut self, person: Person, app: Option<&str>, input: impl Fn(Subject) -> Input) -> Answer {
        for subject in self.engine.subjects_about(person, app) {
            self.give(input(subject));
        }
        self.status(person)
    }

    /// Sends what a person contests to the admins. It waits for the server, so it is done beside the loop.
    fn appeal(&self, person: Person, app: &str, reason: &str, answer: oneshot::Sender<Answer>) {
        let rules = self.engine.rules_for(person).into_iter().filter(|rule| App::named(&rule.app) == App::named(app));
        let appeals: Vec<AppealRequest> = rules
            .map(|RuleStatus { policy, rule, .. }| AppealRequest { policy, rule, reason: reason.into() })
            .collect();
        let link = self.link.clone();
        tokio::spawn(async move {
            let sent = sync::appeal(&link, &appeals).await;
            let _ = answer
                .send(Answer::Appealed(Appealed { problem: sent.err().map(|error| format!("{error:#}").into()) }));
        });
    }

    fn status(&self, person: Person) -> Answer {
        let notes = self.mail_notes.iter().filter(|(id, _)| id.person == person);
        Answer::Status(Box::new(Status {
            now: self.engine.now(),
            simulated_clock: self.device.is_simulated(),
            server: self.server.as_str().into(),
            connected: self.connected,
            heard_at: self.heard_at,
            confirmed_at: self.engine.confirmed_at(),
            refused: self.engine.refused().cloned(),
            unread: self.engine.unread().to_vec(),
            sources: self.engine.sources_of(person),
            obligations: self.engine.obligations_of(person),
            rules: self.engine.rules_for(person),
            revoked: self.engine.revoked_of(person),
            mail_notes: notes.flat_map(|(_, notes)| notes).map(|note| note.as_str().into()).collect(),
            isolation: self.isolation,
            weakened: self.engine.weakened().clone(),
            report: self.engine.report_about(person),
        }))
    }
}
