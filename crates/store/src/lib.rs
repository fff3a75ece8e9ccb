//! kulkul-store
