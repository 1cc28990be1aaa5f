"""nginx as the two hosts of an Azure Container Registry: the login server and Azure Storage.

Each host is one process with its own configuration and log in the scratch folder, never the machine's own nginx.
Both speak HTTP/1.1 only, as Azure's do (https://github.com/oras-project/oras/issues/1382,
https://github.com/Azure/azure-sdk-for-net/issues/42828).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.accesslog import AccessLog
from bench.certificates import Certificates
from bench.server import Server

PROGRAM = "nginx"

_COMMON = """\
daemon off;
master_process off;
pid pid;
error_log stderr warn;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  log_format traffic escape=json
    '{{"connection":"$connection","method":"$request_method","uri":"$uri","status":"$status",'
    '"sent":"$body_bytes_sent","received":"$request_length"}}';
  access_log access.json traffic;
  client_body_temp_path temporary;
  proxy_temp_path temporary;
  fastcgi_temp_path temporary;
  uwsgi_temp_path temporary;
  scgi_temp_path temporary;
  ssl_certificate {certificates.server};
  ssl_certificate_key {certificates.key};
  ssl_protocols TLSv1.2 TLSv1.3;
  keepalive_requests 1000000;
  default_type application/octet-stream;
{host}
}}
"""

_LOGIN_SERVER = """\
  upstream distribution {{
    server unix:{socket};
    keepalive 64;
  }}
  server {{
    listen {address} ssl;
    client_max_body_size 0;
    client_body_buffer_size 128k;
    proxy_request_buffering off;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Proto https;
    location / {{ proxy_pass http://distribution; }}
    location ~ "^/v2/.+/blobs/sha256:(?<start>[0-9a-f]{{2}})(?<rest>[0-9a-f]{{62}})$" {{
      error_page 418 =307 @redirect;
      if ($request_method = GET) {{ return 418; }}
      proxy_pass http://distribution;
    }}
    # `return 307` would send a body of nginx's own, without a link.
    location @redirect {{
      set $link "https://{storage}/docker/registry/v2/blobs/sha256/$start/$start$rest/data?sp=r&sv=2016-05-31&sig=x";
      default_type "text/html; charset=utf-8";
      add_header Location $link always;
      add_header Docker-Content-Digest "sha256:$start$rest" always;
      return 200 '<a href="$link">Temporary Redirect</a>.\\n\\n';
    }}
  }}"""

_STORAGE = """\
  server {{
    listen {address} ssl;
    root {data};
    output_buffers 2 256k;
    # Azure Storage refuses a request with both a signed URL and another authentication.
    if ($http_authorization) {{ return 400; }}
  }}"""


class Nginx:
    """A running nginx with its *log*; `stop` ends it."""

    def __init__(self, server: Server, log: AccessLog) -> None:
        self.log = log
        self.pid = server.pid
        self.stop = server.stop

    @classmethod
    def start(
        cls, folder: Path, host: str, certificates: Certificates, variables: Mapping[str, str], prefix: Sequence[str]
    ) -> Nginx:
        """Start nginx in the new *folder* with the configuration of *host*; *prefix* goes before the command.

        Raises `CommandFailed`.
        """
        (folder / "temporary").mkdir(parents=True)
        config = folder / "nginx.conf"
        config.write_text(_COMMON.format(certificates=certificates, host=host))
        argv = [*prefix, PROGRAM, "-p", str(folder), "-e", "stderr", "-c", str(config)]
        # It writes its process id once it listens.
        server = Server.start(argv, variables, folder / "output.txt", (folder / "pid").exists)
        return cls(server, AccessLog(folder / "access.json"))


def login_server(address: str, socket: Path, storage: str) -> str:
    """Return the configuration of the login server before the registry on *socket*; blobs are at *storage*."""
    return _LOGIN_SERVER.format(address=address, socket=socket, storage=storage)


def storage(address: str, data: Path) -> str:
    """Return the configuration of the storage host, which serves the files of *data*."""
    return _STORAGE.format(address=address, data=data)
