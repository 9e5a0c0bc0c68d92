use crate::message::words;

words! {
    /// How far we are with a file.
    MediaState ("media state") {
        /// The engine has it, and we not yet.
        Pending = "pending",
        /// It is here.
        Stored = "stored",
        /// The engine has it no more, or never gave it out.
        Lost = "lost",
    }
}
