/// Ports where something listens that could take a request of HTTP for its own language: what a
/// tenant writes into a webhook would come out as mail. Browsers refuse the same ones, so that
/// nobody has a site there: <https://fetch.spec.whatwg.org/#port-blocking>. All other ports are
/// accepted, since only public addresses are behind them and receivers listen where they like.
const BAD: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
];

/// Whether a server of HTTP may be there.
pub(crate) fn is_accepted(port: u16) -> bool {
    BAD.binary_search(&port).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_mail_are_refused_and_those_of_sites_are_not() {
        assert!(BAD.is_sorted(), "it is searched by halves");
        for port in [0, 22, 25, 465, 587, 6667] {
            assert!(!is_accepted(port), "{port}");
        }
        for port in [80, 443, 3000, 5678, 8080, 8443, 65535] {
            assert!(is_accepted(port), "{port}");
        }
    }
}
