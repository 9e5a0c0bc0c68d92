//! Ways to say an address that is not public. Each names the canary's port, so that a guard that
//! lets one through is seen to.

use mf_outbound::{FetchError, Outbound, Policy, Purpose, Refused};

use crate::support::{Canary, Names, Server, get, outbound, strict};

/// Spellings of 127.0.0.1, where the canary is.
const HERE: [&str; 36] = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.000.000.001",
    "127.0.0.01",
    "0177.0.0.1",
    "0177.0.0.01",
    "00000177.0.0.1",
    "017700000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0X7F.0.0.1",
    "0x7f000001",
    "0x7F000001",
    "0x0000000007f000001",
    "2130706433",
    "2130706433.",
    "127.0x1",
    "127.0.0x1",
    "0x7f.0.1",
    "0177.1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "%30x7f000001",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "127.0.0.\u{ad}1",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
];

/// Other hosts where nobody but the operator should go, this machine under its other names among
/// them.
const INSIDE: [&str; 59] = [
    "127.0.256",
    "0.0.0.0",
    "0",
    "0x0",
    "00",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::0.0.0.1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "10.0.0.1",
    "012.0.0.1",
    "167772161",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.2",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.43518",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "0xa9.0xfe.0xa9.0xfe",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    "[::127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:808:808::80ff:fffe]",
    "[2606:4700::5efe:127.0.0.1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
];

/// Whole addresses, with the canary's port for `PORT`.
const URLS: [(&str, Refused); 34] = [
    ("http:127.0.0.1:PORT/", Refused::NotPublic),
    ("http:/127.0.0.1:PORT/", Refused::NotPublic),
    ("http:///127.0.0.1:PORT/", Refused::NotPublic),
    ("http:\\\\127.0.0.1:PORT\\", Refused::NotPublic),
    ("http://127.0.0.1:PORT\\@example.com/", Refused::NotPublic),
    ("http://127.0.0.1:PORT?@example.com/", Refused::NotPublic),
    ("http://127.0.0.1:PORT#@example.com/", Refused::NotPublic),
    (" http://127.0.0.1:PORT/ ", Refused::NotPublic),
    ("\thttp://127.0.0.1:PORT/", Refused::NotPublic),
    ("ht\ntp://127.0.\n0.1:PORT/", Refused::NotPublic),
    ("http://127.0\t.0.1:PORT/", Refused::NotPublic),
    ("HTTP://127.0.0.1:PORT/", Refused::NotPublic),
    ("hTTps://127.0.0.1:PORT/", Refused::NotPublic),
    ("http://127.0.0.1:000PORT/", Refused::NotPublic),
    ("http://example.com@127.0.0.1:PORT/", Refused::Credentials),
    ("http://8.8.8.8:80@127.0.0.1:PORT/", Refused::Credentials),
    ("http://a:b@127.0.0.1:PORT/", Refused::Credentials),
    ("http://:b@127.0.0.1:PORT/", Refused::Credentials),
    ("http://127.0.0.1:PORT@example.com/", Refused::Credentials),
    ("http://[fe80::1%25lo]:PORT/", Refused::Malformed),
    ("http://[::1%lo]:PORT/", Refused::Malformed),
    ("http://[::ffff:127.0.0.1%251]:PORT/", Refused::Malformed),
    ("http://127.0.0.1 :PORT/", Refused::Malformed),
    ("http://127.0.0.1%00:PORT/", Refused::Malformed),
    ("http://127.0.0.1%0d%0aa:PORT/", Refused::Malformed),
    ("http://127.0.0.256:PORT/", Refused::Malformed),
    ("http://1.2.3.4.5:PORT/", Refused::Malformed),
    ("http://0x7f.0.0.0x1g.1:PORT/", Refused::Malformed),
    ("http://:PORT/", Refused::Malformed),
    ("//127.0.0.1:PORT/", Refused::Malformed),
    ("127.0.0.1:PORT", Refused::Malformed),
    ("ftp://127.0.0.1:PORT/", Refused::NotHttp),
    ("gopher://127.0.0.1:PORT/_GET%20/", Refused::NotHttp),
    ("ws://127.0.0.1:PORT/", Refused::NotHttp),
];

async fn refused(outbound: &Outbound, url: &str) -> Refused {
    match get(outbound, url).await {
        Err(FetchError::Refused(refused)) => refused,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn no_spelling_of_an_inside_host_is_dialled() {
    let canary = Canary::on("127.0.0.1");
    let outbound = strict();
    for host in HERE.iter().chain(&INSIDE) {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{}/", canary.port());
            assert_eq!(refused(&outbound, &url).await, Refused::NotPublic, "{url}");
            assert_eq!(canary.connections(), 0, "{url}");
        }
    }
}

#[tokio::test]
async fn no_spelling_of_a_whole_address_is_dialled() {
    let canary = Canary::on("127.0.0.1");
    let outbound = strict();
    for (url, expected) in URLS {
        let url = url.replace("PORT", &canary.port().to_string());
        assert_eq!(refused(&outbound, &url).await, expected, "{url}");
        assert_eq!(canary.connections(), 0, "{url}");
    }
}

/// Shows that the canary is where the tricks lead: with 127.0.0.0/8 allowed they get there.
#[tokio::test]
async fn the_same_spellings_arrive_where_the_operator_allows_the_network() {
    let policy = Policy {
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..Policy::default()
    };
    let outbound = outbound(policy, Names::of(&[]));
    for host in HERE {
        let server = Server::saying(&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"]).await;
        let url = format!("http://{host}:{}/", server.port());
        assert_eq!(
            get(&outbound, &url).await.as_deref(),
            Ok(&b"hi"[..]),
            "{url}"
        );
        assert_eq!(server.asked().len(), 1, "{url}");
    }
}

#[test]
fn public_addresses_of_all_kinds_are_accepted() {
    let outbound = strict();
    for url in [
        "https://example.com",
        "https://example.com./hook?a=b#c",
        "https://example.com:8443/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]:5678/",
        "https://münchen.example/",
        "https://localhost.example.com/",
        "https://mylocalhost/",
    ] {
        assert!(outbound.check_url(url, Purpose::Webhook).is_ok(), "{url}");
    }
}
