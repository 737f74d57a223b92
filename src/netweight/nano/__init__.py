"""The embedded model: weights, tokenizer and card as package data. Made by recipes/nano."""

from pathlib import Path

FOLDER = Path(__file__).parent / "checkpoint"
INSTRUMENTS = Path(__file__).parent / "instruments"  # adapters of it with planted defects, by name
