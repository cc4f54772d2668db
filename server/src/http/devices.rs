//! Devices as admins see them: listed, revoked, forgotten.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use forewarn_proto::api::{Device, Role};
use serde::Deserialize;

use super::{Refused, caller::Caller};
use crate::Server;

/// After which device a list goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct After {
    after: String,
}

pub(super) async fn list(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Query(After { after }): Query<After>,
) -> Result<Json<Vec<Device>>, Refused> {
    caller.at_least(Role::Viewer)?;
    Ok(Json(server.store.devices_after(&after).await?))
}

pub(super) async fn revoke(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Path(device): Path<String>,
) -> Result<StatusCode, Refused> {
    let by = caller.at_least(Role::Approver)?.name;
    let done = server.store.revoke_device(&device, &by, server.clock.wall()).await?;
    answer(&server, done, device)
}

pub(super) async fn forget(
    State(server): State<Arc<Server>>,
    caller: Caller,
    Path(device): Path<String>,
) -> Result<StatusCode, Refused> {
    let by = caller.at_least(Role::Approver)?.name;
    let done = server.store.forget_device(&device, &by, server.clock.wall()).await?;
    answer(&server, done, device)
}

fn answer(server: &Server, done: bool, device: String) -> Result<StatusCode, Refused> {
    if !done {
        return Err(Refused(
            StatusCode::NOT_FOUND,
            format!("no device is called `{device}`, or it is revoked already"),
        ));
    }
    server.feed.drop_devices(&[device]);
    Ok(StatusCode::NO_CONTENT)
}
