//! A currency and its minor units (PRICING §11).

use super::error::RateError;
use super::number::Number;

/// A currency of ISO 4217.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// Its code.
    pub code: String,
    /// How many places its amounts have.
    pub places: u32,
}

impl Currency {
    /// The currency with this code; codes outside ISO 4217, or without minor units there, are refused.
    pub fn new(code: &str) -> Result<Self, RateError> {
        let places = iso_currency::Currency::from_code(code).and_then(iso_currency::Currency::exponent);
        let places = places.ok_or_else(|| RateError::Currency(code.to_owned()))?;
        Ok(Self { code: code.to_owned(), places: u32::from(places) })
    }

    /// An amount of minor units with exactly the currency's places.
    #[must_use]
    pub fn show(&self, minor: i128) -> String {
        Number { mantissa: minor, places: self.places }.padded()
    }
}
