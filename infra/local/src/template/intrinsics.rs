//! Evaluates CloudFormation's intrinsic functions against parameters, conditions, mappings, and what
//! the resources are called on this machine.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::TemplateError;

/// What an expression may refer to.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    /// Values of parameters and pseudo parameters.
    pub(super) parameters: BTreeMap<String, Value>,
    /// The template's conditions, not yet evaluated.
    pub(super) conditions: Map<String, Value>,
    /// The template's mappings.
    pub(super) mappings: Map<String, Value>,
    /// What `Ref` on a resource yields.
    pub(super) references: BTreeMap<String, String>,
    /// What `GetAtt` on a resource yields, by resource and attribute.
    pub(super) attributes: BTreeMap<(String, String), String>,
}

impl Resolver {
    /// The value that an expression stands for; `None` for `AWS::NoValue`. `at` says where the
    /// expression stands, for errors.
    pub(super) fn resolve(&self, value: &Value, at: &str) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Object(map) => {
                if let Some((function, argument)) = intrinsic(map) {
                    return self.call(function, argument, at);
                }
                let mut resolved = Map::new();
                for (key, inner) in map {
                    if let Some(inner) = self.resolve(inner, &format!("{at}.{key}"))? {
                        resolved.insert(key.clone(), inner);
                    }
                }
                Ok(Some(resolved.into()))
            }
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve(item, &format!("{at}[{index}]"))?);
                }
                Ok(Some(resolved.into()))
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    /// Whether a condition of the template holds.
    pub(super) fn condition(&self, name: &str, at: &str) -> Result<bool, TemplateError> {
        let expression = self.conditions.get(name).ok_or_else(|| unresolvable(at, format!("there is no condition {name}")))?;
        self.truth(expression, &format!("Conditions.{name}"))
    }

    fn truth(&self, expression: &Value, at: &str) -> Result<bool, TemplateError> {
        let not_a_condition = || unresolvable(at, "this is not a condition");
        let (function, argument) = expression.as_object().and_then(intrinsic).ok_or_else(not_a_condition)?;
        if function == "Condition" {
            let name = argument.as_str().ok_or_else(not_a_condition)?;
            return self.condition(name, at);
        }
        let arguments = argument.as_array().ok_or_else(not_a_condition)?;
        match (function, arguments.as_slice()) {
            ("Fn::Equals", [left, right]) => {
                let text = |side: &Value| -> Result<_, TemplateError> { Ok(self.resolve(side, at)?.as_ref().map(plain_text)) };
                Ok(text(left)? == text(right)?)
            }
            ("Fn::Not", [inner]) => Ok(!self.truth(inner, at)?),
            ("Fn::And", all) => all.iter().try_fold(true, |so_far, inner| Ok(self.truth(inner, at)? && so_far)),
            ("Fn::Or", any) => any.iter().try_fold(false, |so_far, inner| Ok(self.truth(inner, at)? || so_far)),
            _ => Err(not_a_condition()),
        }
    }

    fn call(&self, function: &str, argument: &Value, at: &str) -> Result<Option<Value>, TemplateError> {
        let malformed = || unresolvable(at, format!("{function} has the wrong arguments"));
        match (function, argument) {
            ("Ref", Value::String(name)) if name == "AWS::NoValue" => Ok(None),
            ("Ref", Value::String(name)) => self.reference(name, at).map(Some),
            ("Fn::GetAtt", Value::Array(path)) => {
                let [Value::String(resource), Value::String(attribute)] = path.as_slice() else {
                    return Err(malformed());
                };
                self.attribute(resource, attribute, at).map(|value| Some(value.into()))
            }
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Map::new(), at).map(|value| Some(value.into())),
            ("Fn::Sub", Value::Array(pair)) => {
                let [Value::String(text), Value::Object(names)] = pair.as_slice() else {
                    return Err(malformed());
                };
                self.substitute(text, names, at).map(|value| Some(value.into()))
            }
            ("Fn::If", Value::Array(branches)) => {
                let [Value::String(condition), then, otherwise] = branches.as_slice() else {
                    return Err(malformed());
                };
                let branch = if self.condition(condition, at)? { then } else { otherwise };
                self.resolve(branch, at)
            }
            ("Fn::Join", Value::Array(pair)) => {
                let [Value::String(between), parts] = pair.as_slice() else {
                    return Err(malformed());
                };
                let parts = self.list(parts, at)?.ok_or_else(malformed)?;
                let parts: Vec<String> = parts.iter().map(plain_text).collect();
                Ok(Some(parts.join(between).into()))
            }
            ("Fn::Select", Value::Array(pair)) => {
                let [index, items] = pair.as_slice() else {
                    return Err(malformed());
                };
                let index = plain_text(index).parse::<usize>().map_err(|_| malformed())?;
                let items = self.list(items, at)?.ok_or_else(malformed)?;
                items.into_iter().nth(index).map(Some).ok_or_else(malformed)
            }
            ("Fn::Split", Value::Array(pair)) => {
                let [Value::String(between), text] = pair.as_slice() else {
                    return Err(malformed());
                };
                let text = self.resolve(text, at)?.ok_or_else(malformed)?;
                let parts: Vec<Value> = plain_text(&text).split(between.as_str()).map(Value::from).collect();
                Ok(Some(parts.into()))
            }
            ("Fn::FindInMap", Value::Array(keys)) => {
                let mut place = None;
                for key in keys {
                    let key = plain_text(&self.resolve(key, at)?.ok_or_else(malformed)?);
                    place = match place {
                        None => self.mappings.get(&key),
                        Some(inner) => Value::get(inner, &key),
                    };
                    if place.is_none() {
                        return Err(unresolvable(at, format!("no mapping holds {key}")));
                    }
                }
                place.cloned().map(Some).ok_or_else(malformed)
            }
            _ => Err(unresolvable(at, format!("{function} is not understood here"))),
        }
    }

    fn list(&self, value: &Value, at: &str) -> Result<Option<Vec<Value>>, TemplateError> {
        match self.resolve(value, at)? {
            Some(Value::Array(items)) => Ok(Some(items)),
            _ => Ok(None),
        }
    }

    fn reference(&self, name: &str, at: &str) -> Result<Value, TemplateError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        self.references
            .get(name)
            .cloned()
            .map(Value::from)
            .ok_or_else(|| unresolvable(at, format!("{name} is neither a parameter nor a resource of this machine")))
    }

    fn attribute(&self, resource: &str, attribute: &str, at: &str) -> Result<String, TemplateError> {
        self.attributes
            .get(&(resource.to_owned(), attribute.to_owned()))
            .cloned()
            .ok_or_else(|| unresolvable(at, format!("{resource}.{attribute} has no value on this machine")))
    }

    /// Fills `${Name}`, `${Resource.Attribute}` and the names given with the expression; `${!x}`
    /// stands for `${x}` itself.
    fn substitute(&self, text: &str, names: &Map<String, Value>, at: &str) -> Result<String, TemplateError> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').ok_or_else(|| unresolvable(at, "a ${ is never closed"))?;
            filled.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                filled.push_str(&format!("${{{literal}}}"));
            } else if let Some(value) = names.get(name) {
                let value = self.resolve(value, at)?.unwrap_or_default();
                filled.push_str(&plain_text(&value));
            } else if let Some((resource, attribute)) = name.split_once('.') {
                filled.push_str(&self.attribute(resource, attribute, at)?);
            } else {
                filled.push_str(&plain_text(&self.reference(name, at)?));
            }
            rest = tail;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// A scalar as CloudFormation writes it into a string.
pub(super) fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn intrinsic(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some((key, argument)), None) if key == "Ref" || key == "Condition" || key.starts_with("Fn::") => Some((key, argument)),
        _ => None,
    }
}

fn unresolvable(at: &str, why: impl Into<String>) -> TemplateError {
    TemplateError::Unresolvable { at: at.to_owned(), why: why.into() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolver() -> Resolver {
        let object = |value: Value| value.as_object().unwrap().clone();
        Resolver {
            parameters: BTreeMap::from([
                ("Stage".to_owned(), json!("test")),
                ("Empty".to_owned(), json!("")),
                ("AWS::Region".to_owned(), json!("eu-central-1")),
            ]),
            conditions: object(json!({
                "IsTest": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
                "HasEmpty": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Empty"}, ""]}]},
                "Both": {"Fn::And": [{"Condition": "IsTest"}, {"Condition": "HasEmpty"}]},
                "Either": {"Fn::Or": [{"Condition": "IsTest"}, {"Condition": "HasEmpty"}]},
            })),
            mappings: object(json!({"Sizes": {"test": {"memory": 128}}})),
            references: BTreeMap::from([("Table".to_owned(), "table-1".to_owned())]),
            attributes: BTreeMap::from([(("Queue".to_owned(), "Arn".to_owned()), "arn:queue".to_owned())]),
        }
    }

    #[test]
    fn every_supported_function_yields_its_value() {
        for (expression, value) in [
            (json!({"Ref": "Stage"}), json!("test")),
            (json!({"Ref": "Table"}), json!("table-1")),
            (json!({"Fn::GetAtt": ["Queue", "Arn"]}), json!("arn:queue")),
            (json!({"Fn::Sub": "${Stage}/${Queue.Arn}/${!kept}"}), json!("test/arn:queue/${kept}")),
            (json!({"Fn::Sub": ["${Own}", {"Own": {"Ref": "Table"}}]}), json!("table-1")),
            (json!({"Fn::If": ["IsTest", 1, 2]}), json!(1)),
            (json!({"Fn::If": ["Both", 1, 2]}), json!(2)),
            (json!({"Fn::If": ["Either", 1, 2]}), json!(1)),
            (json!({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}), json!("a-test")),
            (json!({"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}), json!("b")),
            (json!({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}), json!(128)),
            (json!({"a": [1, {"Ref": "AWS::NoValue"}], "b": {"Ref": "AWS::NoValue"}}), json!({"a": [1]})),
        ] {
            let resolved = resolver().resolve(&expression, "here").unwrap();
            assert_eq!(resolved, Some(value), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_resolved_is_named_with_its_place() {
        for expression in [
            json!({"Ref": "Nowhere"}),
            json!({"Fn::GetAtt": ["Queue", "Nothing"]}),
            json!({"Fn::ImportValue": "x"}),
            json!({"Fn::If": ["NoSuch", 1, 2]}),
            json!({"Fn::Sub": "${Nowhere}"}),
        ] {
            let error = resolver().resolve(&expression, "Resources.X.Y").unwrap_err();
            assert!(error.to_string().contains("Resources.X.Y"), "{error}");
        }
    }
}
