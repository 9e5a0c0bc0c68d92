//! The remote control of what surrounds messages, over HTTP: `/sim/sessions/{s}/…`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control_groups::NewGroup;
use crate::control_world::{NewChannel, NewContact, NewLabel};
use crate::inbound::Inbound;
use crate::presence::Presence;
use crate::sim::Sim;

use super::extract::Body;
use super::remote::{Done, Refused, done, order};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/sim/sessions/{session}/zombie", post(zombie))
        .route("/sim/sessions/{session}/fail-starts", post(fail_starts))
        .route("/sim/sessions/{session}/while-away", post(while_away))
        .route("/sim/sessions/{session}/business", post(business))
        .route("/sim/sessions/{session}/lid-known", post(lid_known))
        .route("/sim/sessions/{session}/contacts", post(contact))
        .route("/sim/sessions/{session}/labels", post(put_label))
        .route("/sim/sessions/{session}/labels/delete", post(delete_label))
        .route("/sim/sessions/{session}/labels/chat", post(label_chat))
        .route("/sim/sessions/{session}/channels", post(channel))
        .route("/sim/sessions/{session}/presence", post(presence))
        .route("/sim/sessions/{session}/calls", post(call))
        .route("/sim/sessions/{session}/calls/{id}", post(end_call))
        .route("/sim/sessions/{session}/groups", post(group))
        .route(
            "/sim/sessions/{session}/groups/{id}",
            get(members).post(change_group),
        )
}

type Made = Result<(StatusCode, Json<Value>), Refused>;

fn made(id: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({"id": id})))
}

#[derive(Deserialize)]
struct Zombie {
    zombie: bool,
}

async fn zombie(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let Zombie { zombie } = order(body)?;
    sim.set_zombie(&name, zombie)?;
    Ok(done())
}

#[derive(Deserialize)]
struct FailStarts {
    count: u32,
}

async fn fail_starts(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let FailStarts { count } = order(body)?;
    sim.fail_starts(&name, count)?;
    Ok(done())
}

async fn while_away(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Vec<Value>>), Refused> {
    let messages: Vec<Inbound> = order(body)?;
    let shown = sim.while_away(&name, messages)?;
    Ok((StatusCode::CREATED, Json(shown)))
}

#[derive(Deserialize)]
struct Business {
    business: bool,
}

async fn business(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let Business { business } = order(body)?;
    sim.set_business(&name, business)?;
    Ok(done())
}

#[derive(Deserialize)]
struct LidKnown {
    lid: String,
    known: bool,
}

async fn lid_known(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let LidKnown { lid, known } = order(body)?;
    sim.set_lid_known(&name, &lid, known)?;
    Ok(done())
}

async fn contact(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let contact: NewContact = order(body)?;
    sim.know_contact(&name, contact)?;
    Ok(done())
}

async fn put_label(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Made {
    let label: NewLabel = order(body)?;
    Ok(made(&sim.put_label_on_phone(&name, &label)?))
}

#[derive(Deserialize)]
struct LabelId {
    id: String,
}

async fn delete_label(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let LabelId { id } = order(body)?;
    sim.delete_label_on_phone(&name, &id)?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LabelChat {
    id: String,
    chat_id: String,
    on: bool,
}

async fn label_chat(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let LabelChat { id, chat_id, on } = order(body)?;
    sim.label_chat_on_phone(&name, &id, &chat_id, on)?;
    Ok(done())
}

async fn channel(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Made {
    let channel: NewChannel = order(body)?;
    Ok(made(&sim.add_channel(&name, channel)?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Showing {
    chat_id: String,
    participant: Option<String>,
    presence: Presence,
}

async fn presence(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let showing: Showing = order(body)?;
    let who = showing.participant.as_ref().unwrap_or(&showing.chat_id);
    sim.presence(&name, &showing.chat_id, who, showing.presence)?;
    Ok(done())
}

#[derive(Deserialize)]
struct Calling {
    from: String,
    #[serde(default)]
    video: bool,
}

async fn call(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Made {
    let Calling { from, video } = order(body)?;
    Ok(made(&sim.call(&name, &from, video)?))
}

#[derive(Deserialize)]
struct EndCall {
    accepted: bool,
}

async fn end_call(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
    Body(body): Body,
) -> Done {
    let EndCall { accepted } = order(body)?;
    if accepted {
        sim.accept_call(&name, &id)?;
    } else {
        sim.reject_call(&name, &id)?;
    }
    Ok(done())
}

async fn group(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Made {
    let group: NewGroup = order(body)?;
    Ok(made(&sim.add_group(&name, group)?))
}

async fn members(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let members = sim.group_members(&name, &id)?;
    let shown: Vec<_> = members
        .iter()
        .map(|(id, role)| json!({"id": id, "role": role}))
        .collect();
    let invite = sim.group_invite(&name, &id)?;
    Ok(Json(json!({"participants": shown, "invite": invite})))
}

/// What others do in a group, e.g. `{"join": "15550000002@c.us"}` or `{"subject": "Lunch"}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum GroupChange {
    Join(String),
    Leave(String),
    Promote(String),
    Demote(String),
    Subject(String),
    Description(String),
    Announce(bool),
}

async fn change_group(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
    Body(body): Body,
) -> Done {
    match order(body)? {
        GroupChange::Join(who) => sim.group_join(&name, &id, &who),
        GroupChange::Leave(who) => sim.group_leave(&name, &id, &who),
        GroupChange::Promote(who) => sim.group_promote(&name, &id, &who),
        GroupChange::Demote(who) => sim.group_demote(&name, &id, &who),
        GroupChange::Subject(subject) => sim.rename_group(&name, &id, &subject),
        GroupChange::Description(text) => sim.describe_group(&name, &id, &text),
        GroupChange::Announce(on) => sim.announce_group(&name, &id, on),
    }?;
    Ok(done())
}
