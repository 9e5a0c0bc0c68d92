use std::net::IpAddr;

use ipnet::IpNet;

use crate::{address, special};

/// What the operator allows beyond `https` to the public internet. Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// `http` for every purpose. Media may always come over it.
    pub allow_http: bool,
    /// Networks that tenants may reach although they are not public, such as one with a receiver
    /// of webhooks in it. A form that carries an IPv4 address is judged by that address.
    pub allow_networks: Vec<IpNet>,
    /// This machine, by `127.0.0.0/8`, `::1` and `localhost`: for development.
    pub allow_loopback: bool,
}

impl Policy {
    /// Whether a connection to the address may be made.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        address::stands_for(address)
            .into_iter()
            .all(|inner| self.permits_plain(inner))
    }

    fn permits_plain(&self, address: IpAddr) -> bool {
        special::is_public(address)
            || (self.allow_loopback && address.is_loopback())
            || self.allow_networks.iter().any(|net| net.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(policy: &Policy, address: &str) -> bool {
        policy.permits(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_permitted_in_every_form() {
        let policy = Policy::default();
        for address in [
            "8.8.8.8",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(permits(&policy, address), "{address}");
        }
    }

    #[test]
    fn one_address_inside_that_is_not_public_is_enough() {
        let policy = Policy::default();
        // Teredo with a public server and a private client, and the other way round.
        assert!(!permits(&policy, "2001:0:808:808:0:0:f5ff:fffe"));
        assert!(!permits(&policy, "2001:0:a00:1:0:0:f7f7:f7f7"));
        assert!(permits(&policy, "2001:0:808:808:0:0:f7f7:f7f7"));
        assert!(!permits(&policy, "2606:4700::5efe:10.0.0.1"));
    }

    #[test]
    fn the_operators_networks_are_permitted_and_no_others() {
        let policy = Policy {
            allow_networks: vec!["10.1.0.0/16".parse().unwrap()],
            ..Policy::default()
        };
        assert!(permits(&policy, "10.1.2.3"));
        assert!(permits(&policy, "::ffff:10.1.2.3"));
        assert!(!permits(&policy, "10.2.0.1"));
        assert!(!permits(&policy, "127.0.0.1"));
    }

    #[test]
    fn loopback_is_permitted_on_its_own() {
        let policy = Policy {
            allow_loopback: true,
            ..Policy::default()
        };
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(permits(&policy, address), "{address}");
        }
        for address in ["0.0.0.0", "::", "10.0.0.1"] {
            assert!(!permits(&policy, address), "{address}");
        }
    }
}
