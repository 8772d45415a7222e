"""The twin's devices, answering the protocols of their models on loopback sockets."""
