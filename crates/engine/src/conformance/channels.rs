use mf_domain::{Jid, JidKind};

use super::{
    happening::Happening,
    world::{World, paired},
};
use crate::{ChannelRole, EngineError, Feature, NewChannel};

fn is_unsupported<T>(result: &Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::Unsupported { .. }))
}

async fn a_channel(world: &dyn World) -> Jid {
    let name = "Street Food".to_owned();
    let id = world.happen(Happening::ChannelFollowed { name }).await;
    Jid::parse(&id).expect("a channel's id")
}

/// All of them, or those of one role.
pub async fn channels_are_listed_by_role(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let followed = a_channel(world).await;
    for (role, count) in [
        (None, 1),
        (Some(ChannelRole::Subscriber), 1),
        (Some(ChannelRole::Owner), 0),
    ] {
        let listed = engine.channels(&spec.key, role).await;
        let listed = listed.expect("channels are listed");
        assert_eq!(listed.len(), count, "{role:?}");
        for channel in listed {
            assert_eq!(channel.jid, followed);
            assert_eq!(channel.name, "Street Food");
            assert_eq!(channel.role, Some(ChannelRole::Subscriber));
        }
    }
}

/// By its id and by the code that people pass on; another one is none.
pub async fn a_channel_is_found_by_its_id_and_its_invitation(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let followed = a_channel(world).await;
    let found = engine.channel(&spec.key, followed.as_str()).await;
    let found = found.expect("a channel is shown").expect("it is there");
    assert_eq!(found.jid, followed);
    let link = found.invite.expect("an invitation");
    let code = link.rsplit('/').next().unwrap_or_default();
    let again = engine.channel(&spec.key, code).await;
    let again = again.expect("a channel is shown").expect("it is there");
    assert_eq!(again.jid, followed);
    let none = engine.channel(&spec.key, "120363999999999999@newsletter");
    assert_eq!(none.await, Ok(None));
}

/// Where the engine can; where not, it says so beforehand as well.
pub async fn a_channel_is_made_and_removed_where_the_engine_can(world: &dyn World) {
    let spec = paired(world).await;
    let (engine, key) = (world.engine(), &spec.key);
    let can = engine.info().await.expect("the engine tells").capabilities;
    let new = NewChannel {
        name: "Our news".to_owned(),
        description: Some("what is new".to_owned()),
    };
    let made = engine.create_channel(key, &new).await;
    assert_eq!(made.is_ok(), can.can(Feature::CreateChannels), "{made:?}");
    let Ok(made) = made else {
        assert!(is_unsupported(&made), "{made:?}");
        return;
    };
    assert_eq!(made.jid.kind(), JidKind::Channel);
    assert_eq!(made.name, "Our news");
    let ours = engine.channels(key, Some(ChannelRole::Owner)).await;
    assert_eq!(ours.expect("channels are listed").len(), 1);
    let removed = engine.delete_channel(key, &made.jid).await;
    if can.can(Feature::DeleteChannels) {
        assert_eq!(removed, Ok(()));
        let ours = engine.channels(key, Some(ChannelRole::Owner)).await;
        assert_eq!(ours, Ok(vec![]));
    } else {
        assert!(is_unsupported(&removed), "{removed:?}");
    }
}

/// The same of following one.
pub async fn a_channel_is_left_and_followed_where_the_engine_can(world: &dyn World) {
    let spec = paired(world).await;
    let (engine, key) = (world.engine(), &spec.key);
    let can = engine.info().await.expect("the engine tells").capabilities;
    let channel = a_channel(world).await;
    for follow in [false, true] {
        let done = engine.follow_channel(key, &channel, follow).await;
        if !can.can(Feature::FollowChannels) {
            assert!(is_unsupported(&done), "{done:?}");
            continue;
        }
        assert_eq!(done, Ok(()));
        let followed = engine.channels(key, Some(ChannelRole::Subscriber)).await;
        let followed = followed.expect("channels are listed");
        assert_eq!(followed.iter().any(|one| one.jid == channel), follow);
    }
}
