//! Voice: what people say of the service. So far the reports that boxes take at their places.
//!
//! A report is the words of somebody unknown: it is shown as text and never as anything
//! else. Pages on which the public follows a report are not here yet.

pub mod api;
pub mod console;
pub mod reports;
