use std::error::Error;

/// Why an address is not talked to, in words for the client. None of them says what a name
/// resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// No URL, or one without a host.
    #[error("The address is not a valid URL")]
    Malformed,
    /// Where `https` is demanded.
    #[error("Only https addresses are accepted")]
    NotHttps,
    /// Where `http` would do as well.
    #[error("Only http and https addresses are accepted")]
    NotHttp,
    /// `https://user:password@…`: it would be sent, and be in logs.
    #[error("The address contains credentials")]
    Credentials,
    /// Port 0, or one where something other than HTTP listens.
    #[error("The port of the address is not accepted")]
    Port,
    /// The host, or one of the addresses that its name resolves to, is not of the internet.
    #[error("The address is not public")]
    NotPublic,
    /// The name has no address.
    #[error("The host could not be resolved")]
    NotResolved,
}

impl Refused {
    /// The refusal behind an error of the client, which made no connection then.
    pub fn behind(error: &reqwest::Error) -> Option<Self> {
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = cause {
            if let Some(refused) = error.downcast_ref::<Self>() {
                return Some(*refused);
            }
            cause = error.source();
        }
        None
    }
}
