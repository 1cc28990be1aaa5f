"""`dev.py live`: run the live tests on a registry in Azure, record its responses, compare them with the emulator."""
