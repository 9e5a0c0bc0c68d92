//! Parameters are texts: what the schema calls a number or a list is made one first.

use serde_json::{Map, Number, Value};

use super::rules::{NodeId, Rule, Validator};

impl Validator {
    /// The parameters as the value that the schema describes. A text that cannot be read as
    /// its type stays a text, for the check to name. Unknown parameters are left out.
    pub(crate) fn coerce(&self, pairs: &[(String, String)]) -> Value {
        let Rule::Record(record) = &self.node(self.root).rule else {
            return Value::Null;
        };
        let mut fields = Map::new();
        for field in &record.fields {
            let texts = pairs
                .iter()
                .filter(|(name, _)| *name == field.name)
                .map(|(_, text)| text.as_str());
            if let Some(value) = self.texts(field.node, texts.collect()) {
                fields.insert(field.name.clone(), value);
            }
        }
        Value::Object(fields)
    }

    fn texts(&self, id: NodeId, texts: Vec<&str>) -> Option<Value> {
        let latest = *texts.last()?;
        match &self.node(id).rule {
            Rule::Same(target) => self.texts(*target, texts),
            Rule::List(list) => {
                let items = texts.into_iter().map(|text| self.text_as(list.items, text));
                Some(Value::Array(items.collect()))
            }
            _ => Some(self.text_as(id, latest)),
        }
    }

    fn text_as(&self, id: NodeId, text: &str) -> Value {
        let read = match &self.node(id).rule {
            Rule::Same(target) => return self.text_as(*target, text),
            Rule::Integer(_) => integer(text).map(Value::Number),
            Rule::Number(_) => integer(text)
                .or_else(|| text.parse().ok().and_then(Number::from_f64))
                .map(Value::Number),
            Rule::Boolean => boolean(text).map(Value::Bool),
            _ => None,
        };
        read.unwrap_or_else(|| Value::String(text.to_owned()))
    }
}

fn integer(text: &str) -> Option<Number> {
    let signed = text.parse::<i64>().ok().map(Number::from);
    signed.or_else(|| text.parse::<u64>().ok().map(Number::from))
}

/// The words that pydantic takes.
fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}
