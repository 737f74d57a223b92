"""The nano room; see docs for its place in the house."""
