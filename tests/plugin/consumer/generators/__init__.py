"""What makes the clinic's letters: another name that mocksandbox has too."""


def letter(name: str) -> str:
    return f"Dear {name}"
