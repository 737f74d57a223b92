"""A peer that runs in torch on the other end of a pipe: Hugging Face's transformers, or gpt_oss.

    python torch_peers.py transformers|gpt-oss

One JSON command a line in, one JSON answer a line out; the commands are those of `worker`. Run as a
script by whichever Python has the peer, which need not be ours: it imports nothing of ours.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

Answer = dict[str, Any]


def wait(device: torch.device) -> None:
    """Let the device finish."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """How long some work takes on the device."""
    wait(device)
    started = perf_counter()
    work()
    wait(device)
    return perf_counter() - started


def memory_of(device: torch.device) -> Answer:
    """This process's memory in bytes, as the kernel counts it, and the device's at most."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    names = {"peak": "VmHWM", "private": "RssAnon", "file": "RssFile"}
    found = {ours: int(fields[theirs].split()[0]) * 1024 for ours, theirs in names.items()}
    if device.type == "cuda":
        found["device"] = torch.cuda.max_memory_allocated(device)
    return found


class Transformers:
    """transformers, with experts in bfloat16, as it runs without kernels from a hub."""

    def load(self, path: str, device: str, context: int) -> Answer:
        """Load a checkpoint folder in Hugging Face's layout; `context` is not needed."""
        del context
        peer: Any = import_module("transformers")  # much of it has no types
        peer.logging.disable_progress_bar()
        self.device = torch.device(device)
        started = perf_counter()
        self.model = peer.AutoModelForCausalLM.from_pretrained(
            path,
            dtype=torch.bfloat16,
            attn_implementation="eager",  # the others want kernels from a hub for attention sinks
            quantization_config=peer.Mxfp4Config(dequantize=True),
            device_map={"": self.device},
        ).eval()
        wait(self.device)
        seconds = perf_counter() - started
        return {"seconds": seconds, "name": f"transformers {version('transformers')}, {device}"}

    @torch.inference_mode()
    def prefill(self, tokens: Sequence[int]) -> Answer:
        """Time the whole prompt, from nothing to its last logits."""
        ids = torch.tensor([tokens], device=self.device)
        work = partial(self.model, ids, use_cache=True, logits_to_keep=1)
        return {"seconds": seconds_of(work, self.device)}

    @torch.inference_mode()
    def decode(self, context: int, steps: Sequence[Sequence[int]], seed: int) -> Answer:
        """Time each step of one token for every sequence, from `context` tokens on."""
        vocab_size = self.model.config.vocab_size
        prompt = [(seed + 7919 * i) % vocab_size for i in range(context)]
        ids = torch.tensor([prompt] * len(steps[0]), device=self.device)
        cache = self.model(ids, use_cache=True, logits_to_keep=1).past_key_values
        seconds = []
        for tokens in steps:
            each = torch.tensor(tokens, device=self.device)[:, None]
            work = partial(self.model, each, past_key_values=cache, use_cache=True)
            seconds.append(seconds_of(work, self.device))
        return {"seconds": seconds}

    @torch.inference_mode()
    def logits(self, tokens: Sequence[int], file: str) -> Answer:
        """Save the logits after every token of one sequence, float32 [tokens, vocab], to a file."""
        ids = torch.tensor([tokens], device=self.device)
        torch.save(self.model(ids).logits[0].float().cpu(), file)
        return {"file": file}

    def memory(self) -> Answer:
        """See `memory_of`."""
        return memory_of(self.device)


class GptOss:
    """OpenAI's Triton implementation, one sequence at a time, in the graph that it captures."""

    def load(self, path: str, device: str, context: int) -> Answer:
        """Load a checkpoint folder in the original layout, with room for `context` tokens."""
        peer: Any = import_module("gpt_oss.triton.model")
        self.device = torch.device(device)
        started = perf_counter()
        self.generator = peer.TokenGenerator(path, context, self.device)
        wait(self.device)
        seconds = perf_counter() - started
        return {"seconds": seconds, "name": f"gpt-oss {version('gpt-oss')}, Triton, {device}"}

    @torch.inference_mode()
    def prefill(self, tokens: Sequence[int]) -> Answer:
        """Time the whole prompt, from nothing to its last logits."""
        self._reset()
        ids = torch.tensor([tokens], dtype=torch.int32, device=self.device)
        work = partial(self.generator.model, ids, self.generator.caches)
        return {"seconds": seconds_of(work, self.device)}

    @torch.inference_mode()
    def decode(self, context: int, steps: Sequence[Sequence[int]], seed: int) -> Answer:
        """Time each step of one token, from `context` tokens on."""
        if len(steps[0]) != 1:
            raise ValueError("gpt_oss decodes one sequence at a time")
        vocab_size = self.generator.model.config.vocab_size
        self.prefill([(seed + 7919 * i) % vocab_size for i in range(context)])
        seconds = []
        for [token] in steps:
            self.generator.input_token[0] = token
            seconds.append(seconds_of(self.generator.graph.replay, self.device))
        return {"seconds": seconds}

    def memory(self) -> Answer:
        """See `memory_of`."""
        return memory_of(self.device)

    def _reset(self) -> None:
        for cache in self.generator.caches:
            cache.reset()


PEERS = {"transformers": Transformers, "gpt-oss": GptOss}


def main() -> None:
    """Answer commands until standard input ends."""
    peer = PEERS[sys.argv[1]]()
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(peer, command.pop("do"))(**command)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
