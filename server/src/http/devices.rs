//! Devices as admins see them: listed, revoked, forgotten.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use forewarn_proto::{api::Device, policy::Name};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Refused,
    guard::{Approver, By, Viewer},
    input::{Json, Path, Query},
};
use crate::Server;

/// After which device a list goes on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct After {
    /// Its name; empty for the first.
    #[schemars(regex(pattern = r"^([A-Za-z0-9][A-Za-z0-9._@-]{0,63})?$"))]
    after: String,
}

pub(super) async fn list(
    _: By<Viewer>,
    State(server): State<Arc<Server>>,
    Query(After { after }): Query<After>,
) -> Result<Json<Vec<Device>>, Refused> {
    if !after.is_empty() {
        after.parse::<Name>().map_err(|e| Refused(StatusCode::BAD_REQUEST, format!("after: {e}")))?;
    }
    Ok(Json(server.store.devices_after(&after).await?))
}

pub(super) async fn revoke(
    By(caller): By<Approver>,
    State(server): State<Arc<Server>>,
    Path(device): Path<Name>,
) -> Result<StatusCode, Refused> {
    let done = server.store.revoke_device(device.as_str(), &caller.name, server.clock.wall()).await?;
    answer(&server, done, device)
}

pub(super) async fn forget(
    By(caller): By<Approver>,
    State(server): State<Arc<Server>>,
    Path(device): Path<Name>,
) -> Result<StatusCode, Refused> {
    let done = server.store.forget_device(device.as_str(), &caller.name, server.clock.wall()).await?;
    answer(&server, done, device)
}

fn answer(server: &Server, done: bool, device: Name) -> Result<StatusCode, Refused> {
    if !done {
        return Err(Refused(
            StatusCode::NOT_FOUND,
            format!("no device is called `{device}`, or it is revoked already"),
        ));
    }
    server.known.drop_devices(&server.feed, &[device.to_string()]);
    Ok(StatusCode::NO_CONTENT)
}
