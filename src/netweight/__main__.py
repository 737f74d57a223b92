"""`python -m netweight` is the `netweight` command."""

from netweight.cli import main

main()
