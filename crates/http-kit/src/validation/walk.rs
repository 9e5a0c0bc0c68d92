//! Holding a value against the rules, and listing everything that does not fit.

use std::cmp::Ordering;

use chrono::{DateTime, FixedOffset, NaiveDate};
use mf_domain::Invalid;
use serde_json::{Map, Number, Value};
use uuid::Uuid;

use super::rules::{
    ListRule, Node, NodeId, NumberRule, RecordRule, Rule, TextFormat, TextRule, Validator,
};
use super::words;
use crate::{Faults, Segment};

impl Validator {
    /// Lists in `faults` everything about `value` that the schema forbids.
    pub(crate) fn check(&self, value: &Value, faults: &mut Faults) {
        let mut found = Vec::new();
        Walk {
            validator: self,
            path: Vec::new(),
            found: &mut found,
        }
        .visit(self.root, value);
        for (loc, invalid) in found {
            faults.add(loc, invalid);
        }
    }
}

type Found = Vec<(Vec<Segment>, Invalid)>;

/// More than are listed, so that nothing is lost, and few enough to stay cheap.
const MAX_FOUND: usize = 200;

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

struct Walk<'a, 'f> {
    validator: &'a Validator,
    path: Vec<Step<'a>>,
    found: &'f mut Found,
}

impl<'a> Walk<'a, '_> {
    fn fault(&mut self, invalid: Invalid) {
        if self.found.len() < MAX_FOUND {
            let steps = self.path.iter().map(|step| match step {
                Step::Name(name) => Segment::from((*name).to_owned()),
                Step::Index(index) => Segment::from(*index),
            });
            self.found.push((steps.collect(), invalid));
        }
    }

    fn below(&mut self, step: Step<'a>, visit: impl FnOnce(&mut Self)) {
        self.path.push(step);
        visit(self);
        self.path.pop();
    }

    fn visit(&mut self, id: NodeId, value: &'a Value) {
        let Node {
            nullable,
            permitted,
            rule,
        } = self.validator.node(id);
        match (rule, value) {
            (_, Value::Null) if *nullable => {}
            (Rule::Same(target), _) => self.visit(*target, value),
            (Rule::Any, _) => self.anything(value),
            (Rule::Null, Value::Null) => {}
            (Rule::Choice(branches), _) => self.choice(branches, value),
            (Rule::All(parts), _) => {
                for part in parts {
                    self.visit(*part, value);
                }
            }
            (_, Value::Null) => self.fault(words::none()),
            _ if !permitted.is_empty() => {
                if !permitted.contains(value) {
                    self.fault(words::enumeration(permitted));
                }
            }
            (Rule::Text(rule), Value::String(text)) => self.text(rule, text),
            (Rule::Integer(rule), Value::Number(number)) if !number.is_f64() => {
                self.number(rule, number);
            }
            (Rule::Number(rule), Value::Number(number)) => self.number(rule, number),
            (Rule::Boolean, Value::Bool(_)) => {}
            (Rule::List(rule), Value::Array(items)) => self.list(rule, items),
            (Rule::Record(rule), Value::Object(fields)) => self.record(rule, fields),
            (Rule::Tagged { tag, branches }, Value::Object(fields)) => {
                self.tagged(tag, branches, fields, value);
            }
            (Rule::Text(_), _) => self.fault(words::text()),
            (Rule::Integer(_), _) => self.fault(words::integer()),
            (Rule::Number(_), _) => self.fault(words::number()),
            (Rule::Boolean, _) => self.fault(words::boolean()),
            (Rule::List(_), _) => self.fault(words::list()),
            (Rule::Record(_) | Rule::Tagged { .. }, _) => self.fault(words::record()),
            (Rule::Null, _) => self.fault(words::other()),
        }
    }

    /// Free-form values end up in the database too, which cannot hold U+0000 anywhere.
    fn anything(&mut self, value: &'a Value) {
        match value {
            Value::String(text) if text.contains('\0') => self.fault(words::nul()),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(Step::Index(index), |walk| walk.anything(item));
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.below(Step::Name(name), |walk| {
                        walk.name(name);
                        walk.anything(field);
                    });
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, name: &str) {
        if name.contains('\0') {
            self.fault(words::nul());
        }
    }

    fn text(&mut self, rule: &TextRule, text: &str) {
        if text.contains('\0') {
            return self.fault(words::nul());
        }
        let sound = match rule.format {
            Some(TextFormat::Uuid) => Uuid::try_parse(text).map_err(|_| words::uuid()).err(),
            Some(TextFormat::DateTime) => {
                let parsed = text.parse::<DateTime<FixedOffset>>();
                parsed.map_err(|_| words::date_time()).err()
            }
            Some(TextFormat::Date) => text.parse::<NaiveDate>().map_err(|_| words::date()).err(),
            None => None,
        };
        if let Some(invalid) = sound {
            return self.fault(invalid);
        }
        // Counting is only worth it where there is a limit: media come as long texts.
        if let Some(min) = rule.min
            && text.chars().take(min).count() < min
        {
            return self.fault(words::too_short(min));
        }
        if let Some(max) = rule.max
            && text.chars().nth(max).is_some()
        {
            return self.fault(words::too_long(max));
        }
        if let Some(pattern) = &rule.pattern
            && !pattern.is_match(text)
        {
            self.fault(words::pattern(pattern));
        }
    }

    fn number(&mut self, rule: &NumberRule, number: &Number) {
        use Ordering::{Equal, Greater, Less};
        let compare = |bound: super::rules::Bound| bound.compare(number);
        let invalid = match (rule.at_least, rule.more_than, rule.at_most, rule.less_than) {
            (Some(bound), ..) if compare(bound) == Some(Less) => words::not_ge(bound),
            (_, Some(bound), ..) if matches!(compare(bound), Some(Less | Equal)) => {
                words::not_gt(bound)
            }
            (_, _, Some(bound), _) if compare(bound) == Some(Greater) => words::not_le(bound),
            (.., Some(bound)) if matches!(compare(bound), Some(Greater | Equal)) => {
                words::not_lt(bound)
            }
            _ => return,
        };
        self.fault(invalid);
    }

    fn list(&mut self, rule: &ListRule, items: &'a [Value]) {
        if let Some(min) = rule.min
            && items.len() < min
        {
            return self.fault(words::too_few(min));
        }
        // A list over its limit is not looked into: that may be what its sender is after.
        if let Some(max) = rule.max
            && items.len() > max
        {
            return self.fault(words::too_many(max));
        }
        let repeats = |(index, item)| items.iter().take(index).any(|other| other == item);
        if rule.unique && items.iter().enumerate().any(repeats) {
            return self.fault(words::duplicates());
        }
        for (index, item) in items.iter().enumerate() {
            if self.found.len() >= MAX_FOUND {
                return;
            }
            self.below(Step::Index(index), |walk| walk.visit(rule.items, item));
        }
    }

    fn record(&mut self, rule: &'a RecordRule, fields: &'a Map<String, Value>) {
        for field in &rule.fields {
            self.below(Step::Name(&field.name), |walk| {
                match fields.get(&field.name) {
                    Some(value) => walk.visit(field.node, value),
                    None if field.required => walk.fault(words::missing()),
                    None => {}
                }
            });
        }
        let Some(rest) = rule.rest else {
            return;
        };
        for (name, value) in fields {
            if rule.fields.iter().all(|field| field.name != *name) {
                self.below(Step::Name(name), |walk| {
                    walk.name(name);
                    walk.visit(rest, value);
                });
            }
        }
    }

    fn tagged(
        &mut self,
        tag: &'a str,
        branches: &[(Value, NodeId)],
        fields: &Map<String, Value>,
        value: &'a Value,
    ) {
        let Some(given) = fields.get(tag) else {
            return self.below(Step::Name(tag), |walk| walk.fault(words::missing()));
        };
        match branches.iter().find(|(name, _)| name == given) {
            Some((_, branch)) => self.visit(*branch, value),
            None => self.below(Step::Name(tag), |walk| {
                walk.fault(words::enumeration(branches.iter().map(|(name, _)| name)));
            }),
        }
    }

    /// None fits: what is told is what the nearest one misses.
    fn choice(&mut self, branches: &[NodeId], value: &'a Value) {
        let mut nearest: Option<Found> = None;
        for branch in branches {
            let mut found = Vec::new();
            Walk {
                validator: self.validator,
                path: self.path.clone(),
                found: &mut found,
            }
            .visit(*branch, value);
            if found.is_empty() {
                return;
            }
            if nearest.as_ref().is_none_or(|best| found.len() < best.len()) {
                nearest = Some(found);
            }
        }
        self.found.extend(nearest.unwrap_or_default());
    }
}
