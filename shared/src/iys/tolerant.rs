//! JSON values that arrive in more than one form.
//!
//! Nothing here has a `Debug` or an error that shows a value: any of them may be an address.

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::consent::ConsentDate;

/// A text that may also come as a number or a boolean. Missing, `null`, empty and blank are the same.
#[derive(Clone, Default)]
pub(crate) enum Text {
    /// Nothing was said.
    #[default]
    Missing,
    /// A text, without surrounding white space.
    Is(String),
    /// An array or object.
    Odd,
}

impl Text {
    /// The text, if there is one.
    pub(crate) fn get(&self) -> Option<&str> {
        match self {
            Text::Is(text) => Some(text),
            Text::Missing | Text::Odd => None,
        }
    }

    /// The text, or that there is none; an array or object is neither.
    pub(crate) fn read(&self) -> Result<Option<&str>, ()> {
        match self {
            Text::Is(text) => Ok(Some(text)),
            Text::Missing => Ok(None),
            Text::Odd => Err(()),
        }
    }

    /// A whole number, written as a number or as text.
    pub(crate) fn number<N: std::str::FromStr>(&self) -> Option<N> {
        self.get().and_then(|text| text.parse().ok())
    }

    /// `true` or `false`, written as a boolean or as text.
    pub(crate) fn flag(&self) -> Option<bool> {
        self.get().and_then(|text| text.to_ascii_lowercase().parse().ok())
    }

    pub(crate) fn of(text: &str) -> Self {
        match text.trim() {
            "" => Text::Missing,
            text => Text::Is(text.to_owned()),
        }
    }
}

/// A moment in Turkish time: as İYS writes dates, as ISO 8601 does with or without an offset, or a day,
/// which is taken to its last second.
pub(crate) fn moment(text: &Text) -> Option<ConsentDate> {
    let text = text.get()?;
    if let Ok(date) = text.parse() {
        return Some(date);
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(ConsentDate::at(instant));
    }
    // jiff reads a day as its first second, so the days come first.
    let day = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
    let civil = day.map(|day| day.at(23, 59, 59, 0)).or_else(|| text.parse::<DateTime>().ok())?;
    Some(ConsentDate::from_civil(civil))
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a boolean")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text::of(text))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Text, E> {
                Ok(Text::Is(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Text, E> {
                Ok(Text::Is(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Text, E> {
                Ok(Text::Is(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Text, E> {
                Ok(Text::Is(value.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text::Missing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::Odd)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::Odd)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// An array, or the one object that would have been its only element. Elements that are no objects
/// are kept as `None`, so that positions stay right and one odd element costs itself only.
#[derive(Clone)]
pub(crate) struct Items<T>(pub(crate) Vec<Option<T>>);

impl<T> Items<T> {
    /// The first element that is an object.
    pub(crate) fn first(&self) -> Option<&T> {
        self.0.iter().flatten().next()
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Reader<T> {
            type Value = Items<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array or an object")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(Object(item)) = seq.next_element::<Object<T>>()? {
                    items.push(item);
                }
                Ok(Items(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Items<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|item| Items(vec![Some(item)]))
            }

            fn visit_str<E>(self, _: &str) -> Result<Items<T>, E> {
                Ok(Items::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Items<T>, E> {
                Ok(Items::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Items<T>, E> {
                Ok(Items::default())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Items<T>, E> {
                Ok(Items::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Items<T>, E> {
                Ok(Items::default())
            }

            fn visit_unit<E>(self) -> Result<Items<T>, E> {
                Ok(Items::default())
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// An object, or `None` for whatever stands in its place.
pub(crate) struct Object<T>(pub(crate) Option<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Reader<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|item| Object(Some(item)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Object<T>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Object(None))
            }

            fn visit_str<E>(self, _: &str) -> Result<Object<T>, E> {
                Ok(Object(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Object<T>, E> {
                Ok(Object(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Object<T>, E> {
                Ok(Object(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Object<T>, E> {
                Ok(Object(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Object<T>, E> {
                Ok(Object(None))
            }

            fn visit_unit<E>(self) -> Result<Object<T>, E> {
                Ok(Object(None))
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}
