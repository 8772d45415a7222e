"""Parts of `./run bench dispatch`."""
