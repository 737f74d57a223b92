"""One script per question; every run appends a row to results/<question>.jsonl, never edited."""
