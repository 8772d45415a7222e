"""Cases that compare the twin with published figures; `./run bench validate` runs them."""
