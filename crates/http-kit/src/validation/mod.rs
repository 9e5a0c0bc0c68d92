//! One way for body, query and path: the documented schema is what is enforced.

mod coerce;
mod faults;
mod rules;
mod schema;
mod walk;
pub(crate) mod words;

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use mf_domain::Invalid;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment as Step};
use utoipa::openapi::path::ParameterIn;
use utoipa::{IntoParams, ToSchema};

pub use faults::{Fault, Faults, IntoLoc, Place, Segment};
pub(crate) use rules::Validator;

/// A type that is read from a request.
///
/// Its schema says what can be said of one field alone. [`Input::check`] says the rest: forms
/// that a schema cannot express, and what fields ask of one another. A plain type needs only
/// `impl Input for LabelCreate {}`.
pub trait Input: DeserializeOwned + Send + 'static {
    /// Groups of fields of which one must be there, such as `&[&["phone", "chat_id"]]`.
    /// Whoever gives none of a group is told of its first.
    const ONE_OF: &'static [&'static [&'static str]] = &[];

    /// Lists what is wrong beyond the schema. Also called when the schema found faults, as
    /// long as the value could be read, so that all faults are told at once.
    fn check(&self, faults: &mut Faults) {
        let _ = faults;
    }
}

/// Free-form bodies, of which the handler makes sense itself.
impl Input for Value {}

/// Which schema of a type a cached validator is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Schema,
    Parameters,
}

type Cache = RwLock<HashMap<(TypeId, Source), Arc<Validator>>>;

static VALIDATORS: LazyLock<Cache> = LazyLock::new(Cache::default);

/// Builds the validator of a type the first time it is needed.
fn cached<T: 'static>(source: Source, build: impl FnOnce() -> Validator) -> Arc<Validator> {
    let key = (TypeId::of::<T>(), source);
    // A map of finished validators is sound whatever happened to another thread.
    let known = VALIDATORS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned();
    known.unwrap_or_else(|| {
        let fresh = Arc::new(build());
        let mut all = VALIDATORS.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, Arc::clone(&fresh));
        fresh
    })
}

/// The validator of a body.
pub(crate) fn of_body<T: ToSchema + 'static>() -> Arc<Validator> {
    cached::<T>(Source::Schema, || {
        // A type that contains itself refers to itself by name.
        let mut components = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut components);
        Validator::of_schema(&T::schema(), components)
    })
}

/// The validator of a group of parameters.
pub(crate) fn of_query<T: IntoParams + 'static>() -> Arc<Validator> {
    cached::<T>(Source::Parameters, || {
        Validator::of_parameters(&T::into_params(|| Some(ParameterIn::Query)))
    })
}

/// Reads a value as a type, or lists everything wrong with it.
pub(crate) fn read<T: Input>(
    validator: &Validator,
    place: Place,
    value: Value,
) -> Result<T, Faults> {
    let mut faults = Faults::new(place);
    validator.check(&value, &mut faults);
    for group in T::ONE_OF {
        let given = |field: &&str| value.get(field).is_some_and(|value| !value.is_null());
        if let Some(first) = group.first()
            && value.is_object()
            && !group.iter().any(given)
        {
            faults.missing(*first);
        }
    }
    match serde_path_to_error::deserialize::<_, T>(value) {
        Ok(input) => {
            input.check(&mut faults);
            faults.into_result().map(|()| input)
        }
        Err(error) => {
            // The schema knows more than serde, which stops at the first fault.
            if faults.is_empty() {
                let mut loc = steps(error.path());
                let invalid = translate(&error.inner().to_string(), &mut loc);
                faults.add(loc, invalid);
            }
            Err(faults)
        }
    }
}

fn steps(path: &Path) -> Vec<Segment> {
    path.iter()
        .filter_map(|step| match step {
            Step::Seq { index } => Some(Segment::from(*index)),
            Step::Map { key } => Some(Segment::from(key.clone())),
            Step::Enum { .. } | Step::Unknown => None,
        })
        .collect()
}

/// What a type refuses beyond its schema, in our words: serde's name Rust types.
fn translate(message: &str, loc: &mut Vec<Segment>) -> Invalid {
    if let Some(rest) = message.strip_prefix("missing field `") {
        loc.extend(
            rest.split('`')
                .next()
                .map(|name| Segment::from(name.to_owned())),
        );
        words::missing()
    } else if message.starts_with("invalid type: null") {
        words::none()
    } else {
        words::other()
    }
}
