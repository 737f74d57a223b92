"""llama.cpp on the other end of a pipe: one JSON command a line in, one JSON answer a line out.

Run as a script by whichever Python has llama-cpp-python, which need not be ours: it imports nothing
of ours. It uses llama.cpp's own C interface at its defaults, so that the peer is at its best. The
commands are those of `worker`.
"""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import llama_cpp as llama

_F32 = 0  # ggml's number of the type
_MICRO_BATCH = 512  # llama.cpp's own default


class Peer:
    """One loaded model and one context."""

    def load(
        self, path: str, threads: int, context: int, sequences: int, *, exact: bool
    ) -> dict[str, Any]:
        """Load a GGUF file; `exact` keeps keys and values in float32."""
        started = perf_counter()
        llama.llama_backend_init()
        model_params = llama.llama_model_default_params()
        model_params.n_gpu_layers = 0
        self.model = llama.llama_model_load_from_file(path.encode(), model_params)
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot load {path}; its reasons are above")
        params = llama.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = context
        params.n_ubatch = _MICRO_BATCH
        params.n_seq_max = sequences
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = True  # so that one sequence's prompt can be shared by the others
        if exact:
            params.type_k = params.type_v = _F32
        self.context = llama.llama_init_from_model(self.model, params)
        if not self.context:
            raise RuntimeError("llama.cpp cannot make a context; its reasons are above")
        self.vocab_size = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self.model))
        self.memory_handle = llama.llama_get_memory(self.context)
        self.batch = llama.llama_batch_init(context, 0, sequences)
        self.length = 0  # of the first sequence
        seconds = perf_counter() - started
        return {"seconds": seconds, "name": f"llama-cpp-python {version('llama-cpp-python')}"}

    def prefill(self, tokens: Sequence[int]) -> dict[str, Any]:
        """Time the whole prompt, from nothing to its last logits."""
        llama.llama_memory_clear(self.memory_handle, True)
        self.length = len(tokens)
        return {"seconds": self._run([(token, i, 0) for i, token in enumerate(tokens)])}

    def decode(self, context: int, steps: Sequence[Sequence[int]], seed: int) -> dict[str, Any]:
        """Time each step of one token for every sequence, from `context` tokens on."""
        if not context <= self.length <= context + 2 * len(steps):
            self.prefill([(seed + 7919 * i) % self.vocab_size for i in range(context)])
        for sequence in range(1, len(steps[0])):
            llama.llama_memory_seq_rm(self.memory_handle, sequence, -1, -1)
            llama.llama_memory_seq_cp(self.memory_handle, 0, sequence, -1, -1)
        seconds = []
        for tokens in steps:
            seconds.append(
                self._run([(token, self.length, s) for s, token in enumerate(tokens)], every=True)
            )
            self.length += 1
        return {"seconds": seconds}

    def logits(self, tokens: Sequence[int]) -> dict[str, Any]:
        """The logits after every token of one sequence, as float32."""
        llama.llama_memory_clear(self.memory_handle, True)
        self._run([(token, i, 0) for i, token in enumerate(tokens)], every=True)
        rows = [llama.llama_get_logits_ith(self.context, i) for i in range(len(tokens))]
        return {"logits": [row[: self.vocab_size] for row in rows]}

    def memory(self) -> dict[str, Any]:
        """This process's memory in bytes, as the kernel counts it."""
        fields = dict(
            line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines()
        )
        kilobytes = {name: int(fields[name].split()[0]) for name in ("VmHWM", "RssAnon", "RssFile")}
        return {
            "peak": kilobytes["VmHWM"] * 1024,
            "private": kilobytes["RssAnon"] * 1024,
            "file": kilobytes["RssFile"] * 1024,
        }

    def _run(self, items: Sequence[tuple[int, int, int]], *, every: bool = False) -> float:
        """Run (token, position, sequence) and return the seconds; logits of the last, or of all."""
        batch = self.batch
        batch.n_tokens = len(items)
        for i, (token, position, sequence) in enumerate(items):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = every or i == len(items) - 1
        started = perf_counter()
        status = llama.llama_decode(self.context, batch)
        llama.llama_synchronize(self.context)
        seconds = perf_counter() - started
        if status:
            raise RuntimeError(f"llama_decode gave {status}")
        return seconds


def main() -> None:
    """Answer commands until standard input ends."""
    peer = Peer()
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(peer, command.pop("do"))(**command)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
