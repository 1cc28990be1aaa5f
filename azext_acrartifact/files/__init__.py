"""Files and folders of the user's: names, reading, writing, packing, unpacking.

Everything that a registry says about a path is hostile; only `RelativeName` reaches the file system.
"""
