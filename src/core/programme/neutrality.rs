//! The neutrality check: an account team gets the same for a currency unit at list, whichever route the customer takes.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::credit::Credits;
use super::error::ProgrammeError;
use crate::core::billing::figure::Figure;
use crate::core::book::model::Route;
use crate::core::pricing::rounding::Rounding;

/// Places of a credit for one currency unit, as it is shown.
const SHOWN: u32 = 9;

/// What a route comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    list: Figure,
    credit: Figure,
}

impl Sums {
    /// Whether anything was sold or credited: of nothing no share can be equal to another.
    fn is_any(&self) -> bool {
        !(self.list.is_zero() && self.credit.is_zero())
    }
}

/// Sums by currency and route.
#[derive(Clone, Debug, Default)]
pub struct Neutrality {
    sums: BTreeMap<(String, &'static str), Sums>,
}

/// The check in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// ISO 4217.
    pub currency: String,
    /// Routes that were taken.
    pub routes: Vec<RouteCheck>,
    /// Whether account teams get the same on both routes, exactly; null where only one was taken.
    pub equal: Option<bool>,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RouteCheck {
    /// `as_a_service` or `resale`.
    pub route: String,
    /// Σ rows at list.
    pub list: String,
    /// Σ sales credits of customers' account teams.
    pub credit: String,
    /// Credit for one currency unit at list; null where nothing is left at list.
    pub credit_per_unit: Option<String>,
}

/// A route's name.
#[must_use]
pub fn name(route: Route) -> &'static str {
    match route {
        Route::AsAService => "as_a_service",
        Route::Resale => "resale",
    }
}

impl Neutrality {
    /// Adds the sales credits of a document.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn add(&mut self, credits: &Credits) -> Result<(), ProgrammeError> {
        let Some(route) = credits.route else { return Ok(()) };
        let sums = self.sums.entry((credits.currency.clone(), name(route))).or_default();
        sums.list = sums.list.plus(credits.list)?;
        for credit in credits.credits.iter().filter(|credit| credit.is_account) {
            sums.credit = sums.credit.plus(credit.credit)?;
        }
        Ok(())
    }

    /// The check, by currency.
    ///
    /// # Errors
    /// A figure that does not fit.
    pub fn checks(&self) -> Result<Vec<Check>, ProgrammeError> {
        let mut checks: Vec<Check> = Vec::new();
        let mut before: Option<(&str, Sums)> = None;
        for ((currency, route), sums) in &self.sums {
            let one = Figure::of_minor(1, 0)?;
            let per_unit = (sums.list.sign() > 0)
                .then(|| sums.credit.share(one, sums.list, SHOWN, Rounding::HalfEven))
                .transpose()?;
            let shown = RouteCheck {
                route: (*route).to_owned(),
                list: sums.list.to_string(),
                credit: sums.credit.to_string(),
                credit_per_unit: per_unit.map(|figure| figure.to_string()),
            };
            match (checks.last_mut(), before) {
                (Some(check), Some((other, theirs))) if other == currency => {
                    check.routes.push(shown);
                    check.equal = (sums.is_any() && theirs.is_any())
                        .then(|| sums.credit.is_to(sums.list, theirs.credit, theirs.list));
                }
                _ => checks.push(Check { currency: currency.clone(), routes: vec![shown], equal: None }),
            }
            before = Some((currency, *sums));
        }
        Ok(checks)
    }
}

impl Check {
    /// The check in words: the last line of a report.
    #[must_use]
    pub fn line(&self) -> String {
        let route = |route: &RouteCheck| {
            let per_unit = route.credit_per_unit.as_deref().unwrap_or("none");
            format!("{} {per_unit} ({} of {})", route.route, route.credit, route.list)
        };
        let routes: Vec<String> = self.routes.iter().map(route).collect();
        let verdict = match self.equal {
            Some(true) => "equal",
            Some(false) => "NOT EQUAL",
            None => "nothing to compare, one route alone has sales",
        };
        format!("neutrality {}: account credit per unit at list: {}: {verdict}", self.currency, routes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::credit::Sale;
    use super::super::sample::book;
    use super::*;
    use crate::core::billing::sample::northwind_invoice;
    use crate::core::book::model::Book;

    /// Northwind's invoice as a service, and the same through resale at another discount.
    fn checks(book: &Book) -> Vec<Check> {
        let as_a_service = northwind_invoice();
        let mut resale = northwind_invoice();
        resale.route = Some(Route::Resale);
        let parts = BTreeMap::new();
        let mut neutrality = Neutrality::default();
        for document in [&as_a_service, &as_a_service, &resale] {
            let sale = Sale { book, document, original: None, parts: &parts };
            neutrality.add(&sale.credits().unwrap()).unwrap();
        }
        neutrality.checks().unwrap()
    }

    #[test]
    fn the_sample_is_neutral() {
        let checks = checks(&book());
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].equal, Some(true));
        assert_eq!(
            checks[0].line(),
            "neutrality EUR: account credit per unit at list: as_a_service 1 (7128.34 of 7128.34), resale 1 (3564.17 of 3564.17): equal"
        );
    }

    #[test]
    fn a_book_that_favours_a_route_is_found() {
        let mut one_route = book();
        one_route.sales_credit.get_mut("account").unwrap().routes = vec!["resale".to_owned()];
        assert_eq!(checks(&one_route)[0].equal, Some(false));
        let mut percent = book();
        let mut other = percent.sales_credit["account"].clone();
        other.routes = vec!["resale".to_owned()];
        other.percent = rust_decimal::Decimal::new(1, 7);
        percent.sales_credit.insert("more".to_owned(), other);
        let found = &checks(&percent)[0];
        assert_eq!(found.equal, Some(false), "a ten-millionth of a percent is not equal: {found:?}");
        assert!(checks(&Book::default())[0].line().ends_with("equal"), "no credit on either route is equal");
    }
    #[test]
    fn a_route_on_which_nothing_was_sold_is_equal_to_none() {
        let (sold, parts, book) = (northwind_invoice(), BTreeMap::new(), book());
        let mut neutrality = Neutrality::default();
        let sale = Sale { book: &book, document: &sold, original: None, parts: &parts };
        neutrality.add(&sale.credits().unwrap()).unwrap();
        let nothing = || Figure::of_minor(0, 0).unwrap();
        neutrality.sums.insert(("EUR".to_owned(), "resale"), Sums { list: nothing(), credit: nothing() });
        let check = &neutrality.checks().unwrap()[0];
        assert_eq!((check.equal, check.routes.len()), (None, 2));
        assert!(check.line().ends_with("nothing to compare, one route alone has sales"), "{}", check.line());
    }
}
