"""One server on several processes: starting its ranks, and being one of them.

`netweight serve MODEL --tensor-parallel N` has torch.distributed.run (torchrun) start the same
command N times. Rank 0 listens and answers as a server of one process does, the others follow it.
When a rank fails, torchrun ends the others; signals go to rank 0, which ends all in order.
"""

import ctypes
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from netweight.errors import AdapterError, NetweightError, ServerError

if TYPE_CHECKING:
    from netweight.model import DeviceModel, ModelFolder, Transformer
    from netweight.model.parallel import Ranks
    from netweight.server import ChatModel

_POLL_S = 0.1
_SILENT_S = 2.0
_LAUNCHER_VARIABLE = "NETWEIGHT_LAUNCHER"  # the process that has started the ranks
_FIRST_VARIABLE = "NETWEIGHT_RANK_0"  # a file where rank 0 says which process it is
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LOCALHOST = "127.0.0.1"


def check_options(
    *, replicas: int | None, adapters: Sequence[str] | None, dense: str, device: str | None
) -> None:
    """Refuse what several ranks do not do.

    Raises:
        ServerError, AdapterError, NetweightError: naming the option to leave out.
    """
    if device not in (None, "cpu", "cuda"):
        raise NetweightError(
            f"--device is {device}, and with --tensor-parallel N the model runs on GPUs 0 to N - 1 "
            "or on the CPU. Say --device cuda or cpu; CUDA_VISIBLE_DEVICES chooses among GPUs."
        )
    if replicas is not None:
        raise ServerError(
            "--replicas starts several engines, and --tensor-parallel divides one among several "
            "processes; they do not go together. Leave one of them out."
        )
    if adapters:
        raise AdapterError(
            "--adapter does not go together with --tensor-parallel: several ranks run a model as "
            "it is. Merge the adapter into the checkpoint, or leave one of the two out."
        )
    if dense != "bf16":
        raise NetweightError(
            f"--dense {dense} needs the native kernels, and several ranks do not run on these. "
            "Leave --dense or --tensor-parallel out."
        )


def is_rank() -> bool:
    """Whether torchrun has started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def start_ranks(model: str, num_ranks: int, device: str | None) -> None:
    """Run this very command on so many ranks, until all have ended. Passes signals on to rank 0.

    Raises:
        NetweightError: when so many ranks cannot share the model, or have no GPU each.
        ServerError: when a rank was killed; where it ended with an error of its own, which it has
            told, SystemExit.
        KeyboardInterrupt: after Ctrl-C, when the server was not running yet.
    """
    from netweight.model import Checkpoint, find_model
    from netweight.model.sharding import check_ranks

    check_ranks(Checkpoint.open(find_model(model).path).config, num_ranks)
    _check_devices(device, num_ranks)
    with tempfile.TemporaryDirectory(prefix="netweight-ranks-") as folder:
        first = Path(folder, "rank-0")
        os.environ[_LAUNCHER_VARIABLE], os.environ[_FIRST_VARIABLE] = str(os.getpid()), str(first)
        # All ranks are on this machine, and nobody else has to reach them.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        logging.disable()  # torchrun tells of each step; what matters, ranks tell themselves
        launcher = _Launcher(num_ranks, folder)
        signals = _pass_on_signals(launcher, first)
    if signal.SIGTERM in signals:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)  # ended by it, as a server of one process is
    if launcher.failure is None:
        return
    if signals:
        raise KeyboardInterrupt
    raise launcher.failure


def _check_devices(device: str | None, num_ranks: int) -> None:
    from netweight.model import find_device

    if find_device(device).type == "cpu":
        return
    import torch

    found = torch.cuda.device_count()
    if found < num_ranks:
        raise NetweightError(
            f"{num_ranks} ranks need a GPU each, and this machine has {found}. Take fewer ranks, "
            "or --device cpu."
        )


class _Launcher(threading.Thread):
    """Runs torchrun in a thread, so that signals stay with us: it would end all ranks at once.

    Afterwards, `failure` is what to end with; None when all ranks have ended in order.
    """

    def __init__(self, num_ranks: int, folder: str) -> None:
        super().__init__(name="torchrun", daemon=True)
        self.failure: BaseException | None = None
        # With the static rendezvous nothing that comes over a socket is unpickled.
        self._arguments = [
            *("--nnodes=1", f"--nproc-per-node={num_ranks}", "--max-restarts=0"),
            *("--rdzv-backend=static", f"--local-addr={_LOCALHOST}"),
            *(f"--master-addr={_LOCALHOST}", f"--master-port={_free_port()}"),
            *(f"--monitor-interval={_POLL_S}", f"--log-dir={folder}"),
            *("--module", "netweight", *sys.argv[1:]),
        ]

    def run(self) -> None:
        """Start ranks, wait for them, and end the others when one fails."""
        from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
        from torch.distributed.run import parse_args, run

        try:
            run(parse_args(self._arguments))
        except ChildFailedError as error:
            rank, failure = error.get_first_failure()
            if failure.exitcode > 0:
                self.failure = SystemExit(failure.exitcode)
            else:
                self.failure = ServerError(
                    f"rank {rank} was killed ({failure.signal_name()}), and the server has ended "
                    "with it. If memory was short, give it less to do: --memory."
                )
        except Exception as error:  # noqa: BLE001  # raised again in the main thread
            self.failure = error


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_LOCALHOST, 0))
        port: int = free.getsockname()[1]
    return port


def _pass_on_signals(launcher: _Launcher, first: Path) -> list[int]:
    """Run the launcher to its end, and let rank 0 have the signals that come; all of these."""
    signals: list[int] = []

    def keep(number: int, frame: FrameType | None) -> None:
        signals.append(number)

    before = {number: signal.signal(number, keep) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        launcher.start()
        num_sent = 0
        while launcher.is_alive():
            launcher.join(_POLL_S)
            while num_sent < len(signals) and first.exists():
                with suppress(ProcessLookupError):
                    os.kill(int(first.read_text()), signals[num_sent])
                num_sent += 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return signals


def begin_rank(num_ranks: int) -> bool:
    """Prepare this process, which torchrun has started, for being a rank; whether it is rank 0.

    Raises:
        ServerError: when torchrun has started another number of ranks.
    """
    rank, started = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if started != num_ranks:
        raise ServerError(
            f"torchrun has started {started} ranks, and --tensor-parallel is {num_ranks}. Give "
            "the same number to both, or start netweight without torchrun."
        )
    if _LAUNCHER_VARIABLE in os.environ:
        _end_with(int(os.environ[_LAUNCHER_VARIABLE]))
        if rank == 0:
            # From now on a SIGTERM ends the server in order, and the other ranks after it.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            file = Path(os.environ[_FIRST_VARIABLE])
            unfinished = file.with_suffix(".new")
            unfinished.write_text(str(os.getpid()))
            unfinished.rename(file)
    return rank == 0


def _end_with(launcher: int) -> None:
    """Have this process killed when the launcher dies: it would keep its memory for nobody."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:  # it has died meanwhile
        sys.exit(1)


def follow_first(
    model: str, *, device: str | None, threads: int | None, memory: float | None
) -> None:
    """Be a rank other than the first, until rank 0 says stop.

    Raises:
        NetweightError: when the model cannot be loaded, a step fails here alone, or a rank is gone.
    """
    from netweight.model import find_model
    from netweight.model.parallel import follow

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    try:
        ranks = _join(device)
        follow(_load(find_model(model), ranks, threads, memory), ranks)
    except NetweightError:
        # Where rank 0 has ended, torchrun ends this one now, and nothing is left to say.
        time.sleep(_SILENT_S)
        raise


@contextmanager
def leading(
    model: str,
    name: str | None,
    *,
    device: str | None,
    threads: int | None,
    memory: float | None,
    speculate: int,
) -> Iterator["ChatModel"]:
    """The model of all ranks, on rank 0; when the block ends, the other ranks end.

    Raises:
        NetweightError: as `load_chat_model` does.
        ServerError: at the end, when a rank was lost; the server is told to stop when that happens.
    """
    from dataclasses import replace

    from netweight.model import find_model
    from netweight.model.parallel import lead
    from netweight.server import ChatModel, ModelSettings

    folder = find_model(model)
    ranks = _join(device)
    shard = _load(folder, ranks, threads, memory)
    shared = lead(shard, ranks, on_loss=_stop_serving)
    try:
        yield ChatModel.of(
            replace(folder, name=name or folder.name),
            shard,
            ModelSettings(speculate=speculate),
            shared=shared,
        )
    finally:
        shared.close()
    if shared.is_lost:
        raise ServerError("a rank was lost, and the server has ended with it. Start it again.")


def _stop_serving() -> None:
    # In the main thread nothing is served yet, and the error itself ends the process.
    if threading.current_thread() is not threading.main_thread():
        os.kill(os.getpid(), signal.SIGTERM)


def _join(device: str | None) -> "Ranks":
    """Meet the other ranks, each on the GPU of its number where GPUs are used."""
    import torch

    from netweight.model import find_device
    from netweight.model.parallel import Ranks

    is_cuda = find_device(device).type == "cuda"
    return Ranks.join(torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if is_cuda else "cpu"))


def _load(
    folder: "ModelFolder", ranks: "Ranks", threads: int | None, memory: float | None
) -> "Transformer | DeviceModel":
    """This rank's shard. On the CPU, ranks share the cores and what memory they are given."""
    import torch

    from netweight.cli.options import default_threads
    from netweight.model import Checkpoint
    from netweight.model.parallel import load_rank

    num_ranks = ranks.shard.num_ranks
    share = default_threads(Checkpoint.open(folder.path).config) // num_ranks
    torch.set_num_threads(threads or max(1, share))
    memory_bytes = None if memory is None else int(memory * 2**30)
    if memory_bytes is not None and ranks.device.type == "cpu":
        memory_bytes //= num_ranks
    return load_rank(folder.path, ranks, memory_bytes=memory_bytes)
