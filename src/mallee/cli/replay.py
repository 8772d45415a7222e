"""The command that serves a recorded sample: `replay`."""

from pathlib import Path

from mallee.cli.output import table


def replay(sample: Path, *, host: str = "127.0.0.1", port: int = 0) -> int:
    """Serve a sample over the protocols that it was recorded from, until interrupted.

    Parameters
    ----------
    sample
        A file that `mallee record` wrote, or one of Mallee's own.
    host
        Where to listen.
    port
        Where to listen; 0 takes a free one for each protocol.
    """
    import asyncio
    from contextlib import AsyncExitStack

    from mallee.catalogue.samples import load_sample
    from mallee.emulators.replay import replay_sample

    found = load_sample(sample)

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            ports = dict.fromkeys(found.content, port)
            addresses = await replay_sample(found, host, stack, ports)
            print(table(sorted(addresses.items()), ("protocol", "address")), flush=True)
            await asyncio.Event().wait()

    asyncio.run(serve())
    return 0
