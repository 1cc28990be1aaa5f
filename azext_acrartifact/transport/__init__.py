"""The one HTTP seam: connections, redirects, retries, bounds and redaction.

Nothing above this package knows what carries a request. It knows nothing of registries beyond the shape
of their error answers.
"""
