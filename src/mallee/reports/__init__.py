"""Reports: one HTML page of figures, charts and tables that needs nothing but itself."""
