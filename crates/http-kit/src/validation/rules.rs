//! A schema turned into what checking needs: a small tree in one vector, so that types which
//! contain themselves are nothing special.

use std::cmp::Ordering;
use std::fmt;

use regex::Regex;
use serde_json::{Number, Value};

/// The place of a node in [`Validator::nodes`].
pub(crate) type NodeId = usize;

/// Everything that the schema of one type asks for.
#[derive(Debug)]
pub(crate) struct Validator {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
}

impl Validator {
    /// The node, or one that takes anything.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        const ANY: &Node = &Node::of(Rule::Any);
        self.nodes.get(id).unwrap_or(ANY)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) nullable: bool,
    /// The only values taken, if not empty.
    pub(super) permitted: Vec<Value>,
    pub(super) rule: Rule,
}

impl Node {
    pub(super) const fn of(rule: Rule) -> Self {
        Self {
            nullable: false,
            permitted: Vec::new(),
            rule,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// Anything that can be stored.
    Any,
    /// What another node says: a reference by name, or a nullable wrapping.
    Same(NodeId),
    Null,
    Text(TextRule),
    Integer(NumberRule),
    Number(NumberRule),
    Boolean,
    List(ListRule),
    Record(RecordRule),
    /// At least one of them.
    Choice(Vec<NodeId>),
    /// The one whose name stands in the tag.
    Tagged {
        tag: String,
        branches: Vec<(Value, NodeId)>,
    },
    /// Every one of them.
    All(Vec<NodeId>),
}

#[derive(Debug, Clone, Default)]
pub(super) struct TextRule {
    pub(super) min: Option<usize>,
    pub(super) max: Option<usize>,
    pub(super) format: Option<TextFormat>,
    pub(super) pattern: Option<Regex>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum TextFormat {
    Uuid,
    DateTime,
    Date,
}

#[derive(Debug, Clone, Default)]
pub(super) struct NumberRule {
    pub(super) at_least: Option<Bound>,
    pub(super) more_than: Option<Bound>,
    pub(super) at_most: Option<Bound>,
    pub(super) less_than: Option<Bound>,
}

/// Whole numbers are compared as such: a float would round the large ones.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    Whole(i128),
    Float(f64),
}

impl Bound {
    #[allow(clippy::cast_possible_truncation)] // It has no fraction and is within bounds.
    pub(super) fn float(value: f64) -> Self {
        if value.fract() == 0.0 && value.abs() < 1e30 {
            Self::Whole(value as i128)
        } else {
            Self::Float(value)
        }
    }

    /// How a number stands to this bound.
    #[allow(clippy::cast_precision_loss)] // Only where a fraction is involved.
    pub(super) fn compare(self, number: &Number) -> Option<Ordering> {
        match (self, number.as_i128()) {
            (Self::Whole(bound), Some(value)) => Some(value.cmp(&bound)),
            (Self::Whole(bound), None) => number.as_f64()?.partial_cmp(&(bound as f64)),
            (Self::Float(bound), _) => number.as_f64()?.partial_cmp(&bound),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bound) => bound.fmt(f),
            Self::Float(bound) => bound.fmt(f),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct ListRule {
    pub(super) items: NodeId,
    pub(super) min: Option<usize>,
    pub(super) max: Option<usize>,
    pub(super) unique: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct RecordRule {
    /// Required ones first, in the order declared.
    pub(super) fields: Vec<Field>,
    /// What the values of all other fields must be, if they are kept.
    pub(super) rest: Option<NodeId>,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) node: NodeId,
}
