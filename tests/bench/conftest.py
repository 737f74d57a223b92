"""What the model's tests make on disk serves here too."""

from tests.model.conftest import checkpoint_of

__all__ = ["checkpoint_of"]
