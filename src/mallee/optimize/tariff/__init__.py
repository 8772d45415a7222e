"""What energy costs: tariffs as data, their prices over time, and what a month's bill comes to."""
