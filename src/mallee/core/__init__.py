"""The words of the project as types: sites, devices, points, snapshots, commands. No I/O, no clock."""
