//! Reads `infra/template.yaml` into what this machine can run.
//!
//! Everything in the template is either understood, or known to have no meaning on one machine
//! (listed in [`System::without_local_meaning`]), or an error that names the resource and property:
//! nothing is passed over silently, so the laptop cannot quietly drift from the cloud.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

mod intrinsics;
mod properties;
mod system;
mod yaml;

pub use system::{Function, Mapping, Queue, Route, Schedule, System, Table};

/// The project's own template, as it was when this program was built.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// What a parameter's declaration may say. Only the first five mean something here: patterns and
/// lengths guard deployments, and a local address need not look like a deployed one.
const PARAMETER_KEYS: [&str; 11] = [
    "Type",
    "Default",
    "AllowedValues",
    "MinValue",
    "MaxValue",
    "AllowedPattern",
    "ConstraintDescription",
    "Description",
    "MaxLength",
    "MinLength",
    "NoEcho",
];

/// Why a template cannot be run here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// It is no YAML.
    #[error("the template is not valid YAML: {0}")]
    Yaml(String),
    /// A YAML tag that is none of CloudFormation's.
    #[error("{at}: the tag {tag} is not understood")]
    UnknownTag {
        /// The tag as written.
        tag: String,
        /// Path of the value that carries it.
        at: String,
    },
    /// A section, attribute or shape that is not understood.
    #[error("{at}: {why}")]
    NotUnderstood {
        /// Path of the offending part.
        at: String,
        /// What is wrong with it.
        why: String,
    },
    /// A resource type that is not understood.
    #[error("resource {resource}: type {kind} is not understood")]
    UnknownResourceType {
        /// Logical id.
        resource: String,
        /// The type as written.
        kind: String,
    },
    /// A property that is not understood.
    #[error("resource {resource}: property {property} is not understood")]
    UnknownProperty {
        /// Logical id, with the event's name for a property of an event.
        resource: String,
        /// The property's name.
        property: String,
    },
    /// A property that is missing, of the wrong kind, or out of bounds.
    #[error("resource {resource}: property {property}: {why}")]
    InvalidProperty {
        /// Logical id, with the event's name for a property of an event.
        resource: String,
        /// The property's name.
        property: String,
        /// What is wrong with it.
        why: String,
    },
    /// An expression that has no value here.
    #[error("{at}: {why}")]
    Unresolvable {
        /// Path of the expression.
        at: String,
        /// What is wrong with it.
        why: String,
    },
    /// A parameter's value that the template has no parameter for, or does not allow.
    #[error("parameter {name}: {why}")]
    Parameter {
        /// The parameter's name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// What the surroundings of a deployed stack are on this machine.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Region in names, for instance `eu-central-1`.
    pub region: String,
    /// Account number in names, 12 digits.
    pub account: String,
    /// Base address of the queue service, for instance `http://127.0.0.1:4004`.
    pub sqs_url: String,
}

impl Surroundings {
    /// The ARN of something in this region and account.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    parameters: Map<String, Value>,
    conditions: Map<String, Value>,
    mappings: Map<String, Value>,
    function_globals: Map<String, Value>,
    resources: Map<String, Value>,
}

impl Template {
    /// Parses a template in YAML or JSON.
    ///
    /// # Errors
    ///
    /// If it is no YAML, or has a section that is not understood.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut root = object(yaml::parse(text)?, "template")?;
        let mut section = |name: &str| match root.remove(name) {
            None => Ok(Map::new()),
            Some(value) => object(value, name),
        };
        let mut globals = section("Globals")?;
        let template = Self {
            parameters: section("Parameters")?,
            conditions: section("Conditions")?,
            mappings: section("Mappings")?,
            function_globals: match globals.remove("Function") {
                None => Map::new(),
                Some(value) => object(value, "Globals.Function")?,
            },
            resources: section("Resources")?,
        };
        for known in ["AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Outputs"] {
            root.remove(known);
        }
        let unknown = globals.keys().map(|key| format!("Globals.{key}")).chain(root.keys().cloned());
        match unknown.into_iter().next() {
            Some(at) => Err(not_understood(&at, "this section is not understood")),
            None => Ok(template),
        }
    }

    /// Whether the template declares this parameter.
    #[must_use]
    pub fn has_parameter(&self, name: &str) -> bool {
        self.parameters.contains_key(name)
    }

    /// What this machine is to run, with `parameters` in place of the template's defaults.
    ///
    /// # Errors
    ///
    /// If a resource, property, expression or parameter value is not understood.
    pub fn resolve(&self, parameters: &BTreeMap<String, String>, surroundings: &Surroundings) -> Result<System, TemplateError> {
        let mut values = self.parameter_values(parameters)?;
        for (name, value) in [
            ("AWS::Region", surroundings.region.as_str()),
            ("AWS::AccountId", &surroundings.account),
            ("AWS::Partition", "aws"),
            ("AWS::URLSuffix", "amazonaws.com"),
            ("AWS::StackName", "local"),
        ] {
            values.insert(name.to_owned(), value.into());
        }
        let resolver = intrinsics::Resolver {
            parameters: values,
            conditions: self.conditions.clone(),
            mappings: self.mappings.clone(),
            ..Default::default()
        };
        system::build(&self.resources, &self.function_globals, resolver, surroundings)
    }

    fn parameter_values(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, Value>, TemplateError> {
        if let Some(name) = given.keys().find(|name| !self.parameters.contains_key(*name)) {
            return Err(parameter(name, "the template has no such parameter"));
        }
        let mut values = BTreeMap::new();
        for (name, declaration) in &self.parameters {
            let keys = declaration.as_object().into_iter().flat_map(Map::keys);
            if let Some(key) = keys.into_iter().find(|key| !PARAMETER_KEYS.contains(&key.as_str())) {
                return Err(parameter(name, &format!("{key} is not understood")));
            }
            let text = match (given.get(name), declaration.get("Default")) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => intrinsics::plain_text(default),
                (None, None) => return Err(parameter(name, "it has no default and was not given")),
            };
            let value = match declaration.get("Type").and_then(Value::as_str) {
                Some("String") => Value::from(text),
                Some("Number") => number(name, declaration, &text)?,
                kind => {
                    let kind = kind.unwrap_or("none");
                    return Err(parameter(name, &format!("type {kind} is not understood")));
                }
            };
            if let Some(Value::Array(allowed)) = declaration.get("AllowedValues") {
                let text = intrinsics::plain_text(&value);
                if !allowed.iter().any(|one| intrinsics::plain_text(one) == text) {
                    return Err(parameter(name, "this value is not allowed"));
                }
            }
            values.insert(name.clone(), value);
        }
        Ok(values)
    }
}

fn number(name: &str, declaration: &Value, text: &str) -> Result<Value, TemplateError> {
    let number: i64 = text.parse().map_err(|_| parameter(name, "this is not a whole number"))?;
    let bound = |key: &str| declaration.get(key).and_then(Value::as_i64);
    if bound("MinValue").is_some_and(|least| number < least) || bound("MaxValue").is_some_and(|most| number > most) {
        return Err(parameter(name, "this value is out of its bounds"));
    }
    Ok(number.into())
}

fn parameter(name: &str, why: &str) -> TemplateError {
    TemplateError::Parameter { name: name.to_owned(), why: why.to_owned() }
}

fn not_understood(at: &str, why: &str) -> TemplateError {
    TemplateError::NotUnderstood { at: at.to_owned(), why: why.to_owned() }
}

fn object(value: Value, at: &str) -> Result<Map<String, Value>, TemplateError> {
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(not_understood(at, "this is not a mapping")),
    }
}
