//! Takes the properties of one resource, and makes sure that none is left that nobody looked at.

use serde_json::{Map, Value};

use super::{TemplateError, intrinsics::Resolver};

/// Properties of a resource or event that have not been taken yet.
pub(super) struct Properties<'a> {
    resource: String,
    left: Map<String, Value>,
    resolver: &'a Resolver,
}

impl<'a> Properties<'a> {
    pub(super) fn new(resource: &str, left: Map<String, Value>, resolver: &'a Resolver) -> Self {
        Self { resource: resource.to_owned(), left, resolver }
    }

    /// The resolved value of a property, if it is there.
    pub(super) fn optional(&mut self, property: &str) -> Result<Option<Value>, TemplateError> {
        match self.left.remove(property) {
            None => Ok(None),
            Some(value) => self.resolver.resolve(&value, &format!("{}.{property}", self.resource)),
        }
    }

    /// The resolved value of a property that must be there.
    pub(super) fn required(&mut self, property: &str) -> Result<Value, TemplateError> {
        self.optional(property)?.ok_or_else(|| self.invalid(property, "it is missing"))
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, property: &str) -> Result<String, TemplateError> {
        match self.required(property)? {
            Value::String(text) => Ok(text),
            _ => Err(self.invalid(property, "this is not a text")),
        }
    }

    /// A number, if it is there. CloudFormation takes numbers as texts too.
    pub(super) fn number(&mut self, property: &str) -> Result<Option<u32>, TemplateError> {
        let number = match self.optional(property)? {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        match number {
            None => Err(self.invalid(property, "this is not a whole number")),
            some => Ok(some),
        }
    }

    /// A mapping; empty if it is not there. Its values are not resolved.
    pub(super) fn raw_map(&mut self, property: &str) -> Result<Map<String, Value>, TemplateError> {
        match self.left.remove(property) {
            None => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(self.invalid(property, "this is not a mapping")),
        }
    }

    /// Drops properties that mean nothing on one machine.
    pub(super) fn without_local_meaning(&mut self, properties: &[&str]) {
        for property in properties {
            self.left.remove(*property);
        }
    }

    /// What has not been taken, as written.
    pub(super) fn into_left(self) -> Map<String, Value> {
        self.left
    }

    /// Fails if a property is left.
    pub(super) fn finish(self) -> Result<(), TemplateError> {
        match self.left.into_iter().next() {
            None => Ok(()),
            Some((property, _)) => Err(TemplateError::UnknownProperty { resource: self.resource, property }),
        }
    }

    /// An error about one property of this resource.
    pub(super) fn invalid(&self, property: &str, why: impl Into<String>) -> TemplateError {
        TemplateError::InvalidProperty { resource: self.resource.clone(), property: property.to_owned(), why: why.into() }
    }
}
