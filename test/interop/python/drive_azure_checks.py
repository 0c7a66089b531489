"""What the scripts that drive the sandbox's Azure share: settings, clients behind its proxy, its clock, named checks.

Everything goes through the CONNECT proxy to the real host names. TLS is verified against the sandbox's CA by the way in
which users of requests set one, and the SDK goes on verifying that a challenge names the host's own domain.
"""

import json
import logging
import os
import sys
import tempfile
import traceback

settings = json.loads(sys.stdin.readline())

_ca = tempfile.NamedTemporaryFile("w", suffix=".pem")
_ca.write(settings["ca"])
_ca.flush()
CA = _ca.name

for _name in ("ALL_PROXY", "NO_PROXY", "HTTP_PROXY", "CURL_CA_BUNDLE", "AZURE_AUTHORITY_HOST"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.lower(), None)
for _name in [name for name in os.environ if name.upper().startswith(("AZURE_", "IDENTITY_", "MSI_"))]:
    del os.environ[_name]
os.environ.update({"HTTPS_PROXY": settings["proxy"], "https_proxy": settings["proxy"], "REQUESTS_CA_BUNDLE": CA})

from azure.core.exceptions import AzureError, HttpResponseError  # noqa: E402
from azure.identity import ClientSecretCredential  # noqa: E402
from azure.keyvault.keys import KeyClient  # noqa: E402
from azure.mgmt.keyvault import KeyVaultManagementClient  # noqa: E402
from azure.mgmt.media import AzureMediaServices  # noqa: E402

# The SDKs log every refusal; those are asked for here.
logging.getLogger("azure").setLevel(logging.CRITICAL)

SUBSCRIPTION = settings["subscription"]
GROUP = "media"
_checks = set()
_failed = []
_scenario = ""


def ask(what, **more):
    """Asks the test for something that only it can do: move the clock, change a right."""
    print("?" + json.dumps({"what": what, **more}), flush=True)
    return json.loads(sys.stdin.readline())


def pass_time(seconds):
    """Moves the sandbox's clock on."""
    ask("time", ms=seconds * 1000)


def credential(who, **options):
    about = settings[who]
    return ClientSecretCredential(
        about["tenant"], about["clientId"], about["clientSecret"], **{"retry_total": 0, **options}
    )


credentials = {who: credential(who) for who in ("owner", "monitor", "stranger", "user")}


def keys_of(vault, who="owner", **options):
    return KeyClient(vault, options.pop("credential", credentials[who]), **{"retry_total": 0, **options})


def vaults_as(who="owner"):
    """ARM's client. It polls often: a poll costs nothing here, and what operations take is the sandbox's time."""
    return KeyVaultManagementClient(credentials[who], SUBSCRIPTION, retry_total=0, polling_interval=0.02)


def media_as(who="owner"):
    return AzureMediaServices(credentials[who], SUBSCRIPTION, retry_total=0, polling_interval=0.02)


def check(name, actual, expected=True):
    """Counts one check; what fails is told at once, and the script goes on."""
    name = f"{_scenario}: {name}"
    if name in _checks:
        raise AssertionError(f"two checks are called {name!r}")
    _checks.add(name)
    if actual != expected:
        fail(name, f"expected {expected!r}, got {actual!r}")


def fail(name, why):
    _failed.append(name)
    print(f"FAILED {name}: {why}", flush=True)


def refused(name, call, *arguments, kind, status=None, code=None, inner=None, text="", **more):
    """One check: the call raises exactly this exception, with Azure's codes in it and `text` in its message."""
    try:
        call(*arguments, **more)
    except AzureError as error:
        said = error.error if isinstance(error, HttpResponseError) else None
        innererror = getattr(said, "innererror", None) or {}
        actual = (
            type(error).__name__,
            getattr(error, "status_code", None),
            getattr(said, "code", None),
            innererror.get("code"),
            text if text in str(error) else str(error),
        )
        check(name, actual, (kind.__name__, status, code, inner, text))
        return
    check(name, "no exception", kind.__name__)


def scenario(run):
    """Runs a part of the script; an exception fails it, not what comes after it."""
    global _scenario
    _scenario = f"{run.__module__.removeprefix('drive_azure_')}/{run.__name__}"
    try:
        run()
    except Exception:  # noqa: BLE001
        fail(_scenario, traceback.format_exc())


def report():
    return json.dumps({"checks": len(_checks), "failed": _failed})
