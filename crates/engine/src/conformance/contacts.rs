use std::collections::BTreeMap;

use mf_domain::{Jid, JidKind};

use super::{
    happening::Happening,
    sending::somebody,
    world::{World, paired, until},
};
use crate::{CallReport, CallState, EngineEvent, EnginePage, Feature};

const PICTURE: &str = "https://pps.example/somebody.jpg";

/// One after the other, and nobody twice.
pub async fn people_are_listed_page_by_page(world: &dyn World) {
    let spec = paired(world).await;
    let people = [(world.somebody(), "Ann"), (world.somebody_else(), "Bea")];
    for (phone, name) in &people {
        let known = Happening::Known {
            phone: phone.clone(),
            name: (*name).to_owned(),
            push_name: name.to_lowercase(),
            picture: None,
        };
        world.happen(known).await;
    }
    let mut listed = BTreeMap::new();
    let mut offset = 0;
    loop {
        let page = EnginePage { limit: 1, offset };
        let page = world.engine().contacts(&spec.key, page).await;
        let page = page.expect("contacts are listed");
        if page.is_empty() {
            break;
        }
        listed.extend(page.into_iter().map(|one| (one.jid.clone(), one)));
        offset += 1;
    }
    for (phone, name) in people {
        let found = &listed[&Jid::person(&phone)];
        assert_eq!(found.name.as_deref(), Some(name));
        assert_eq!(found.push_name.as_deref(), Some(&*name.to_lowercase()));
    }
}

/// Of people and of groups.
pub async fn a_picture_is_where_the_engine_says(world: &dyn World) {
    let spec = paired(world).await;
    let known = Happening::Known {
        phone: world.somebody(),
        name: "Ann".to_owned(),
        push_name: "ann".to_owned(),
        picture: Some(PICTURE.to_owned()),
    };
    world.happen(known).await;
    let engine = world.engine();
    let picture = engine.picture(&spec.key, &somebody(world)).await;
    assert_eq!(picture, Ok(Some(PICTURE.to_owned())));
    let plain = Jid::person(&world.somebody_else());
    assert_eq!(engine.picture(&spec.key, &plain).await, Ok(None));
}

/// Not from the first day on.
pub async fn a_hidden_id_leads_to_its_number_once_it_is_told(world: &dyn World) {
    let spec = paired(world).await;
    let (engine, key, phone) = (world.engine(), &spec.key, world.somebody());
    let lid = engine.lid_of(key, &phone).await;
    let lid = lid.expect("hidden ids are told").expect("they have one");
    assert_eq!(lid.kind(), JidKind::Hidden);
    assert_eq!(engine.phone_of(key, &lid).await, Ok(Some(phone.clone())));
    let told = |told| Happening::LidTold {
        lid: lid.clone(),
        told,
    };
    world.happen(told(false)).await;
    assert_eq!(engine.phone_of(key, &lid).await, Ok(None));
    assert_eq!(engine.lid_of(key, &phone).await, Ok(None));
    world.happen(told(true)).await;
    assert_eq!(engine.phone_of(key, &lid).await, Ok(Some(phone)));
}

/// Only whole pairs, and an empty page at the end.
pub async fn pairs_of_hidden_ids_and_numbers_are_listed(world: &dyn World) {
    let spec = paired(world).await;
    let phone = world.somebody();
    let known = Happening::Known {
        phone: phone.clone(),
        name: "Ann".to_owned(),
        push_name: "ann".to_owned(),
        picture: None,
    };
    world.happen(known).await;
    let (engine, key) = (world.engine(), &spec.key);
    let page = |offset| EnginePage { limit: 100, offset };
    let pairs = engine.lids(key, page(0)).await.expect("pairs are listed");
    let pair = pairs.iter().find(|pair| pair.phone == phone);
    let lid = engine.lid_of(key, &phone).await;
    assert_eq!(Ok(pair.map(|pair| pair.lid.clone())), lid);
    assert_eq!(engine.lids(key, page(100)).await, Ok(vec![]));
}

/// And how it ended, where the engine notices.
pub async fn a_call_is_reported_with_its_end(world: &dyn World) {
    paired(world).await;
    let info = world.engine().info().await.expect("the engine tells");
    let from = somebody(world);
    for taken in [true, false] {
        let called = Happening::Called {
            from: from.clone(),
            video: taken,
        };
        let call = world.happen(called).await;
        let rings = report(world).await;
        assert_eq!(
            (&rings.id, &rings.from, rings.video, rings.state),
            (&call, &Some(from.clone()), taken, CallState::Received)
        );
        if taken {
            world
                .happen(Happening::CallTaken { call: call.clone() })
                .await;
            if !info.capabilities.can(Feature::CallsTaken) {
                continue;
            }
        } else {
            let refused = Happening::CallRefused { call: call.clone() };
            world.happen(refused).await;
        }
        let end = if taken {
            CallState::Accepted
        } else {
            CallState::Rejected
        };
        let ended = report(world).await;
        assert_eq!((ended.id, ended.state), (call, end));
    }
}

async fn report(world: &dyn World) -> CallReport {
    until(world, |callback| match &callback.event {
        EngineEvent::Call(report) => Some(report.clone()),
        _ => None,
    })
    .await
}

/// For as long as somebody wants to know.
pub async fn who_types_is_reported(world: &dyn World) {
    paired(world).await;
    let chat = somebody(world);
    world.happen(Happening::Typing { chat: chat.clone() }).await;
    let report = until(world, |callback| match &callback.event {
        EngineEvent::Presence(report) => Some(report.clone()),
        _ => None,
    })
    .await;
    assert_eq!(report.chat, chat);
    let [presence] = report.presences.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(presence.participant, chat);
    assert_eq!(presence.state, "typing");
}
