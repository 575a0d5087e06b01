//! Places in a JSON text, and what may be done to what stands there.

use serde_json::{Value, json};

/// Steps to a member or an element.
pub type Path = Vec<Step>;

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Member(String),
    Element(usize),
}

/// Every member and element outside `info`, however deep; `info` itself too.
pub fn paths(value: &Value) -> Vec<Path> {
    let steps: Vec<(Step, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| (Step::Member(name.clone()), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(n, value)| (Step::Element(n), value))
            .collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (step, value) in steps {
        found.push(vec![step.clone()]);
        for inner in paths(value) {
            found.push([vec![step.clone()], inner].concat());
        }
    }
    found
}

pub fn members(value: &Value) -> Vec<Path> {
    let all = paths(value).into_iter();
    all.filter(|path| matches!(path.last(), Some(Step::Member(_))))
        .collect()
}

pub fn at<'a>(value: &'a Value, path: &[Step]) -> &'a Value {
    path.iter().fold(value, |value, step| match step {
        Step::Member(name) => &value[name],
        Step::Element(n) => &value[n],
    })
}

pub fn at_mut<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Member(name) => &mut value[name],
        Step::Element(n) => &mut value[n],
    })
}

pub fn remove(value: &mut Value, path: &[Step]) -> String {
    let (Some(Step::Member(name)), parent) = (path.last(), &path[..path.len() - 1]) else {
        panic!("a path to a member")
    };
    let parent = at_mut(value, parent).as_object_mut().unwrap();
    parent.remove(name).expect("it was there");
    name.clone()
}

/// Writes the value with the member at `twice` doubled.
pub fn render(value: &Value, here: &mut Path, twice: &Path, out: &mut String) {
    let mut parts = Vec::new();
    let mut part = |step: Step, name: String, value: &Value, here: &mut Path| {
        here.push(step);
        let mut text = name;
        render(value, here, twice, &mut text);
        if here == twice {
            parts.push(text.clone());
        }
        parts.push(text);
        here.pop();
    };
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let label = format!("{}:", json!(name));
                part(Step::Member(name.clone()), label, value, here);
            }
            out.push_str(&format!("{{{}}}", parts.join(",")));
        }
        Value::Array(list) => {
            for (n, value) in list.iter().enumerate() {
                part(Step::Element(n), String::new(), value, here);
            }
            out.push_str(&format!("[{}]", parts.join(",")));
        }
        other => out.push_str(&other.to_string()),
    }
}
/// Where the value at `path` stands in a compact JSON text.
pub fn locate(text: &str, path: &[Step]) -> (usize, usize) {
    let mut from = 0;
    for step in path {
        let parts = split(text, from);
        let found = parts
            .into_iter()
            .enumerate()
            .find(|(n, (name, _))| match step {
                Step::Element(at) => n == at,
                Step::Member(member) => name.as_deref() == Some(member),
            });
        from = found.expect("the path is there").1.1;
    }
    let mut rest = serde_json::Deserializer::from_str(&text[from..]).into_iter::<Value>();
    rest.next().unwrap().unwrap();
    (from, from + rest.byte_offset())
}

/// The members or elements of the value that begins at `from`: name, and where the value begins.
pub fn split(text: &str, from: usize) -> Vec<(Option<String>, usize)> {
    let mut parts = Vec::new();
    let object = text[from..].starts_with('{');
    let mut at = from + 1;
    loop {
        let mut name = None;
        if object {
            let mut rest = serde_json::Deserializer::from_str(&text[at..]).into_iter::<String>();
            name = Some(rest.next().unwrap().unwrap());
            at += rest.byte_offset() + 1;
        }
        let mut rest = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        rest.next().unwrap().unwrap();
        parts.push((name, at));
        at += rest.byte_offset();
        if text.as_bytes()[at] != b',' {
            return parts;
        }
        at += 1;
    }
}

pub fn unnamed(object: &str) -> String {
    if object == "{}" {
        return "[]".to_owned();
    }
    let values: Vec<&str> = split(object, 0)
        .into_iter()
        .map(|(_, from)| {
            let (from, to) = {
                let mut rest =
                    serde_json::Deserializer::from_str(&object[from..]).into_iter::<Value>();
                rest.next().unwrap().unwrap();
                (from, from + rest.byte_offset())
            };
            &object[from..to]
        })
        .collect();
    format!("[{}]", values.join(","))
}
