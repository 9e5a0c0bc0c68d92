//! What came of an injection.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

/// How much of an injection is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Some seconds, with the tests.
    Short,
    /// As long as it takes to believe it.
    Long,
}

impl Form {
    /// One of two values.
    pub fn pick<T>(self, short: T, long: T) -> T {
        match self {
            Self::Short => short,
            Self::Long => long,
        }
    }
}

/// One line: what was measured, and what it may be at most.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Which injection.
    pub injection: &'static str,
    /// What was measured, by name.
    pub figure: Value,
    /// What has to hold of some of these names: a number is the most that the figure may be.
    pub bound: Value,
    /// Whether it does.
    pub met: bool,
    /// Why nothing was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Choices followed from it.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Outcome {
    /// Holds each figure that has a bound against it. A figure that is missing, or no number,
    /// meets none.
    pub fn new(
        injection: &'static str,
        seed: u64,
        begun: Instant,
        figure: Value,
        bound: Value,
    ) -> Self {
        let within = |(name, most): (&String, &Value)| {
            let (is, most) = (figure[name].as_f64(), most.as_f64());
            is.zip(most).is_some_and(|(is, most)| is <= most)
        };
        let met = bound.as_object().is_some_and(|all| all.iter().all(within));
        Self {
            injection,
            figure,
            bound,
            met,
            skipped: None,
            seed,
            seconds: seconds(begun.elapsed()),
        }
    }

    /// Nothing could be measured on this machine.
    pub fn skipped(injection: &'static str, seed: u64, begun: Instant, why: &str) -> Self {
        Self {
            injection,
            figure: Value::Null,
            bound: Value::Null,
            met: true,
            skipped: Some(why.to_owned()),
            seed,
            seconds: seconds(begun.elapsed()),
        }
    }

    /// It ended with an error: nothing is known, and so nothing is met.
    pub fn failed(injection: &'static str, seed: u64, begun: Instant, error: &str) -> Self {
        Self {
            met: false,
            skipped: None,
            figure: serde_json::json!({ "error": error }),
            ..Self::skipped(injection, seed, begun, "")
        }
    }

    /// One line of JSON.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// For people: a hundredth is as fine as it need be.
pub fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}

/// A table in markdown.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut lines = vec![
        "| injection | figure | bound | met |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    for outcome in outcomes {
        let Outcome {
            injection,
            figure,
            bound,
            met,
            ..
        } = outcome;
        lines.push(match &outcome.skipped {
            Some(why) => format!("| {injection} | skipped: {why} | | |"),
            None => format!(
                "| {injection} | {} | {} | {} |",
                list(figure, " = "),
                list(bound, " ≤ "),
                if *met { "yes" } else { "**no**" }
            ),
        });
    }
    lines.join("\n")
}

fn list(values: &Value, sign: &str) -> String {
    let Some(values) = values.as_object() else {
        return String::new();
    };
    let show = |(name, value): (&String, &Value)| {
        let value = value.to_string().replace('|', "/").replace('\n', " ");
        format!("{}{sign}{value}", name.replace('_', " "))
    };
    let all: Vec<String> = values.iter().map(show).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(figure: Value, bound: Value) -> Outcome {
        Outcome::new("test", 1, Instant::now(), figure, bound)
    }

    #[test]
    fn a_bound_is_the_most_a_figure_may_be() {
        assert!(outcome(json!({"lost": 0, "events": 9}), json!({"lost": 0})).met);
        assert!(!outcome(json!({"lost": 1}), json!({"lost": 0})).met);
        assert!(outcome(json!({"ms": 1.5}), json!({"ms": 2})).met);
    }

    #[test]
    fn what_was_not_measured_meets_no_bound() {
        assert!(!outcome(json!({}), json!({"lost": 0})).met);
        assert!(!outcome(json!({"lost": null}), json!({"lost": 0})).met);
        assert!(!outcome(json!({"lost": 0}), Value::Null).met);
    }

    #[test]
    fn the_table_has_a_row_for_each() {
        let rows = [
            outcome(json!({"lost": 0}), json!({"lost": 0})),
            Outcome::skipped("other", 1, Instant::now(), "no disk"),
            Outcome::failed("third", 1, Instant::now(), "it broke"),
        ];
        let table = table(&rows);
        assert!(
            table.contains("| test | lost = 0 | lost ≤ 0 | yes |"),
            "{table}"
        );
        assert!(
            table.contains("| other | skipped: no disk | | |"),
            "{table}"
        );
        assert!(
            table.contains("| third | error = \"it broke\" |  | **no** |"),
            "{table}"
        );
    }
}
