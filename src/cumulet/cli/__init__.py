"""Commands that a person types."""

import sys

EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line. All else is imported here: Ctrl-C is clean from the first moment."""
    try:
        from cumulet.cli.app import app

        app(prog_name="cumulet")
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


__all__ = ["main"]
