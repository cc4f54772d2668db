//! From a draft to what is in force: proposed, signed, published.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::IntoResponse,
};
use forewarn_proto::{
    api::{Draft, DraftStatus, OnlineKeys, Role},
    audit::Decision,
    bundle::Bundle,
    foreign::line,
    report::Refusal,
};
use forewarn_trust::{Admins, DraftError, Repository, digest, metadata::version_of, verify};

use super::{
    Refused, blast_limit,
    caller::Caller,
    device::in_pieces,
    guard::{Anyone, Approver, By, FounderOrApprover, FounderOrAuthor, FounderOrViewer},
    input::{Json, Path, Whole, parse},
    intake::{self, Kept, is_stale},
};
use crate::{Server, alerts::Told, store::BROUGHT_BACK};

pub(super) async fn online_keys(_: By<Anyone>, State(server): State<Arc<Server>>) -> Result<Json<OnlineKeys>, Refused> {
    Ok(Json(server.online_keys().await?))
}

/// The bundle that is in force: one copy for everybody who reads it.
pub(super) async fn bundle(_: By<FounderOrViewer>, State(server): State<Arc<Server>>) -> impl IntoResponse {
    let bundle = server.feed.current().bundle.clone();
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_LENGTH, bundle.len().to_string())];
    (headers, in_pieces(bundle))
}

/// After a backup was restored: an admin gives back what they have seen in force since. It is believed by its signatures.
pub(super) async fn bring_back(
    By(caller): By<Approver>,
    State(server): State<Arc<Server>>,
    Whole(body): Whole,
) -> Result<StatusCode, Refused> {
    let refuse = |refusal: Refusal| Refused(StatusCode::CONFLICT, format!("this bundle is not believed: {refusal}"));
    let seen = server.in_force.lock().await.clone();
    let root = seen.repository.bundle().files.get("1.root.json").cloned().unwrap_or_default();
    let brought = Bundle::parse(&body).map_err(refuse)?;
    verify(&root, None, &brought, &server.config.state).await.map_err(refuse)?;
    let mut next = seen.repository.clone();
    next.bring_back(brought, &server.signer().await?)?;
    check_as_a_device(&server, &next).await?;
    let decision = Decision::BroughtBack { by: caller.name, bundle: digest(&next.bundle().to_bytes()) };
    if !server.put_in_force(&seen, next, Some((BROUGHT_BACK, decision))).await? {
        return Err(Refused::new(StatusCode::CONFLICT, "something else was published just now; look again"));
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn propose(
    By(by): By<FounderOrAuthor>,
    State(server): State<Arc<Server>>,
    Whole(body): Whole,
) -> Result<Json<DraftStatus>, Refused> {
    let by_name = by.name.clone();
    let (mut status, is_news, is_complete) = keep_sent(&server, &body, &by).await?;
    if is_complete {
        let by = by.at_least(Role::Approver).map(|by| by.name);
        let published = match by {
            Ok(by) => put_in_force(&server, status.number, &status.draft, by).await,
            Err(refused) => Err(refused),
        };
        match published {
            Ok(()) => status.published = true,
            // Nobody is told to sign what is not open any more.
            Err(refused) if !server.store.drafts().await?.contains_key(&status.number) => return Err(refused),
            Err(Refused(code, why)) if code != StatusCode::INTERNAL_SERVER_ERROR => status.waiting = Some(why.into()),
            Err(failed) => return Err(failed),
        }
    }
    if is_news || status.published {
        server.tell(told(&status, &by_name));
    }
    Ok(Json(status))
}

/// Keeps what somebody sent. Gives how it stands, whether that is news, and whether nobody else has to sign.
async fn keep_sent(server: &Server, body: &[u8], by: &Caller) -> Result<(DraftStatus, bool, bool), Refused> {
    // Two who send the same to this process at once must not make two drafts of it.
    let in_force = server.in_force.lock().await;
    let repository = &in_force.repository;
    // Signatures that don't hold would keep good ones of the same admin out.
    let draft = repository.trimmed(&parse(body, "a draft")?)?;
    match repository.check(&draft) {
        Err(DraftError::Unsigned { .. }) if intake::may_be_unsigned(repository, &draft, by) => {}
        checked => drop(checked?),
    }
    let Kept { number, draft, is_news } = intake::keep(server, repository, draft, by).await?;
    let status = status_of(repository, number, draft)?;
    let is_complete = is_complete(repository, &status);
    Ok((status, is_news, is_complete))
}

/// What the admins are told of a draft that somebody sent.
fn told(status: &DraftStatus, by: &str) -> Told {
    let DraftStatus { number, signatures, published, waiting, draft, .. } = status;
    // What the draft's author called things; a mail or a message shows it as it stands here.
    let what: Vec<_> = draft.targets.keys().chain(&draft.removes).map(|name| line(name)).collect();
    let what = if what.is_empty() { "the root".to_owned() } else { what.join(", ") };
    let count =
        |(role, (have, need)): (&String, &(usize, usize))| format!("{}: {have} of {need} signatures", line(role));
    let signed: Vec<String> = signatures.iter().map(count).collect();
    let (subject, next) = if *published {
        (format!("draft {number} is in force"), "See `forewarn-admin status`.".to_owned())
    } else {
        let why = waiting.as_ref().map(|why| format!(" It waits: {}.", why.line())).unwrap_or_default();
        (format!("draft {number} waits for a signature"), format!("{why} Look and sign: forewarn-admin sign {number}"))
    };
    Told { subject, text: format!("{by} sent draft {number}: {what}.\n{}.\n{}\n", signed.join(", "), next.trim()) }
}

/// A founding that another came before can never be published.
fn is_founding(draft: &Draft) -> bool {
    draft.roles.get("root").is_some_and(|root| version_of("root", root).is_ok_and(|version| version == 1))
}

fn status_of(repository: &Repository, number: i64, draft: Draft) -> Result<DraftStatus, Refused> {
    let (signatures, stale) = (repository.signatures(&draft)?, is_stale(repository, &draft));
    Ok(DraftStatus { number, signatures, published: false, stale, waiting: None, draft })
}

/// Whether nobody else has to sign. The founding waits for every founder, who each take the root from it.
fn is_complete(repository: &Repository, status: &DraftStatus) -> bool {
    if repository.is_founded() {
        return status.is_signed();
    }
    let root = status.draft.roles.get("root").and_then(|root| Admins::of_root(root).ok());
    let founders = root.map_or(usize::MAX, |admins| admins.keys.len());
    status.is_signed() && status.signatures.values().all(|(have, _)| *have >= founders)
}

/// Every draft that is not published; one that something else has overtaken is stale.
pub(super) async fn drafts(
    _: By<FounderOrAuthor>,
    State(server): State<Arc<Server>>,
) -> Result<Json<Vec<DraftStatus>>, Refused> {
    // Not under the lock: the fleet may have to be counted.
    let repository = server.in_force.lock().await.repository.clone();
    let repository = &repository;
    let mut open = Vec::new();
    for (number, draft) in server.store.drafts().await? {
        if repository.is_founded() && is_founding(&draft) {
            continue;
        }
        let mut status = match status_of(repository, number, draft) {
            Ok(status) => status,
            // It must not hide the others.
            Err(Refused(_, why)) => {
                tracing::error!("draft {number} can't be read: {why}");
                continue;
            }
        };
        if status.is_signed() && !status.stale {
            let next = published(&server, repository, &status.draft).await;
            status.waiting = next.err().map(|Refused(_, why)| why.into());
        }
        open.push(status);
    }
    Ok(Json(open))
}

pub(super) async fn publish(
    By(caller): By<FounderOrApprover>,
    State(server): State<Arc<Server>>,
    Path(number): Path<i64>,
) -> Result<StatusCode, Refused> {
    let missing = || Refused::new(StatusCode::NOT_FOUND, "there is no such open draft; see `forewarn-admin status`");
    let draft = server.store.drafts().await?.remove(&number).ok_or_else(missing)?;
    put_in_force(&server, number, &draft, caller.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a draft off the table. What it was stays in the record.
pub(super) async fn withdraw(
    By(caller): By<Approver>,
    State(server): State<Arc<Server>>,
    Path(number): Path<i64>,
) -> Result<StatusCode, Refused> {
    let by = caller.name;
    if !server.store.withdraw_draft(number, &by, server.clock.wall()).await? {
        return Err(Refused::new(StatusCode::NOT_FOUND, "there is no such open draft; see `forewarn-admin status`"));
    }
    let text = format!("{by} has withdrawn draft {number}. Nobody has to sign it any more.\n");
    server.tell(Told { subject: format!("draft {number} is withdrawn"), text });
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a draft in force. Nothing is locked while the fleet is counted for it: a retraction does not wait for that. What
/// came into force meanwhile is looked at again, for as long as the draft is open.
async fn put_in_force(server: &Server, number: i64, draft: &Draft, by: String) -> Result<(), Refused> {
    loop {
        let seen = server.in_force.lock().await.clone();
        let roles = seen.repository.signed_roles(draft).map_err(DraftError::from)?;
        let next = published(server, &seen.repository, draft).await;
        if !server.store.drafts().await?.contains_key(&number) {
            let text = format!("draft {number} is not open any more: it was published, or withdrawn");
            return Err(Refused(StatusCode::CONFLICT, text));
        }
        let next = next?;
        let bundle = digest(&next.bundle().to_bytes());
        let decision = Decision::Published { draft: number, by: by.clone(), roles, bundle };
        if server.put_in_force(&seen, next, Some((number, decision))).await? {
            server.numbers.published.inc();
            tracing::info!("published draft {number}: {:?}", draft.roles.keys().collect::<Vec<_>>());
            return Ok(());
        }
    }
}

/// The repository with the draft in force; nothing has changed yet.
async fn published(server: &Server, repository: &Repository, draft: &Draft) -> Result<Repository, Refused> {
    let mut next = repository.clone();
    next.publish(draft, &server.signer().await?)?;
    may_publish(server, repository, draft, &next).await?;
    Ok(next)
}

/// What has to hold beside the signatures. A draft that is refused here stays open, and its status says why it waits.
async fn may_publish(
    server: &Server,
    repository: &Repository,
    draft: &Draft,
    next: &Repository,
) -> Result<(), Refused> {
    check_as_a_device(server, next).await?;
    blast_limit::check(server, repository, draft).await
}

/// What a device would refuse is not published: it would keep every later bundle from every device.
async fn check_as_a_device(server: &Server, next: &Repository) -> Result<(), Refused> {
    let refuse = |refusal: Refusal| Refused(StatusCode::CONFLICT, format!("devices would refuse this: {refusal}"));
    let bundle = Bundle::parse(&next.bundle().to_bytes()).map_err(refuse)?;
    let root = bundle.files.get("1.root.json").cloned().unwrap_or_default();
    verify(&root, None, &bundle, &server.config.state).await.map_err(refuse)?;
    Ok(())
}
