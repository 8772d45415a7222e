"""Addresses as a person writes them, and who a device says it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mallee.core.identity import Identity, mismatch
from mallee.core.protocol import Address, Part, parse_address
from mallee.core.protocols import PROTOCOLS

UNIT = PROTOCOLS["sunspec"].part

HOSTS = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z][a-z0-9-]{0,5}){0,3}", fullmatch=True),
    st.ip_addresses().map(str),
)


@given(HOSTS, st.integers(1, 65535), st.integers(0, 255))
def test_what_is_written_is_read_back(host: str, port: int, unit: int) -> None:
    address = Address(host, port, str(unit))
    assert parse_address(str(address), 502, UNIT) == address
    assert parse_address(address.place, 502, UNIT) == Address(host, port)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("meter.local", Address("meter.local", 502)),
        ("10.0.0.5:1502", Address("10.0.0.5", 1502)),
        ("10.0.0.5/7", Address("10.0.0.5", 502, "7")),
        ("10.0.0.5:1502/255", Address("10.0.0.5", 1502, "255")),
        ("fd00::5", Address("fd00::5", 502)),
        ("[fd00::5]", Address("fd00::5", 502)),
        ("[fd00::5]:1502/3", Address("fd00::5", 1502, "3")),
    ],
)
def test_short_forms(text: str, address: Address) -> None:
    assert parse_address(text, 502, UNIT) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.5:", "'' is no port"),
        ("10.0.0.5:0", "'0' is no port"),
        ("10.0.0.5:70000", "'70000' is no port"),
        ("10.0.0.5:modbus", "'modbus' is no port"),
        ("", "'' is no host"),
        ("a b", "'a b' is no host"),
        ("u@h", "'u@h' is no host"),
        ("10.0.0.5/256", "'256' is not a Modbus unit id 0..255"),
        ("10.0.0.5/", "'' is not a Modbus unit id"),
        ("10.0.0.5/03", "'03' is not a Modbus unit id"),
        ("[10.0.0.5]", "is no host"),
    ],
)
def test_what_is_no_address(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_address(text, 502, UNIT)


def test_a_part_only_where_the_protocol_has_one() -> None:
    with pytest.raises(ValueError, match="one device stands at a place"):
        parse_address("10.0.0.5:161/3", 161, None)
    anything = Part(words="anything", pattern=".+")
    assert parse_address("h/a/b", 443, anything).part == "a/b"


def test_a_device_is_the_one_described_unless_it_says_otherwise() -> None:
    wanted = {"redfish_manufacturer": "nvidia", "redfish_model": "GB200 NVL*", "dcgm_model": "X"}
    right = Identity(manufacturer="NVIDIA", model="GB200  NVL72 tray")
    assert mismatch(wanted, "redfish", right) == ""
    assert mismatch(wanted, "redfish", Identity()) == ""  # who says nothing is not accused
    assert mismatch(wanted, "redfish", Identity(manufacturer="Acme")) == (
        "its manufacturer is 'Acme', not 'nvidia'"
    )
    assert "'GH200'" in mismatch(wanted, "redfish", Identity(manufacturer="NVIDIA", model="GH200"))
    assert mismatch(wanted, "sunspec", Identity(model="M-9")) == ""
