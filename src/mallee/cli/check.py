"""`mallee check`: everything that is wrong with a site file, or worth knowing, in one go."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from mallee.cli.output import GREY, RED, YELLOW, paint
from mallee.core.errors import ConfigError

if TYPE_CHECKING:
    from mallee.catalogue.read import Survey
    from mallee.catalogue.toml_file import TomlFile
    from mallee.core.device_model import DeviceModel
    from mallee.site.checks import Finding, WorkLeft
    from mallee.site.model import SiteModel
    from mallee.site.simulated import Load

TWIN_DEVICES_MAX = 10_000
"""Larger sites are not built in the twin for a check: it takes longer than all the rest."""

STATUS_ERRORS = 1
STATUS_UNUSABLE = 2

_COLOURS = {"error": RED, "warning": YELLOW}


def check(
    site: Path, /, *, json_: Annotated[bool, Parameter(name="--json", negative="")] = False
) -> int:
    """Look a site file over: keys, models, feeds, ratings against loads, cooling, logins.

    Tells everything at once, each with its line, a rule and what would be right; docs/check.md
    explains the rules. Ends with status 0 when there is no error, 1 when there are errors, 2 when
    the file cannot be read or no site can be built from it.

    Parameters
    ----------
    site
        Site file; models in a folder `catalogue` beside it are read too.
    json_
        Print one JSON object, for programs.
    """
    from mallee.catalogue.read import survey

    try:
        found = survey(site)
    except ConfigError as error:
        if not json_:
            raise
        unreadable = {
            "level": "error",
            "rule": "unreadable",
            "where": error.where,
            "text": error.what,
            "hint": error.hint,
        }
        print(json.dumps({"ok": False, "findings": [unreadable]}))
        return STATUS_UNUSABLE
    findings = findings_of(found)
    errors = sum(finding.level == "error" for finding in findings)
    status = STATUS_UNUSABLE if found.problems else STATUS_ERRORS if errors else 0
    if json_:
        rows = msgspec.to_builtins(findings)
        print(json.dumps({"ok": errors == 0, "site": site.name, "findings": rows}))
        return status
    for finding in findings:
        _print(finding, site.name)
    print(_summary(site.name, found.site, errors))
    return status


def findings_of(found: "Survey") -> "list[Finding]":
    """All findings about a surveyed file, each with its line, worst first."""
    from mallee.site.checks import check_site, finding_of, worst_first

    findings = [finding_of(problem) for problem in found.problems]
    if found.site is not None:
        in_part = bool(found.problems)
        findings += check_site(found.site, _work_left(found.site), in_part=in_part)
        findings += _outside(found.site, in_part=in_part)
        if not any(finding.level == "error" for finding in findings):
            findings += _refusals(found.site)
    placed = [_placed(finding, found.file) for finding in findings]
    return worst_first(list(dict.fromkeys(placed)))


def _placed(finding: "Finding", file: "TomlFile") -> "Finding":
    if finding.line or finding.file:
        return finding
    line = file.line(finding.key or finding.where)
    return msgspec.structs.replace(finding, line=line)


def _print(finding: "Finding", source: str) -> None:
    file = finding.file or source
    place = f"{file}:{finding.line}" if finding.line else file
    label = paint(f"{finding.level:<8}", _COLOURS.get(finding.level, "0"))
    where = f"{finding.where}: " if finding.where else ""
    hint = f"; {finding.hint}" if finding.hint else ""
    rule = paint(f" [{finding.rule}]", GREY)
    print(f"{label}{place}: {where}{finding.text}{hint}{rule}")
    if finding.suggest:
        print(f"        such as: {finding.suggest}")


def _summary(name: str, site: "SiteModel | None", errors: int) -> str:
    from mallee.site.checks import watts

    if site is None:
        return f"{name}: {errors} error(s)"
    accelerators = sum(g.count * g.model.accelerators for g in site.groups)
    limit_w = sum(feed.import_max_w for feed in site.file.feeds)
    return (
        f"{name}: {len(site.racks.names)} racks, {accelerators} accelerators, "
        f"{site.device_count} devices, {site.point_count} points behind "
        f"{watts(limit_w)}: {errors} error(s)"
    )


def _work_left(site: "SiteModel") -> "WorkLeft | None":
    """The curve of throughput under a cap of nodes, as the twin has it for the site's main load.

    A node's cap lies between its lowest and its highest as its accelerators' does between theirs;
    what counts for the work is the cap of these over what the load draws.
    """
    twin = site.file.twin
    models = [
        (g.model, g.count * g.model.accelerators) for g in site.groups if g.model.accelerators
    ]
    if twin is None or not models:
        return None
    import numpy as np

    from mallee.twin.parts.compute.placement import CLASS_OF_KIND
    from mallee.twin.parts.compute.throughput import throughput_at

    load = twin.load
    name = load.throughput_class or CLASS_OF_KIND[load.kind]
    level = load.compute_level if load.kind == "training" else 1.0

    def of_model(model: "DeviceModel", share: float) -> float:
        low_w = model.parameter_or("cap_min_w", 0.0)
        high_w = model.parameter_or("cap_max_w", model.power_max_w)
        frac = np.clip((share * high_w - low_w) / max(high_w - low_w, 1.0), 0.0, 1.0)
        most_w = model.parameter_or("gpu_max_w", 1.0)
        least_w = model.parameter_or("gpu_cap_min_w", 0.0)
        idle_frac = model.parameter_or("gpu_idle_w", 0.0) / most_w
        drawn_frac = idle_frac + (1.0 - idle_frac) * level
        cap_frac = (least_w + frac * (most_w - least_w)) / most_w
        return float(throughput_at(name, np.array([min(1.0, cap_frac / drawn_frac)]))[0])

    total = sum(count for _, count in models)
    return lambda share: sum(count * of_model(m, share) for m, count in models) / max(total, 1)


def _outside(site: "SiteModel", *, in_part: bool) -> "Iterator[Finding]":
    """What stands outside the file and is named in it: logins, recordings, drivers."""
    if site.file.twin is None:
        yield from _logins(site)
    else:
        yield from _recordings(site)
    if not in_part:
        yield from _drivers(site)


def _logins(site: "SiteModel") -> "Iterator[Finding]":
    from mallee.runtime.secrets import find_login, secrets_path
    from mallee.site.checks import Finding

    seen: set[str] = set()
    for group in site.groups:
        if not group.credentials or group.credentials in seen:
            continue
        seen.add(group.credentials)
        try:
            find_login(group.credentials, secrets_path())
        except ConfigError as error:
            yield Finding(
                level="error",
                rule="no-login",
                where=error.where,
                key=f"{group.place}.credentials",
                text=error.what,
                hint=error.hint,
            )


def _recordings(site: "SiteModel") -> "Iterator[Finding]":
    """Files that a simulated site replays: there, readable, with rows."""
    from mallee.site.checks import Finding
    from mallee.twin.parts.compute.workload.trace_file import read_trace

    twin = site.file.twin
    assert twin is not None
    loads: list[tuple[str, Load]] = [("twin.load", twin.load)]
    loads += [(f"twin.jobs.{job.name}.load", job.load) for job in twin.jobs]
    for where, load in loads:
        if load.kind != "trace":
            continue
        error = None
        if not load.trace:
            hint = 'give trace = "FILE.csv" with t_s,power_w'
            error = ConfigError(where, "names no trace to replay", hint)
        else:
            try:
                read_trace(Path(load.trace))
            except ConfigError as refusal:
                error = refusal
        if error is not None:
            yield Finding(
                level="error",
                rule="recording",
                where=error.where,
                key=f"{where}.trace",
                text=error.what,
                hint=error.hint,
            )


def _drivers(site: "SiteModel") -> "Iterator[Finding]":
    """Protocols of the site's models that nothing here speaks."""
    from mallee.catalogue import load_models
    from mallee.site.checks import Finding
    from mallee.site.problems import nearest

    spoken = {name for model in load_models().values() for name in model.protocol}
    seen: set[str] = set()
    for group in site.groups:
        for protocol in group.model.protocol:
            if protocol in spoken or group.model.model in seen:
                continue
            seen.add(group.model.model)
            yield Finding(
                level="error",
                rule="no-driver",
                where=group.model.model,
                key=f"{group.place}.model",
                text=f"speaks {protocol!r}, for which there is no driver",
                hint=nearest(protocol, spoken),
            )


def _refusals(site: "SiteModel") -> "Iterator[Finding]":
    """What control or twin would refuse at the start, found by starting them."""
    from mallee.control import limits_of
    from mallee.site.checks import Finding

    def start_control() -> None:
        limits_of(site)

    def start_twin() -> None:
        from mallee.twin.site_twin import SiteTwin

        SiteTwin(site)

    simulated = site.file.twin is not None and site.device_count <= TWIN_DEVICES_MAX
    starts = [start_control, start_twin] if simulated else [start_control]
    for start in starts:
        try:
            start()
        except ConfigError as error:
            yield Finding(
                level="error",
                rule="refused",
                where=error.where,
                text=error.what,
                hint=error.hint,
            )
