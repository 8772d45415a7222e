"""Whether a device is the one that its model describes."""

import pytest

from mallee.core.identity import Identity, mismatch, spoken

WANTED = {"redfish_manufacturer": "NVIDIA", "redfish_model": "GB200*", "modbus_model": "PM55??"}


@pytest.mark.parametrize(
    ("found", "protocol", "why"),
    [
        (Identity(manufacturer="NVIDIA", model="GB200 NVL"), "redfish", ""),
        (Identity(manufacturer="nvidia", model="gb200"), "redfish", ""),
        (Identity(), "redfish", ""),
        (Identity(manufacturer="NVIDIA  ", model=" GB200  x "), "redfish", ""),
        (Identity(manufacturer="Dell"), "redfish", "its manufacturer is 'Dell', not 'NVIDIA'"),
        (Identity(model="GB300"), "redfish", "its model is 'GB300', not 'GB200*'"),
        (Identity(model="GB300"), "snmp", ""),
        (Identity(model="PM5560"), "modbus", ""),
        (Identity(model="PM556"), "modbus", "its model is 'PM556', not 'PM55??'"),
    ],
)
def test_what_a_device_says_is_held_against_its_model(
    found: Identity, protocol: str, why: str
) -> None:
    assert mismatch(WANTED, protocol, found) == why


def test_what_an_emulated_device_says_is_taken_for_its_model() -> None:
    said = Identity(
        manufacturer=spoken(WANTED, "redfish", "manufacturer", "someone"),
        model=spoken(WANTED, "redfish", "model", "something"),
        serial=spoken(WANTED, "redfish", "serial", "S1"),
    )
    assert (said.manufacturer, said.model, said.serial) == ("NVIDIA", "GB200", "S1")
    assert mismatch(WANTED, "redfish", said) == ""


def test_identities_as_people_read_them() -> None:
    assert str(Identity()) == "unnamed"
    full = Identity(manufacturer="Tesla", model="MP2", firmware="1.2", serial="T7")
    assert str(full) == "Tesla MP2, firmware 1.2, serial T7"
    assert str(Identity(model="MP2", serial="T7")) == "MP2, serial T7"
