"""Aider's polyglot benchmark: 225 exercises in six languages, two tries each, judged by tests."""
