//! Pieces of price books as texts. What a test is about stands in the test: keys behind a piece are added to it.

/// Puts pieces together.
pub fn book<const N: usize>(pieces: [String; N]) -> String {
    format!("format = 1\n{}", pieces.concat())
}

/// A meter of bytes: a gauge, a delta or a counter.
pub fn meter(id: &str, kind: &str) -> String {
    format!("[meter.{id}]\nkind = \"{kind}\"\nbase = \"byte\"\n")
}

/// Vendor V with the id `v`, and so on.
pub fn vendor(id: &str) -> String {
    seller("vendor", id, "\"Kade 1\", \"NL\"")
}

/// Provider P with the id `p`, and so on.
pub fn provider(id: &str) -> String {
    seller("provider", id, "\"Weg 1\", \"DE\"")
}

fn seller(role: &str, id: &str, address: &str) -> String {
    let (kind, name, number) = (capital(role), capital(id), id.to_uppercase());
    format!("[{role}.{id}]\nname = \"{kind} {name}\"\naddress = [{address}]\ninvoice_number = \"{number}-{{seq:4}}\"\n")
}

/// Acme with the id `acme`, which is its tag as well, and so on.
pub fn customer(provider: &str, id: &str) -> String {
    let name = capital(id);
    format!(
        "[customer.{id}]\nprovider = \"{provider}\"\nname = \"{name}\"\naddress = [\"Gasse 1\", \"DE\"]\ntags = [\"{id}\"]\n"
    )
}

/// A contract from a day on, with more of its keys.
pub fn contract(
    id: &str,
    (seller, buyer): (&str, &str),
    card: &str,
    (from, time_zone): (&str, &str),
    more: &str,
) -> String {
    format!(
        "[contract.{id}]\nseller = \"{seller}\"\nbuyer = \"{buyer}\"\ncard = \"{card}\"\nfrom = {from}\n\
         time_zone = \"{time_zone}\"\n{more}\n"
    )
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}
