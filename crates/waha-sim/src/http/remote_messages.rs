//! The remote control of messages over HTTP.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::MediaDrop;
use crate::record::SentAction;
use crate::sim::Sim;

use super::extract::{Body, Params};
use super::remote::{Done, done, order};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/sim/sessions/{session}/react", post(react))
        .route("/sim/sessions/{session}/edit", post(edit))
        .route("/sim/sessions/{session}/revoke", post(revoke))
        .route("/sim/sessions/{session}/vote", post(vote))
        .route("/sim/sessions/{session}/restricted", post(restricted))
        .route("/sim/actions", get(actions))
        .route("/sim/media", post(media))
        .route("/sim/files/expire", post(expire))
        .route("/sim/empty-answers", post(empty_answers))
        .route("/sim/ack-delays", post(ack_delays))
        .route("/sim/callbacks/copies", post(copies))
        .route("/sim/callbacks/hold", post(hold))
        .route("/sim/callbacks/release", post(release))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct React {
    message_id: String,
    from: String,
    emoji: String,
}

async fn react(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let React {
        message_id,
        from,
        emoji,
    } = order(body)?;
    sim.react(&name, &message_id, &from, &emoji).await?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Edit {
    message_id: String,
    text: String,
}

async fn edit(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let Edit { message_id, text } = order(body)?;
    sim.edit(&name, &message_id, &text).await?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Revoke {
    message_id: String,
}

async fn revoke(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let Revoke { message_id } = order(body)?;
    sim.revoke(&name, &message_id).await?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vote {
    message_id: String,
    voter: String,
    /// Left out, the engine cannot read the vote.
    options: Option<Vec<String>>,
}

async fn vote(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let Vote {
        message_id,
        voter,
        options,
    } = order(body)?;
    match options {
        Some(options) => {
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            sim.vote(&name, &message_id, &voter, &options).await?;
        }
        None => sim.vote_unreadably(&name, &message_id, &voter).await?,
    }
    Ok(done())
}

#[derive(Deserialize)]
struct Restricted {
    restricted: bool,
}

async fn restricted(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let Restricted { restricted } = order(body)?;
    sim.set_restricted(&name, restricted)?;
    Ok(done())
}

async fn actions(State(sim): State<Sim>, params: Params) -> Json<Vec<SentAction>> {
    Json(match params.get("session") {
        Some(session) => sim.actions(session),
        None => sim.actions_of_all(),
    })
}

#[derive(Deserialize)]
struct Media {
    dropped: MediaDrop,
}

async fn media(State(sim): State<Sim>, Body(body): Body) -> Done {
    let Media { dropped } = order(body)?;
    sim.set_media_dropped(dropped);
    Ok(done())
}

async fn expire(State(sim): State<Sim>) -> Json<Value> {
    sim.expire_files();
    done()
}

#[derive(Deserialize)]
struct EmptyAnswers {
    empty: bool,
}

async fn empty_answers(State(sim): State<Sim>, Body(body): Body) -> Done {
    let EmptyAnswers { empty } = order(body)?;
    sim.set_empty_answers(empty);
    Ok(done())
}

#[derive(Deserialize)]
struct AckDelays {
    millis: Option<[u64; 3]>,
}

async fn ack_delays(State(sim): State<Sim>, Body(body): Body) -> Done {
    let AckDelays { millis } = order(body)?;
    sim.set_ack_delays(millis.map(|millis| millis.map(Duration::from_millis)));
    Ok(done())
}

#[derive(Deserialize)]
struct Copies {
    count: u32,
}

async fn copies(State(sim): State<Sim>, Body(body): Body) -> Done {
    let Copies { count } = order(body)?;
    sim.set_callback_copies(count);
    Ok(done())
}

async fn hold(State(sim): State<Sim>) -> Json<Value> {
    sim.hold_callbacks();
    done()
}

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    seed: u64,
}

async fn release(State(sim): State<Sim>, Body(body): Body) -> Done {
    let Release { seed } = order(body)?;
    let released = sim.release_callbacks(seed).await;
    Ok(Json(json!({"success": true, "released": released})))
}
