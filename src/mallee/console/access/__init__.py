"""Who may do what: users, tokens, sessions, and the door that every write passes."""
