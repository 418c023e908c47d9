//! How wide the terminal is that reads what a command prints.

use terminal_size::{Width, terminal_size_of};

/// Its columns; none where a file or another program reads.
pub(super) fn columns() -> Option<u16> {
    terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| columns)
}
