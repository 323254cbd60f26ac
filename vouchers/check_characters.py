"""Check characters: the last of a code, by which a slip of the pen is told before anybody looks the code up.

The hybrid system of ISO/IEC 7064, modulo one more than the charset has characters: any one wrong character is
told, and all but very few neighbours that changed places. It needs an even number of characters.
"""


def check_character(charset: str, characters: str) -> str:
    """Return the character of `charset` that makes `characters` of it whole."""
    size = len(charset)
    product = size
    for character in characters:
        total = (product + charset.index(character)) % size or size
        product = 2 * total % (size + 1)
    return charset[(size + 1 - product) % size]


def is_whole(charset: str, characters: str) -> bool:
    """Return whether the last of `characters` is the check character of those before."""
    return len(characters) > 1 and characters[-1] == check_character(charset, characters[:-1])
