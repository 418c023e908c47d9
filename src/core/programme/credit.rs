//! Sales credits: what the vendor's teams are credited for each row of an issued wholesale document (DESIGN §6).
//!
//! A row is split over the end customers as its allocation says. Whoever a provider does not disclose is no name and no team of its own: its
//! part, and with it what is unallocated, goes to the provider's own account team. A correction credits with its own signs, by the book and
//! the route of its original, so that it takes back what that gave.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::error::ProgrammeError;
use super::list::{credited, list_amounts};
use super::month::Month;
use super::revenue::figure;
use crate::core::billing::allocation::split;
use crate::core::billing::document::{Document, DocumentType};
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;
use crate::core::book::claim;
use crate::core::book::model::{Book, Provider, Route, SalesCredit};
use crate::core::pricing::currency::Currency;
use crate::core::pricing::rounding::Rounding;

/// Places of an exact credit: 4 of the amount, 9 of the percent, 2 of the hundred.
const PLACES: u32 = 15;

/// A row that nothing was allocated of.
const WHOLE: &[Part] = &[Part { customer: None, weight: 1 }];

/// A customer's part of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Who, by id or unknown tag; none is unallocated.
    pub customer: Option<String>,
    /// By what the row is split.
    pub weight: i128,
}

/// Whose part of a row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A customer that the provider discloses.
    Customer,
    /// Customers that it does not disclose, and what is unallocated.
    Undisclosed,
    /// What no customer's tags account for.
    Unallocated,
}

impl Holder {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Undisclosed => "undisclosed",
            Self::Unallocated => "unallocated",
        }
    }
}

/// One sales credit: there is one for each row, holder, team and role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The document.
    pub number: String,
    /// Its row.
    pub no: usize,
    /// The provider.
    pub provider: String,
    /// Whose part.
    pub holder: Holder,
    /// The customer, by id or unknown tag.
    pub customer: Option<String>,
    /// Who is credited.
    pub team: String,
    /// As what.
    pub role: String,
    /// Whether the role is of customers' account teams: those must not care for the route.
    pub is_account: bool,
    /// How the goods reach the customer.
    pub route: Route,
    /// The registered deal.
    pub deal: Option<String>,
    /// The month in which it counts.
    pub month: Month,
    /// ISO 4217.
    pub currency: String,
    /// What the credit is a percentage of.
    pub basis: Figure,
    /// Whether that is the part at list; else it is as billed.
    pub at_list: bool,
    /// The credit, exactly.
    pub credit: Figure,
}

/// What sales credits are made from.
#[derive(Clone, Copy, Debug)]
pub struct Sale<'a> {
    /// The book that the document was rated with; of a correction that of the first document that it corrects.
    pub book: &'a Book,
    /// The document.
    pub document: &'a Document,
    /// Of a credit note over a document: that document.
    pub original: Option<&'a Document>,
    /// By row of the document that was allocated: the customers' parts in the order of their ids, what is unallocated last.
    pub parts: &'a BTreeMap<usize, Vec<Part>>,
}

/// Sales credits of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credits {
    /// How its goods reach the customer; none if its contract does not say, and then there are no credits.
    pub route: Option<Route>,
    /// ISO 4217.
    pub currency: String,
    /// Σ rows at list.
    pub list: Figure,
    /// The credits.
    pub credits: Vec<Credit>,
}

/// A holder's part of a row.
struct Share<'a> {
    holder: Holder,
    customer: Option<&'a str>,
    list: Figure,
    billed: Figure,
}

impl Sale<'_> {
    /// The month in which the document counts.
    #[must_use]
    pub fn month(&self) -> Option<Month> {
        match self.document.kind {
            DocumentType::Invoice => Month::parse(&self.document.period.label),
            _ => Month::parse(self.document.issue_date.as_deref()?.get(..7)?),
        }
    }

    /// The document's sales credits.
    ///
    /// # Errors
    /// Figures that no document has.
    pub fn credits(&self) -> Result<Credits, ProgrammeError> {
        let Document { currency, route, .. } = self.document;
        let places = Currency::new(currency)?.places;
        let list = match self.original {
            Some(original) => credited(self.document, original)?,
            None => list_amounts(self.document)?,
        };
        let total = list.iter().try_fold(Figure::ZERO, |sum, one| sum.plus(Figure::of_minor(*one, places)?))?;
        let mut found = Credits { route: *route, currency: currency.clone(), list: total, credits: Vec::new() };
        let provider = self.book.providers.get(&self.document.buyer.id);
        let (Some(route), Some(provider), Some(month)) = (*route, provider, self.month()) else { return Ok(found) };
        let named = match route {
            Route::AsAService => "as_a_service",
            Route::Resale => "resale",
        };
        for (row, list) in self.document.rows.iter().zip(list) {
            for share in self.shares(row, list, places, provider)? {
                let roles = self.book.sales_credit.iter();
                for (role, terms) in roles.filter(|(_, terms)| terms.routes.iter().any(|own| own == named)) {
                    let Some(team) = self.team(terms, &share, provider) else { continue };
                    let at_list = terms.basis == "list";
                    let basis = if at_list { share.list } else { share.billed };
                    let hundred = Figure::of_minor(100, 0)?;
                    found.credits.push(Credit {
                        number: self.document.number.clone().unwrap_or_default(),
                        no: row.no,
                        provider: self.document.buyer.id.clone(),
                        holder: share.holder,
                        customer: share.customer.map(str::to_owned),
                        team: team.to_owned(),
                        role: role.clone(),
                        is_account: terms.team == "customer",
                        route,
                        deal: self.document.deal.clone(),
                        month,
                        currency: currency.clone(),
                        basis,
                        at_list,
                        credit: basis.share(figure(terms.percent)?, hundred, PLACES, Rounding::HalfEven)?,
                    });
                }
            }
        }
        Ok(found)
    }

    /// The row split over its holders, at list and as billed.
    fn shares(
        &self,
        row: &DocumentRow,
        list: i128,
        places: u32,
        provider: &Provider,
    ) -> Result<Vec<Share<'_>>, ProgrammeError> {
        let billed = Figure::parse(&row.amount)?;
        if !provider.disclose_customers {
            let list = Figure::of_minor(list, places)?;
            return Ok(vec![Share { holder: Holder::Undisclosed, customer: None, list, billed }]);
        }
        // a credit note over a document is split as the row that it takes back
        let allocated = if self.original.is_some() { row.corrects.unwrap_or(row.no) } else { row.no };
        let parts = self.parts.get(&allocated).map_or(&[][..], Vec::as_slice);
        let parts = if parts.is_empty() { WHOLE } else { parts };
        let weights: Vec<i128> = parts.iter().map(|part| part.weight).collect();
        let (lists, billed) = (split(list, &weights)?, split(billed.minor(places)?, &weights)?);
        let mut shares = Vec::with_capacity(parts.len());
        for (part, (list, billed)) in parts.iter().zip(lists.into_iter().zip(billed)) {
            shares.push(Share {
                holder: if part.customer.is_some() { Holder::Customer } else { Holder::Unallocated },
                customer: part.customer.as_deref(),
                list: Figure::of_minor(list, places)?,
                billed: Figure::of_minor(billed, places)?,
            });
        }
        shares.retain(|share| !(share.list.is_zero() && share.billed.is_zero()));
        Ok(shares)
    }

    /// Who is credited in a role; nobody where the book names no team.
    fn team<'s>(&'s self, terms: &SalesCredit, share: &Share<'_>, provider: &'s Provider) -> Option<&'s str> {
        if terms.team != "customer" {
            return provider.partner_team.as_deref();
        }
        let own = share.customer.and_then(|id| claim::customer(self.book, &self.document.buyer.id, id));
        own.and_then(|customer| customer.account_team.as_deref()).or(provider.account_team.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::book;
    use super::*;
    use crate::core::billing::sample::northwind_invoice;

    fn parts(weights: &[(&str, i128)]) -> BTreeMap<usize, Vec<Part>> {
        let part = |(id, weight): &(&str, i128)| Part {
            customer: Some((*id).to_owned()).filter(|id| !id.is_empty()),
            weight: *weight,
        };
        (1..=5).map(|no| (no, weights.iter().map(part).collect())).collect()
    }

    fn shown(credits: &[Credit], no: usize) -> Vec<String> {
        let of_row = credits.iter().filter(|credit| credit.no == no);
        let one = |credit: &Credit| {
            let customer = credit.customer.as_deref().unwrap_or("-");
            format!("{} {} {customer} {}", credit.role, credit.team, credit.credit)
        };
        of_row.map(one).collect()
    }

    /// INVOICE §3's commitment row: 2,400.00 at list, 2,188.32 billed, as a service.
    #[test]
    fn the_customers_account_team_is_credited_at_list() {
        let (mut book, document) = (book(), northwind_invoice());
        book.providers.get_mut("northwind").unwrap().disclose_customers = true;
        let parts = parts(&[("acme", 2), ("globex", 1), ("", 1)]);
        let sale = Sale { book: &book, document: &document, original: None, parts: &parts };
        let found = sale.credits().unwrap();
        assert_eq!(
            shown(&found.credits, 1),
            [
                "account emea-named-07 acme 1200",
                "partner sp-emea acme 1094.16",
                "account emea-house globex 600",
                "partner sp-emea globex 547.08",
                "account emea-house - 600",
                "partner sp-emea - 547.08"
            ]
        );
        let account = found.credits.iter().filter(|credit| credit.is_account);
        let account = account.fold(Figure::ZERO, |sum, credit| sum.plus(credit.credit).unwrap());
        assert_eq!((account, found.list.to_string()), (found.list, "3564.17".to_owned()));
        assert_eq!(found.credits[0].month.to_string(), "2026-09");
        // of the same customer and row each role is credited once
        let keys: std::collections::BTreeSet<_> = found
            .credits
            .iter()
            .map(|one| (&one.number, one.no, one.holder, &one.customer, &one.team, &one.role))
            .collect();
        assert_eq!(keys.len(), found.credits.len());
    }

    #[test]
    fn who_is_not_disclosed_has_no_name_and_the_house_is_credited() {
        let (book, mut document) = (book(), northwind_invoice());
        document.route = Some(Route::Resale);
        let parts = parts(&[("acme", 2), ("globex", 1), ("", 1)]);
        let sale = Sale { book: &book, document: &document, original: None, parts: &parts };
        let credits = sale.credits().unwrap().credits;
        assert_eq!(shown(&credits, 1), ["account emea-house - 2400"], "partners are credited as a service only");
        assert!(credits.iter().all(|credit| credit.holder == Holder::Undisclosed && credit.customer.is_none()));
    }

    #[test]
    fn a_correction_counts_in_the_month_of_issue_and_takes_back() {
        let (book, mut document) = (book(), northwind_invoice());
        document.kind = DocumentType::CreditNote;
        document.subtotal = format!("-{}", document.subtotal);
        document.saving = format!("-{}", document.saving);
        for row in &mut document.rows {
            (row.amount, row.unrounded) = (format!("-{}", row.amount), format!("-{}", row.unrounded));
        }
        let parts = BTreeMap::new();
        let sale = Sale { book: &book, document: &document, original: None, parts: &parts };
        let found = sale.credits().unwrap();
        assert_eq!(sale.month().unwrap().to_string(), "2026-10");
        assert_eq!(shown(&found.credits, 1), ["account emea-house - -2400", "partner sp-emea - -2188.32"]);
        assert_eq!(found.list.to_string(), "-3564.17");
    }
}
