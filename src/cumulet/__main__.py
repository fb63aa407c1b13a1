"""`python -m cumulet` is the `cumulet` command."""

from cumulet.cli import main

main()
