"""`dev.py windows`: run the extension on Windows' own CPython, under Wine."""
