//! Stories of the link, on both databases.
