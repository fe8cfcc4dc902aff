"""`python -m emobench` is the command `emobench`."""

from .cli import main

if __name__ == "__main__":
    main()
