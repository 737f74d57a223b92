"""How fast a model runs here: against the machine's own limits, and against a peer.

Measures our model and llama.cpp in processes of their own, predicts memory and speed by arithmetic,
and converts checkpoints to GGUF for the peer. Knows no requests over HTTP and no text.
"""

from netweight.bench.benchmark import Case, Report, Settings, run, settings_for
from netweight.bench.gguf import convert
from netweight.bench.limits import Limits, measure, num_cores
from netweight.bench.plan import DENSE
from netweight.bench.process import Process, check_peer, start_ours, start_peer

__all__ = [
    "DENSE",
    "Case",
    "Limits",
    "Process",
    "Report",
    "Settings",
    "check_peer",
    "convert",
    "measure",
    "num_cores",
    "run",
    "settings_for",
    "start_ours",
    "start_peer",
]
