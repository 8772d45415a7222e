"""Two controllers never talk to one device from this computer; the lock ends with its holder."""

import subprocess
import sys
from pathlib import Path

import pytest

from mallee.core.errors import ConfigError
from mallee.runtime.fence import fence

OURS = {"modbus": {"meter": "10.0.0.5:502", "bess1": "10.0.0.6:502"}, "redfish": {"n1": "10.1.0.1"}}
HOLD = """
import sys, time
from pathlib import Path
from mallee.runtime.fence import fence
with fence({"modbus": {"battery": "10.0.0.6:502"}}, Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_controller_of_the_same_device_is_refused_until_the_first_dies(
    tmp_path: Path,
) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "locks")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(ConfigError, match=rf"bess1 at 10\.0\.0\.6.*by process {other.pid};"),
            fence(OURS, tmp_path / "locks"),
        ):
            pass
        elsewhere = {"modbus": {"battery": "10.0.0.7:502"}}
        with fence(elsewhere, tmp_path / "locks"):  # null case: other devices, no quarrel
            pass
    finally:
        other.kill()
        other.wait()
        if other.stdout is not None:
            other.stdout.close()
    with fence(OURS, tmp_path / "locks"):
        pass


def test_devices_behind_one_gateway_are_one_address(tmp_path: Path) -> None:
    shared = {"modbus": {"a": "10.0.0.5:502", "b": "10.0.0.5:502"}}
    with fence(shared, tmp_path / "locks"):
        assert (tmp_path / "locks").stat().st_size == 0
