"""The server on Ray Serve: the same application behind Ray's proxy."""

from importlib.util import find_spec

import pytest
from served import body_of, client_of, http_of, settings_of

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.ray_serve import check_shared, deploy, shut_down


def test_replicas_that_do_not_share_threads_are_refused():
    with pytest.raises(ConfigurationError, match="2 replicas do not share"):
        check_shared(settings_of(), 2)
    check_shared(settings_of(), 1)
    check_shared(settings_of(threads={"url": "postgresql://anybody@localhost/any"}), 2)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(find_spec("ray") is None, reason="the dependency group `server-tests` is not installed")
def test_ray_serves_the_same_application(shipped_weights):
    listening = deploy(settings_of(), 1)
    try:
        with client_of(listening) as client, http_of(listening) as http:
            question = body_of("What is 3 * 7 + 5?", metadata={"thread_id": "one"})
            answer = client.chat.completions.create(**question)
            assert answer.choices[0].message.content == "Answer: 26"
            assert answer.adaptive_reasoning["route"] == "fast"
            with client.chat.completions.stream(**body_of("What is 3 * 7 + 5?")) as stream:
                assert stream.get_final_completion().choices[0].message.content == "Answer: 26"
            assert http.get("/v1/threads/one").status_code == 200
            assert http.get("/readyz").status_code == 200
            refused = http.post("/v1/chat/completions", json={"model": "adaptive"})
            assert refused.json()["error"]["code"] == "missing_required_parameter"
    finally:
        shut_down()
