"""DMTF's own validator judges every kind of device that the emulator serves."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from mallee.catalogue import load_models
from mallee.emulators.redfish import serve_redfish
from tests.drivers.loopback import LOGIN, make_device

VALIDATOR = Path(__file__).with_name("redfish_validator.py")


async def judge(models: list[str], schemas: Path, logs: Path) -> list[dict[str, Any]]:
    """Serve one device of each model and have them all validated."""
    running = [
        await serve_redfish(make_device(model), "127.0.0.1", 0, None, LOGIN) for model in models
    ]
    urls = [f"http://{one.address}" for one in running]
    arguments = [str(VALIDATOR), str(schemas), str(logs), LOGIN.user, LOGIN.password, *urls]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    for one in running:
        await one.close()
    assert process.returncode == 0, errors.decode()
    return [json.loads(line) for line in output.splitlines()]


def test_no_failure_and_no_warning(tmp_path: Path) -> None:
    pytest.importorskip("redfish_service_validator", reason="VALIDATOR NOT INSTALLED: uv sync")
    beside = Path(__file__).parents[3] / "shared"
    golden = Path(os.environ.get("MALLEE_SHARED", beside)) / "golden/redfish/csdl"
    if not golden.is_dir():
        pytest.skip(f"NO REDFISH SCHEMAS: {golden} is missing; set MALLEE_SHARED to judge with it")
    schemas = tmp_path / "csdl"  # the validator wants a folder that it may write to
    shutil.copytree(golden, schemas)
    models = [name for name, model in load_models().items() if "redfish" in model.protocol]
    verdicts = asyncio.run(judge(models, schemas, tmp_path / "logs"))
    for model, verdict in zip(models, verdicts, strict=True):
        assert verdict["exit_code"] == 0, (model, verdict)
        assert verdict["remarks"] == [], model
        assert verdict["failed"] == verdict["warned"] == 0, model
        assert verdict["passed"] > 200, model
        assert 20 <= verdict["resources"] <= 300, model
