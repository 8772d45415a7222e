"""The grid as the site sees it: voltage and frequency come in, ride-through curves judge devices."""
