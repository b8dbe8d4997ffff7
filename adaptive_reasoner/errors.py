"""The exception tree: one root, a stable code each, a message that says what to do.

AdaptiveReasonerError
├── ConfigurationError          a setting or an argument is wrong
│   ├── MissingExtraError       an optional dependency is not installed
│   └── ProfileError            a gate profile cannot be read or does not fit
├── InvalidInputError           a question or a file that cannot be used
│   ├── ContextWindowExceededError
│   └── UnknownTenantError      a call names nobody, or somebody unknown, where a budget needs a tenant
├── ModelError                  a model call did not give a usable answer
│   ├── ModelTimeoutError
│   ├── ModelRateLimitError     its provider takes no more calls for now
│   ├── EmptyAnswerError
│   └── RefusalError
├── LogprobsError               log probabilities that cannot be used
│   └── LogprobsUnavailableError
├── BudgetExhaustedError        the next call would overspend
├── LedgerError                 the ledger of what was spent cannot be read or written
├── RecordError                 a run could not be recorded
├── TraceStoreError             the store of recorded runs cannot be opened, read or written
└── CalibrationError            the data cannot keep the promise that was asked for
"""

from typing import ClassVar


class AdaptiveReasonerError(Exception):
    """Root of every error that this package raises on purpose.

    Attributes:
        code: stable snake_case identifier, safe to match on and to log.
    """

    code: ClassVar[str] = "adaptive_reasoner_error"


class ConfigurationError(AdaptiveReasonerError, ValueError):
    """A setting or an argument is wrong; the message names it and its allowed values."""

    code = "invalid_configuration"


class MissingExtraError(ConfigurationError, ImportError):
    """An optional dependency is not installed; the message names the extra."""

    code = "missing_extra"


class ProfileError(ConfigurationError):
    """A gate profile cannot be read, or was made for something else."""

    code = "invalid_profile"


class InvalidInputError(AdaptiveReasonerError, ValueError):
    """A question or a file cannot be used as it is."""

    code = "invalid_input"


class ContextWindowExceededError(InvalidInputError):
    """The conversation is longer than the model can read."""

    code = "context_window_exceeded"


class UnknownTenantError(InvalidInputError):
    """A call names no tenant, or one that is not known, where budgets are kept for tenants."""

    code = "unknown_tenant"


class ModelError(AdaptiveReasonerError):
    """A model call gave no usable answer: it raised, or the endpoint cannot be reached."""

    code = "model_failed"


class ModelTimeoutError(ModelError, TimeoutError):
    """A model call took longer than `ReasonerConfig.model_timeout_seconds`."""

    code = "model_timeout"


class ModelRateLimitError(ModelError):
    """A model's provider takes no more calls for now, after the retries of its client."""

    code = "model_rate_limited"


class EmptyAnswerError(ModelError):
    """A model returned neither text nor a tool call."""

    code = "empty_answer"


class RefusalError(ModelError):
    """A model declined to answer."""

    code = "refusal"


class LogprobsError(AdaptiveReasonerError, ValueError):
    """Log probabilities are malformed or do not belong to the text."""

    code = "invalid_logprobs"


class LogprobsUnavailableError(LogprobsError):
    """No log probabilities arrived where they are needed."""

    code = "logprobs_unavailable"


class BudgetExhaustedError(AdaptiveReasonerError):
    """The next model call could spend more than a budget allows."""

    code = "budget_exhausted"


class RecordError(AdaptiveReasonerError):
    """A run could not be recorded; its answer still reaches the user."""

    code = "record_failed"


class TraceStoreError(AdaptiveReasonerError):
    """The store of recorded runs cannot be opened, read or written."""

    code = "trace_store_unavailable"


class LedgerError(AdaptiveReasonerError):
    """The ledger of what was spent cannot be read or written; without it no call is made."""

    code = "ledger_unavailable"


class CalibrationError(AdaptiveReasonerError, ValueError):
    """The examples cannot support the target that was asked for."""

    code = "calibration_failed"
