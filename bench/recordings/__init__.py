"""Recordings of devices, counted without the code that reads them."""
