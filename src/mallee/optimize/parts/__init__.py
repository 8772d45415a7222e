"""What a site can be made of, as columns and rows of the programme: one file each."""
