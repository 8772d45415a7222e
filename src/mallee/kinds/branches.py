"""The pieces of the power tree that are no devices, and how they are drawn.

What is a device and a branch at once (UPS, PDU, a transfer switch with an address) has its row
among the device kinds, with the role `in_line`.
"""

from mallee.kinds.kind import Drawing

BRANCHES: dict[str, Drawing] = {
    "grid": Drawing(symbol="grid", order=0, label="Utility feed"),
    "transformer": Drawing(symbol="transformer", order=1, label="Transformer"),
    "switchboard": Drawing(symbol="bus", order=2, label="Switchboard"),
    "breaker": Drawing(symbol="breaker", order=3, label="Breaker"),
    "busway": Drawing(symbol="bus", order=4, label="Busway"),
    "transfer_switch": Drawing(symbol="transfer_switch", order=5, label="Transfer switch"),
}
"""By the name that `Branch.kind` has."""
