//! Addresses inside addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// All the addresses that a packet to this one may end up at, by the forms in which IPv6 carries
/// IPv4. Each has to be allowed.
pub(crate) fn stands_for(address: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V6(v6) = address else {
        return vec![address];
    };
    let segments = v6.segments();
    let mut all = match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => vec![address],
        // Mapped (RFC 4291, 2.5.5.2), compatible (2.5.5.1), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            vec![v4(high, low)]
        }
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => vec![v4(high, low)],
        // Teredo (RFC 4380): the server, and the client with its bits turned.
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            vec![v4(high, low), v4(!client_high, !client_low)]
        }
        _ => vec![address],
    };
    all.extend(isatap(v6));
    all
}

/// The IPv4 address of an interface of ISATAP (RFC 5214, 6.1), under whatever prefix.
fn isatap(address: Ipv6Addr) -> Option<IpAddr> {
    match address.segments() {
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(v4(high, low)),
        _ => None,
    }
}

fn v4(high: u16, low: u16) -> IpAddr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carried_addresses_are_found() {
        for (outer, inner) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::", "::"),
            ("::1", "::1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("::127.0.0.1", "127.0.0.1"),
            ("64:ff9b::10.0.0.1", "10.0.0.1"),
            ("2002:a9fe:a9fe::1", "169.254.169.254"),
            ("2606:4700::1", "2606:4700::1"),
        ] {
            let inner: IpAddr = inner.parse().unwrap();
            assert_eq!(stands_for(outer.parse().unwrap()), [inner], "{outer}");
        }
    }

    #[test]
    fn every_carried_address_counts() {
        let all = |address: &str| {
            let all = stands_for(address.parse().unwrap());
            all.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            all("2001:0:4136:e378:8000:63bf:80ff:fffe"),
            ["65.54.227.120", "127.0.0.1"]
        );
        assert_eq!(
            all("2606:4700::5efe:10.0.0.1"),
            ["2606:4700::5efe:a00:1", "10.0.0.1"]
        );
    }
}
