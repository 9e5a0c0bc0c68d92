//! From a documented schema to a [`Validator`].

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayItems, KnownFormat, Object, Schema, SchemaFormat, SchemaType,
    Type,
};
use utoipa::openapi::{Ref, RefOr, Required};

use super::rules::{
    Bound, Field, ListRule, Node, NodeId, NumberRule, RecordRule, Rule, TextFormat, TextRule,
    Validator,
};

impl Validator {
    /// The rules of a type with a schema.
    pub(super) fn of_schema(
        root: &RefOr<Schema>,
        components: Vec<(String, RefOr<Schema>)>,
    ) -> Self {
        let mut builder = Builder {
            components: components.into_iter().collect(),
            ..Builder::default()
        };
        let root = builder.schema(root);
        Self {
            nodes: builder.nodes,
            root,
        }
    }

    /// The rules of a group of parameters.
    pub(super) fn of_parameters(parameters: &[Parameter]) -> Self {
        let mut builder = Builder::default();
        let fields = parameters
            .iter()
            .map(|parameter| Field {
                name: parameter.name.clone(),
                required: matches!(parameter.required, Required::True),
                node: match &parameter.schema {
                    Some(schema) => builder.schema(schema),
                    None => builder.push(Node::of(Rule::Any)),
                },
            })
            .collect();
        let root = builder.push(Node::of(Rule::Record(RecordRule { fields, rest: None })));
        Self {
            nodes: builder.nodes,
            root,
        }
    }
}

#[derive(Default)]
struct Builder {
    components: HashMap<String, RefOr<Schema>>,
    named: HashMap<String, NodeId>,
    nodes: Vec<Node>,
}

impl Builder {
    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn set(&mut self, id: NodeId, node: Node) {
        if let Some(place) = self.nodes.get_mut(id) {
            *place = node;
        }
    }

    fn schema(&mut self, schema: &RefOr<Schema>) -> NodeId {
        match schema {
            RefOr::Ref(reference) => self.reference(reference),
            RefOr::T(schema) => self.inline(schema),
        }
    }

    /// A named schema is built once; meeting it again while it is being built is how a type
    /// contains itself.
    fn reference(&mut self, reference: &Ref) -> NodeId {
        let location = &reference.ref_location;
        let name = location.rsplit('/').next().unwrap_or(location);
        if let Some(id) = self.named.get(name) {
            return *id;
        }
        let id = self.push(Node::of(Rule::Any));
        self.named.insert(name.to_owned(), id);
        if let Some(schema) = self.components.get(name).cloned() {
            let target = self.schema(&schema);
            self.set(id, Node::of(Rule::Same(target)));
        }
        id
    }

    fn inline(&mut self, schema: &Schema) -> NodeId {
        match schema {
            Schema::Object(object) => {
                let node = self.object(object);
                self.push(node)
            }
            Schema::Array(array) => {
                let node = self.array(array);
                self.push(node)
            }
            Schema::OneOf(one) => self.choice(&one.items),
            Schema::AnyOf(any) => self.choice(&any.items),
            Schema::AllOf(all) => self.all(&all.items),
            _ => self.push(Node::of(Rule::Any)),
        }
    }

    fn array(&mut self, array: &Array) -> Node {
        let (types, nullable) = types(&array.schema_type);
        if !types.contains(&Type::Array) {
            return Node::of(Rule::Any);
        }
        let items = match &array.items {
            ArrayItems::RefOrSchema(items) => self.schema(items),
            ArrayItems::False => self.push(Node::of(Rule::Any)),
        };
        Node {
            nullable,
            ..Node::of(Rule::List(ListRule {
                items,
                min: array.min_items,
                max: array.max_items,
                unique: array.unique_items,
            }))
        }
    }

    fn object(&mut self, object: &Object) -> Node {
        let (types, nullable) = types(&object.schema_type);
        let rules: Vec<Rule> = types.iter().map(|kind| self.rule(object, kind)).collect();
        let rule = match <[Rule; 1]>::try_from(rules) {
            Ok([rule]) => rule,
            Err(rules) if rules.is_empty() && nullable => Rule::Null,
            Err(rules) if rules.is_empty() => Rule::Any,
            Err(rules) => {
                let branches = rules.into_iter().map(|rule| self.push(Node::of(rule)));
                Rule::Choice(branches.collect())
            }
        };
        let permitted = object.enum_values.iter().flatten();
        Node {
            nullable,
            permitted: permitted
                .filter(|value| !value.is_null())
                .cloned()
                .collect(),
            rule,
        }
    }

    fn rule(&mut self, object: &Object, kind: &Type) -> Rule {
        match kind {
            Type::String => Rule::Text(text_rule(object)),
            Type::Integer => Rule::Integer(number_rule(object)),
            Type::Number => Rule::Number(number_rule(object)),
            Type::Boolean => Rule::Boolean,
            Type::Null => Rule::Null,
            Type::Array => {
                let items = self.push(Node::of(Rule::Any));
                Rule::List(ListRule {
                    items,
                    min: None,
                    max: None,
                    unique: false,
                })
            }
            Type::Object => Rule::Record(self.record(object)),
        }
    }

    fn record(&mut self, object: &Object) -> RecordRule {
        let rank = |name: &String| {
            let place = object.required.iter().position(|required| required == name);
            place.unwrap_or(object.required.len())
        };
        let mut names: Vec<&String> = object.properties.keys().collect();
        names.sort_by_key(|name| rank(name));
        let fields = names
            .into_iter()
            .filter_map(|name| {
                Some(Field {
                    name: name.clone(),
                    required: object.required.contains(name),
                    node: self.schema(object.properties.get(name)?),
                })
            })
            .collect();
        let rest = match object.additional_properties.as_deref() {
            Some(AdditionalProperties::RefOr(schema)) => Some(self.schema(schema)),
            Some(AdditionalProperties::FreeForm(true)) => Some(self.push(Node::of(Rule::Any))),
            // An object without any named field is kept whole, as it is.
            None if object.properties.is_empty() => Some(self.push(Node::of(Rule::Any))),
            _ => None,
        };
        RecordRule { fields, rest }
    }

    fn choice(&mut self, items: &[RefOr<Schema>]) -> NodeId {
        let ids: Vec<NodeId> = items.iter().map(|item| self.schema(item)).collect();
        let (nulls, branches): (Vec<NodeId>, Vec<NodeId>) =
            ids.into_iter().partition(|id| self.is_null(*id));
        let rule = match (branches.as_slice(), self.tag(&branches)) {
            ([only], _) => Rule::Same(*only),
            (_, Some(tagged)) => tagged,
            _ => Rule::Choice(branches),
        };
        self.push(Node {
            nullable: !nulls.is_empty(),
            ..Node::of(rule)
        })
    }

    fn is_null(&self, id: NodeId) -> bool {
        matches!(self.nodes.get(id).map(|node| &node.rule), Some(Rule::Null))
    }

    /// The field that tells the branches apart, when each takes one value of its own there.
    fn tag(&self, branches: &[NodeId]) -> Option<Rule> {
        let first = self.fields(*branches.first()?)?;
        first.iter().find_map(|field| {
            let named = branches.iter().map(|branch| {
                let fields = self.fields(*branch)?;
                let tag = fields.iter().find(|other| other.name == field.name)?;
                match self.nodes.get(tag.node)?.permitted.as_slice() {
                    [value] => Some((value.clone(), *branch)),
                    _ => None,
                }
            });
            let branches: Option<Vec<(Value, NodeId)>> = named.collect();
            Some(Rule::Tagged {
                tag: field.name.clone(),
                branches: branches?,
            })
        })
    }

    /// `allOf` is how utoipa writes a flattened field: records become one.
    fn all(&mut self, items: &[RefOr<Schema>]) -> NodeId {
        let ids: Vec<NodeId> = items
            .iter()
            .filter(|item| items.len() == 1 || !is_bare(item))
            .map(|item| self.schema(item))
            .collect();
        let records: Option<Vec<&RecordRule>> = ids.iter().map(|id| self.record_of(*id)).collect();
        let rule = match (ids.as_slice(), records) {
            ([only], _) => Rule::Same(*only),
            (_, Some(records)) => Rule::Record(RecordRule {
                fields: records
                    .iter()
                    .flat_map(|record| record.fields.clone())
                    .collect(),
                rest: records.iter().find_map(|record| record.rest),
            }),
            _ => Rule::All(ids),
        };
        self.push(Node::of(rule))
    }

    fn fields(&self, id: NodeId) -> Option<&[Field]> {
        self.record_of(id).map(|record| record.fields.as_slice())
    }

    fn record_of(&self, id: NodeId) -> Option<&RecordRule> {
        let mut node = self.nodes.get(id)?;
        // References go at most through every node once; a type cannot be only itself.
        for _ in 0..self.nodes.len() {
            match &node.rule {
                Rule::Record(record) if !node.nullable => return Some(record),
                Rule::Same(target) if !node.nullable => node = self.nodes.get(*target)?,
                _ => return None,
            }
        }
        None
    }
}

/// Whether the schema only carries a description for its neighbours.
fn is_bare(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.properties.is_empty()
                && object.required.is_empty()
                && object.additional_properties.is_none()
                && object.enum_values.is_none()
        }
        _ => false,
    }
}

/// The types taken, without null, and whether null is.
fn types(schema_type: &SchemaType) -> (Vec<Type>, bool) {
    let all = match schema_type {
        SchemaType::Type(one) => vec![one.clone()],
        SchemaType::Array(many) => many.clone(),
        SchemaType::AnyValue => Vec::new(),
    };
    let nullable = all.contains(&Type::Null);
    let others = all.into_iter().filter(|kind| *kind != Type::Null).collect();
    (others, nullable)
}

fn text_rule(object: &Object) -> TextRule {
    TextRule {
        min: object.min_length,
        max: object.max_length,
        format: match &object.format {
            Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)) => Some(TextFormat::Uuid),
            Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)) => Some(TextFormat::DateTime),
            Some(SchemaFormat::KnownFormat(KnownFormat::Date)) => Some(TextFormat::Date),
            _ => None,
        },
        pattern: object.pattern.as_deref().and_then(|pattern| {
            Regex::new(pattern)
                .inspect_err(|error| tracing::error!(pattern, %error, "pattern is not enforced"))
                .ok()
        }),
    }
}

fn number_rule(object: &Object) -> NumberRule {
    let bound = |number: &Option<utoipa::Number>| {
        number.as_ref().map(|number| match number {
            // `isize` and `usize` have no lossless conversion to `i128`, though all fit.
            utoipa::Number::Int(value) => Bound::Whole(*value as i128),
            utoipa::Number::UInt(value) => Bound::Whole(*value as i128),
            utoipa::Number::Float(value) => Bound::float(*value),
        })
    };
    let stated = NumberRule {
        at_least: bound(&object.minimum),
        more_than: bound(&object.exclusive_minimum),
        at_most: bound(&object.maximum),
        less_than: bound(&object.exclusive_maximum),
    };
    let (least, most) = match object.format {
        Some(SchemaFormat::KnownFormat(KnownFormat::Int32)) => {
            // utoipa writes `u32` as `int32` from 0.
            let unsigned = matches!(stated.at_least, Some(Bound::Whole(least)) if least >= 0);
            let most = if unsigned {
                i128::from(u32::MAX)
            } else {
                i128::from(i32::MAX)
            };
            (i128::from(i32::MIN), most)
        }
        Some(SchemaFormat::KnownFormat(KnownFormat::Int64)) => {
            (i128::from(i64::MIN), i128::from(i64::MAX))
        }
        _ => return stated,
    };
    NumberRule {
        at_least: stated.at_least.or(Some(Bound::Whole(least))),
        at_most: stated.at_most.or(Some(Bound::Whole(most))),
        ..stated
    }
}
