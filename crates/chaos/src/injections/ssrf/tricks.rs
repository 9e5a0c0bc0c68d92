//! Ways to say an address that nothing is to be sent to.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clouds tell a machine its secrets.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// One more of this machine's, which it does not list.
const LOOPBACK: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A host, as it stands in a URL.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) text: String,
    /// The address that it stands for, or carries.
    pub(super) of: Option<IpAddr>,
    /// Whether it leads to this machine where nobody is in the way.
    pub(super) here: bool,
}

/// All of them.
pub(super) fn hosts(own: &BTreeSet<IpAddr>, names: BTreeSet<String>) -> Vec<Host> {
    let mut hosts = spellings(LOOPBACK, true);
    for address in own {
        match address {
            IpAddr::V4(address) => hosts.extend(spellings(*address, true)),
            IpAddr::V6(address) => hosts.extend(of_v6(*address)),
        }
    }
    hosts.extend(spellings(METADATA, false));
    let unspecified = ["0.0.0.0", "0", "0x0", "00"].into_iter();
    let unspecified = unspecified.map(|text| (text, IpAddr::from(Ipv4Addr::UNSPECIFIED)));
    let unspecified = unspecified.chain([("[::]", Ipv6Addr::UNSPECIFIED.into())]);
    hosts.extend(unspecified.map(|(text, of)| host(text, Some(of), true)));
    let names = names.into_iter().map(|name| host(name, None, true));
    hosts.extend(names);
    let local = ["localhost", "LOCALHOST", "localhost."];
    hosts.extend(local.map(|text| host(text, None, true)));
    hosts.extend(ELSEWHERE.map(|text| {
        let bare = text.trim_matches(['[', ']']);
        host(text, bare.parse().ok(), false)
    }));
    hosts
}

fn host(text: impl Into<String>, of: Option<IpAddr>, here: bool) -> Host {
    Host {
        text: text.into(),
        of,
        here,
    }
}

/// Of the operator, of nobody, or not of one.
const ELSEWHERE: [&str; 33] = [
    "a.localhost",
    "10.0.0.1",
    "012.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.255.255.254",
    "168.63.129.16",
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
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fe80::1]",
    "[fe80::a9fe:a9fe]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
];

/// The spellings of an IPv4 address. `here`: it is one of this machine's.
pub(super) fn spellings(address: Ipv4Addr, here: bool) -> Vec<Host> {
    let [a, b, c, d] = address.octets();
    let whole = u32::from(address);
    let (low, lower) = (whole & 0xff_ffff, whole & 0xffff);
    let plain = address.to_string();
    let spelled = |digit: fn(u32) -> Option<char>| -> String {
        let each = plain.chars().map(|c| match c.to_digit(10) {
            Some(value) => digit(value).unwrap_or(c),
            None => c,
        });
        each.collect()
    };
    let encoded: Vec<String> = plain.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mut all = vec![
        plain.clone(),
        format!("{plain}."),
        format!("{a}.{low}"),
        format!("{a}.{b}.{lower}"),
        format!("{whole}"),
        format!("{whole}."),
        format!("{a:#o}.{b:#o}.{c:#o}.{d:#o}").replace("0o", "0"),
        format!("{a:08o}.{b:08o}.{c:08o}.{d:08o}"),
        format!("0{whole:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0X{a:X}.{low}"),
        format!("{whole:#x}"),
        format!("0x{whole:016x}"),
        format!("{a:#x}.0{b:o}.{c}.{d}"),
        format!("{a}.{low:#x}"),
        encoded.concat(),
        plain.replace('.', "%2e"),
        plain.replace('.', "。"),
        plain.replace('.', "．"),
        plain.replace('.', "｡"),
        spelled(|value| char::from_u32(0xff10 + value)),
        spelled(|value| char::from_u32(0x1d7ce + value)),
        spelled(|value| "⓪①②③④⑤⑥⑦⑧⑨".chars().nth(value as usize)),
        plain.replace('.', ".\u{ad}"),
        plain.replace('.', "\t."),
    ];
    let [high, low] = [(whole >> 16) as u16, (whole & 0xffff) as u16];
    all.extend([
        format!("[::ffff:{plain}]"),
        format!("[::FFFF:{high:X}:{low:X}]"),
        format!("[0:0:0:0:0:ffff:{plain}]"),
    ]);
    // Forms that somebody on the way takes apart, or takes for something else.
    let carried = [
        format!("[::{plain}]"),
        format!("[::ffff:0:{plain}]"),
        format!("[64:ff9b::{plain}]"),
        format!("[64:ff9b::{high:x}:{low:x}]"),
        format!("[64:ff9b:1::{plain}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:808:808::{:x}:{:x}]", !high, !low),
        format!("[2606:4700::5efe:{plain}]"),
    ];
    let of = Some(address.into());
    let all = all.into_iter().map(|text| host(text, of, here));
    all.chain(carried.map(|text| host(text, of, false)))
        .collect()
}

fn of_v6(address: Ipv6Addr) -> Vec<Host> {
    let of = Some(address.into());
    let segments = address.segments().map(|segment| format!("{segment:04X}"));
    let plain = [address.to_string(), segments.join(":")];
    let plain = plain.map(|text| host(format!("[{text}]"), of, true));
    let zones = ["lo", "25lo", "251"];
    let zones = zones.map(|zone| host(format!("[{address}%{zone}]"), of, false));
    plain.into_iter().chain(zones).collect()
}

/// Whole addresses: `HERE` stands for this machine with the canary's port, `PORT` for that alone.
const URLS: [&str; 30] = [
    "https:HERE/",
    "https:/HERE/",
    "https:///HERE/",
    "https:\\\\HERE\\",
    "https://HERE\\@example.com/",
    "https://HERE?@example.com/",
    "https://HERE#@example.com/",
    " https://HERE/ ",
    "\thttps://HERE/",
    "ht\ntps://127.0.\n0.1:PORT/",
    "hTTps://HERE/",
    "https://127.0.0.1:000PORT/",
    "https://example.com@HERE/",
    "https://8.8.8.8:80@HERE/",
    "https://a:b@HERE/",
    "https://HERE@example.com/",
    "https://example.com:443@HERE/",
    "https://127.0.0.1 :PORT/",
    "https://127.0.0.1%00:PORT/",
    "https://127.0.0.1%0d%0aHost:%20a:PORT/",
    "https://127.0.0.256:PORT/",
    "https://:PORT/",
    "//HERE/",
    "HERE",
    "ftp://HERE/",
    "gopher://HERE/_POST%20/",
    "ws://HERE/",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "jar:https://HERE!/",
];

pub(super) fn urls(port: u16) -> Vec<String> {
    let (place, port) = (format!("127.0.0.1:{port}"), port.to_string());
    let each = URLS.iter();
    each.map(|url| url.replace("HERE", &place).replace("PORT", &port))
        .collect()
}
