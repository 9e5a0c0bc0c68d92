use std::fmt;

use crate::Invalid;

/// A phone number in international form, digits only: country code first, no `+`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Fewest digits of a number with its country code.
    pub const MIN_DIGITS: usize = 7;
    /// Most digits of an international number (E.164).
    pub const MAX_DIGITS: usize = 15;

    /// Reads `15551234567`, `+15551234567` or `15551234567@c.us`. Spaces, brackets and
    /// letters are refused rather than guessed at: a wrong guess writes to a stranger.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let digits = digits
            .strip_suffix("@c.us")
            .or_else(|| digits.strip_suffix("@s.whatsapp.net"))
            .unwrap_or(digits);
        let sound = (Self::MIN_DIGITS..=Self::MAX_DIGITS).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit());
        if sound {
            Ok(Self(digits.to_owned()))
        } else {
            Err(Invalid::new(
                "value_error.phone",
                "value is not a valid phone number: give the country code and the number as \
                 7 to 15 digits, such as 15551234567",
            ))
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Only the last four digits, so that no log holds a whole number.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self
            .0
            .get(self.0.len().saturating_sub(4)..)
            .unwrap_or_default();
        write!(f, "PhoneNumber(…{tail})")
    }
}

#[cfg(test)]
mod tests {
    use super::PhoneNumber;

    #[test]
    fn the_three_documented_forms_name_the_same_number() {
        for text in ["15551234567", "+15551234567", "15551234567@c.us"] {
            assert_eq!(PhoneNumber::parse(text).unwrap().as_str(), "15551234567");
        }
    }

    #[test]
    fn what_would_have_to_be_guessed_is_refused() {
        for text in [
            "",
            "+",
            "1 555 123 4567",
            "(555)1234567",
            "555-CALL",
            "++15551234567",
            "123456",
            "1234567890123456",
            "15551234567@g.us",
            "１５５５１２３４５６７",
        ] {
            assert!(PhoneNumber::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_log_never_shows_the_whole_number() {
        let shown = format!("{:?}", PhoneNumber::parse("15551234567").unwrap());
        assert_eq!(shown, "PhoneNumber(…4567)");
    }
}
