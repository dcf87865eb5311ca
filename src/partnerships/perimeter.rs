//! The perimeter: one closed, simple polygon inside Belgium. Pure.

use geo::{Area, Coord, Intersects, LineString, Point, Validation};
use geojson::{Geometry, GeometryValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// West, south, east and north of the box around Belgium, in degrees.
const BELGIUM: [f64; 4] = [2.3, 49.4, 6.5, 51.6];
/// The most corners a perimeter can have.
const POINTS_MAX: usize = 500;

/// Square degrees: about a square metre.
const SURFACE_MIN: f64 = 1e-10;

/// A polygon that was found good. Written and read as GeoJSON (RFC 7946), longitude first.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon(geo::Polygon<f64>);

/// A version of a perimeter.
#[derive(Debug, Clone, PartialEq)]
pub struct Perimeter {
    /// Its number, from one.
    pub number: i32,
    /// Its shape.
    pub polygon: Polygon,
}

/// What is wrong with a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolygonFault {
    /// Not a GeoJSON polygon.
    NotAPolygon,
    /// A ring does not end where it began.
    Open,
    /// More than 500 points.
    TooManyPoints,
    /// A point outside Belgium; longitude and latitude are often swapped.
    OutsideBelgium,
    /// It crosses itself, or has no surface.
    Crossing,
}
impl PolygonFault {
    /// A fixed word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAPolygon => "not_a_polygon",
            Self::Open => "ring_open",
            Self::TooManyPoints => "too_many_points",
            Self::OutsideBelgium => "outside_belgium",
            Self::Crossing => "crosses_itself",
        }
    }
    /// What to do.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::NotAPolygon => "must be a GeoJSON Polygon: type and coordinates",
            Self::Open => "must end where it began: the last point of each ring is the first again",
            Self::TooManyPoints => "must have at most 500 points; draw it with fewer",
            Self::OutsideBelgium => "must lie in Belgium; longitude comes first, then latitude",
            Self::Crossing => "must not cross or touch itself, and must enclose a surface",
        }
    }
}

impl Polygon {
    /// Reads a GeoJSON polygon and checks that it can be a perimeter.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(value: serde_json::Value) -> Result<Self, PolygonFault> {
        let Ok(Geometry { value: GeometryValue::Polygon { coordinates }, .. }) = serde_json::from_value(value) else {
            return Err(PolygonFault::NotAPolygon);
        };
        if coordinates.iter().map(Vec::len).sum::<usize>() > POINTS_MAX {
            return Err(PolygonFault::TooManyPoints);
        }
        let mut rings = Vec::with_capacity(coordinates.len());
        for ring in coordinates {
            let mut line = Vec::with_capacity(ring.len());
            for position in &ring {
                let (Some(x), Some(y)) = (position.as_slice().first(), position.as_slice().get(1)) else {
                    return Err(PolygonFault::NotAPolygon);
                };
                line.push(Coord { x: *x, y: *y });
            }
            if line.len() < 4 || line.first() != line.last() {
                return Err(PolygonFault::Open);
            }
            rings.push(LineString::new(line));
        }
        let [west, south, east, north] = BELGIUM;
        let is_inside = |c: &Coord| (west..=east).contains(&c.x) && (south..=north).contains(&c.y);
        if !rings.iter().flat_map(LineString::coords).all(is_inside) {
            return Err(PolygonFault::OutsideBelgium);
        }
        let mut rings = rings.into_iter();
        let outer = rings.next().ok_or(PolygonFault::NotAPolygon)?;
        let polygon = geo::Polygon::new(outer, rings.collect());
        // A flat ring is valid to the crate, and covers nobody.
        if polygon.is_valid() && polygon.unsigned_area() > SURFACE_MIN {
            Ok(Self(polygon))
        } else {
            Err(PolygonFault::Crossing)
        }
    }
}
/// Does the perimeter cover this point, its border included?
#[must_use]
pub fn covers(polygon: &Polygon, [lon, lat]: [f64; 2]) -> bool {
    polygon.0.intersects(&Point::new(lon, lat))
}

impl Serialize for Polygon {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ring = |line: &LineString| line.coords().map(|c| [c.x, c.y]).collect::<Vec<_>>();
        let rings: Vec<_> = std::iter::once(self.0.exterior()).chain(self.0.interiors()).map(ring).collect();
        serde_json::json!({ "type": "Polygon", "coordinates": rings }).serialize(serializer)
    }
}
impl<'de> Deserialize<'de> for Polygon {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(serde_json::Value::deserialize(deserializer)?)
            .map_err(|fault| serde::de::Error::custom(fault.detail()))
    }
}
impl utoipa::PartialSchema for Polygon {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
        let number = ObjectBuilder::new().schema_type(Type::Number);
        let position = ArrayBuilder::new().items(number).min_items(Some(2)).max_items(Some(3));
        let ring = ArrayBuilder::new().items(position).min_items(Some(4)).max_items(Some(POINTS_MAX));
        let rings = ArrayBuilder::new().items(ring).min_items(Some(1));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("GeoJSON Polygon (RFC 7946): rings of points, longitude first, each ring closed."))
            .property("type", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["Polygon"])))
            .required("type")
            .property("coordinates", rings)
            .required("coordinates")
            .into()
    }
}
impl utoipa::ToSchema for Polygon {
    fn name() -> std::borrow::Cow<'static, str> {
        "Polygon".into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Polygon, PolygonFault as F, covers};

    fn of(ring: serde_json::Value) -> Result<Polygon, F> {
        Polygon::parse(json!({"type": "Polygon", "coordinates": [ring]}))
    }

    #[test]
    fn what_cannot_be_a_perimeter() {
        let many: Vec<[f64; 2]> = (0..501).map(|n| [4.0 + f64::from(n) / 1_000.0, 50.5]).collect();
        let table = [
            (json!([[4.0, 50.5], [4.1, 50.5], [4.1, 50.6], [4.0, 50.6]]), F::Open),
            (json!([[4.0, 50.5], [4.1, 50.5], [4.0, 50.5]]), F::Open),
            (json!([[4.0, 50.5], [4.1, 50.6], [4.1, 50.5], [4.0, 50.6], [4.0, 50.5]]), F::Crossing),
            (json!([[4.0, 50.5], [4.1, 50.5], [4.2, 50.5], [4.0, 50.5]]), F::Crossing),
            (json!([[50.5, 4.0], [50.5, 4.1], [50.6, 4.1], [50.5, 4.0]]), F::OutsideBelgium),
            (json!([[2.0, 48.8], [2.1, 48.8], [2.1, 48.9], [2.0, 48.8]]), F::OutsideBelgium),
            (json!(many), F::TooManyPoints),
            (json!([[4.0], [4.1], [4.1], [4.0]]), F::NotAPolygon),
            (json!("here"), F::NotAPolygon),
        ];
        for (ring, fault) in table {
            assert_eq!(of(ring.clone()), Err(fault), "{ring}");
        }
        assert_eq!(Polygon::parse(json!({"type": "Polygon", "coordinates": []})), Err(F::NotAPolygon));
        assert_eq!(Polygon::parse(json!({"type": "Point", "coordinates": [4.0, 50.5]})), Err(F::NotAPolygon));
    }
    #[test]
    fn a_perimeter_covers_its_inside_and_its_border() {
        let square = of(json!([[4.0, 50.5], [4.1, 50.5], [4.1, 50.6], [4.0, 50.6], [4.0, 50.5]])).unwrap();
        assert!(covers(&square, [4.05, 50.55]));
        assert!(covers(&square, [4.0, 50.55]), "the border");
        assert!(covers(&square, [4.1, 50.6]), "a corner");
        assert!(!covers(&square, [4.11, 50.55]));
        assert!(!covers(&square, [50.55, 4.05]), "swapped");
        let again: Polygon = serde_json::from_value(serde_json::to_value(&square).unwrap()).unwrap();
        assert_eq!(again, square);
    }
    #[test]
    fn a_hole_is_outside() {
        let holed = Polygon::parse(json!({"type": "Polygon", "coordinates": [
            [[4.0, 50.5], [4.1, 50.5], [4.1, 50.6], [4.0, 50.6], [4.0, 50.5]],
            [[4.04, 50.54], [4.06, 50.54], [4.06, 50.56], [4.04, 50.56], [4.04, 50.54]],
        ]}))
        .unwrap();
        assert!(!covers(&holed, [4.05, 50.55]));
        assert!(covers(&holed, [4.01, 50.51]));
    }
}
