"""`python -m lvmc`: the command line."""

from lvmc.cli import main

if __name__ == "__main__":
    main()
