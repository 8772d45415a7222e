"""Devices to talk to: a catalogue model, values that tell its points apart, loopback TLS."""

import ssl
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from mallee.catalogue import load_models
from mallee.core.errors import Rejected
from mallee.drivers.driver import Login
from mallee.emulators.device import EmulatedDevice
from tests.drivers.certificate import client_context, make_certificate, server_context

LOGIN = Login("root", "correct horse")
NODE = "nvidia-gb200-nvl72-compute-tray"
HGX = "nvidia-hgx-h100-node"
SWITCH = "nvidia-gb200-nvl72-switch-tray"
SHELF = "orv3-power-shelf-33kw"
CDU = "cdu-1300kw"

START = {"power_w": 4000.0, "cap_w": 6500.0, "supply_set_degc": 30.0, "leak_count": 0.0}


@cache
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client context of one certificate."""
    with tempfile.TemporaryDirectory() as folder:
        make_certificate(Path(folder))
        return server_context(Path(folder)), client_context(Path(folder))


def make_device(model_name: str) -> EmulatedDevice:
    """A device whose values all differ, and that does at once what it is told."""
    model = load_models()[model_name]
    values = 20.0 + np.arange(len(model.point), dtype=np.float64)
    for name, value in START.items():
        if name in model.index:
            values[model.index[name]] = value

    def write(point: str, value: float, lease_s: float) -> None:
        if np.isnan(value) or lease_s < 0:
            raise Rejected("the twin declines")
        values[model.index[point]] = value

    return EmulatedDevice("pod1/r1/n01", model, values, write)


def expected(device: EmulatedDevice, protocol: str) -> dict[str, float]:
    """What a driver of that protocol should read."""
    return {
        point.name: float(value)
        for point, value in zip(device.model.point, device.values, strict=True)
        if point.protocol == protocol and point.constant is None
    }
