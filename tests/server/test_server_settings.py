"""Settings: file, environment and command line, each mistake one clear line."""

import socket
import subprocess
import sys

import pytest
from served import settings_of

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.app import create_app
from adaptive_reasoner.server.config import load_settings, sections
from adaptive_reasoner.server.listening import check_address, listen
from adaptive_reasoner.server.settings import ListenSection, ModelsSection, PolicySection, ThreadsSection
from adaptive_reasoner.server.upstream import models_of


def _file(tmp_path, text):
    file = tmp_path / "server.toml"
    file.write_text(text)
    return file


def test_the_environment_goes_over_the_file_and_the_command_line_over_both(tmp_path):
    file = _file(tmp_path, '[server]\nhost = "::1"\nport = 1\n[models]\nfast = "openai:a"\n')
    environment = {"ADAPTIVE_REASONER_SERVER_PORT": "2", "ADAPTIVE_REASONER_FAST": "openai:b"}
    settings = load_settings(file, environment=environment, given={"models": {"fast": "openai:c"}})
    assert settings.section(ListenSection) == ListenSection(host="::1", port=2)
    assert settings.section(ModelsSection).fast == "openai:c"


def test_lists_and_tables_stand_in_the_environment_as_json():
    environment = {
        "ADAPTIVE_REASONER_POLICY_BUDGETS": '[{"max_tokens": 500, "per": "day"}]',
        "ADAPTIVE_REASONER_MODELS_ALIASES": '{"gpt-4o": "adaptive"}',
        "ADAPTIVE_REASONER_POLICY_ACCEPT_UNKNOWN": "true",
    }
    settings = load_settings(environment=environment)
    config = settings.section(PolicySection).config()
    assert (config.budgets[0].max_tokens, config.budgets[0].per, config.accept_unknown) == (500, "day", True)
    assert settings.section(ModelsSection).aliases == {"gpt-4o": "adaptive"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sever]\n", r"no section \[sever\]; did you mean 'server'"),
        ("server = 1\n", "must be a section"),
        ("[server\n", "no TOML"),
        ("[server]\nprot = 1\n", "no setting server.prot; did you mean 'port'"),
        ("[server]\nport = 70000\n", "server.port is 70000"),
        ('[threads]\nurl = "redis://x"\n', "threads.url is 'redis://x'"),
        ('[models.aliases]\na = "b"\n', "models.aliases.a is 'b'"),
        ('[policy]\nreview = "always"\n', "policy.review is 'always'"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, said):
    with pytest.raises(ConfigurationError, match=said):
        load_settings(_file(tmp_path, text), environment={})


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "nothing.toml", environment={})


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("ADAPTIVE_REASONER_SERVER_PROT", "1", "did you mean 'port'"),
        ("ADAPTIVE_REASONER_MODELS_ALIASES", "{", "is no JSON"),
        ("ADAPTIVE_REASONER_SERVER_PORT", "many", "server.port is 'many'"),
    ],
)
def test_a_mistake_in_the_environment_is_named(variable, text, said):
    with pytest.raises(ConfigurationError, match=said):
        load_settings(environment={variable: text})


def test_what_the_loop_refuses_is_said_before_the_server_starts():
    with pytest.raises(ConfigurationError, match="max_refinements"):
        create_app(settings_of(policy={"max_refinements": 99}))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org"])
def test_without_keys_only_this_machine_may_ask(host):
    with pytest.raises(ConfigurationError, match="Without keys"):
        check_address(settings_of(server={"host": host}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_has_several_names(host):
    check_address(settings_of(server={"host": host}))


def test_a_port_that_is_taken_is_named():
    with listen(settings_of(server={"port": 0})) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"listen at 127.0.0.1:{port}"):
            listen(settings_of(server={"port": port}))


def test_the_key_of_one_host_is_not_sent_to_another(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    section = ModelsSection(fast="small", deep="large", base_url="http://127.0.0.1:1/v1")
    served = models_of(section, PolicySection())
    keys = {model.openai_api_key.get_secret_value() for model in (served.fast, served.deep)}
    assert keys == {"not-needed"}


def test_a_key_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    section = ModelsSection(fast="small", base_url="http://127.0.0.1:1/v1", api_key_env="MY_KEY")
    with pytest.raises(ConfigurationError, match="MY_KEY is not set"):
        models_of(section, PolicySection())


def test_an_address_that_is_none_is_named():
    with pytest.raises(ConfigurationError, match=r"models\.base_url"):
        models_of(ModelsSection(fast="small", base_url="ftp://x"), PolicySection())


def test_the_threads_url_may_stand_in_the_environment(monkeypatch):
    section = ThreadsSection(url_env="THREADS_URL")
    with pytest.raises(ConfigurationError, match="THREADS_URL, which is not set"):
        section.resolved_url()
    monkeypatch.setenv("THREADS_URL", "postgresql://user:secret@db/threads")
    assert section.resolved_url() == "postgresql://user:secret@db/threads"


def test_every_section_has_a_table_of_its_own():
    tables = [kind.table for kind in sections()]
    assert len(tables) == len(set(tables))


def _serve(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "adaptive_reasoner", "serve", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_serve_checks_its_settings_and_ends():
    done = _serve("--check", "--json", "--port", "0")
    assert (done.returncode, done.stdout.strip()) == (0, '{"settings": "ok"}')


def test_serve_refuses_an_open_address_without_keys():
    done = _serve("--host", "0.0.0.0")
    assert done.returncode == 2
    assert done.stderr.startswith("adaptive-reasoner: Without keys")
    assert done.stderr.count("\n") == 1


def test_serve_names_a_store_that_cannot_be_opened(tmp_path):
    done = _serve("--port", "0", "--db", f"sqlite:///{tmp_path}/no/threads.sqlite")
    assert done.returncode == 2
    assert "cannot be used" in done.stderr


def test_answers_are_not_held_back_for_forty_milliseconds():
    with listen(settings_of()) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP  # asyncio looks at it before it sets TCP_NODELAY
