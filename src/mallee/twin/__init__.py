"""Physics of a site: what its devices would do. Knows nothing of control, sockets or the wall clock."""
