//! kulkul-wire
