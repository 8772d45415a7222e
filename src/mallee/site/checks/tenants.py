"""Who owns what: a rack, and what stands in a pod, belong to one tenant."""

from collections.abc import Iterator

from mallee.core.patterns import expand_range
from mallee.site.checks.finding import Finding
from mallee.site.file import SiteFields
from mallee.site.model import SiteModel


def tenants(site: SiteModel) -> Iterator[Finding]:
    """Racks of one tenant in a pod of another, and jobs that share nodes."""
    for pod in site.file.pod:
        for rack in pod.rack:
            if pod.tenant and rack.tenant and rack.tenant != pod.tenant:
                where = f"pod.{pod.name}.rack.{rack.name}"
                yield Finding(
                    level="error",
                    rule="tenant-overlap",
                    where=where,
                    key=f"{where}.tenant",
                    text=f"belongs to {rack.tenant!r}, but stands in a pod of {pod.tenant!r}",
                    hint="name tenants at the racks, and none at a pod that several share",
                )
    yield from _jobs(site.file)


def _jobs(file: SiteFields) -> Iterator[Finding]:
    """Two jobs that name the same racks for the same time."""
    if file.twin is None:
        return
    seen: list[tuple[str, set[str], float, float]] = []
    for job in file.twin.jobs:
        until_s = job.stop_s if job.stop_s > 0.0 else float("inf")
        own = {name for pattern in job.on for name in _expanded(pattern)}
        for other, names, start_s, stop_s in seen:
            both = sorted(own & names)
            if both and job.start_s < stop_s and start_s < until_s:
                where = f"twin.jobs.{job.name}"
                yield Finding(
                    level="error",
                    rule="tenant-overlap",
                    where=where,
                    key=f"{where}.on",
                    text=f"runs on {both[0]} at the same time as {other!r}",
                    hint="place it elsewhere, or let it start when the other has stopped",
                )
        seen.append((job.name, own, job.start_s, until_s))


def _expanded(pattern: str) -> list[str]:
    try:
        return expand_range(pattern)
    except ValueError:
        return [pattern]
