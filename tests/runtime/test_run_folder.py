"""One run per folder, addresses that last, logins that stay private."""

import socket
import ssl
import threading
from pathlib import Path

import msgspec
import pytest

from mallee.catalogue.read import load_models
from mallee.core.errors import ConfigError
from mallee.runtime.addresses import choose_addresses, choose_console, is_free, split_address
from mallee.runtime.run_folder import Run, RunFolder, find_running, folder_of, load_run
from mallee.runtime.secrets import (
    client_context,
    find_login,
    make_simulated,
    server_context,
    simulated_login,
)
from mallee.site.build import build_site
from mallee.site.model import SiteModel


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "data")
    made.make()
    return made


def run_of(site: SiteModel, pid: int = 7) -> Run:
    return Run(site=site.file, source="site.toml", pid=pid, console="127.0.0.1:8420", addresses={})


def test_the_default_folder_is_named_after_the_site(site: SiteModel, tmp_path: Path) -> None:
    assert folder_of(site.file).path == Path("mallee-data/charging-site").absolute()
    assert folder_of(site.file, tmp_path).path == tmp_path


def test_a_folder_is_held_by_one(folder: RunFolder, site: SiteModel) -> None:
    assert not folder.is_running
    with folder.hold():
        folder.save(run_of(site, pid=4711))
        assert folder.is_running
        with pytest.raises(ConfigError, match=r"process 4711.*--data"), folder.hold():
            pass
        assert find_running(folder.path) == folder
    assert not folder.is_running
    with pytest.raises(ConfigError, match="no site is running here"):
        find_running(folder.path)


def test_running_sites_are_found_by_name(
    tmp_path: Path, site: SiteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no site is running"):
        find_running()
    first, second = (RunFolder(tmp_path / "mallee-data" / name) for name in ("a", "b"))
    first.make()
    second.make()
    with first.hold():
        first.save(run_of(site))
        assert find_running() == first
        with second.hold():
            with pytest.raises(ConfigError, match="several sites are running: a, b"):
                find_running()
            assert find_running(name="b") == second


def test_every_process_reads_the_site_as_it_was_started(folder: RunFolder, site: SiteModel) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_run(folder)
    folder.save(run_of(site))
    run, same = load_run(folder)
    assert run.url == "http://127.0.0.1:8420/"
    assert same.file == site.file
    assert same.digest == site.digest
    assert (folder.run / "run.json").stat().st_mode & 0o077 == 0


def test_simulated_devices_get_lasting_ports_of_their_own(site: SiteModel) -> None:
    addresses = choose_addresses(site, "site.toml")
    assert set(addresses) == {"sunspec", "ocpp", "redfish", "dcgm"}
    assert set(addresses["ocpp"]) == {"ev1", "ev2"}
    assert [a.rpartition("/")[2] for a in addresses["ocpp"].values()] == ["ev1", "ev2"]
    places = [a.partition("/")[0] for own in addresses.values() for a in own.values()]
    assert len(set(places)) == len(places) - 1
    assert all(split_address(address)[0] == "127.0.0.1" for address in places)
    assert choose_addresses(site, "site.toml", addresses) == addresses


def test_a_port_taken_since_the_last_run_is_replaced(site: SiteModel) -> None:
    before = choose_addresses(site, "site.toml")
    with socket.create_server(split_address(before["sunspec"]["meter"])):
        after = choose_addresses(site, "site.toml", before)
    assert after["sunspec"].pop("meter") != before["sunspec"].pop("meter")
    assert after == before


def with_meter_at(site: SiteModel, address: str, *, real: bool = False) -> SiteModel:
    grid = site.grid
    meter = msgspec.structs.replace(grid.meter, address=address)
    file = msgspec.structs.replace(
        site.file,
        grid=msgspec.structs.replace(grid, meter=meter),
        twin=None if real else site.file.twin,
    )
    return build_site(file, load_models(), "site.toml")


def test_a_named_port_in_use_is_one_clear_error(site: SiteModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        with pytest.raises(ConfigError, match=rf"site\.toml: meter.*port {port} is in use; stop"):
            choose_addresses(with_meter_at(site, f"127.0.0.1:{port}"), "site.toml")
        with pytest.raises(ConfigError, match=rf"port {port} on .* is in use; stop.*--port"):
            choose_console("127.0.0.1", port)


def test_real_devices_need_addresses_that_are_some(site: SiteModel) -> None:
    with pytest.raises(ConfigError, match=r"bess1: has no address for sunspec; give one"):
        choose_addresses(with_meter_at(site, "10.0.0.5", real=True), "site.toml")
    with pytest.raises(ConfigError, match=r"meter\.address.*is no port"):
        choose_addresses(with_meter_at(site, "10.0.0.5:99999"), "site.toml")


def test_logins_come_from_the_environment_then_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    assert find_login("bmc-1", path, {"MALLEE_SECRET_BMC_1": "root:a:b"}).password == "a:b"
    with pytest.raises(
        ConfigError, match=r"no such login; set MALLEE_SECRET_BMC_1=.*secrets\.toml"
    ):
        find_login("bmc-1", path, {})
    path.write_text('bmc-1 = "root:calvin"\nbad = "nocolon"\n')
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=r"others can read it; run: chmod 600"):
        find_login("bmc-1", path, {})
    path.chmod(0o600)
    login = find_login("bmc-1", path, {})
    assert (login.user, login.password) == ("root", "calvin")
    assert "calvin" not in repr(login)
    with pytest.raises(ConfigError, match="is no login") as caught:
        find_login("bad", path, {})
    assert "nocolon" not in str(caught.value)
    path.write_text('bmc-1 = "root:calvin')
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        find_login("bmc-1", path, {})
    assert "calvin" not in str(caught.value)


def test_simulated_devices_prove_themselves_and_nothing_else_does(
    folder: RunFolder, tmp_path: Path
) -> None:
    make_simulated(folder)
    login = simulated_login(folder)
    assert len(login.password) >= 20
    for secret in ("password", "server.key"):
        assert (folder.run / secret).stat().st_mode & 0o077 == 0
    make_simulated(folder)
    assert simulated_login(folder) == login
    other = RunFolder(tmp_path / "other")
    other.make()
    make_simulated(other)
    assert handshake(server_context(folder), client_context(folder, simulated=True)) is None
    refused = handshake(server_context(other), client_context(folder, simulated=True))
    assert isinstance(refused, ssl.SSLCertVerificationError)
    with pytest.raises(ConfigError, match="cannot be used"):
        client_context(folder, simulated=False, tls_ca=str(tmp_path / "absent.pem"))


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> Exception | None:
    """What a client that connects over loopback runs into."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    server.wrap_socket(connection, server_side=True).close()
                except (ssl.SSLError, OSError):
                    return

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with socket.create_connection(listener.getsockname(), 5.0) as plain:
                client.wrap_socket(plain, server_hostname="127.0.0.1").close()
        except ssl.SSLError as error:
            return error
        finally:
            thread.join()
    return None
