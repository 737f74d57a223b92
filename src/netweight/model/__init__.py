"""The model room; see docs for its place in the house."""
