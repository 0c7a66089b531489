"""What keys are for: `CryptographyClient` here and in the vault, and what each caller is refused."""

import hashlib
import secrets
from datetime import datetime, timedelta, timezone

from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import KeyOperation
from azure.keyvault.keys.crypto import (
    CryptographyClient,
    EncryptionAlgorithm,
    KeyWrapAlgorithm,
    SignatureAlgorithm,
)

from drive_azure_checks import check, credentials, keys_of, refused, scenario, settings

VAULT, POLICY_VAULT = settings["vault"], settings["policyVault"]

keys = keys_of(VAULT)


def cryptography():
    """Whoever may read the key works with its public half alone; the private half never leaves the vault."""
    envelope = secrets.token_bytes(32)
    rsa_key, ec_key = keys.get_key("rsa-4096"), keys.get_key("ec-P-256")
    local = keys.get_cryptography_client("rsa-4096")
    # An application without `get` never sees the public half, so that everything happens in the vault.
    blind_keys = keys_of(POLICY_VAULT, "user")
    refused(
        "an application without the permission to read",
        blind_keys.get_key,
        "shared",
        kind=HttpResponseError,
        status=403,
        code="Forbidden",
        inner="AccessDenied",
        text="does not have keys get permission",
    )
    owner = keys_of(POLICY_VAULT)
    shared = owner.create_rsa_key("shared", size=2048)
    signer = owner.create_ec_key("signer", curve="P-384")
    remote = CryptographyClient(shared.id, credentials["user"])
    near = CryptographyClient(shared, credentials["owner"])
    for algorithm in (KeyWrapAlgorithm.rsa_oaep, KeyWrapAlgorithm.rsa_oaep_256, KeyWrapAlgorithm.rsa1_5):
        wrapped = local.wrap_key(algorithm, envelope)
        check(
            f"{algorithm}: wrapped here, unwrapped in the vault",
            local.unwrap_key(algorithm, wrapped.encrypted_key).key,
            envelope,
        )
        far = remote.wrap_key(algorithm, envelope)
        check(
            f"{algorithm}: wrapped and unwrapped in the vault",
            remote.unwrap_key(algorithm, far.encrypted_key).key,
            envelope,
        )
        check(
            f"{algorithm}: what others wrapped",
            remote.unwrap_key(algorithm, near.wrap_key(algorithm, envelope).encrypted_key).key,
            envelope,
        )
    sealed = remote.encrypt(EncryptionAlgorithm.rsa_oaep_256, b"hello")
    check(
        "encrypted and decrypted in the vault",
        remote.decrypt(EncryptionAlgorithm.rsa_oaep_256, sealed.ciphertext).plaintext,
        b"hello",
    )
    check("the answer names the version", sealed.key_id, shared.id)
    digest = hashlib.sha256(b"message").digest()
    for algorithm in (SignatureAlgorithm.rs256, SignatureAlgorithm.ps256):
        signature = remote.sign(algorithm, digest).signature
        check(f"{algorithm}: signed in the vault, verified here", near.verify(algorithm, digest, signature).is_valid)
        check(f"{algorithm}: verified in the vault", remote.verify(algorithm, digest, signature).is_valid)
        check(
            f"{algorithm}: another message",
            remote.verify(algorithm, hashlib.sha256(b"x").digest(), signature).is_valid,
            False,
        )
    curve = CryptographyClient(ec_key, credentials["owner"])
    check(
        "ES256: signed in the vault, verified here",
        curve.verify(SignatureAlgorithm.es256, digest, curve.sign(SignatureAlgorithm.es256, digest).signature).is_valid,
    )
    long_digest = hashlib.sha384(b"message").digest()
    far_curve = CryptographyClient(signer.id, credentials["user"])
    far_signature = far_curve.sign(SignatureAlgorithm.es384, long_digest).signature
    check(
        "ES384: signed and verified in the vault",
        far_curve.verify(SignatureAlgorithm.es384, long_digest, far_signature).is_valid,
    )
    check(
        "ES384: verified here",
        CryptographyClient(signer, credentials["owner"])
        .verify(SignatureAlgorithm.es384, long_digest, far_signature)
        .is_valid,
    )
    pinned = keys.get_cryptography_client("rsa-4096", key_version=rsa_key.properties.version)
    keys.rotate_key("rsa-4096")
    oaep = KeyWrapAlgorithm.rsa_oaep_256
    old = pinned.wrap_key(oaep, envelope).encrypted_key
    check("an older version unwraps what it wrapped", pinned.unwrap_key(oaep, old).key, envelope)
    bad = {"kind": HttpResponseError, "status": 400, "code": "BadParameter"}
    newest = keys.get_cryptography_client("rsa-4096")
    refused("the newest version does not", newest.unwrap_key, oaep, old, **bad)
    damaged = bytes([old[0] ^ 1]) + old[1:]
    refused("a damaged envelope", pinned.unwrap_key, oaep, damaged, **bad)
    unusable(owner, remote, shared, envelope)


def unusable(owner, remote, shared, envelope):
    """What a version refuses while it is disabled, and outside its dates."""
    oaep = KeyWrapAlgorithm.rsa_oaep_256
    wrapped = remote.wrap_key(oaep, envelope).encrypted_key
    forbidden = {"kind": HttpResponseError, "status": 403, "code": "Forbidden"}
    owner.update_key_properties("shared", enabled=False)
    text = "Operation unwrapKey is not allowed on a disabled key."
    refused(
        "a disabled key unwraps nothing", remote.unwrap_key, oaep, wrapped, inner="KeyDisabled", text=text, **forbidden
    )
    owner.update_key_properties("shared", enabled=True)
    check("an enabled one does again", remote.unwrap_key(oaep, wrapped).key, envelope)
    expired = datetime.now(timezone.utc) - timedelta(days=1)
    owner.update_key_properties("shared", expires_on=expired)
    refused("an expired key wraps nothing", remote.wrap_key, oaep, envelope, inner="KeyExpired", **forbidden)
    check("but it unwraps", remote.unwrap_key(oaep, wrapped).key, envelope)
    owner.update_key_properties("shared", expires_on=datetime.now(timezone.utc) + timedelta(days=30))
    owner.update_key_properties("shared", key_operations=[KeyOperation.sign, KeyOperation.verify])
    text = "Operation unwrapKey is not permitted on this key."
    refused(
        "a key that is for signing unwraps nothing",
        remote.unwrap_key,
        oaep,
        wrapped,
        inner="KeyOperationForbidden",
        text=text,
        **forbidden,
    )


def rights():
    forbidden = {"kind": HttpResponseError, "status": 403, "code": "Forbidden"}
    monitor, stranger = keys_of(VAULT, "monitor"), keys_of(VAULT, "stranger")
    check("the monitor reads", monitor.get_key("cmk").name, "cmk")
    check("the monitor lists what is deleted", [one.name for one in monitor.list_deleted_keys()], [])
    rbac = {"inner": "ForbiddenByRbac", **forbidden}
    action = "Action: 'Microsoft.KeyVault/vaults/keys/{}'"
    refused("the monitor makes no key", monitor.create_rsa_key, "new", text=action.format("create/action"), **rbac)
    refused("the monitor deletes none", monitor.begin_delete_key, "cmk", text=action.format("delete"), **rbac)
    refused("the monitor rotates none", monitor.rotate_key, "cmk", text=action.format("rotate/action"), **rbac)
    refused("a stranger reads nothing", stranger.get_key, "cmk", text=action.format("read"), **rbac)
    refused(
        "a stranger lists nothing",
        lambda: list(stranger.list_properties_of_keys()),
        text="DeniedWithNoValidRBAC",
        **rbac,
    )
    refused("he does not learn what is missing", stranger.get_key, "never", **rbac)
    policy = {"inner": "AccessDenied", **forbidden}
    watched = keys_of(POLICY_VAULT, "monitor")
    check("the monitor reads by policy", watched.get_key("shared").name, "shared")
    refused("no key by policy", watched.create_rsa_key, "new", text="does not have keys create permission", **policy)
    unknown = keys_of(POLICY_VAULT, "stranger")
    refused(
        "no list by policy",
        lambda: list(unknown.list_properties_of_keys()),
        text="does not have keys list permission",
        **policy,
    )
    refused("not the policy either", watched.get_key_rotation_policy, "shared", text="getrotationpolicy", **policy)


def drive():
    for part in (cryptography, rights):
        scenario(part)
