# Packed matrices. Matrices, activations and the like are passed as addresses, and trusted.
def supported() -> list[str]: ...
def use(name: str) -> None: ...
def using() -> str: ...
def set_num_threads(num_threads: int) -> None: ...
def num_threads() -> int: ...
def read_bandwidth_bytes(data: int, bytes: int) -> int: ...
def packed_bytes(form: str, rows: int, columns: int) -> int: ...
def pack(form: str, weights: int, is_float32: bool, rows: int, columns: int, out: int) -> None: ...
def pack_mxfp4(blocks: int, scales: int, rows: int, columns: int, out: int) -> None: ...

class Matrix:
    def __init__(self, form: str, data: int, rows: int, columns: int, bias: int) -> None: ...
    def linear(self, x: int, tokens: int, out: int) -> None: ...
    def logits(self, x: int, tokens: int, out: int) -> None: ...
    def embed(self, ids: int, tokens: int, out: int) -> None: ...

class Mixture:
    def __init__(
        self,
        gate_up: int,
        gate_up_bias: int,
        down: int,
        down_bias: int,
        experts: int,
        hidden: int,
        intermediate: int,
        alpha: float,
        limit: float,
    ) -> None: ...
    def call(
        self, x: int, weights: int, chosen: int, tokens: int, per_token: int, out: int
    ) -> None: ...

# Rows of tokens, and pages. netweight.model.kernels.rows checks what it passes.
def rms_norm(
    x: int, tokens: int, hidden: int, scale: int, scale_is_bfloat16: bool, eps: float, out: int, /
) -> None: ...
def rotate(
    x: int, stride: int, tokens: int, heads: int, head_dim: int, cos: int, sin: int, out: int, /
) -> None: ...
def route(
    logits: int,
    is_bfloat16: bool,
    tokens: int,
    experts: int,
    count: int,
    weights: int,
    chosen: int,
    /,
) -> None: ...
def prefer_huge_pages(data: int, bytes: int, /) -> None: ...
def exp2(x: int, size: int, out: int, /) -> None: ...

# Each takes at the end: pages, num_pages, kv_heads, head_dim, table, num_sequences, max_pages,
# positions, starts, tokens.
def store(k: int, k_stride: int, v: int, v_stride: int, /, *place: int) -> None: ...
def paged_attention(
    q: int,
    q_stride: int,
    heads: int,
    sinks: int,
    sinks_are_bfloat16: bool,
    window: int,
    out: int,
    /,
    *place: int,
) -> None: ...
def attend(
    qkv: int,
    cos: int,
    sin: int,
    heads: int,
    sinks: int,
    sinks_are_bfloat16: bool,
    window: int,
    out: int,
    /,
    *place: int,
) -> None: ...

# The choice of a token. netweight.model.kernels.sampling checks what it passes.
def argmax(logits: int, vocab: int, /) -> int: ...
def draw(
    logits: int,
    vocab: int,
    temperature: float,
    min_p: float,
    top_k: int,
    top_p: float,
    point: float,
    /,
) -> int: ...
def log_probabilities(
    logits: int, vocab: int, token_id: int, num_top: int, /
) -> list[tuple[int, float]]: ...
def mask(logits: int, vocab: int, bits: int, num_words: int, out: int, /) -> float: ...
