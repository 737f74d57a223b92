"""Triton's interpreter, by which the kernels run without a GPU: mended where it needs it."""

from triton import knobs

__all__ = ["mend"]


def mend() -> None:
    """Let loops of the interpreter end where a kernel's numbers say; does nothing on a GPU.

    Triton 3.6 takes int() of an array that holds one number for a loop's end, which NumPy 2.4
    refuses.
    """
    if not knobs.runtime.interpret:
        return
    from triton.runtime import interpreter

    patch = interpreter._patch_lang_tensor
    if getattr(patch, "is_mended", False):
        return

    def mended(tensor, scope):
        patch(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: self.handle.data.item())

    mended.is_mended = True  # type: ignore[attr-defined]  # a note for the next call
    interpreter._patch_lang_tensor = mended
