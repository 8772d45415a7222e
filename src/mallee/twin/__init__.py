"""Physics of a site: what its devices would do. Knows no control, no sockets, no wall clock."""
