use mf_domain::Jid;

use super::{
    happening::Happening,
    sending::somebody,
    world::{World, paired, until},
};
use crate::{
    EngineError, EngineEvent, EngineLabel, Feature, LabelChange, NewEngineLabel, SessionSpec,
};

/// A session of a business account.
async fn business(world: &dyn World) -> SessionSpec {
    let spec = paired(world).await;
    world.happen(Happening::Business(true)).await;
    spec
}

fn label(name: &str, color: u8) -> NewEngineLabel {
    NewEngineLabel {
        name: name.to_owned(),
        color: Some(color),
    }
}

/// The next report about a label.
async fn change(world: &dyn World) -> LabelChange {
    until(world, |callback| match &callback.event {
        EngineEvent::Label(report) => Some(report.change.clone()),
        _ => None,
    })
    .await
}

/// From the first to the last day of one.
pub async fn labels_are_made_changed_and_removed(world: &dyn World) {
    let spec = business(world).await;
    let (engine, key) = (world.engine(), &spec.key);
    let made = engine.create_label(key, &label("Lead", 3)).await;
    let made = made.expect("a label is made");
    assert_eq!((made.name.as_str(), made.color), ("Lead", Some(3)));
    let changed = engine.update_label(key, &made.id, &label("Paid", 7)).await;
    let changed = changed.expect("a label is changed");
    assert_eq!(changed.id, made.id);
    let listed = engine.labels(key).await.expect("labels are listed");
    let [
        EngineLabel {
            id, name, color, ..
        },
    ] = listed.as_slice()
    else {
        panic!("{listed:?}");
    };
    assert_eq!((id, name.as_str(), color), (&made.id, "Paid", &Some(7)));
    assert_eq!(engine.delete_label(key, &made.id).await, Ok(()));
    assert_eq!(engine.labels(key).await, Ok(vec![]));
    assert_eq!(
        engine.delete_label(key, &made.id).await,
        Ok(()),
        "it is gone all the same"
    );
}

/// No more and no fewer.
pub async fn a_chat_carries_exactly_the_labels_it_is_given(world: &dyn World) {
    let spec = business(world).await;
    let (engine, key, chat) = (world.engine(), &spec.key, somebody(world));
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let made = engine.create_label(key, &label(name, 0)).await;
        ids.push(made.expect("a label is made").id);
    }
    for given in [&ids[..2], &ids[1..], &[]] {
        let set = engine.set_labels_of_chat(key, &chat, given).await;
        assert_eq!(set, Ok(()));
        let carried = engine.labels_of_chat(key, &chat).await;
        let mut carried: Vec<_> = carried
            .expect("a chat's labels are listed")
            .into_iter()
            .map(|label| label.id)
            .collect();
        carried.sort();
        assert_eq!(carried, given);
        for id in &ids {
            let chats = engine.chats_of_label(key, id).await;
            let expected: &[Jid] = if given.contains(id) {
                std::slice::from_ref(&chat)
            } else {
                &[]
            };
            assert_eq!(chats.as_deref(), Ok(expected));
        }
    }
}

/// Where the engine tells of labels at all.
pub async fn labels_set_on_the_phone_are_reported_where_the_engine_does(world: &dyn World) {
    let spec = business(world).await;
    let info = world.engine().info().await.expect("the engine tells");
    let chat = somebody(world);
    let id = world
        .happen(Happening::LabelMade {
            name: "VIP".to_owned(),
            color: 5,
        })
        .await;
    let labelled = |carried| Happening::ChatLabelled {
        label: id.clone(),
        chat: chat.clone(),
        carried,
    };
    world.happen(labelled(true)).await;
    world.happen(labelled(false)).await;
    let removed = Happening::LabelRemoved { label: id.clone() };
    if !info.capabilities.can(Feature::LabelEvents) {
        let chats = world.engine().chats_of_label(&spec.key, &id).await;
        assert_eq!(chats, Ok(vec![]));
        return;
    }
    // Callbacks overtake each other.
    let mut told = vec![
        change(world).await,
        change(world).await,
        change(world).await,
    ];
    told.sort_by_key(|change| match change {
        LabelChange::Upserted(_) => 0,
        LabelChange::Chat { carried: true, .. } => 1,
        _ => 2,
    });
    let carries = |carried| LabelChange::Chat {
        label: id.clone(),
        chat: chat.clone(),
        carried,
    };
    assert_eq!(told[1..], [carries(true), carries(false)]);
    let LabelChange::Upserted(new) = &told[0] else {
        panic!("{told:?}");
    };
    assert_eq!((new.name.as_str(), new.color), ("VIP", Some(5)));
    world.happen(removed).await;
    let gone = change(world).await;
    assert!(
        matches!(&gone, LabelChange::Deleted(label) if label.id == id),
        "{gone:?}"
    );
}

/// Not a failure, but a thing that there is not.
pub async fn an_account_that_is_no_business_has_no_labels(world: &dyn World) {
    let spec = paired(world).await;
    world.happen(Happening::Business(false)).await;
    let engine = world.engine();
    match engine.labels(&spec.key).await {
        Ok(labels) => assert_eq!(labels, []),
        Err(error) => assert!(
            matches!(error, EngineError::Unsupported { .. }),
            "{error:?}"
        ),
    }
    let made = engine.create_label(&spec.key, &label("Lead", 3)).await;
    assert!(
        matches!(made, Err(EngineError::Unsupported { .. })),
        "{made:?}"
    );
}
