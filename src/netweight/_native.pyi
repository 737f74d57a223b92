from numpy import float32, uint8, uint16
from numpy.typing import NDArray

def mxfp4_to_float32(
    blocks: NDArray[uint8], scales: NDArray[uint8], out: NDArray[float32]
) -> None: ...
def mxfp4_to_bfloat16(
    blocks: NDArray[uint8], scales: NDArray[uint8], out: NDArray[uint16]
) -> None: ...
