//! Channels: `/api/{s}/channels`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::channels::{Channel, ChannelRole, channel_id, directory};
use crate::config::Dialect;
use crate::error::{ApiError, nothing};
use crate::groups::admins_only;
use crate::ids::now_ms;
use crate::message::Message;
use crate::session::{Session, Status};
use crate::sim::Sim;

use super::extract::{Body, Params, number};
use super::profile::picture_of;

pub(super) fn routes() -> Router<Sim> {
    let channel = "/api/{session}/channels/{id}";
    Router::new()
        .route("/api/{session}/channels", get(list).post(create))
        .route("/api/{session}/channels/search/by-text", post(by_text))
        .route("/api/{session}/channels/search/by-view", post(by_view))
        .route("/api/{session}/channels/search/views", get(views))
        .route("/api/{session}/channels/search/countries", get(countries))
        .route("/api/{session}/channels/search/categories", get(categories))
        .route(channel, get(read).delete(delete))
        .route(&format!("{channel}/messages/preview"), get(preview))
        .route(&format!("{channel}/follow"), post(follow))
        .route(&format!("{channel}/unfollow"), post(unfollow))
        .route(&format!("{channel}/mute"), post(mute))
        .route(&format!("{channel}/unmute"), post(unmute))
}

type Answer = Result<Json<Value>, ApiError>;
type Of = Path<(String, String)>;

fn no_channel(engine: Dialect) -> ApiError {
    match engine {
        Dialect::Noweb => ApiError::engine("Error", "GraphQL server error: Not Found"),
        Dialect::Gows => ApiError::grpc("graphql error: 404 Not Found (CRITICAL)"),
        Dialect::Webjs => ApiError::undefined("membershipType"),
    }
}

/// A channel by id or invitation, the account's own or anybody's.
fn found(sim: &Sim, session: &Session, given: &str) -> Result<Channel, ApiError> {
    let channel = session.state().realm.channel(given);
    channel.ok_or_else(|| no_channel(sim.world.config.engine))
}

async fn list(State(sim): State<Sim>, Path(name): Path<String>, params: Params) -> Answer {
    let role = params.get("role").map(String::as_str);
    if role.is_some_and(|role| !matches!(role, "OWNER" | "ADMIN" | "SUBSCRIBER")) {
        return Err(ApiError::Invalid(vec![
            "role must be one of the following values: OWNER, ADMIN, SUBSCRIBER".to_owned(),
        ]));
    }
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    let state = session.state();
    let channels = state.realm.channels.values();
    let shown = channels
        .filter(|channel| channel.role != ChannelRole::Guest)
        .map(|channel| channel.show(engine))
        .filter(|shown| role.is_none_or(|role| shown["role"] == role));
    Ok(Json(shown.collect()))
}

async fn create(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let called = body["name"]
        .as_str()
        .ok_or_else(|| ApiError::engine("Error", "bad-request"))?;
    let picture = match &body["picture"] {
        Value::Null => None,
        file => Some(picture_of(&sim, file).await?),
    };
    let about = body["description"].as_str().unwrap_or_default();
    let channel = Channel {
        picture,
        ..Channel::new(channel_id(), called, about, ChannelRole::Owner)
    };
    let shown = channel.show(sim.world.config.engine);
    let mut state = session.state();
    state.realm.channels.insert(channel.id.clone(), channel);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn read(State(sim): State<Sim>, Path((name, id)): Of) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    Ok(Json(
        found(&sim, &session, &id)?.show(sim.world.config.engine),
    ))
}

async fn delete(State(sim): State<Sim>, Path((name, id)): Of) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    let channel = found(&sim, &session, &id)?;
    if channel.role != ChannelRole::Owner {
        return Err(admins_only(engine));
    }
    session.state().realm.channels.remove(&channel.id);
    Ok(nothing(StatusCode::OK))
}

/// Changes what the account has to do with a channel.
async fn change(
    sim: Sim,
    name: &str,
    id: &str,
    change: impl FnOnce(&mut Channel) + Send,
) -> Result<Response, ApiError> {
    let session = sim.session_in(name, Status::Working).await?;
    let mut channel = found(&sim, &session, id)?;
    change(&mut channel);
    let mut state = session.state();
    state.realm.channels.insert(channel.id.clone(), channel);
    Ok(nothing(StatusCode::CREATED))
}

async fn follow(State(sim): State<Sim>, Path((name, id)): Of) -> Result<Response, ApiError> {
    let follow = |channel: &mut Channel| {
        if channel.role == ChannelRole::Guest {
            channel.role = ChannelRole::Subscriber;
        }
    };
    change(sim, &name, &id, follow).await
}

async fn unfollow(State(sim): State<Sim>, Path((name, id)): Of) -> Result<Response, ApiError> {
    change(sim, &name, &id, |c| c.role = ChannelRole::Guest).await
}

async fn mute(State(sim): State<Sim>, Path((name, id)): Of) -> Result<Response, ApiError> {
    change(sim, &name, &id, |channel| channel.muted = true).await
}

async fn unmute(State(sim): State<Sim>, Path((name, id)): Of) -> Result<Response, ApiError> {
    change(sim, &name, &id, |channel| channel.muted = false).await
}

async fn preview(State(sim): State<Sim>, Path((name, id)): Of, params: Params) -> Answer {
    let mut broken = Vec::new();
    let limit = number(&params, "limit", &mut broken).unwrap_or(10);
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let session = sim.session_in(&name, Status::Working).await?;
    let channel = found(&sim, &session, &id)?;
    let me = session.state().own_id();
    let posts = channel.posts.iter().enumerate().rev();
    let shown = posts
        .take(usize::try_from(limit).unwrap_or(0))
        .map(|(at, text)| {
            let message = Message {
                id: format!("{:018X}", at + 1),
                chat: channel.id.clone(),
                body: text.clone(),
                timestamp: now_ms() / 1000 - 3600,
                ack: 1,
                ..Message::default()
            };
            json!({
                "reactions": {"👍": 3},
                "viewCount": channel.subscribers / 2,
                "message": message.show(sim.world.config.engine, &me),
            })
        });
    Ok(Json(shown.collect()))
}

async fn by_text(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Answer {
    sim.session_in(&name, Status::Working).await?;
    let text = body["text"].as_str().unwrap_or_default().to_lowercase();
    let fits = |channel: &Channel| {
        channel.name.to_lowercase().contains(&text)
            || channel.description.to_lowercase().contains(&text)
    };
    Ok(page(&body, fits))
}

async fn by_view(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Answer {
    sim.session_in(&name, Status::Working).await?;
    Ok(page(&body, |_| true))
}

/// A page of what strangers find. The cursor is a place in the list.
fn page(body: &Value, fits: impl Fn(&Channel) -> bool) -> Json<Value> {
    let found: Vec<Channel> = directory().into_iter().filter(fits).collect();
    let start: usize = body["startCursor"]
        .as_str()
        .and_then(|cursor| cursor.parse().ok())
        .unwrap_or(0);
    let limit = body["limit"].as_u64().unwrap_or(50);
    let end = start.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX));
    let shown: Vec<_> = found
        .iter()
        .take(end)
        .skip(start)
        .map(Channel::show_public)
        .collect();
    let more = end < found.len();
    let page = json!({
        "startCursor": start.to_string(),
        "endCursor": if more { end.to_string() } else { String::new() },
        "hasNextPage": more,
        "hasPreviousPage": start > 0,
    });
    Json(json!({"page": page, "channels": shown}))
}

async fn views() -> Json<Value> {
    Json(json!([
        {"value": "RECOMMENDED", "name": "Recommended"},
        {"value": "TRENDING", "name": "Trending"},
        {"value": "POPULAR", "name": "Popular"},
        {"value": "NEW", "name": "New"},
    ]))
}

async fn countries() -> Json<Value> {
    Json(json!([
        {"code": "BR", "name": "Brazil"},
        {"code": "ES", "name": "Spain"},
        {"code": "US", "name": "United States"},
    ]))
}

async fn categories() -> Json<Value> {
    Json(json!([
        {"value": "BUSINESS", "name": "Business"},
        {"value": "LIFESTYLE", "name": "Lifestyle"},
        {"value": "NEWS_INFO", "name": "News & Information"},
        {"value": "SPORTS", "name": "Sports"},
    ]))
}
