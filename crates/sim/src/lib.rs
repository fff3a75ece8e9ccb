//! kulkul-sim
