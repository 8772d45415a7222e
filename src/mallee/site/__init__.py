"""The site: its file as written, the model built from it, and what is wrong with it."""
