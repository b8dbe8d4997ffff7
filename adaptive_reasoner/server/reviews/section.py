"""What a client gets while a person decides."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from adaptive_reasoner.server.config import Section


class ReviewsSection(Section):
    """Answers that wait for a person; `policy.review = "low_confidence"` switches them on.

    Attributes:
        client: what the client gets: "pending", an answer with status 202 that names the review; "hand_off", a message
            that a person takes over, with status 200; "wait", the person's decision, or "pending" where it takes too
            long.
        wait_seconds: how long "wait" waits.
        pending_text: what a pending answer says.
        hand_off_text: what a hand-off says.
    """

    table: ClassVar[str] = "reviews"

    client: Literal["pending", "hand_off", "wait"] = "pending"
    wait_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    pending_text: str = "This answer was not sure enough. A person is looking at it."
    hand_off_text: str = "I am not sure enough to answer this. A person takes over and will get back to you."
