use std::{fmt, str::FromStr, time::Duration};

use super::SETTINGS;

/// How addresses of servers begin.
pub(super) const HTTP: &[&str] = &["http://", "https://"];
pub(super) const YES_NO: &[(&str, bool)] = &[("true", true), ("false", false)];

/// Everything that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<String>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The configuration has {} fault(s):", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}

/// Reads variables, and gathers what is wrong with them.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(super) faults: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            faults: Vec::new(),
        }
    }

    /// A variable's value. An empty one is none: compose files pass those for unset ones.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        debug_assert!(
            SETTINGS.iter().any(|s| s.name == name),
            "{name} is in no table"
        );
        (self.lookup)(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    pub(super) fn fault(&mut self, name: &str, what: impl fmt::Display) {
        self.faults.push(format!("{name}: {what}"));
    }

    pub(super) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name)?;
        parse(&text).map_err(|what| self.fault(name, what)).ok()
    }

    pub(super) fn number<T>(&mut self, name: &str, default: T, low: T, high: T) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let range = format!("must be a whole number from {low} to {high}");
        self.parsed(name, |text| {
            let number: Option<T> = text.parse().ok().filter(|n| *n >= low && *n <= high);
            number.ok_or_else(|| range.clone())
        })
        .unwrap_or(default)
    }

    pub(super) fn seconds(&mut self, name: &str, default: u64, low: u64, high: u64) -> Duration {
        Duration::from_secs(self.number(name, default, low, high))
    }

    pub(super) fn choice<T: Copy>(&mut self, name: &str, default: T, choices: &[(&str, T)]) -> T {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        self.parsed(name, |text| {
            let found = choices
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(text));
            found
                .map(|(_, value)| *value)
                .ok_or_else(|| format!("must be {}", words.join(" or ")))
        })
        .unwrap_or(default)
    }

    pub(super) fn url(&mut self, name: &str, schemes: &[&str]) -> Option<String> {
        self.parsed(name, |text| {
            let sound = schemes.iter().any(|scheme| {
                text.strip_prefix(scheme).is_some_and(|rest| {
                    !rest.is_empty()
                        && !rest.starts_with('/')
                        && !rest.contains(char::is_whitespace)
                })
            });
            if sound {
                Ok(text.trim_end_matches('/').to_owned())
            } else {
                Err(format!(
                    "must be an address that begins with {}",
                    schemes.join(" or ")
                ))
            }
        })
    }
}
