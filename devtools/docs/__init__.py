"""The documentation site, its check in a browser, and the picture in the README."""
