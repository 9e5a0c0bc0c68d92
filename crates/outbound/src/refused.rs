use std::error::Error;
use std::{io, iter};

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
    pub(crate) fn behind(error: &reqwest::Error) -> Option<Self> {
        causes(error).find_map(|cause| cause.downcast_ref().copied())
    }
}

/// What is behind an error of the client, from the outside to the inside.
pub(crate) fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(error.source(), |cause: &&(dyn Error + 'static)| {
        let cause: &(dyn Error + 'static) = *cause;
        // An error of IO says what its content's source is, and not that it has a content.
        let inside = cause.downcast_ref().and_then(io::Error::get_ref);
        match inside {
            Some(inside) => Some(inside),
            None => cause.source(),
        }
    })
}
