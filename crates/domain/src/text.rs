use std::fmt;

use crate::Invalid;

/// The text of a message: 1 to 4,096 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// Most characters of a text.
    pub const MAX: usize = 4096;

    /// Reads a text. Blanks alone are no message.
    pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if text.trim().is_empty() {
            return Err(Invalid::new(
                "value_error.any_str.min_length",
                "ensure this value has at least 1 characters",
            ));
        }
        if text.chars().count() > Self::MAX {
            return Err(Invalid::new(
                "value_error.any_str.max_length",
                "ensure this value has at most 4096 characters",
            ));
        }
        if text.contains('\0') {
            return Err(Invalid::new(
                "value_error.str.nul",
                "value contains the character U+0000, which cannot be stored",
            ));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Message text never reaches a log, not even by accident.
impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageText({} bytes)", self.0.len())
    }
}

/// The first 500 characters: what lists show of a message.
pub fn preview(text: &str) -> &str {
    text.char_indices()
        .nth(500)
        .map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::{MessageText, preview};

    #[test]
    fn characters_are_counted_not_bytes() {
        assert!(MessageText::parse("é".repeat(4096)).is_ok());
        assert!(MessageText::parse("é".repeat(4097)).is_err());
    }

    #[test]
    fn a_preview_never_cuts_a_character() {
        let text = "🦀".repeat(501);
        assert_eq!(preview(&text).chars().count(), 500);
        assert_eq!(preview("short"), "short");
    }
}
