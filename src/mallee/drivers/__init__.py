"""One file a protocol: a codec without I/O and an async client; the only code that opens sockets
to devices.
"""
