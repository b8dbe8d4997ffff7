"""What a batch is to do, and what came of it."""

from dataclasses import dataclass, field
from pathlib import Path

from adaptive_reasoner.checks import check_choice, check_range
from adaptive_reasoner.server.config import ServerSettings, load_settings
from adaptive_reasoner.server.questions import ADAPTIVE, DEEP, FAST, ServedModels
from adaptive_reasoner.server.settings import ModelsSection, PolicySection
from adaptive_reasoner.server.upstream import models_of
from adaptive_reasoner.server.upstream_settings import UpstreamSection

ENGINES = ("local", "ray")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """One batch.

    Attributes:
        source: JSON Lines, `.gz` too.
        out: where the answers go; what is there is gone on with.
        settings: those of the server: models, policy, budgets.
        model: who answers rows that name no model: "adaptive", "fast" or "deep".
        engine: "local" (this process) or "ray".
        workers: rows answered at a time; with Ray, by each of its processes.
        processes: of Ray; None: one a CPU of the cluster.
        tenant: whose budgets are used.
        retries_errors: ask rows again that failed in an earlier run.
        models: instead of those that the settings name.
    """

    source: Path
    out: Path
    settings: ServerSettings = field(default_factory=lambda: load_settings(environment={}))
    model: str = ADAPTIVE
    engine: str = "local"
    workers: int = 16
    processes: int | None = None
    tenant: str | None = None
    retries_errors: bool = False
    models: ServedModels | None = None

    def __post_init__(self) -> None:
        check_choice("model", self.model, (ADAPTIVE, FAST, DEEP))
        check_choice("engine", self.engine, ENGINES)
        check_range("workers", self.workers, 1, 1024)
        if self.processes is not None:
            check_range("processes", self.processes, 1, 1024)

    def served(self) -> ServedModels:
        """The models.

        Raises:
            ConfigurationError: settings that do not go together.
        """
        if self.models is not None:
            return self.models
        section = self.settings.section
        return models_of(section(ModelsSection), section(PolicySection), section(UpstreamSection))


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What came of a batch.

    Attributes:
        rows: of the input.
        answered: rows with an answer, those of earlier runs included.
        failed: rows with an error, those of earlier runs included.
        new: rows that this run did.
        seconds: wall clock of this run.
        tokens: of this run's answers, input and output, as far as the models tell.
    """

    rows: int
    answered: int
    failed: int
    new: int
    seconds: float
    tokens: int
