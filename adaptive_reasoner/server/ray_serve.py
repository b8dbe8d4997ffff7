"""The same application on Ray Serve: so many replicas behind Ray's proxy.

Replicas share nothing but the databases that the settings name; Ray starts one anew where it dies.
"""

import logging
import signal
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from adaptive_reasoner.errors import ConfigurationError, MissingExtraError
from adaptive_reasoner.server.app import create_app
from adaptive_reasoner.server.config import ServerSettings
from adaptive_reasoner.server.limits.settings import LimitsSection
from adaptive_reasoner.server.listening import Listening, check_address, listen, listening_at
from adaptive_reasoner.server.settings import ListenSection, ThreadsSection

NAME = "adaptive_reasoner"
_POSTGRES = ("postgresql://", "postgres://")
# Seconds between two looks at whether a replica is well, and how long such a look may take.
_HEALTH_PERIOD, _HEALTH_TIMEOUT = 5, 30


def run_on_ray(settings: ServerSettings, replicas: int, say: Callable[[Listening], None]) -> None:
    """Serve until the process is told to stop; `say` is told where once the replicas are ready.

    Raises:
        MissingExtraError: Ray Serve is not installed.
        ConfigurationError: a setting cannot be used, or one that several replicas cannot share.
    """
    listening = deploy(settings, replicas)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    say(listening)
    stop.wait()
    shut_down()


def deploy(settings: ServerSettings, replicas: int) -> Listening:
    """Start `replicas` of the application on the cluster that Ray finds, or on this machine.

    Raises:
        MissingExtraError: Ray Serve is not installed.
        ConfigurationError: a setting cannot be used, or one that several replicas cannot share.
    """
    check_shared(settings, replicas)
    check_address(settings)
    create_app(settings)  # what cannot be used is said here, not by a replica
    if find_spec("ray") is None or find_spec("ray.serve") is None:
        raise MissingExtraError('--engine ray needs the extra "ray": pip install "adaptive-reasoner[ray]".')
    from ray import serve as untyped_serve

    serve: Any = untyped_serve
    with listen(settings) as probe:  # is the address free, and which port is it where any will do?
        listening = listening_at(probe, settings)
        port = probe.getsockname()[1]
    _start_ray(replicas)
    host = settings.section(ListenSection).host
    serve.start(http_options={"host": host, "port": port}, logging_config={"log_level": "WARNING"})
    serve.run(_application(settings, replicas, serve), name=NAME, route_prefix="/")
    return listening


def check_shared(settings: ServerSettings, replicas: int) -> None:
    """Several replicas must find the same threads.

    Raises:
        ConfigurationError: threads are kept where one process alone finds them.
    """
    if replicas > 1 and not settings.section(ThreadsSection).resolved_url().startswith(_POSTGRES):
        raise ConfigurationError(
            f"{replicas} replicas do not share threads in memory or SQLite: name a Postgres, --db postgresql://…."
        )


def shut_down() -> None:
    """End the replicas and leave the cluster."""
    import ray as untyped_ray
    from ray import serve as untyped_serve

    serve: Any = untyped_serve
    ray: Any = untyped_ray
    serve.shutdown()
    ray.shutdown()


def _start_ray(replicas: int) -> None:
    import ray as untyped_ray

    ray: Any = untyped_ray
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    if (cores := ray.cluster_resources().get("CPU", 0)) < replicas:
        raise ConfigurationError(f"{replicas} replicas need as many CPUs; Ray's cluster has {cores:g}.")


def _application(settings: ServerSettings, replicas: int, serve: Any) -> Any:
    limits = settings.section(LimitsSection)

    def build() -> Any:
        return create_app(settings)

    deployment = serve.deployment(
        name=NAME,
        num_replicas=replicas,
        # The server's own queue answers 429 where it is full; Ray's must not come before it.
        max_ongoing_requests=limits.max_in_flight + limits.max_waiting,
        graceful_shutdown_timeout_s=limits.drain_seconds,
        health_check_period_s=_HEALTH_PERIOD,
        health_check_timeout_s=_HEALTH_TIMEOUT,
        ray_actor_options={"num_cpus": 1},
    )
    return deployment(serve.ingress(build)(_Replica)).bind()


class _Replica:
    """What Ray wraps the application in."""
