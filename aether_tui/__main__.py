"""`python -m aether_tui`, as the console starts its child commands."""

from aether_tui.cli import main

if __name__ == "__main__":
    main()
