use std::borrow::Cow;
use std::fmt;

use mf_domain::Invalid;
use serde::Serialize;

/// Most faults listed for one request: a body of a million wrong items must not be answered
/// with a million sentences.
const MAX_LISTED: usize = 100;

/// The part of a request that a fault lies in: the first word of its `loc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The JSON body.
    Body,
    /// The query string.
    Query,
    /// A parameter of the path.
    Path,
    /// A header.
    Header,
}

impl Place {
    const fn word(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Query => "query",
            Self::Path => "path",
            Self::Header => "header",
        }
    }
}

/// One step towards a fault: a field's name, or a position in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Segment {
    /// A field.
    Name(Cow<'static, str>),
    /// A position in a list, from 0.
    Index(usize),
}

impl From<&'static str> for Segment {
    fn from(name: &'static str) -> Self {
        Self::Name(Cow::Borrowed(name))
    }
}

impl From<String> for Segment {
    fn from(name: String) -> Self {
        Self::Name(Cow::Owned(name))
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => index.fmt(f),
        }
    }
}

/// Where a fault lies within its [`Place`]: `"phone"`, `("contacts", 0, "phone")`, or `()`
/// for the whole.
pub trait IntoLoc {
    /// The steps.
    fn into_loc(self) -> Vec<Segment>;
}

impl IntoLoc for () {
    fn into_loc(self) -> Vec<Segment> {
        Vec::new()
    }
}

impl IntoLoc for Vec<Segment> {
    fn into_loc(self) -> Vec<Segment> {
        self
    }
}

impl IntoLoc for &'static str {
    fn into_loc(self) -> Vec<Segment> {
        vec![self.into()]
    }
}

impl IntoLoc for String {
    fn into_loc(self) -> Vec<Segment> {
        vec![self.into()]
    }
}

macro_rules! loc_tuples {
    ($(($($part:ident),+))+) => {$(
        impl<$($part: Into<Segment>),+> IntoLoc for ($($part,)+) {
            fn into_loc(self) -> Vec<Segment> {
                #[allow(non_snake_case)]
                let ($($part,)+) = self;
                vec![$($part.into()),+]
            }
        }
    )+};
}

loc_tuples! { (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) }

/// One thing wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The place, then the steps to the field.
    pub loc: Vec<Segment>,
    /// A sentence.
    pub msg: String,
    /// The machine's word for it.
    #[serde(rename = "type")]
    pub code: &'static str,
}

/// Everything found wrong with one part of a request, as FastAPI lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    place: Place,
    list: Vec<Fault>,
}

impl Faults {
    /// No faults yet.
    pub const fn new(place: Place) -> Self {
        Self {
            place,
            list: Vec::new(),
        }
    }

    /// One fault of the body.
    pub fn body(loc: impl IntoLoc, invalid: Invalid) -> Self {
        Self::one(Place::Body, loc, invalid)
    }

    /// One fault of the query string.
    pub fn query(loc: impl IntoLoc, invalid: Invalid) -> Self {
        Self::one(Place::Query, loc, invalid)
    }

    /// One fault of the path.
    pub fn path(loc: impl IntoLoc, invalid: Invalid) -> Self {
        Self::one(Place::Path, loc, invalid)
    }

    /// One fault of a header.
    pub fn header(loc: impl IntoLoc, invalid: Invalid) -> Self {
        Self::one(Place::Header, loc, invalid)
    }

    fn one(place: Place, loc: impl IntoLoc, invalid: Invalid) -> Self {
        let mut faults = Self::new(place);
        faults.add(loc, invalid);
        faults
    }

    /// Lists a fault. Only the first one of a field is told: the second is mostly the same
    /// thing in other words.
    pub fn add(&mut self, loc: impl IntoLoc, invalid: Invalid) {
        if self.list.len() >= MAX_LISTED {
            return;
        }
        let mut full = vec![Segment::from(self.place.word())];
        full.extend(loc.into_loc());
        if self.list.iter().all(|fault| fault.loc != full) {
            self.list.push(Fault {
                loc: full,
                msg: invalid.message,
                code: invalid.code,
            });
        }
    }

    /// Lists a field that is not there: `field required`.
    pub fn missing(&mut self, loc: impl IntoLoc) {
        self.add(loc, super::words::missing());
    }

    /// The value, or its fault listed.
    pub fn keep<T>(&mut self, loc: impl IntoLoc, result: Result<T, Invalid>) -> Option<T> {
        result.map_err(|invalid| self.add(loc, invalid)).ok()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The faults in the order found.
    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    /// Adds the faults of another part of the same request.
    pub fn merge(&mut self, other: Self) {
        self.list.extend(other.list);
        self.list.truncate(MAX_LISTED);
    }

    /// An error if anything is wrong.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.list.iter().enumerate() {
            let steps: Vec<String> = fault.loc.iter().map(ToString::to_string).collect();
            let gap = if index == 0 { "" } else { "; " };
            write!(f, "{gap}{}: {}", steps.join("."), fault.msg)?;
        }
        Ok(())
    }
}
