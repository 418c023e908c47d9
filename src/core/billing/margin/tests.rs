use super::*;

fn euro() -> Currency {
    Currency::new("EUR").unwrap()
}

fn sale(customer: &str, net: i128) -> Sale {
    let name = customer.to_uppercase();
    Sale { contract: "retail".to_owned(), customer: customer.to_owned(), name, currency: euro(), net }
}

fn part(no: usize, customer: Option<&str>, micro: i128, amount: i128) -> Allocated {
    Allocated {
        no,
        line: Some("block".to_owned()),
        kind: "usage".to_owned(),
        customer: customer.map(str::to_owned),
        quantity: Some(micro * 1_000),
        unit: Some("TiB-month".to_owned()),
        weight: 1,
        amount,
        over_attributed: 0,
    }
}

fn purchase(parts: Vec<Allocated>, subtotal: i128, credits: i128) -> Purchase {
    Purchase { contract: "wholesale".to_owned(), currency: euro(), subtotal, net: subtotal - credits, parts }
}

#[test]
fn lines_add_up_to_the_documents() {
    let parts = vec![
        part(1, Some("acme"), 61_500_000, 140_859),
        part(1, Some("hooli"), 42_250_000, 96_769),
        Allocated { over_attributed: 5_000_000, ..part(1, None, 7_916_667, 18_132) },
    ];
    let sales = [sale("acme", 200_000), sale("acme", 1_000), sale("beta", 50)];
    let (sheets, others) = sheets(&sales, &[purchase(parts, 255_760, 12_000)]).unwrap();
    assert!(others.is_empty());
    let [sheet] = &sheets[..] else { panic!("{sheets:?}") };
    let figures = |figures: &Figures| {
        let quantity = figures.quantities.first().map_or("", |one| &one.quantity).to_owned();
        let percent = figures.margin_percent.clone().unwrap_or_default();
        [quantity, figures.retail.clone(), figures.wholesale.clone(), figures.margin.clone(), percent].join(" ")
    };
    let customers: Vec<String> =
        sheet.customers.iter().map(|one| format!("{} {} {}", one.customer, one.name, figures(&one.figures))).collect();
    assert_eq!(
        customers,
        [
            "acme ACME 61.5 2010.00 1408.59 601.41 29.92",
            "beta BETA  0.50 0.00 0.50 100.00",
            "hooli hooli 42.25 0.00 967.69 -967.69 "
        ]
    );
    assert_eq!(figures(&sheet.unallocated), "7.916667 0.00 181.32 -181.32 ");
    assert_eq!(figures(sheet.credits.as_ref().unwrap()), " 0.00 -120.00 120.00 ");
    assert_eq!(figures(&sheet.total), "111.666667 2010.50 2437.60 -427.10 -21.24");
    assert_eq!(sheet.over_attributed, [UnitQuantity { unit: "TiB-month".to_owned(), quantity: "0.005".to_owned() }]);
}

#[test]
fn a_part_that_is_missing_is_an_error() {
    let error = sheets(&[], &[purchase(vec![part(1, None, 1, 9)], 10, 0)]).unwrap_err();
    assert!(matches!(error, MarginError::Unbalanced { allocated: 9, subtotal: 10, .. }));
}

#[test]
fn only_equal_currencies_are_compared() {
    let dollars = Sale { currency: Currency::new("USD").unwrap(), ..sale("acme", 500) };
    let sales = [dollars, sale("beta", 100)];
    let (compared, others) = sheets(&sales, &[purchase(Vec::new(), 0, 0)]).unwrap();
    assert_eq!((compared.len(), &*compared[0].currency, &*compared[0].total.retail), (1, "EUR", "1.00"));
    let [other] = &others[..] else { panic!("{others:?}") };
    assert_eq!((other.customer.as_deref(), &*other.currency, &*other.net), (Some("acme"), "USD", "5.00"));
    // nothing on the other side: all there is is shown
    assert_eq!(sheets(&sales, &[]).unwrap().0.len(), 2);
    assert_eq!(sheets(&[], &[purchase(Vec::new(), 0, 0)]).unwrap().0.len(), 1);
}
