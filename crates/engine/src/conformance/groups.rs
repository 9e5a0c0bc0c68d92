use mf_domain::{Jid, JidKind};

use super::{
    happening::Happening,
    sending::somebody,
    world::{World, paired, until},
};
use crate::{
    EngineError, EngineEvent, EnginePage, GroupChange, GroupInfo, GroupReport, GroupRole,
    ParticipantChange, SessionKey,
};

const FIRST: EnginePage = EnginePage {
    limit: 10,
    offset: 0,
};

/// A group that somebody else made, with the account and one other in it.
async fn a_group(world: &dyn World, administered: bool) -> Jid {
    let made = world
        .happen(Happening::GroupMade {
            subject: "Market".to_owned(),
            participants: vec![somebody(world)],
            administered,
        })
        .await;
    Jid::parse(&made).expect("a group's id")
}

/// The role of somebody in a group, by whichever of their names the engine tells.
async fn role(world: &dyn World, key: &SessionKey, group: &Jid, who: &Jid) -> Option<GroupRole> {
    let engine = world.engine();
    let inside = engine.participants(key, group).await;
    let inside = inside.expect("participants are listed");
    let lid = engine.lid_of(key, &who.phone().expect("a number")).await;
    let lid = lid.expect("the hidden id is told");
    let is = |jid: &Jid| jid == who || Some(jid) == lid.as_ref();
    inside.iter().find(|one| is(&one.jid)).map(|one| one.role)
}

/// The next report about a group.
async fn report(world: &dyn World) -> GroupReport {
    until(world, |callback| match &callback.event {
        EngineEvent::Group(report) => Some(report.clone()),
        _ => None,
    })
    .await
}

/// The next report that a group's own data changed so.
async fn until_change(world: &dyn World, wanted: impl Fn(&GroupChange) -> bool) -> GroupReport {
    loop {
        let report = report(world).await;
        if wanted(&report.change) {
            return report;
        }
    }
}

/// Page by page, and without asking WhatsApp for every member.
pub async fn groups_are_listed_without_who_is_in_them(world: &dyn World) {
    let spec = paired(world).await;
    let mut made = vec![a_group(world, false).await, a_group(world, true).await];
    let mut listed = Vec::new();
    for offset in 0..=2 {
        let page = EnginePage { limit: 1, offset };
        let page = world.engine().groups(&spec.key, page).await;
        listed.extend(page.expect("groups are listed"));
    }
    assert!(listed.iter().all(|group| group.participants.is_empty()));
    assert!(
        listed
            .iter()
            .all(|group| group.subject.as_deref() == Some("Market"))
    );
    let mut listed: Vec<_> = listed.into_iter().map(|group| group.jid).collect();
    listed.sort();
    made.sort();
    assert_eq!(listed, made);
}

/// Whatever its engine calls its members.
pub async fn a_group_is_shown_with_who_is_in_it(world: &dyn World) {
    let spec = paired(world).await;
    let group = a_group(world, true).await;
    let shown = world.engine().group(&spec.key, &group).await;
    let shown = shown.expect("groups are shown").expect("it is there");
    assert_eq!(shown.subject.as_deref(), Some("Market"));
    assert_eq!(shown.participants.len(), 2);
    assert_eq!(shown.participant_count, Some(2));
    assert!(
        role(world, &spec.key, &group, &somebody(world))
            .await
            .is_some()
    );
}

/// Neither one that there is not, nor one of others.
pub async fn a_group_that_is_not_ours_is_none(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let unknown = Jid::parse("120363999999999999@g.us").expect("a group's id");
    assert_eq!(engine.group(&spec.key, &unknown).await, Ok(None));
    let group = a_group(world, false).await;
    engine
        .leave_group(&spec.key, &group)
        .await
        .expect("it is left");
    assert_eq!(engine.group(&spec.key, &group).await, Ok(None));
    assert_eq!(engine.groups(&spec.key, FIRST).await, Ok(vec![]));
}

/// Who does not let themselves be added is not in it.
pub async fn a_new_group_has_those_who_let_themselves_be_added(world: &dyn World) {
    let spec = paired(world).await;
    let engine = world.engine();
    let people = [somebody(world), Jid::person(&world.unwilling())];
    let made = engine.create_group(&spec.key, "Fresh", &people).await;
    let made = made.expect("a group is made");
    assert_eq!(made.subject.as_deref(), Some("Fresh"));
    let key = &spec.key;
    assert_eq!(
        role(world, key, &made.jid, &people[0]).await,
        Some(GroupRole::Participant)
    );
    assert_eq!(role(world, key, &made.jid, &people[1]).await, None);
    let report = until_change(world, |change| matches!(change, GroupChange::Joined(_))).await;
    assert_eq!(report.group, made.jid);
}

/// The call succeeds; what became of each is another matter.
pub async fn who_cannot_be_added_is_told_apart(world: &dyn World) {
    let spec = paired(world).await;
    let group = a_group(world, true).await;
    let other = Jid::person(&world.somebody_else());
    let asked = [other.clone(), Jid::person(&world.unwilling())];
    let outcomes = world
        .engine()
        .add_participants(&spec.key, &group, &asked)
        .await
        .expect("people are added");
    let refusals: Vec<_> = asked
        .iter()
        .map(|jid| {
            outcomes
                .iter()
                .find(|one| one.jid == *jid)
                .expect("each has one")
        })
        .map(|outcome| outcome.error)
        .collect();
    assert_eq!(refusals, [None, Some(403)]);
    assert!(role(world, &spec.key, &group, &other).await.is_some());
}

/// Up, down and out.
pub async fn participants_rise_fall_and_go(world: &dyn World) {
    let spec = paired(world).await;
    let group = a_group(world, true).await;
    let (engine, key, who) = (world.engine(), &spec.key, somebody(world));
    let one = std::slice::from_ref(&who);
    let done = |outcomes: Result<Vec<crate::ParticipantOutcome>, EngineError>| {
        let outcomes = outcomes.expect("the change is made");
        let [outcome] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!((&outcome.jid, outcome.error), (&who, None));
    };
    done(engine.promote_participants(key, &group, one).await);
    assert_eq!(role(world, key, &group, &who).await, Some(GroupRole::Admin));
    done(engine.demote_participants(key, &group, one).await);
    assert_eq!(
        role(world, key, &group, &who).await,
        Some(GroupRole::Participant)
    );
    done(engine.remove_participants(key, &group, one).await);
    assert_eq!(role(world, key, &group, &who).await, None);
}

/// And says so to who listens.
pub async fn a_group_is_renamed_and_described(world: &dyn World) {
    let spec = paired(world).await;
    let group = a_group(world, true).await;
    let (engine, key) = (world.engine(), &spec.key);
    let renamed = engine.rename_group(key, &group, "Harbour").await;
    assert_eq!(renamed, Ok(()));
    let described = engine.describe_group(key, &group, "fish and ships").await;
    assert_eq!(described, Ok(()));
    let GroupInfo {
        subject,
        description,
        ..
    } = engine
        .group(key, &group)
        .await
        .expect("groups are shown")
        .expect("it is there");
    assert_eq!(subject.as_deref(), Some("Harbour"));
    assert_eq!(description.as_deref(), Some("fish and ships"));
    let report = until_change(world, |change| {
        matches!(change, GroupChange::Updated { subject: Some(subject), .. } if subject == "Harbour")
    })
    .await;
    assert_eq!(report.group, group);
}

/// The old code leads nowhere any more, the new one into the group.
pub async fn an_invitation_is_worthless_once_it_was_revoked(world: &dyn World) {
    let spec = paired(world).await;
    let group = a_group(world, true).await;
    let (engine, key) = (world.engine(), &spec.key);
    let old = engine.invite_code(key, &group).await.expect("a code");
    assert_eq!(engine.invite_code(key, &group).await, Ok(old.clone()));
    assert!(!old.contains('/'), "a link and no code");
    let new = engine.revoke_invite(key, &group).await.expect("a code");
    assert_ne!(new, old);
    engine.leave_group(key, &group).await.expect("it is left");
    let refused = engine.join_group(key, &old).await;
    assert!(refused.is_err(), "{refused:?}");
    let link = format!("https://chat.whatsapp.com/{new}");
    assert_eq!(engine.join_group(key, &link).await, Ok(group.clone()));
    assert!(matches!(engine.group(key, &group).await, Ok(Some(_))));
}

/// Nothing is lost of what happens on phones.
pub async fn what_others_do_in_a_group_is_reported(world: &dyn World) {
    paired(world).await;
    let group = a_group(world, false).await;
    let report = until_change(world, |change| matches!(change, GroupChange::Joined(_))).await;
    assert_eq!(report.group, group);
    let GroupChange::Joined(joined) = report.change else {
        panic!("{report:?}");
    };
    assert_eq!(joined.subject.as_deref(), Some("Market"));
    assert_eq!(joined.participants.len(), 2);

    let who = Jid::person(&world.somebody_else());
    let (came, went) = (
        Happening::CameIn {
            group: group.clone(),
            who: who.clone(),
        },
        Happening::WentOut {
            group: group.clone(),
            who: who.clone(),
        },
    );
    let ranked = |admin| Happening::Ranked {
        group: group.clone(),
        who: who.clone(),
        admin,
    };
    for (happening, what, role) in [
        (came, ParticipantChange::Joined, GroupRole::Participant),
        (ranked(true), ParticipantChange::Promoted, GroupRole::Admin),
        (
            ranked(false),
            ParticipantChange::Demoted,
            GroupRole::Participant,
        ),
        (went, ParticipantChange::Left, GroupRole::Left),
    ] {
        world.happen(happening).await;
        let told = self::report(world).await;
        assert_eq!(told.group, group);
        let GroupChange::Participants {
            what: told,
            participants,
        } = told.change
        else {
            panic!("{told:?}");
        };
        assert_eq!(told, what);
        let [one] = participants.as_slice() else {
            panic!("{participants:?}");
        };
        assert_eq!((&one.jid, one.role), (&who, role));
    }

    let renamed = Happening::GroupRenamed {
        group: group.clone(),
        subject: "Harbour".to_owned(),
    };
    world.happen(renamed).await;
    let told = self::report(world).await;
    assert!(
        matches!(&told.change, GroupChange::Updated { subject: Some(subject), .. }
            if subject == "Harbour"),
        "{told:?}"
    );
}

/// The account is put out of a group as well.
pub async fn being_put_out_of_a_group_is_reported(world: &dyn World) {
    let (spec, working) = super::world::pair(world).await;
    let group = a_group(world, false).await;
    let me = working.me.or(world
        .engine()
        .session(&spec.key)
        .await
        .expect("the session is shown")
        .and_then(|session| session.me));
    let me = Jid::person(&me.and_then(|me| me.phone).expect("a number of our own"));
    assert_eq!(me.kind(), JidKind::Person);
    let went = Happening::WentOut {
        group: group.clone(),
        who: me,
    };
    world.happen(went).await;
    let report = until_change(world, |change| matches!(change, GroupChange::Left)).await;
    assert_eq!(report.group, group);
    assert_eq!(world.engine().group(&spec.key, &group).await, Ok(None));
}
