//! Every bound (I13): the table of docs/LIMITS.md against the sources, and those limits that only the whole can show.

mod book;
mod checkpoint;
mod kafka;
mod listener;
mod roll;
mod table;
