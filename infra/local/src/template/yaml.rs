//! Reads a CloudFormation template's YAML, its short tags (`!Ref`, `!Sub`, …) turned into the long
//! JSON form (`{"Ref": …}`, `{"Fn::Sub": …}`), so that what follows knows one form only.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Tagged;

use super::TemplateError;

/// Functions whose short tag is the long name without `Fn::`.
const FUNCTIONS: [&str; 13] =
    ["And", "Cidr", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "Join", "Not", "Or", "Select", "Split", "Sub"];

/// Parses a template.
pub(super) fn parse(text: &str) -> Result<Value, TemplateError> {
    // `y`, `on` and their like are texts, as they are to AWS.
    let options = serde_saphyr::options! { strict_booleans: true };
    let node: Tagged<Node> = serde_saphyr::from_str_with_options(text, options).map_err(|error| TemplateError::Yaml(error.to_string()))?;
    long_form(node, "template")
}

/// A YAML value whose inner values still carry their tags.
enum Node {
    Plain(Value),
    List(Vec<Tagged<Node>>),
    Map(Vec<(String, Tagged<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

fn long_form(Tagged(node, tag): Tagged<Node>, at: &str) -> Result<Value, TemplateError> {
    let value = match node {
        Node::Plain(value) => value,
        Node::List(items) => {
            items.into_iter().enumerate().map(|(index, item)| long_form(item, &format!("{at}[{index}]"))).collect::<Result<Value, _>>()?
        }
        Node::Map(entries) => entries
            .into_iter()
            .map(|(key, item)| {
                let value = long_form(item, &format!("{at}.{key}"))?;
                Ok((key, value))
            })
            .collect::<Result<Map<_, _>, _>>()?
            .into(),
    };
    let Some(tag) = tag.filter(|tag| !tag.starts_with("tag:yaml.org,2002:")) else {
        return Ok(value);
    };
    let name = tag.trim_start_matches('!');
    let (key, value) = match name {
        "Ref" | "Condition" => (name.to_owned(), value),
        "GetAtt" => ("Fn::GetAtt".to_owned(), attribute_path(value)),
        _ if FUNCTIONS.contains(&name) => (format!("Fn::{name}"), value),
        _ => {
            return Err(TemplateError::UnknownTag { tag, at: at.to_owned() });
        }
    };
    Ok(Value::Object(Map::from_iter([(key, value)])))
}

/// `!GetAtt Resource.Attribute` is short for a list of the two.
fn attribute_path(value: Value) -> Value {
    match &value {
        Value::String(path) => match path.split_once('.') {
            Some((resource, attribute)) => serde_json::json!([resource, attribute]),
            None => value,
        },
        _ => value,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_tags_become_the_long_form() {
        let text = "a: !Ref X\nb: !GetAtt Q.Arn\nc: !If [C, [!Ref Y], !Ref AWS::NoValue]\nd: !Sub '${X}-1'\n";
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "a": {"Ref": "X"},
                "b": {"Fn::GetAtt": ["Q", "Arn"]},
                "c": {"Fn::If": ["C", [{"Ref": "Y"}], {"Ref": "AWS::NoValue"}]},
                "d": {"Fn::Sub": "${X}-1"},
            })
        );
    }

    #[test]
    fn scalars_keep_their_types() {
        assert_eq!(
            parse("a: 1\nb: '1'\nc: true\nd: ''\ne: 1.5\nf: |\n  x\n").unwrap(),
            json!({"a": 1, "b": "1", "c": true, "d": "", "e": 1.5, "f": "x\n"})
        );
    }

    #[test]
    fn an_unknown_tag_is_named_with_its_place() {
        let error = parse("a:\n  b: !Transform x\n").unwrap_err().to_string();
        assert!(error.contains("!Transform") && error.contains("template.a.b"), "{error}");
    }
}
