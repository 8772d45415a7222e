"""The words of the project as types: site, device, point, snapshot, command. No I/O, no clock."""
