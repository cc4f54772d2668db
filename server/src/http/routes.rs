//! The one table of routes: what is answered, to whom, and what is said of it in the OpenAPI document.

use std::sync::Arc;

use axum::{
    extract::DefaultBodyLimit,
    handler::Handler,
    http::Method,
    middleware,
    routing::{MethodRouter, delete, get, post},
};
use forewarn_proto::{
    api::{
        Answers, Appeal, AppealRequest, Device, Draft, DraftStatus, EnrollAnswer, EnrollRequest, FleetStatus,
        MAX_REQUEST_BYTES, OnlineKeys, Provider, RenewRequest, SignInRequest, SignedIn, Token, TokenRequest, Told,
        Undone,
    },
    audit::Chained,
    bundle::{Bundle, MAX_BUNDLE_BYTES},
    policy::{Name, PolicyId},
    report::{MAX_REPORT_BYTES, Report},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    audit, device, devices, drafts, fleet, gate,
    guard::{self, Guarded, Who},
    sign_in,
};
use crate::Server;

/// Gives a type's schema.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// How a route answers when all is well.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// 204.
    Nothing,
    /// 200, with JSON.
    Json(SchemaOf),
    /// 307.
    Elsewhere,
}

/// How a body is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takes {
    pub(super) schema: SchemaOf,
    /// The most bytes.
    pub(super) limit: usize,
    /// Whether its media type has to be said.
    pub(super) is_typed: bool,
}

/// A method of an address.
pub(super) struct Route {
    pub(super) method: Method,
    /// `/v1/devices/{device}`
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) who: Who,
    /// What stands in the address in the place of its one name in braces.
    pub(super) named: Option<SchemaOf>,
    /// An object whose fields stand after the question mark.
    pub(super) query: Option<SchemaOf>,
    pub(super) takes: Option<Takes>,
    pub(super) answer: Answer,
    /// Refusals beyond those that follow from the above, and when each comes.
    pub(super) refusals: &'static [(u16, &'static str)],
    handler: MethodRouter<Arc<Server>>,
}

impl Route {
    /// Who is answered is what the handler's first argument says.
    fn new<T: Guarded>(
        method: Method,
        path: &'static str,
        handler: MethodRouter<Arc<Server>>,
        summary: &'static str,
    ) -> Self {
        let (who, answer) = (T::WHO, Answer::Nothing);
        Self { method, path, summary, who, named: None, query: None, takes: None, answer, refusals: &[], handler }
    }

    fn get<T: Guarded + 'static>(
        path: &'static str,
        handler: impl Handler<T, Arc<Server>>,
        summary: &'static str,
    ) -> Self {
        Self::new::<T>(Method::GET, path, get(handler), summary)
    }

    fn post<T: Guarded + 'static>(
        path: &'static str,
        handler: impl Handler<T, Arc<Server>>,
        summary: &'static str,
    ) -> Self {
        Self::new::<T>(Method::POST, path, post(handler), summary)
    }

    fn delete<T: Guarded + 'static>(
        path: &'static str,
        handler: impl Handler<T, Arc<Server>>,
        summary: &'static str,
    ) -> Self {
        Self::new::<T>(Method::DELETE, path, delete(handler), summary)
    }

    fn named<T: JsonSchema>(self) -> Self {
        Self { named: Some(schema_of::<T>), ..self }
    }

    fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(schema_of::<T>), ..self }
    }

    /// Takes a body that the handler's `Json` reads.
    fn takes<T: JsonSchema>(self, limit: usize) -> Self {
        Self { takes: Some(Takes { schema: schema_of::<T>, limit, is_typed: true }), ..self }
    }

    /// Takes a body that the handler reads itself, whatever media type it says it has.
    fn takes_bytes<T: JsonSchema>(self, limit: usize) -> Self {
        Self { takes: Some(Takes { schema: schema_of::<T>, limit, is_typed: false }), ..self }
    }

    fn gives<T: JsonSchema>(self) -> Self {
        Self { answer: Answer::Json(schema_of::<T>), ..self }
    }

    fn elsewhere(self) -> Self {
        Self { answer: Answer::Elsewhere, ..self }
    }

    fn refuses(self, refusals: &'static [(u16, &'static str)]) -> Self {
        Self { refusals, ..self }
    }

    /// What the router gets: the handler behind its guard, which reads no more of a body than the route takes.
    pub(super) fn guarded(self, server: &Arc<Server>) -> (&'static str, MethodRouter<Arc<Server>>) {
        let guard = middleware::from_fn_with_state((server.clone(), self.who), guard::admit);
        let limit = DefaultBodyLimit::max(self.takes.map_or(0, |takes| takes.limit));
        let guarded: MethodRouter<Arc<Server>> = self.handler.layer(guard);
        (self.path, guarded.layer(limit))
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Every route.
pub(super) fn routes() -> Vec<Route> {
    [of_devices(), of_drafts(), of_fleet(), of_server()].into_iter().flatten().collect()
}

fn of_devices() -> Vec<Route> {
    const SMALL: usize = 64 * 1024;
    const TOO_OFTEN: (u16, &str) = (429, "this device asks too often");
    const BAD_CSR: (u16, &str) = (400, "the body is not JSON, or the signing request can't be read");
    vec![
        Route::post("/v1/enroll", device::enroll, "Enroll a device with a one-time token")
            .takes::<EnrollRequest>(SMALL)
            .gives::<EnrollAnswer>()
            .refuses(&[
                BAD_CSR,
                (403, "the token is unknown or was used"),
                (429, "too many have asked to enroll from this address"),
            ]),
        Route::post("/v1/renew", device::renew, "Renew a device's certificate")
            .takes::<RenewRequest>(SMALL)
            .gives::<EnrollAnswer>()
            .refuses(&[BAD_CSR, TOO_OFTEN]),
        Route::get("/v1/stream", device::stream, "Say where devices listen for what is pushed").elsewhere(),
        Route::get("/v1/bundles/{digest}", device::bundle, "The current bundle, by its SHA-256 in hexadecimal")
            .named::<String>()
            .gives::<Bundle>()
            .refuses(&[(404, "this bundle is not current")]),
        Route::post("/v1/report", device::report, "Say what this device's state is")
            .takes_bytes::<Report>(MAX_REPORT_BYTES)
            .refuses(&[
                (411, "the report's length is not stated"),
                (422, "the body is JSON but not a report"),
                TOO_OFTEN,
                (503, "too many reports wait already, or another of this device, or the database failed; send it again later"),
            ]),
        Route::post("/v1/appeal", device::appeal, "Contest what a rule asks of a person on this device")
            .takes::<AppealRequest>(16 * 1024)
            .refuses(&[(429, "this device contests too many rules")]),
    ]
}

fn of_drafts() -> Vec<Route> {
    vec![
        Route::get("/v1/bundle", drafts::bundle, "The bundle that is in force").gives::<Bundle>(),
        Route::post("/v1/bundle", drafts::bring_back, "Give back what was in force, after a backup was restored")
            .takes_bytes::<Bundle>(MAX_BUNDLE_BYTES)
            .refuses(&[(409, "the bundle can't be read or is not believed, or is no newer than what is in force")]),
        Route::get("/v1/online-keys", drafts::online_keys, "The server's own public keys").gives::<OnlineKeys>(),
        Route::get("/v1/drafts", drafts::drafts, "The drafts that are not in force").gives::<Vec<DraftStatus>>(),
        Route::post("/v1/drafts", drafts::propose, "Put a draft before the admins, or add a signature to one")
            .takes_bytes::<Draft>(MAX_REQUEST_BYTES)
            .gives::<DraftStatus>()
            .refuses(&[
                (409, "it does not follow from what is in force, or no admin has signed it who may"),
                (422, "the body is JSON but not a draft"),
            ]),
        Route::delete("/v1/drafts/{number}", drafts::withdraw, "Withdraw a draft that is not in force")
            .named::<i64>()
            .refuses(&[(404, "there is no such open draft")]),
        Route::post("/v1/drafts/{number}/publish", drafts::publish, "Put a draft with all its signatures in force")
            .named::<i64>()
            .refuses(&[(404, "there is no such open draft"), (409, "something is missing, or in its way")]),
    ]
}

fn of_fleet() -> Vec<Route> {
    const NO_DEVICE: &[(u16, &str)] = &[(404, "there is no such device, or it is revoked already")];
    vec![
        Route::get("/v1/status", fleet::status, "What the fleet has reported, counted").gives::<FleetStatus>(),
        Route::get("/v1/told/{policy}", fleet::told, "Who was told what of a policy, and who was corrected")
            .named::<PolicyId>()
            .gives::<Told>(),
        Route::get("/v1/fleet/{policy}", fleet::alike, "Devices by what they say of a policy, to simulate it with")
            .named::<PolicyId>()
            .gives::<Answers>()
            .refuses(&[(404, "neither this policy nor a preview of it is in force")]),
        Route::get("/v1/undone/{policy}", fleet::undone, "How far a retraction has come")
            .named::<PolicyId>()
            .query::<fleet::Since>()
            .gives::<Undone>(),
        Route::get("/v1/appeals", fleet::appeals, "What people contest").gives::<Vec<Appeal>>(),
        Route::get("/v1/devices", devices::list, "Up to a thousand devices after one, by name")
            .query::<devices::After>()
            .gives::<Vec<Device>>(),
        Route::delete("/v1/devices/{device}", devices::forget, "Delete all that is known of a device")
            .named::<Name>()
            .refuses(NO_DEVICE),
        Route::post("/v1/devices/{device}/revoke", devices::revoke, "Have a device's certificate count no longer")
            .named::<Name>()
            .refuses(NO_DEVICE),
    ]
}

fn of_server() -> Vec<Route> {
    const NO_PROVIDER: (u16, &str) = (404, "the server has no identity provider");
    const TOO_MANY: (u16, &str) = (429, "too many have asked from this address");
    const BROKEN: (u16, &str) = (502, "the identity provider can't be used");
    vec![
        Route::get("/v1/audit", audit::audit, "Up to a thousand entries of the record after one, the oldest first")
            .query::<audit::After>()
            .gives::<Vec<Chained>>(),
        Route::get("/v1/tokens", audit::tokens, "Every token, without its secret").gives::<Vec<Token>>(),
        Route::post("/v1/tokens", audit::make_token, "Make a token; the answer is its secret")
            .takes_bytes::<TokenRequest>(16 * 1024)
            .gives::<String>()
            .refuses(&[(409, "there is a token of this name"), (422, "the body is JSON but not a token request")]),
        Route::delete("/v1/tokens/{name}", audit::end_token, "End a token: an admin any, and each token itself")
            .named::<Name>()
            .refuses(&[(403, "another token is for admins alone"), (404, "there is no such token")]),
        Route::get("/v1/sign-in", sign_in::provider, "Say where people without an admin's key sign in")
            .gives::<Provider>()
            .refuses(&[NO_PROVIDER, TOO_MANY, BROKEN]),
        Route::post("/v1/sign-in", sign_in::sign_in, "Redeem the code of an identity provider for a token")
            .takes::<SignInRequest>(16 * 1024)
            .gives::<SignedIn>()
            .refuses(&[
                NO_PROVIDER,
                TOO_MANY,
                BROKEN,
                (403, "the provider refuses, or gives this person no role here"),
            ]),
        Route::post("/gate/dovecot", gate::ask, "May this device log in to its mail?")
            .takes::<gate::Question>(gate::MAX_BYTES)
            .gives::<gate::Answer>()
            .refuses(&[(404, "the gate is closed: there is no `gate_key`")]),
    ]
}
