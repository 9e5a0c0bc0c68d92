use crate::message::words;

/// Most webhooks that a tenant may have: each event is written once for each that wants it.
pub const MAX_WEBHOOKS: i64 = 100;

/// Most deliveries to one webhook that are under way at a time.
pub const DELIVERY_CAP: i32 = 16;

words! {
    /// How far an event is on its way to a webhook.
    DeliveryState ("delivery state") {
        /// It will be sent, or sent again.
        Pending = "pending",
        /// The endpoint has taken it.
        Delivered = "delivered",
        /// It was tried for the last time. Kept, so that it can be replayed.
        Dead = "dead",
    }
}
