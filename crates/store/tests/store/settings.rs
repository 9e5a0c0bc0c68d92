//! What a tenant sets for itself.

use mf_domain::ContentStorage;
use mf_store::{SettingsPatch, TenantSettings};

use crate::support::World;

#[tokio::test]
async fn a_tenant_keeps_everything_until_it_says_otherwise() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let mut tx = world.store.begin(tenant).await.unwrap();
    let settings = tx.tenants().settings().await.unwrap();
    assert_eq!(settings.message_retention_days, None);
    assert_eq!(settings.store_message_content, ContentStorage::Full);
}

#[tokio::test]
async fn what_a_change_of_settings_does_not_name_stays() {
    let world = World::new().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let mut tx = world.store.begin(tenant).await.unwrap();
    let before = tx.tenants().settings().await.unwrap();
    let patches = [
        SettingsPatch {
            message_retention_days: Some(Some(30)),
            ..SettingsPatch::default()
        },
        SettingsPatch {
            store_message_content: Some(ContentStorage::Preview),
            ..SettingsPatch::default()
        },
        SettingsPatch::default(),
    ];
    let mut after = before;
    for patch in patches {
        after = tx.tenants().update_settings(&patch).await.unwrap();
    }
    let expected = TenantSettings {
        message_retention_days: Some(30),
        store_message_content: ContentStorage::Preview,
        ..before
    };
    assert_eq!(after, expected);
    let never = SettingsPatch {
        message_retention_days: Some(None),
        chat_history_access_enabled: Some(!before.chat_history_access_enabled),
        ..SettingsPatch::default()
    };
    tx.tenants().update_settings(&never).await.unwrap();
    let expected = TenantSettings {
        message_retention_days: None,
        chat_history_access_enabled: !before.chat_history_access_enabled,
        ..expected
    };
    assert_eq!(tx.tenants().settings().await.unwrap(), expected);
    tx.commit().await.unwrap();

    let mut tx = world.store.begin(other).await.unwrap();
    assert_eq!(tx.tenants().settings().await.unwrap(), before);
}

#[tokio::test]
async fn a_retention_that_makes_no_sense_is_refused() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    for days in [0, -1, 3651] {
        let mut tx = world.store.begin(tenant).await.unwrap();
        let patch = SettingsPatch {
            message_retention_days: Some(Some(days)),
            ..SettingsPatch::default()
        };
        let refused = tx.tenants().update_settings(&patch).await.unwrap_err();
        assert!(
            refused.is_constraint("tenant_message_retention_days_check"),
            "{days}: {refused}"
        );
    }
}
