//! kulkul-proof
