use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use mf_files::S3Config;
use mf_outbound::Policy;

use super::reader::{HTTP, Reader, YES_NO};

/// Where files of messages are kept.
#[derive(Debug)]
pub enum MediaStore {
    /// In this folder; `None`: in the data folder.
    Folder(Option<PathBuf>),
    /// In a bucket.
    S3(S3Config),
}

pub(super) fn media_store(r: &mut Reader<'_>) -> MediaStore {
    let region = r.text("MOLTFLOW_S3_REGION");
    let endpoint = r.url("MOLTFLOW_S3_ENDPOINT", HTTP);
    let access_key = r.text("MOLTFLOW_S3_ACCESS_KEY");
    let secret = r.text("MOLTFLOW_S3_SECRET_KEY");
    let store = r.text("MOLTFLOW_MEDIA_STORE");
    let Some(place) = store.as_deref().and_then(|text| text.strip_prefix("s3://")) else {
        return MediaStore::Folder(store.map(PathBuf::from));
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        r.fault(
            "MOLTFLOW_MEDIA_STORE",
            "must be a folder or s3://bucket/prefix",
        );
    }
    for (name, there) in [
        ("MOLTFLOW_S3_ACCESS_KEY", access_key.is_some()),
        ("MOLTFLOW_S3_SECRET_KEY", secret.is_some()),
    ] {
        if !there {
            r.fault(name, "must be set, since MOLTFLOW_MEDIA_STORE is a bucket");
        }
    }
    MediaStore::S3(S3Config {
        bucket: bucket.to_owned(),
        region: region.unwrap_or_else(|| "us-east-1".to_owned()),
        allow_http: endpoint
            .as_deref()
            .is_some_and(|url| url.starts_with("http://")),
        endpoint,
        access_key: access_key.unwrap_or_default(),
        secret: secret.unwrap_or_default().into(),
        prefix: prefix.trim_matches('/').to_owned(),
    })
}

/// On a machine of one's own, with nothing configured, tenants are oneself: what listens on
/// loopback there may be reached.
pub(super) fn outbound(r: &mut Reader<'_>, addr: Option<SocketAddr>) -> Policy {
    let alone = r.text("DATABASE_URL").is_none()
        && r.text("MOLTFLOW_PUBLIC_URL").is_none()
        && r.text("MOLTFLOW_SIGNUP")
            .is_none_or(|signup| signup.eq_ignore_ascii_case("closed"))
        && addr.is_none_or(|addr| addr.ip().is_loopback());
    let networks = r.parsed("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS", |text| {
        let networks = text.split(',').map(str::trim).filter(|net| !net.is_empty());
        let read = networks.map(|net| {
            net.parse::<IpNet>()
                .or_else(|_| net.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| format!("{net} is no network such as 10.1.0.0/16"))
        });
        read.collect::<Result<Vec<_>, _>>()
    });
    Policy {
        allow_http: r.choice("MOLTFLOW_WEBHOOK_ALLOW_HTTP", false, YES_NO),
        allow_networks: networks.unwrap_or_default(),
        allow_loopback: alone,
    }
}
