use mf_engine::EngineError;
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

impl Endpoint {
    /// That this WAHA does not have it.
    pub(crate) fn unsupported(&self) -> EngineError {
        EngineError::Unsupported {
            what: self.what.to_owned(),
        }
    }
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
    FILE = GET "/api/files/", "keeping the files of messages";
    REQUEST_CODE = POST "/api/{session}/auth/request-code", "pairing by a code";
    PROFILE = GET "/api/{session}/profile", "showing the account's profile";
    SEND_TEXT = POST "/api/sendText", "sending texts";
    SEND_IMAGE = POST "/api/sendImage", "sending pictures";
    SEND_FILE = POST "/api/sendFile", "sending files";
    SEND_VOICE = POST "/api/sendVoice", "sending voice notes";
    SEND_VIDEO = POST "/api/sendVideo", "sending films";
    SEND_STICKER = POST "/api/sendSticker", "sending stickers (WAHA 2026.8.2 or later does)";
    SEND_POLL = POST "/api/sendPoll", "sending polls";
    SEND_LOCATION = POST "/api/sendLocation", "sending places";
    SEND_CONTACTS = POST "/api/sendContactVcard", "sending contact cards";
    REACTION = PUT "/api/reaction", "reacting to messages";
    STAR = PUT "/api/star", "marking messages with a star";
    SEND_SEEN = POST "/api/sendSeen", "marking messages as read";
    EDIT = PUT "/api/{session}/chats/{chat}/messages/{message}", "changing messages";
    UNSEND = DELETE "/api/{session}/chats/{chat}/messages/{message}", "taking messages back";
    CHATS = GET "/api/{session}/chats/overview", "listing chats";
    MESSAGES = GET "/api/{session}/chats/{chat}/messages", "listing messages";
    MESSAGE = GET "/api/{session}/chats/{chat}/messages/{message}", "finding messages";
    START_TYPING = POST "/api/startTyping", "showing that somebody is typing";
    STOP_TYPING = POST "/api/stopTyping", "showing that somebody is typing";
    CHECK_EXISTS = GET "/api/contacts/check-exists", "looking up numbers";
    CONTACTS = GET "/api/contacts/all", "listing contacts";
    PICTURE = GET "/api/{session}/chats/{chat}/picture", "showing pictures of people";
    LIDS = GET "/api/{session}/lids", "listing hidden ids";
    LID = GET "/api/{session}/lids/{lid}", "telling the number behind a hidden id";
    LID_OF_PHONE = GET "/api/{session}/lids/pn/{phone}", "telling the hidden id of a number";
    GROUPS = GET "/api/{session}/groups", "listing groups";
    CREATE_GROUP = POST "/api/{session}/groups", "creating groups";
    JOIN_GROUP = POST "/api/{session}/groups/join", "joining groups";
    GROUP = GET "/api/{session}/groups/{group}", "showing groups";
    LEAVE_GROUP = POST "/api/{session}/groups/{group}/leave", "leaving groups";
    SUBJECT = PUT "/api/{session}/groups/{group}/subject", "renaming groups";
    DESCRIPTION = PUT "/api/{session}/groups/{group}/description", "describing groups";
    INVITE_CODE = GET "/api/{session}/groups/{group}/invite-code", "inviting into groups";
    REVOKE_INVITE = POST "/api/{session}/groups/{group}/invite-code/revoke", "taking invitations into groups back";
    PARTICIPANTS = GET "/api/{session}/groups/{group}/participants/v2", "listing participants";
    ADD_PARTICIPANTS = POST "/api/{session}/groups/{group}/participants/add", "adding participants";
    REMOVE_PARTICIPANTS = POST "/api/{session}/groups/{group}/participants/remove", "removing participants";
    PROMOTE = POST "/api/{session}/groups/{group}/admin/promote", "making administrators";
    DEMOTE = POST "/api/{session}/groups/{group}/admin/demote", "unmaking administrators";
    LABELS = GET "/api/{session}/labels", "listing labels";
    CREATE_LABEL = POST "/api/{session}/labels", "creating labels";
    UPDATE_LABEL = PUT "/api/{session}/labels/{label}", "changing labels";
    DELETE_LABEL = DELETE "/api/{session}/labels/{label}", "deleting labels";
    LABELS_OF_CHAT = GET "/api/{session}/labels/chats/{chat}", "listing the labels of a chat";
    SET_LABELS = PUT "/api/{session}/labels/chats/{chat}", "labelling chats";
    CHATS_OF_LABEL = GET "/api/{session}/labels/{label}/chats", "listing the chats of a label";
    CHANNELS = GET "/api/{session}/channels", "listing channels";
    CREATE_CHANNEL = POST "/api/{session}/channels", "creating channels";
    CHANNEL = GET "/api/{session}/channels/{channel}", "showing channels";
    DELETE_CHANNEL = DELETE "/api/{session}/channels/{channel}", "deleting channels";
    FOLLOW_CHANNEL = POST "/api/{session}/channels/{channel}/follow", "following channels";
    UNFOLLOW_CHANNEL = POST "/api/{session}/channels/{channel}/unfollow", "leaving channels";
}
