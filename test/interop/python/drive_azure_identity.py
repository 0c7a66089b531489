"""Who may speak to the sandbox's Azure, and what makes a client refuse to speak to it."""

import os
import tempfile
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import certifi
import requests
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import (
    AzureAuthorityHosts,
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from drive_azure_checks import CA, ask, check, credential, credentials, keys_of, refused, scenario, settings, vaults_as

VAULT_SCOPE = "https://vault.azure.net/.default"
ARM_SCOPE = "https://management.azure.com/.default"
TENANT = settings["tenant"]
VAULT = settings["vault"]


def self_signed():
    """A private key with a certificate for it, and the certificate alone, both PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keyvigil")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    pkcs8 = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pkcs8 + certificate, certificate


def secrets():
    token = credentials["monitor"].get_token(ARM_SCOPE)
    check("a secret gives a token", token.token.count("."), 2)
    hour = abs(token.expires_on - datetime.now(timezone.utc).timestamp() - settings["tokenLifetimeS"])
    check("a token says how long it is valid", hour < 60)
    client = settings["monitor"]["clientId"]
    wrong = ClientSecretCredential(TENANT, client, "wrong~secret")
    told = {"kind": ClientAuthenticationError}
    for scope in (ARM_SCOPE, VAULT_SCOPE):
        refused(f"a wrong secret for {scope}", wrong.get_token, scope, text="AADSTS7000215", **told)
    refused(
        "a wrong secret, seen by a vault's client",
        keys_of(VAULT, credential=wrong).get_key,
        "x",
        text="AADSTS7000215",
        **told,
    )
    nobody = ClientSecretCredential(TENANT, "00000000-0000-4000-8000-000000000000", "x")
    refused("an unknown application", nobody.get_token, ARM_SCOPE, text="AADSTS700016", **told)
    resource = "https://graph.example.net/.default"
    refused("an unknown resource", credentials["monitor"].get_token, resource, text="AADSTS500011", **told)
    nowhere = ClientSecretCredential("99999999-0000-4000-8000-000000000000", client, "x")
    refused("an unknown tenant", nowhere.get_token, ARM_SCOPE, text="Unable to get authority configuration", **told)


def certificates():
    identity, certificate = self_signed()
    signed = CertificateCredential(TENANT, settings["monitor"]["clientId"], certificate_data=identity)
    refused(
        "a certificate that is not registered",
        signed.get_token,
        ARM_SCOPE,
        kind=ClientAuthenticationError,
        text="AADSTS700027",
    )
    ask("trust", pem=certificate.decode())
    check("a registered certificate gives a token", signed.get_token(ARM_SCOPE).token.count("."), 2)
    names = [vault.name for vault in vaults_as("monitor").vaults.list_by_subscription()]
    by_certificate = keys_of(VAULT, credential=signed)
    check("a certificate opens a vault", [key.name for key in by_certificate.list_properties_of_keys()], [])
    check("the vault is one of those that ARM shows", urlsplit(VAULT).hostname.split(".")[0] in names)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(identity)
        file.flush()
        from_file = CertificateCredential(TENANT, settings["monitor"]["clientId"], certificate_path=file.name)
        check("a certificate out of a file", from_file.get_token(VAULT_SCOPE).token.count("."), 2)


def machines():
    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = settings["identity"]
    try:
        machine = ManagedIdentityCredential()
        check(
            "a managed identity opens a vault", list(keys_of(VAULT, credential=machine).list_properties_of_keys()), []
        )
    finally:
        del os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
    about = settings["monitor"]
    variables = {
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": about["clientId"],
        "AZURE_CLIENT_SECRET": about["clientSecret"],
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }
    os.environ.update(variables)
    try:
        default = DefaultAzureCredential()
        check("the default credential takes the environment", default.get_token(ARM_SCOPE).token.count("."), 2)
    finally:
        for name in variables:
            del os.environ[name]


def expired_tokens():
    vaults, keys = vaults_as("monitor"), keys_of(VAULT, "monitor")
    check("before tokens expire", [key.name for key in keys.list_properties_of_keys()], [])
    ask("expireTokens")
    refused(
        "ARM refuses an expired token",
        lambda: list(vaults.vaults.list_by_subscription()),
        kind=ClientAuthenticationError,
        status=401,
        code="ExpiredAuthenticationToken",
    )
    refused(
        "a vault refuses an expired token",
        lambda: list(keys.list_properties_of_keys()),
        kind=ClientAuthenticationError,
        status=401,
        code="Unauthorized",
        text="TokenExpired",
    )
    for who in credentials:
        credentials[who] = credential(who)
    check("a new token helps", list(keys_of(VAULT, "monitor").list_properties_of_keys()), [])


def trust():
    check("certifi knows other authorities", open(certifi.where()).read().find(settings["ca"]), -1)
    told = {"kind": ServiceRequestError, "text": "certificate verify failed"}
    other = keys_of(VAULT, "monitor", connection_verify=certifi.where())
    refused("a client that trusts others refuses a vault", other.get_key, "x", **told)
    alone = credential("monitor", connection_verify=certifi.where())
    refused(
        "a client that trusts others refuses the authority",
        alone.get_token,
        ARM_SCOPE,
        kind=ClientAuthenticationError,
        text="certificate verify failed",
    )
    own = keys_of(VAULT, "monitor", connection_verify=CA)
    check("a client that is given the CA trusts a vault", list(own.list_properties_of_keys()), [])
    _, foreign = self_signed()
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(foreign)
        file.flush()
        strange = keys_of(VAULT, "monitor", connection_verify=file.name)
        refused("a client that trusts another private CA refuses a vault", strange.get_key, "x", **told)
    for host in ("login.microsoftonline.com", "management.azure.com", urlsplit(VAULT).hostname):
        try:
            requests.get(f"https://{host}/", verify=certifi.where(), timeout=30)
            check(f"requests verifies {host}", "answered")
        except requests.exceptions.SSLError:
            check(f"requests verifies {host}", True)


def elsewhere():
    told = {"kind": ServiceRequestError, "text": "Tunnel connection failed: 403"}
    for host in ("example.com", "contoso.vault.azure.net.example.com", "contoso.blob.core.windows.net"):
        refused(f"the proxy leads not to {host}", keys_of(f"https://{host}", "monitor").get_key, "x", **told)
    refused("the proxy leads not to another port", keys_of(f"{VAULT}:8443", "monitor").get_key, "x", **told)
    plain = requests.get("http://example.com/", proxies={"http": settings["proxy"]}, timeout=30)
    check("the proxy fetches nothing itself", plain.status_code, 403)
    missing = {"kind": ServiceRequestError, "text": "Tunnel connection failed: 502"}
    refused(
        "a vault that never was has no host",
        keys_of("https://never-made.vault.azure.net", "monitor").get_key,
        "x",
        **missing,
    )


def other_tenants():
    theirs = credential("elsewhere", additionally_allowed_tenants=["*"])
    told = {"kind": ClientAuthenticationError, "text": "AADSTS700016"}
    refused(
        "an application of another tenant gets no token for a vault here",
        keys_of(VAULT, credential=theirs).get_key,
        "x",
        **told,
    )
    china = settings["china"]
    authority = AzureAuthorityHosts.AZURE_CHINA
    monitor = china["monitor"]
    there = ClientSecretCredential(china["tenant"], monitor["clientId"], monitor["clientSecret"], authority=authority)
    keys = keys_of(china["vault"], credential=there)
    check("a vault of the Chinese cloud", [key.name for key in keys.list_properties_of_keys()], ["cmk"])
    here = keys_of(china["vault"], "monitor")
    refused(
        "an application of this cloud gets no token for the Chinese one",
        here.get_key,
        "cmk",
        kind=ClientAuthenticationError,
        text="not configured to acquire tokens for tenant",
    )


def drive():
    for part in (secrets, certificates, machines, expired_tokens, trust, elsewhere, other_tenants):
        scenario(part)
