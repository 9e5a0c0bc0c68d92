use reqwest::Method;

/// One call of WAHA's interface, as its own document describes it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// With `{name}` for what is filled in.
    pub(crate) path: &'static str,
    /// What it is for, in words that follow "does not support".
    pub(crate) what: &'static str,
}

macro_rules! endpoints {
    ($($name:ident = $method:ident $path:literal, $what:literal;)+) => {
        $(pub(crate) const $name: Endpoint = Endpoint {
            method: Method::$method,
            path: $path,
            what: $what,
        };)+
    };
}

endpoints! {
    PING = GET "/ping", "being asked whether it is alive";
    VERSION = GET "/api/server/version", "telling its version";
    SESSIONS = GET "/api/sessions", "listing sessions";
    SESSION = GET "/api/sessions/{session}", "showing a session";
    CREATE = POST "/api/sessions", "creating sessions";
    UPDATE = PUT "/api/sessions/{session}", "changing a session";
    DELETE = DELETE "/api/sessions/{session}", "deleting sessions";
    START = POST "/api/sessions/{session}/start", "starting sessions";
    STOP = POST "/api/sessions/{session}/stop", "stopping sessions";
    RESTART = POST "/api/sessions/{session}/restart", "restarting sessions";
    LOGOUT = POST "/api/sessions/{session}/logout", "logging out";
    QR = GET "/api/{session}/auth/qr", "pairing by QR code";
    SEND_TEXT = POST "/api/sendText", "sending texts";
    MESSAGE = GET "/api/{session}/chats/{chat}/messages/{message}", "finding messages";
    START_TYPING = POST "/api/startTyping", "showing that somebody is typing";
    STOP_TYPING = POST "/api/stopTyping", "showing that somebody is typing";
    CHECK_EXISTS = GET "/api/contacts/check-exists", "looking up numbers";
}
