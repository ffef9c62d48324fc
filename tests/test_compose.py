"""docker-compose.yml, the Dockerfile and deploy/, checked without a container engine: Compose's own loader, hadolint, house rules.

Unproved here, for want of an engine: that the image builds, and that the services talk to each other.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import msgspec
import pytest
import yaml

from streams.settings import ROLES, Settings, Worker

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
TEXT = COMPOSE.read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
IMAGES = {name: service["image"] for name, service in SERVICES.items() if "build" not in service}
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:[?-])?")


def documented() -> dict[str, str]:
    """Variable -> default of .env.example; each must stand below a comment."""
    found: dict[str, str] = {}
    commented = False
    for line in EXAMPLE.read_text().splitlines():
        if match := re.match(r"([A-Z_]+)=(.*)", line):
            assert commented, f"{match[1]} has no comment above it"
            found[match[1]] = match[2]
        else:
            commented = line.startswith("#")
    return found


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compose's loader, built from tests/composecheck; skipped where there is no Go, or no way to its modules."""
    if not shutil.which("go"):
        pytest.skip("no go here: the compose file is not read by Compose's own loader")
    binary = tmp_path_factory.mktemp("composecheck") / "composecheck"
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -mod=readonly"}
    build = ["go", "build", "-o", str(binary), "."]
    done = subprocess.run(build, cwd=ROOT / "tests" / "composecheck", env=environment, capture_output=True, text=True, timeout=300)
    if re.search(r"dial tcp|no such host|toolchain not available|requires go >=", done.stderr):
        pytest.skip(f"Compose's loader cannot be built here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return binary


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """.env.example with its passwords filled in."""
    path = tmp_path / "filled.env"
    path.write_text(re.sub(r"PASSWORD=$", "PASSWORD=secret", EXAMPLE.read_text(), flags=re.MULTILINE))
    return path


def load(loader: Path, env: Path, compose: Path = COMPOSE) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in documented()}
    return subprocess.run([str(loader), str(env), str(compose)], env=clean, capture_output=True, text=True, timeout=60)


def test_compose_accepts_the_file(loader: Path, filled: Path) -> None:
    done = load(loader, filled)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert {"kafka", "clickhouse", "grafana", "init", "alertmanager", *ROLES} == set(services)
    assert all(port["host_ip"] == "127.0.0.1" for service in services.values() for port in service.get("ports", []))


@pytest.mark.parametrize("missing", [name for name, value in documented().items() if name.endswith("PASSWORD")])
def test_compose_names_the_password_that_is_missing(loader: Path, filled: Path, missing: str) -> None:
    filled.write_text(filled.read_text().replace(f"\n{missing}=secret", f"\n{missing}="))
    done = load(loader, filled)
    assert done.returncode == 2 and f"required variable {missing} is missing" in done.stderr and ".env.example" in done.stderr


def test_the_loader_refuses_a_mistyped_key(loader: Path, filled: Path, tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(TEXT.replace("retries: 12", "retrys: 12", 1))
    done = load(loader, filled, broken)
    assert done.returncode == 2 and "retrys" in done.stderr


def test_every_variable_is_documented_and_every_documented_one_used() -> None:
    used = {name for name, _ in VARIABLE.findall(TEXT)}
    assert used == set(documented())


def test_secrets_have_no_default() -> None:
    secret = {(name, kind) for name, kind in VARIABLE.findall(TEXT) if name.endswith("PASSWORD")}
    assert secret and {kind for _, kind in secret} == {":?"}
    assert {name: value for name, value in documented().items() if name.endswith("PASSWORD") and value} == {}


def test_defaults_in_the_file_are_those_of_the_example() -> None:
    for name, default in re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", TEXT):
        if default:
            assert documented()[name] == default


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
def test_images_are_pinned_to_a_full_version(image: str) -> None:
    assert re.search(r":v?\d+\.\d+\.\d+(\.\d+)?$", image)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_limited_checked_and_local(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory"}
    assert name == "init" or "healthcheck" in service or name in OURS  # ours: HEALTHCHECK of the image
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
    for needed, how in service.get("depends_on", {}).items():
        checked = "healthcheck" in SERVICES[needed] or needed in OURS
        assert how["condition"] == "service_completed_successfully" or checked


def test_mounted_paths_exist() -> None:
    mounts = [m.split(":")[0] for service in SERVICES.values() for m in service.get("volumes", []) if m.startswith("./")]
    assert mounts and [m for m in mounts if not (ROOT / m).exists()] == []


def test_named_volumes_are_declared_and_used() -> None:
    used = {m.split(":")[0] for service in SERVICES.values() for m in service.get("volumes", []) if not m.startswith("./")}
    assert used == set(yaml.safe_load(TEXT)["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_commands_that_exist(name: str) -> None:
    program = "import sys; from streams.cli import main; sys.exit(main())"
    run = [sys.executable, "-c", program, *OURS[name]["command"], "--help"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", OURS)
def test_our_services_set_variables_that_are_settings(name: str) -> None:
    sections = {
        field.name: {key.name for key in msgspec.structs.fields(field.type)}
        for field in msgspec.structs.fields(Settings)
        if isinstance(field.type, type)  # waivers are a list, and have no variables
    }
    names = [variable for variable in OURS[name]["environment"] if variable.startswith("INTERPLAY_")]
    for variable in names:
        section, key = variable.removeprefix("INTERPLAY_").lower().split("__")
        assert key in sections[section], f"{variable} is no setting"


@pytest.mark.parametrize("role", ROLES)
def test_health_is_asked_where_the_role_listens(role: str) -> None:
    port = Worker().http_port + ROLES.index(role)
    assert OURS[role]["environment"]["HEALTH_PORT"] == port
    assert OURS[role]["ports"] == [f"127.0.0.1::{port}"]
    assert OURS[role]["command"] == ["worker", role]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([str(hadolint), "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hadolint_sees_an_unpinned_base(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN pip install aiohttp\n")
    done = subprocess.run([str(Path(sys.executable).parent / "hadolint"), str(bad)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "DL3006" in done.stdout


def test_the_image_is_pinned_runs_as_nobody_special_and_copies_what_exists() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base) for base in bases)
    user = next(line for line in lines if line.startswith("USER"))
    assert user.split()[1].split(":")[0] not in {"0", "root"}
    copied = [name for line in lines if line.startswith("COPY") and "--from" not in line for name in line.split()[1:-1]]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied and [name for name in copied if not (ROOT / name).exists() or f"!{name}" not in allowed] == []


def test_provisioning_points_at_what_is_mounted() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "clickhouse.yml").read_text())["datasources"][0]
    assert source["jsonData"]["host"] in SERVICES
    assert source["secureJsonData"]["password"].removeprefix("$") in SERVICES["grafana"]["environment"]
    provider = yaml.safe_load((provisioning / "dashboards" / "interplay.yml").read_text())["providers"][0]
    assert f"./dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]


def test_grafana_reads_as_a_user_that_cannot_write() -> None:
    reader = ElementTree.parse(ROOT / "deploy" / "clickhouse" / "reader.xml")
    source = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/clickhouse.yml").read_text())["datasources"][0]
    user = reader.find(f"users/{source['jsonData']['username']}")
    assert user is not None
    profile = reader.find(f"profiles/{user.findtext('profile')}")
    assert profile is not None and profile.findtext("readonly") == "1"
    assert all((grant.text or "").startswith("GRANT SELECT ON ") for grant in user.findall("grants/query"))
    password = user.find("password")
    assert password is not None and password.attrib["from_env"] in SERVICES["clickhouse"]["environment"] and not password.text


def test_every_xml_file_of_deploy_parses() -> None:
    files = sorted((ROOT / "deploy").rglob("*.xml"))
    assert files
    for file in files:
        ElementTree.parse(file)
