"""The grid as the site sees it: voltage and frequency, and who rides through what."""
