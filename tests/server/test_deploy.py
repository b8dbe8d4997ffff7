"""What ships to run the server elsewhere: it parses, names settings that exist, and gives no more rights than needed.

Docker and Kubernetes are not on the machines that run these tests; the files are read, not run.
"""

import re
import tomllib

import pytest
from served import settings_of

from adaptive_reasoner.server.config import PREFIX, load_settings
from adaptive_reasoner.server.limits.settings import LimitsSection
from adaptive_reasoner.server.listening import check_address

yaml = pytest.importorskip("yaml")


@pytest.fixture
def deploy(repository):
    return repository / "deploy"


@pytest.fixture
def manifests(deploy):
    return {
        one["kind"]: one for one in yaml.safe_load_all((deploy / "kubernetes" / "server.yaml").read_text())
    }


def test_the_manifests_settings_are_in_order_and_ask_for_keys(manifests, tmp_path, monkeypatch):
    file = tmp_path / "server.toml"
    file.write_text(manifests["ConfigMap"]["data"]["server.toml"])
    assert tomllib.loads(file.read_text())
    check_address(load_settings(file, environment={}))


def test_a_pod_has_time_to_drain_and_no_rights(manifests, tmp_path):
    file = tmp_path / "server.toml"
    file.write_text(manifests["ConfigMap"]["data"]["server.toml"])
    limits = load_settings(file, environment={}).section(LimitsSection)
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    # uvicorn waits for up to 30 seconds more
    assert pod["terminationGracePeriodSeconds"] > limits.drain_notice_seconds + limits.drain_seconds + 30
    assert pod["securityContext"]["runAsNonRoot"] is True
    container = pod["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_every_variable_of_the_image_and_of_compose_is_a_setting(deploy):
    dockerfile, compose = (deploy / "Dockerfile").read_text(), (deploy / "compose.yaml").read_text()
    server = yaml.safe_load(compose)["services"]["server"]
    named = dict(re.findall(rf"({PREFIX}\w+)=(\S+)", dockerfile)) | server["environment"]
    environment = {name: value for name, value in named.items() if name != f"{PREFIX}LEDGER"}
    check_address(load_settings(environment=environment))
    assert re.search(r"^USER 10001$", dockerfile, re.MULTILINE)
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert settings_of()


def test_every_alert_names_an_entry_of_the_runbook(deploy, repository):
    headings = re.findall(r"^## (.*)$", (repository / "docs" / "runbook.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    rules = yaml.safe_load((deploy / "prometheus-alerts.yaml").read_text())["groups"][0]["rules"]
    for rule in rules:
        assert rule["annotations"]["runbook"].partition("#")[2] in anchors


def test_the_threat_models_tests_exist(repository):
    page = (repository / "docs" / "threat-model.md").read_text()
    named = re.findall(r"`(tests/server/\w+\.py)::(\w+)`", page)
    assert len(named) >= 12
    for file, test in named:
        assert f"def {test}(" in (repository / file).read_text(), (file, test)
