//! kulkul-gateway
