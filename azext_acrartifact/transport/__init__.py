"""HTTP: connections, timeouts, redirects, retries, limits and redaction.

Only this package knows how a request is sent. Of registries it knows no more than the format of their error responses.
"""
