"""What `./run bench alarms` is made of: what must sound, seeded runs, and who judges them."""
