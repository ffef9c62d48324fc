"""Any JSON by rules of the settings (docs/mapping.md)."""
