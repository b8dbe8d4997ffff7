"""Gradients of data-parallel processes are averaged in one exchange."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from torch import distributed  # noqa: E402

from adaptive_reasoner.training.embedded.optimizer import average_gradients  # noqa: E402

pytestmark = pytest.mark.train


def _parameter(gradient):
    parameter = torch.nn.Parameter(torch.zeros_like(torch.tensor(gradient)))
    parameter.grad = torch.tensor(gradient)
    return parameter


def test_two_processes_end_with_the_mean_of_each_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    exchanged = []

    def add_the_other_process(flat):
        exchanged.append(flat.tolist())
        flat += torch.tensor([3.0, 0.0, 5.0, -4.0, 1.0])

    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(distributed, "all_reduce", add_the_other_process)
    matrix, idle, vector = (
        _parameter([[1.0, 2.0], [3.0, 4.0]]),
        torch.nn.Parameter(torch.zeros(2)),
        _parameter([9.0]),
    )
    average_gradients(iter([matrix, idle, vector]))
    assert exchanged == [[1.0, 2.0, 3.0, 4.0, 9.0]]
    assert matrix.grad.tolist() == [[2.0, 1.0], [4.0, 0.0]]
    assert idle.grad is None
    assert vector.grad.tolist() == [5.0]


def test_one_process_keeps_its_gradients() -> None:
    vector = _parameter([9.0])
    average_gradients([vector])
    assert vector.grad.tolist() == [9.0]
