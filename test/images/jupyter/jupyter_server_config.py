"""JupyterLab as a workbench: the controller says in the environment where it is reached, the Pod where files live."""

import ipaddress
import os
from urllib.parse import urlsplit

c = get_config()  # noqa: F821

c.ServerApp.ip = "0.0.0.0"
c.ServerApp.port = int(os.environ.get("WORKBENCH_PORT", "8888"))
# Another port than the one that the Service leads to would be no use.
c.ServerApp.port_retries = 0
c.ServerApp.base_url = os.environ.get("JUPYTER_BASE_URL", "/")
c.ServerApp.root_dir = os.environ.get("WORKSPACE_PATH", "/home/project")
c.ServerApp.open_browser = False
# Behind the Ingress, which ends TLS.
c.ServerApp.trust_xheaders = True

# Whoever knows the address can open it: a guard before /project/<id> is to come, and a token would only be in its way.
c.IdentityProvider.token = ""

# Other sites' pages stay out: a WebSocket's Origin must be the host that was asked (the default), and that host the
# public one. An address cannot be listed as a host, so where BASE_URL is one (or is not set) any host may be asked.
public = urlsplit(os.environ.get("WORKBENCH_URL", "")).hostname
try:
    listed = public is not None and not ipaddress.ip_address(public)
except ValueError:
    listed = True
c.ServerApp.allow_remote_access = not listed
c.ServerApp.local_hostnames = ["localhost", public] if listed else ["localhost"]

# A Pod reaches nothing but the cluster: no news, no updates, no catalogue of extensions to install.
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
