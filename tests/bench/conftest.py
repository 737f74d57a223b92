"""What the model's tests make on disk serves here too."""

from tests.model.conftest import checkpoint_of, load

__all__ = ["checkpoint_of", "load"]
