"""`python -m mocksandbox`: the same as the command `mocksandbox`."""

from mocksandbox.cli import main

if __name__ == "__main__":
    main()
