r"""THINKLOGIT inside vLLM: one logits processor for each of its two model runners, over the same core.

    vllm serve TARGET --logits-processors adaptive_reasoner.decoding.vllm.runner_v2:ThinkLogits \
        --additional-config '{"thinklogit": {"expert": "GUIDER", "base": "GUIDER-BASE", "alpha": 1.0}}'

A request chooses for itself by `extra_args`: {"thinklogit_alpha": 0.75}, 0 for none. Nothing is registered as an entry
point, because vLLM would then load it wherever this package is installed.
"""
