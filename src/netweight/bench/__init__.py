"""How fast a model runs here: against the machine's own limits, and against a peer.

Measures our model and a peer in processes of their own, on the processor or a CUDA device, predicts
memory and speed by arithmetic, and converts checkpoints to GGUF for llama.cpp. Knows no requests
over HTTP and no text.
"""

from netweight.bench.benchmark import Case, Report, Settings, run, settings_for
from netweight.bench.cuda import measure as measure_device
from netweight.bench.gguf import convert
from netweight.bench.limits import Limits, measure, num_cores
from netweight.bench.plan import DENSE
from netweight.bench.process import (
    PEERS,
    PeerName,
    Process,
    TookTooLong,
    check_peer,
    start_ours,
    start_peer,
)

__all__ = [
    "DENSE",
    "PEERS",
    "Case",
    "Limits",
    "PeerName",
    "Process",
    "Report",
    "Settings",
    "TookTooLong",
    "check_peer",
    "convert",
    "measure",
    "measure_device",
    "num_cores",
    "run",
    "settings_for",
    "start_ours",
    "start_peer",
]
