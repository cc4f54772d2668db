//! Where a draft goes that somebody sent: onto one that is open, as more signatures; into the place of one; or beside them.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use forewarn_proto::api::Draft;
use forewarn_trust::{DraftError, Repository};

use super::{Refused, caller::Caller};
use crate::{Server, store::Proposed};

/// The most drafts that wait and that no admin has signed, so that a token that leaked can't fill the database.
const MAX_UNSIGNED: usize = 20;

/// A draft that is stored.
pub(super) struct Kept {
    pub(super) number: i64,
    pub(super) draft: Draft,
    /// Whether it brought anything that was not there.
    pub(super) is_news: bool,
}

/// Whether a draft that no admin has signed may wait for them: policies, from somebody who has no key to sign with. Who
/// the admins are is for admins to propose.
pub(super) fn may_be_unsigned(repository: &Repository, draft: &Draft, by: &Caller) -> bool {
    !by.has_key && repository.is_founded() && draft.roles.keys().eq(["policies"])
}

pub(super) async fn keep(server: &Server, repository: &Repository, draft: Draft, by: &Caller) -> Result<Kept, Refused> {
    let open = server.store.drafts().await?;
    for (number, other) in &open {
        let Ok(merged) = repository.merge(other, &draft) else { continue };
        if merged == *other {
            return Ok(Kept { number: *number, draft: merged, is_news: false });
        }
        return store(server, repository, Some((*number, other)), merged, by).await;
    }
    let draft = repository.describe(&draft)?;
    let is_signed = repository.is_signed(&draft).map_err(DraftError::from)?;
    let place = match draft.replaces {
        Some(number) if is_signed => Some(stale_place(repository, &open, number, &draft)?),
        None if is_signed => None,
        Some(_) | None => unsigned_place(repository, &open, &draft)?,
    };
    let posted = place.and_then(|(_, former)| former.posted).unwrap_or(server.clock.wall());
    let draft = Draft { replaces: None, posted: Some(posted), ..draft };
    store(server, repository, place, draft, by).await
}

async fn store(
    server: &Server,
    repository: &Repository,
    place: Option<(i64, &Draft)>,
    draft: Draft,
    by: &Caller,
) -> Result<Kept, Refused> {
    let roles = repository.signed_roles(&draft).map_err(DraftError::from)?;
    let proposed = Proposed { by: by.name.clone(), roles };
    match server.store.keep_draft(place, &draft, proposed, server.clock.wall()).await? {
        Some(number) => Ok(Kept { number, draft, is_news: true }),
        None => Err(Refused::new(StatusCode::CONFLICT, "somebody else has just changed this draft; look again")),
    }
}

/// The draft that was overtaken, in whose place this one comes, which admins have signed.
fn stale_place<'o>(
    repository: &Repository,
    open: &'o BTreeMap<i64, Draft>,
    number: i64,
    draft: &Draft,
) -> Result<(i64, &'o Draft), Refused> {
    let is_its_place = |former: &&Draft| is_stale(repository, former) && changes_the_same(former, draft);
    let former = open.get(&number).filter(is_its_place).ok_or_else(|| {
        let text = format!("draft {number} was made anew by somebody else, or is about something else; look again");
        Refused(StatusCode::CONFLICT, text)
    })?;
    Ok((number, former))
}

/// The unsigned draft about the same policies, in whose place a newer one comes; else there has to be room for one more.
fn unsigned_place<'o>(
    repository: &Repository,
    open: &'o BTreeMap<i64, Draft>,
    draft: &Draft,
) -> Result<Option<(i64, &'o Draft)>, Refused> {
    let unsigned = || open.iter().filter(|(_, draft)| !has_signature(repository, draft));
    if let Some((number, former)) = unsigned().find(|(_, former)| changes_the_same(former, draft)) {
        return Ok(Some((*number, former)));
    }
    if unsigned().count() < MAX_UNSIGNED {
        return Ok(None);
    }
    let text = format!(
        "{MAX_UNSIGNED} drafts wait already that no admin has signed; one of them has to be signed, or withdrawn"
    );
    Err(Refused(StatusCode::CONFLICT, text))
}

fn has_signature(repository: &Repository, draft: &Draft) -> bool {
    repository.is_signed(draft).unwrap_or(true)
}

/// Whether two drafts are about the same policies, or both about the admins.
fn changes_the_same(one: &Draft, other: &Draft) -> bool {
    let names = |draft: &Draft| -> BTreeSet<String> { draft.targets.keys().chain(&draft.removes).cloned().collect() };
    let is_root = |draft: &Draft| draft.roles.contains_key("root");
    is_root(one) == is_root(other) && names(one) == names(other)
}

pub(super) fn is_stale(repository: &Repository, draft: &Draft) -> bool {
    matches!(repository.check(draft), Err(DraftError::OutOfDate { .. }))
}
