use crate::message::words;

words! {
    /// How much of a message's text is kept.
    ContentStorage ("content storage") {
        /// All of it.
        Full = "full",
        /// No more than the preview.
        Preview = "preview",
    }
}
