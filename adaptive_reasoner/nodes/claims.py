"""Who may call `downstream` for a turn: whoever holds its claim, and a claim is taken only once."""

import threading
import uuid


class Claims:
    """The claims that this process made and did not take yet.

    The state keeps a turn's claim, this object keeps the right to act on it. A process that was killed leaves it
    unknown whether downstream ran; another process that resumes the thread finds the claim in the state but not
    here, and does not run it again.
    """

    def __init__(self) -> None:
        self._open: set[str] = set()
        self._lock = threading.Lock()

    def new(self) -> str:
        """Make a claim."""
        claim = uuid.uuid4().hex
        self.give_back(claim)
        return claim

    def take(self, claim: str | None) -> bool:
        """True for the first who takes a claim of this process."""
        with self._lock:
            is_open = claim in self._open
            self._open.discard(claim or "")
            return is_open

    def give_back(self, claim: str) -> None:
        """Open a claim, again where downstream paused for a person and is to be run anew after the answer."""
        with self._lock:
            self._open.add(claim)
