"""Kinds of fault, one file a family."""
