//! Which addresses are of the public internet.
//!
//! From IANA's registries of special-purpose addresses, "globally reachable":
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>, and of multicast
//! <https://www.iana.org/assignments/multicast-addresses>.
//! Where the registry says "not applicable", the answer here is no. Forms that carry another
//! address are taken apart in `address.rs` first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A network, and whether the internet reaches it. The longest row that contains an address wins.
type Row = (IpNet, bool);

const fn v4(address: [u8; 4], length: u8, public: bool) -> Row {
    let [a, b, c, d] = address;
    let net = Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length);
    (IpNet::V4(net), public)
}

const fn v6(s: [u16; 8], length: u8, public: bool) -> Row {
    let address = Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
    let net = Ipv6Net::new_assert(address, length);
    (IpNet::V6(net), public)
}

const YES: bool = true;
const NO: bool = false;

const ROWS: [Row; 52] = [
    v4([0, 0, 0, 0], 0, YES),
    // "This network"; 0.0.0.0 is this host to most systems.
    v4([0, 0, 0, 0], 8, NO),
    // Private use.
    v4([10, 0, 0, 0], 8, NO),
    v4([172, 16, 0, 0], 12, NO),
    v4([192, 168, 0, 0], 16, NO),
    // Shared address space of providers; some clouds keep their metadata service here.
    v4([100, 64, 0, 0], 10, NO),
    // Loopback.
    v4([127, 0, 0, 0], 8, NO),
    // Link local, with most clouds' metadata service.
    v4([169, 254, 0, 0], 16, NO),
    // IETF protocol assignments, and the two of them that are anycast on the internet.
    v4([192, 0, 0, 0], 24, NO),
    v4([192, 0, 0, 9], 32, YES),
    v4([192, 0, 0, 10], 32, YES),
    // Documentation.
    v4([192, 0, 2, 0], 24, NO),
    v4([198, 51, 100, 0], 24, NO),
    v4([203, 0, 113, 0], 24, NO),
    // Former relays of 6to4.
    v4([192, 88, 99, 0], 24, NO),
    // Benchmarks.
    v4([198, 18, 0, 0], 15, NO),
    // Multicast, reserved, broadcast.
    v4([224, 0, 0, 0], 4, NO),
    v4([240, 0, 0, 0], 4, NO),
    v4([255, 255, 255, 255], 32, NO),
    // Not IANA's: a public address that answers inside Azure only, as the host's agent.
    // <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    v4([168, 63, 129, 16], 32, NO),
    // Only 2000::/3 is handed out as global unicast; the rest is reserved or special.
    // <https://www.iana.org/assignments/ipv6-address-space>
    v6([0, 0, 0, 0, 0, 0, 0, 0], 0, NO),
    v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3, YES),
    // Unspecified, loopback.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, NO),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, NO),
    // IPv4-mapped, and IPv4-translated of RFC 2765.
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, NO),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, NO),
    // NAT64, well known and of local use. Where the IPv4 address is in the second is for each
    // network to choose, so it cannot be judged by what is inside.
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, NO),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, NO),
    // Discard only, and the dummy prefix.
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, NO),
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64, NO),
    // IETF protocol assignments, and those of them that are on the internet.
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, NO),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128, YES),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128, YES),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 3], 128, YES),
    v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32, YES),
    v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48, YES),
    v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28, YES),
    v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28, YES),
    // Teredo, benchmarks, the first ORCHID.
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, NO),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, NO),
    v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28, NO),
    // Documentation.
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, NO),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, NO),
    // 6to4.
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, NO),
    // The 6bone of old, returned to the pool.
    v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16, NO),
    // Segment routing.
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, NO),
    // Unique local, with one cloud's metadata service.
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, NO),
    // Link local, and site local of old.
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, NO),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, NO),
    // Multicast.
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, NO),
    // On the internet, and in the registry for other reasons.
    v4([192, 175, 48, 0], 24, YES),
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, YES),
];

/// Whether the internet reaches the address. One of the forms that carry another address is none
/// that it reaches.
pub(crate) fn is_public(address: IpAddr) -> bool {
    ROWS.iter()
        .filter(|(net, _)| net.contains(&address))
        .max_by_key(|(net, _)| net.prefix_len())
        .is_some_and(|(_, public)| *public)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(address: &str) -> bool {
        is_public(address.parse().unwrap())
    }

    #[test]
    fn blocks_end_where_the_registry_says() {
        for (inside, outside) in [
            ("0.255.255.255", "1.0.0.0"),
            ("10.255.255.255", "11.0.0.0"),
            ("100.64.0.0", "100.63.255.255"),
            ("100.127.255.255", "100.128.0.0"),
            ("127.255.255.255", "128.0.0.0"),
            ("169.254.169.254", "169.255.0.0"),
            ("172.16.0.0", "172.15.255.255"),
            ("172.31.255.255", "172.32.0.0"),
            ("192.0.0.170", "192.0.1.0"),
            ("192.0.2.255", "192.0.3.0"),
            ("192.88.99.1", "192.88.100.0"),
            ("192.168.255.255", "192.169.0.0"),
            ("198.19.255.255", "198.20.0.0"),
            ("198.51.100.1", "198.51.101.1"),
            ("203.0.113.1", "203.0.114.1"),
            ("224.0.0.1", "223.255.255.255"),
            ("255.255.255.255", "192.0.0.9"),
            ("168.63.129.16", "168.63.129.17"),
            ("::", "2606:4700::1111"),
            ("2001::1", "2001:200::1"),
            ("2001:1::4", "2001:1::3"),
            ("2001:2::1", "2001:3::1"),
            ("2001:10::1", "2001:20::1"),
            ("2001:db8::1", "2001:db9::1"),
            ("3fff:fff::1", "3fff:1000::1"),
            ("4000::1", "2a00:1450::1"),
            ("5f00::1", "2620:4f:8000::1"),
        ] {
            assert!(!public(inside), "{inside}");
            assert!(public(outside), "{outside}");
        }
    }

    #[test]
    fn what_is_not_handed_out_is_not_public() {
        for address in [
            "::1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "100:0:0:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::ffff:8.8.8.8",
            "8000::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }
}
