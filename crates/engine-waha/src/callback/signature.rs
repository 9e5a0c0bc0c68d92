use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;

/// Whether the body is signed with the session's key.
///
/// WAHA takes the key as text and signs with the bytes of that text. It is given the secret
/// in hexadecimal, so those digits are the key on this side, too.
pub(super) fn is_good(secret: &[u8], header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> bool {
    // An empty key would make the signature one that anybody can compute.
    if secret.is_empty() || header("x-webhook-hmac-algorithm").as_deref() != Some("sha512") {
        return false;
    }
    let signature = header("x-webhook-hmac").and_then(|text| hex::decode(text).ok());
    signature.is_some_and(|signature| verify(hex::encode(secret).as_bytes(), body, &signature))
}

fn verify(key: &[u8], body: &[u8], signature: &[u8]) -> bool {
    // HMAC takes keys of any length.
    Hmac::<Sha512>::new_from_slice(key)
        .is_ok_and(|mac| mac.chain_update(body).verify_slice(signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{is_good, verify};

    const BODY: &[u8] = br#"{"event":"message","session":"default","engine":"WEBJS"}"#;
    const SIGNATURE: &str = "208f8a55dde9e05519e898b10b89bf0d0b3b0fdf11fdbf09b6b90476301b98d8097c46\
                             2b2b17a6ce93b6b47a136cf2e78a33a63f6752c2c1631777076153fa89";

    #[test]
    fn the_example_of_the_vendor_is_good() {
        let signature = hex::decode(SIGNATURE).unwrap();
        assert!(verify(b"my-secret-key", BODY, &signature));
        assert!(!verify(b"my-secret-key", b"{}", &signature));
        assert!(!verify(b"my-secret-kez", BODY, &signature));
        assert!(!verify(b"my-secret-key", BODY, &signature[..32]));
        assert!(!verify(b"my-secret-key", BODY, &[]));
    }

    #[test]
    fn the_key_is_the_secret_in_hexadecimal() {
        use hmac::{Hmac, KeyInit, Mac};
        let secret = [0xab, 0x01, 0xff];
        let mac = Hmac::<sha2::Sha512>::new_from_slice(b"ab01ff").unwrap();
        let signature = hex::encode(mac.chain_update(BODY).finalize().into_bytes());
        let check = |algorithm: Option<&str>, signature: Option<&str>, secret: &[u8]| {
            let header = |name: &str| match name {
                "x-webhook-hmac" => signature.map(str::to_owned),
                "x-webhook-hmac-algorithm" => algorithm.map(str::to_owned),
                _ => None,
            };
            is_good(secret, &header, BODY)
        };
        assert!(check(Some("sha512"), Some(&signature), &secret));
        assert!(!check(Some("sha256"), Some(&signature), &secret));
        assert!(!check(None, Some(&signature), &secret));
        assert!(!check(Some("sha512"), None, &secret));
        assert!(!check(Some("sha512"), Some("no hex"), &secret));
        assert!(!check(Some("sha512"), Some(""), &secret));
        assert!(!check(Some("sha512"), Some(&signature), &[]));
    }
}
